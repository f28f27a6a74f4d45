"""How good the masks of a test are: J and F, boxes of MoCA, and each sequence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.blocks import (
    Cell,
    Folded,
    Note,
    Section,
    Table,
    percent_cell,
)
from slowfast_bias.visualization.html.charts.bars import accuracy_bar
from slowfast_bias.visualization.html.sections.accuracies import weights_note
from slowfast_bias.visualization.reading.mask_results import by_sequence, overall_of
from slowfast_bias.visualization.reading.result_files import number
from slowfast_bias.visualization.reading.run_folder import RunFolder

Content = Mapping[str, Any]
_MEASURES = {"J": "region J", "F": "contour F", "mIoU": "overlap of boxes, mIoU"}
_OVER_TIME = ("recall", "decay")
_SHOWN = 400  # sequences


def masks_section(runs: Mapping[str, RunFolder]) -> Section | None:
    """Returns the scores of every run's masks, how they were taken, and each sequence."""
    tested = {name: run.masks for name, run in runs.items() if run.masks}
    if not tested:
        return None
    blocks: list[object] = [_scores(tested, len(runs) > 1)]
    rates = [row for name, data in tested.items() for row in _rates(name, data, len(runs) > 1)]
    if rates:
        keys = list(dict.fromkeys(key for data in tested.values() for key in _rate_keys(data)))
        head = [*(["network"] if len(runs) > 1 else []), *(_rate_title(key) for key in keys)]
        blocks.append(Table("Success rates of boxes, over all frames", head, rows=rates))
    blocks += [note for name in tested for note in weights_note(name, runs, "masks")]
    blocks += _notes(tested, len(runs) > 1)
    blocks += [_sequences(name, data, len(runs) > 1) for name, data in tested.items()]
    lead = (
        "J is the overlap of mask and truth, F that of their contours: means over sequences of "
        "means over frames, with 95 % intervals over sequences. Recall is the share of frames "
        "above 50 %, decay what is lost from the first quarter of a sequence to its last."
    )
    return Section("masks", "The masks", blocks, lead)


def _scores(tested: Mapping[str, Content], several: bool) -> Table:
    rows = []
    for name, data in tested.items():
        for measure, said in _MEASURES.items():
            found = overall_of(data, measure)
            if found is None:
                continue
            low, high = found.interval
            bar = accuracy_bar(found.mean, low, high)
            row: list[Cell | str] = [*([name] if several else []), Cell(said, measure)]
            row += [percent_cell(found.mean), Cell("", found.mean, bar)]
            row.append(Cell(words.span(low, high), low))
            means = (data.get("masks") or {}).get("means") or {}
            for word in _OVER_TIME:
                row.append(percent_cell(number(means, f"{measure}_{word}")))
            rows.append([*row, Cell(f"{found.sequences}", found.sequences)])
    head = [*(["network"] if several else []), "measure", "mean", "", "95 % interval"]
    left = len(head) - 3
    head += ["recall", "decay", "sequences"]
    return Table("Scores of masks", head, rows, left, wide=left + 1)


def _rate_keys(data: Content) -> list[str]:
    means = (data.get("boxes") or {}).get("means") or {}
    return [key for key in means if key != "mIoU"]


def _rate_title(key: str) -> str:
    return "mean" if key == "mSR" else key.replace("SR_", "above ")


def _rates(name: str, data: Content, several: bool) -> Iterator[list[Cell | str]]:
    """Yields the row of a run's success rates, if its list has boxes."""
    if keys := _rate_keys(data):
        means = data["boxes"]["means"]
        cells = [percent_cell(number(means, key)) for key in keys]
        yield [*([name] if several else []), *cells]


def _notes(tested: Mapping[str, Content], several: bool) -> list[Note]:
    """Returns how masks were taken, and what is not in the numbers; what holds for all once."""
    found: dict[tuple[str, bool], list[str]] = {}
    for name, data in tested.items():
        for text, warning in _texts(data):
            found.setdefault((text, warning), []).append(name)
    return [
        Note(text if not several or len(names) == len(tested) else f"{', '.join(names)}: {text}", x)
        for (text, x), names in found.items()
    ]


def _texts(data: Content) -> Iterator[tuple[str, bool]]:
    """Yields what must stand beside the numbers of one test, and whether it is a warning."""
    masks, boxes = data.get("masks") or {}, data.get("boxes") or {}
    if rule := data.get("rule"):
        yield f"Masks: {words.plain(rule)}.", False
    if masks.get("left_out"):
        yield f"Left out: {masks['left_out']}.", False
    if boxes.get("rule"):
        yield f"Boxes: {words.plain(boxes['rule'])}.", False
    if missing := masks.get("missing_frames"):
        count = words.count(sum(missing.values()), "frame")
        yield f"{count} that the benchmark counts have no score: {words.listed([*missing])}.", True


def _sequences(name: str, data: Content, several: bool) -> Folded:
    each = {measure: by_sequence(data, measure) for measure in _MEASURES}
    each = {measure: rows for measure, rows in each.items() if rows}
    names = sorted({sequence for rows in each.values() for sequence in rows})
    rows = [
        [sequence, *(percent_cell(rows.get(sequence, float("nan"))) for rows in each.values())]
        for sequence in names[:_SHOWN]
    ]
    more = f", the first {_SHOWN} of {len(names)}" if len(names) > _SHOWN else ""
    title = f"Every sequence{f' of {name}' if several else ''}{more}"
    return Folded(title, [Table(title, ["sequence", *each], rows)])
