"""How it was measured: all that a reader needs to judge the numbers, or to make them again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slowfast_bias.bias.origin import origin
from slowfast_bias.bias.report_text import recognition_words
from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.blocks import Facts, Folded, Heading, Note, Section, Table
from slowfast_bias.visualization.html.evidence import is_of_flow
from slowfast_bias.visualization.reading.run_folder import RunFolder

_NAMES = {  # key of meta -> its words, in this order
    "model": "network", "checkpoint": "weights", "weights_table": "names of weights by",
    "random_weights": "weights that are random", "config": "config", "data": "list",
    "list": "list file", "frames": "frames x rate", "sampling": "sampling",
    "pairs_made": "pairs", "order": "order drawn per", "classes": "classes",
    "precision": "precision", "forwards": "forwards with",
    "mean": "mean of colours", "std": "spread of colours",
    "statistic": "statistic", "threshold": "threshold of kinds", "host": "host",
    "device": "device", "processes": "processes", "versions": "versions", "seconds": "seconds",
}  # fmt: skip
_ORIGIN = {
    "styles": "bank of styles", "seed": "seed of pairs", "videos": "videos measured",
    "recordings": "recordings measured", "decoder": "decoder",
}  # fmt: skip
_TESTED = {"videos measured": "videos tested", "recordings measured": "recordings tested"}
_FRAMES = {  # of image and flow a clip is a frame, and errors are over sequences
    "videos measured": "frames measured", "recordings measured": "sequences measured",
    "videos tested": "frames tested", "recordings tested": "sequences tested",
}  # fmt: skip
_ELSEWHERE = ("warnings", "dropped_videos", "dropped_because", "layers_read", "recognition", "name")
_ROWS = 200  # of unreadable videos


def measuring_section(runs: Mapping[str, RunFolder]) -> Section | None:
    """Returns where the numbers of every run come from."""
    metas = {name: found for name, run in runs.items() if (found := _meta(run))}
    blocks = [*_facts(metas, runs), *(x for name in runs for x in _notes(name, runs))]
    return Section("measured", "How it was measured", blocks) if blocks else None


def _facts(metas: Mapping[str, Mapping[str, Any]], runs: Mapping[str, RunFolder]) -> list[object]:
    """Returns what holds for all runs, and a table of the rest."""
    if not metas:
        return []
    found = {
        name: {_counted(key, runs[name]): x for key, x in facts_of(meta)}
        for name, meta in metas.items()
    }
    names = dict.fromkeys(key for facts in found.values() for key in facts)
    values = {key: [facts.get(key, words.NONE) for facts in found.values()] for key in names}
    same = [(key, x[0]) for key, x in values.items() if len(set(x)) == 1]
    other = [[key, *x] for key, x in values.items() if len(set(x)) > 1]
    if not other:
        return [Facts(same)]
    table = Table("In what the runs differ", ["", *found], other, len(found) + 1)
    return [table, *([Heading("The same for all"), Facts(same)] if same else [])]


def _counted(key: str, run: RunFolder) -> str:
    """Returns the words of a fact: of a run that was only tested, or is of frames, others."""
    words_of = key if run.report else _TESTED.get(key, key)
    return _FRAMES.get(words_of, words_of) if is_of_flow(run) else words_of


def _notes(name: str, runs: Mapping[str, RunFolder]) -> list[object]:
    """Returns what is to be said of one run, its name in front if there are several."""
    run, whose = runs[name], f"{name}: " if len(runs) > 1 else ""
    meta, blocks = _meta(run), []
    texts = [(recognition_words(meta), False)]
    texts += [(text, True) for text in (run.report.warnings if run.report else ())]
    for text, warning in texts:
        if text:
            blocks.append(Note(f"{whose or text[0].upper()}{text[0 if whose else 1 :]}.", warning))
    if read := meta.get("layers_read"):
        rows = [[str(key), str(value)] for key, value in read.items()]
        table = Table("How every layer was read", ["layer", "shape and axes"], rows, 2)
        blocks.append(Folded(f"{whose}How every layer was read", [table]))
    if bad := _unreadable(run, meta):
        title = f"Videos that could not be read ({len(bad)})"
        blocks.append(Folded(f"{whose}{title}", [_bad_table(bad)]))
    return blocks


def facts_of(meta: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns everything that a `meta` says, in words, what matters most first."""
    known = {_ORIGIN[key]: text for key, text in origin(meta).items()}
    for key, name in _NAMES.items():
        if meta.get(key) not in (None, "", [], {}):
            known[name] = words.plain(meta[key])
    rest = {*meta} - {*_NAMES, *_ORIGIN, *_ELSEWHERE}
    for key in sorted(rest):
        if meta[key] not in (None, "", [], {}):
            known[key.replace("_", " ")] = words.plain(meta[key])
    return list(known.items())


def _meta(run: RunFolder) -> Mapping[str, Any]:
    """Returns the `meta` of a run's report, or else of a test."""
    if run.report:
        return run.report.meta
    found = (x for x in (run.orders, run.battery, run.masks, run.silencing) if x)
    return next(found, {}).get("meta", {})


def _unreadable(run: RunFolder, meta: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = [*run.unreadable]
    known = {row.get("path") for row in rows}
    rows += [x for x in meta.get("dropped_because") or () if x.get("path") not in known]
    return rows


def _bad_table(rows: list[Mapping[str, Any]]) -> Table:
    keys = ("path", "row", "reason", "split")
    cells = [[str(row.get(key) or "") for key in keys] for row in rows[:_ROWS]]
    more = f", the first {_ROWS} of {len(rows)}" if len(rows) > _ROWS else ""
    return Table(f"Videos that could not be read{more}", list(keys), cells, len(keys))
