"""How it was measured: all that a reader needs to judge the numbers, or to make them again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slowfast_bias.bias.origin import origin
from slowfast_bias.bias.report_text import recognition_words
from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.blocks import Facts, Folded, Heading, Note, Section, Table
from slowfast_bias.visualization.reading.run_folder import RunFolder

_NAMES = {  # key of meta -> its words, in this order
    "model": "network", "checkpoint": "weights", "weights_table": "names of weights by",
    "random_weights": "weights that are random", "config": "config", "data": "list",
    "list": "list file", "frames": "frames x rate", "sampling": "sampling",
    "pairs_made": "pairs", "order": "order drawn per", "classes": "classes",
    "precision": "precision", "mean": "mean of colours", "std": "spread of colours",
    "statistic": "statistic", "threshold": "threshold of kinds", "host": "host",
    "device": "device", "processes": "processes", "versions": "versions", "seconds": "seconds",
}  # fmt: skip
_ORIGIN = {
    "styles": "bank of styles", "seed": "seed of pairs", "videos": "videos",
    "recordings": "recordings", "decoder": "decoder",
}  # fmt: skip
_ELSEWHERE = ("warnings", "dropped_videos", "dropped_because", "layers_read", "recognition", "name")
_ROWS = 200  # of unreadable videos


def measuring_section(runs: Mapping[str, RunFolder]) -> Section | None:
    """Returns where the numbers of every run come from."""
    blocks: list[object] = []
    for name, run in runs.items():
        found = _blocks(run)
        if found and len(runs) > 1:
            blocks.append(Heading(name))
        blocks += found
    if not blocks:
        return None
    return Section("measured", "How it was measured", blocks)


def _blocks(run: RunFolder) -> list[object]:
    blocks: list[object] = []
    meta = run.report.meta if run.report else _tested(run)
    if meta:
        blocks.append(Facts(facts_of(meta)))
    if said := recognition_words(meta):
        blocks.append(Note(f"{said[0].upper()}{said[1:]}."))
    for text in run.report.warnings if run.report else ():
        blocks.append(Note(f"{text[0].upper()}{text[1:]}.", warning=True))
    if read := meta.get("layers_read"):
        rows = [[str(key), str(value)] for key, value in read.items()]
        table = Table("How every layer was read", ["layer", "shape and axes"], rows, 2)
        blocks.append(Folded("How every layer was read", [table]))
    if bad := _unreadable(run, meta):
        blocks.append(Folded(f"Videos that could not be read ({len(bad)})", [_bad_table(bad)]))
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


def _tested(run: RunFolder) -> Mapping[str, Any]:
    found = (x for x in (run.orders, run.battery, run.silencing) if x)
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
