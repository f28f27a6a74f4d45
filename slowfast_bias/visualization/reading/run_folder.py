"""What runs left in their folders, whichever steps they had: a missing file is None or empty.

    runs = read_runs(["runs/slow", "runs/fast"])
    runs["slow"].report, runs["slow"].orders

A file that is there and cannot be used is an error that names it: numbers are never left out
silently.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from iopath.common.file_io import g_pathmgr

from slowfast_bias.bias import BiasReport
from slowfast_bias.errors import RequestError
from slowfast_bias.files import TEXT
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import ResultError, read_object, read_result
from slowfast_bias.visualization.reading.mask_shapes import check_masks
from slowfast_bias.visualization.reading.maximised import Maximised, read_maximised
from slowfast_bias.visualization.reading.report_files import read_report
from slowfast_bias.visualization.reading.run_names import names_of_runs
from slowfast_bias.visualization.reading.shapes import check_rows, check_shape
from slowfast_bias.visualization.reading.top_clips import read_top_clips

Content = dict[str, Any]
REPRODUCED = "runs"  # the folder in which a reproduction has its runs


@dataclass(frozen=True)
class RunFolder:
    """The results of one run.

    Attributes:
        root: the folder.
        report: of the network that was measured.
        others: {name: report} of further networks measured with it, as the untrained one.
        epochs: {epoch: report} while training.
        orders: accuracies with frames in and out of order, `meta` among them.
        silencing: accuracies without some units.
        battery: what the behavioural battery found.
        masks: how good the masks of a test are.
        top_clips: the clips that drive single units most and least.
        maximised: the clips that were made for single units.
        rows: a row per trained network of a sweep.
        unreadable: rows of bad_videos.csv.
        files: {name: path} of the result files that were read, the report's first.
    """

    root: str
    report: BiasReport | None = None
    others: dict[str, BiasReport] = field(default_factory=dict)
    epochs: dict[int, BiasReport] = field(default_factory=dict)
    orders: Content | None = None
    silencing: Content | None = None
    battery: Content | None = None
    masks: Content | None = None
    top_clips: Content | None = None
    maximised: Maximised | None = None
    rows: list[Content] = field(default_factory=list)
    unreadable: list[dict[str, str]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)


def read_runs(paths: Sequence[str], names: Sequence[str] | None = None) -> dict[str, RunFolder]:
    """Returns {name: what is there} of runs; RequestError if a path leads to no result.

    Args:
        paths: folders of runs or sweeps, folders that hold such folders, or report files.
        names: one per run; if not given, the names of their folders.
    """
    sources = [source for path in paths for source in sources_at(os.fspath(path))]
    sources = list(dict.fromkeys(sources))
    found = names_of_runs(sources, names)
    return dict(zip(found, map(_read, sources), strict=True))


def sources_at(path: str) -> list[str]:
    """Returns the folders of runs, and the report files, that a path stands for."""
    path = path.rstrip("/") or "/"
    if g_pathmgr.isfile(path):
        folder, name = os.path.split(path)
        root = os.path.dirname(folder) or "."
        return [root] if name == "report.json" and os.path.basename(folder) == "bias" else [path]
    if not g_pathmgr.isdir(path):
        raise RequestError(
            f"Expected the folder of a run, or a report file, but there is none at {path}: give "
            "an OUTPUT_DIR."
        )
    if has_results(path):
        return [path]
    found = _runs_in(path) or _runs_in(Outputs(path).run(REPRODUCED).root)
    demo = Outputs(path).untrained()
    if found and g_pathmgr.isfile(demo):
        found.append(demo)
    if not found:
        raise RequestError(
            f"Expected the folder of a run with results, but {path} has none of "
            f"{', '.join(os.path.relpath(x, path) for x in _result_files(Outputs(path)))}: run it "
            "with BIAS.ENABLE True."
        )
    return found


def _runs_in(path: str) -> list[str]:
    """Returns the folders in a folder that hold results."""
    names = sorted(g_pathmgr.ls(path)) if g_pathmgr.isdir(path) else []
    children = [Outputs(path).run(name).root for name in names]
    return [child for child in children if g_pathmgr.isdir(child) and has_results(child)]


def has_results(root: str) -> bool:
    """Returns whether a folder holds a result of its own."""
    outputs = Outputs(root)
    return any(map(g_pathmgr.isfile, _result_files(outputs))) or bool(outputs.list_epoch_reports())


def _result_files(outputs: Outputs) -> list[str]:
    files = [outputs.report(), outputs.frame_orders, outputs.silencing(), outputs.battery()]
    files += [outputs.segmentation(), outputs.top_clips, outputs.maximised, outputs.rows]
    return files


def _read(source: str) -> RunFolder:
    return _read_file(source) if g_pathmgr.isfile(source) else _read_folder(source)


def _read_file(path: str) -> RunFolder:
    """Returns a report file as a run; the demo leaves the orders of its untrained network there."""
    root = os.path.dirname(path) or "."
    beside = Outputs(root).untrained_orders
    orders = beside if path == Outputs(root).untrained() and g_pathmgr.isfile(beside) else None
    return RunFolder(
        root,
        read_report(path),
        orders=read_data(orders, "frame_orders", "ordered", "shuffled") if orders else None,
        files={os.path.basename(x): x for x in (path, orders) if x},
    )


def _read_folder(root: str) -> RunFolder:
    outputs = Outputs(root)
    single = {
        "orders": (outputs.frame_orders, "frame_orders", ("ordered", "shuffled")),
        "silencing": (outputs.silencing(), "silencing", ("layer", "channels", "curves")),
        "battery": (outputs.battery(), "battery", ("variants",)),
        "masks": (outputs.segmentation(), "segmentation", ("frames",)),
        "top_clips": (outputs.top_clips, "top_clips", ("units", "frames")),
    }
    there = {key: x for key, x in single.items() if g_pathmgr.isfile(x[0])}
    report = read_report(outputs.report()) if g_pathmgr.isfile(outputs.report()) else None
    others, paths = _others(outputs) if report else ({}, [])
    paths = [*([outputs.report()] if report else []), *paths, *(x[0] for x in there.values())]
    made = outputs.maximised if g_pathmgr.isfile(outputs.maximised) else None
    paths += [made] if made else []
    rows = []
    if g_pathmgr.isfile(outputs.rows):
        rows = read_rows(outputs.rows)
        paths.append(outputs.rows)
    return RunFolder(
        root,
        report,
        others,
        {epoch: read_report(path) for epoch, path in outputs.list_epoch_reports().items()},
        **{key: _read_step(path, kind, *keys) for key, (path, kind, keys) in there.items()},
        maximised=read_maximised(made) if made else None,
        rows=rows,
        unreadable=_unreadable(outputs.unreadable_videos),
        files={os.path.basename(path): path for path in paths},
    )


def _read_step(path: str, kind: str, *keys: str) -> Content:
    """Returns the data of a result file; units of top clips are checked one by one as well."""
    found = read_data(path, kind, *keys)
    return read_top_clips(path) if kind == "top_clips" else found


def read_data(path: str, kind: str, *keys: str) -> Content:
    """Returns the data of a result file with its `meta`; ResultError if it lacks one of `keys`."""
    content = read_object(path, kind)
    data = content.get("data", content)  # files from before there were kinds hold only the data
    lacking = [key for key in keys if not isinstance(data, Mapping) or key not in data]
    if lacking:
        raise ResultError(f"Expected `{'`, `'.join(lacking)}` in the data of {path}: run it again.")
    found = {**data, "meta": content["meta"]}
    check = check_masks if kind == "segmentation" else check_shape
    check(path, found)
    return found


def read_rows(path: str) -> list[Content]:
    """Returns the rows of a sweep; ResultError if they are none."""
    rows = read_result(path, "sweep").data
    if not rows or not all(isinstance(row, Mapping) and "kind" in row for row in rows):
        raise ResultError(f"Expected rows with their kind of dropout in {path}: collect it again.")
    check_rows(path, rows)
    return [dict(row) for row in rows]


def _others(outputs: Outputs) -> tuple[dict[str, BiasReport], list[str]]:
    """Returns the reports beside a run's own by their names, and their files."""
    known = {*_result_files(outputs), *outputs.list_epoch_reports().values()}
    names = [name[:-5] for name in sorted(g_pathmgr.ls(outputs.bias)) if name.endswith(".json")]
    paths = [outputs.report(name) for name in names if outputs.report(name) not in known]
    paths = [path for path in paths if _is_report(path)]
    return {os.path.basename(path)[:-5]: read_report(path) for path in paths}, paths


def _is_report(path: str) -> bool:
    """Returns whether a file that no step of ours names is a report, or is broken."""
    with g_pathmgr.open(path, "r") as file:
        try:
            content = json.load(file)
        except (ValueError, RecursionError):  # no JSON, or nested without end
            return True
    return not isinstance(content, dict) or content.get("kind", "report") == "report"


def _unreadable(path: str) -> list[dict[str, str]]:
    if not g_pathmgr.isfile(path):
        return []
    with g_pathmgr.open(path, "r", **TEXT) as file:
        return [{k: v or "" for k, v in row.items() if k} for row in csv.DictReader(file)]
