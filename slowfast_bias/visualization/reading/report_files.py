"""Reports from files: a name for each model, and one clear line for what is wrong with a file."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath as Path

from slowfast_bias.bias import BiasReport
from slowfast_bias.visualization.drawing.layer_axis import stage


def read_reports(paths: Sequence[str], names: Sequence[str] | None = None) -> dict[str, BiasReport]:
    """Return {model: report} in the order of `paths`.

    A name not given is the report's own (its meta's "name", else "model"), else its run's folder.
    """
    if names and len(names) != len(paths):
        raise ValueError(
            f"Expected as many names as reports, but got {len(names)} names for {len(paths)} "
            "reports: give one name per report, in the same order."
        )
    reports = [read_report(path) for path in paths]
    names = list(names) if names else default_names(paths, reports)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(
            f"Expected names that differ, but got {twice[0]!r} {names.count(twice[0])} times: "
            "give one name per report with --names, and each report once."
        )
    return dict(zip(names, reports, strict=True))


def read_report(path: str) -> BiasReport:
    """Return the report in the file, or say in one line why there is none."""
    try:
        report = BiasReport.load(path)
    except OSError as error:
        raise ValueError(
            f"Expected a report file, but {path} could not be read ({error.strerror or error}): a "
            "run leaves its report in OUTPUT_DIR/bias/report.json."
        ) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"Expected a bias report, but {path} is not JSON ({error}): give a run's "
            "bias/report.json."
        ) from error
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            f"Expected a bias report, but {path} is JSON of another shape "
            f"({type(error).__name__}: {error}): give a run's bias/report.json."
        ) from error
    if not report.layers:
        raise ValueError(f"Expected a report with layers, but {path} has none: measure again.")
    return report


def default_names(paths: Sequence[str], reports: Sequence[BiasReport]) -> list[str]:
    """Return a name for each report: its own, and where two share one, the run's folder too."""
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
    """Return the layers that `name` means: itself, the pathways of a stage, a module's parts."""
    if name in report.layers:
        return [name]
    return [x for x in report.layers if stage(x) == name or x.startswith(f"{name}.")]


def find_layer(report: BiasReport, name: str) -> str:
    """Return the one layer that `name` means, or raise with what was perhaps meant."""
    found = find_layers(report, name)
    if len(found) == 1:
        return found[0]
    raise unknown_layer(name, list(report.layers), found)


def unknown_layer(name: str, layers: Sequence[str], near: Sequence[str] = ()) -> ValueError:
    """Return the error that says which layers there are, and which was perhaps meant."""
    near = near or difflib.get_close_matches(name, layers, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return ValueError(
        f"Expected a layer of the report, but got {name!r}: {hint}it has {', '.join(layers)}."
    )


def _own_name(report: BiasReport) -> str:
    own = (report.meta.get(key) for key in ("name", "model"))
    return next((name for name in own if isinstance(name, str) and name), "")


def _run_name(path: str) -> str:
    """Return the folder of the run: runs/slow/bias/report.json is of the run ``slow``."""
    folders = [part for part in Path(path).parts[:-1] if part not in ("bias", "/", "..")]
    return folders[-1] if folders else Path(path).stem
