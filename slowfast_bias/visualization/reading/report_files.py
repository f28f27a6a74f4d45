"""Reports from files: a name for each model, and one clear line for each error in a file."""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath as Path

from slowfast_bias.bias import BiasReport
from slowfast_bias.errors import RequestError
from slowfast_bias.results import ResultError
from slowfast_bias.visualization.drawing.layer_axis import stage
from slowfast_bias.visualization.reading.shapes import check_meta


def read_reports(paths: Sequence[str], names: Sequence[str] | None = None) -> dict[str, BiasReport]:
    """Returns {model: report} in the order of `paths`.

    Without `names`, it is the report's own (its meta's "name", else "model"), or its run's folder.
    """
    if names and len(names) != len(paths):
        raise RequestError(
            f"Expected as many names as reports, but got {len(names)} names for {len(paths)} "
            "reports: give one name per report, in the same order."
        )
    reports = [read_report(path) for path in paths]
    names = list(names) if names else default_names(paths, reports)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise RequestError(
            f"Expected names that differ, but got {twice[0]!r} {names.count(twice[0])} times: "
            "give one name per report with --names, and each report once."
        )
    return dict(zip(names, reports, strict=True))


def read_report(path: str) -> BiasReport:
    """Returns the report in the file; ResultError if there is none."""
    report = BiasReport.load(path)
    if not report.layers:
        raise ResultError(f"Expected a report with layers, but {path} has none: measure again.")
    check_meta(os.fspath(path), report.meta)
    return report


def default_names(paths: Sequence[str], reports: Sequence[BiasReport]) -> list[str]:
    """Returns a name for each report: its own, and if two share one, the run's folder too."""
    own = [_own_name(report) for report in reports]
    runs = [_run_name(path) for path in paths]
    names = [name or run for name, run in zip(own, runs, strict=True)]
    for longer in (
        [f"{run} {name}" if name else run for name, run in zip(own, runs, strict=True)],
        [f"{run} {Path(path).stem}" for path, run in zip(paths, runs, strict=True)],
        list(paths),
    ):
        if len(set(names)) == len(names):
            break
        names = longer
    return names


def find_layers(report: BiasReport, name: str) -> list[str]:
    """Returns the layers of `name`: itself, the pathways of a stage, or a module's parts."""
    if name in report.layers:
        return [name]
    return [x for x in report.layers if stage(x) == name or x.startswith(f"{name}.")]


def find_layer(report: BiasReport, name: str) -> str:
    """Returns the one layer of `name`; RequestError, with similar names, if there is none."""
    found = find_layers(report, name)
    if len(found) == 1:
        return found[0]
    raise unknown_layer(name, list(report.layers), found)


def unknown_layer(name: str, layers: Sequence[str], near: Sequence[str] = ()) -> RequestError:
    """Returns the error that lists the layers there are, and names similar ones."""
    near = near or difflib.get_close_matches(name, layers, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return RequestError(
        f"Expected a layer of the report, but got {name!r}: {hint}it has {', '.join(layers)}."
    )


def _own_name(report: BiasReport) -> str:
    own = (report.meta.get(key) for key in ("name", "model"))
    return next((name for name in own if isinstance(name, str) and name), "")


def _run_name(path: str) -> str:
    """Returns the folder of the run: runs/slow/bias/report.json is of the run `slow`."""
    folders = [part for part in Path(path).parts[:-1] if part not in ("bias", "/", "..")]
    return folders[-1] if folders else Path(path).stem
