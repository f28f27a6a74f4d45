"""The reports of a run's epochs: reading them, and which of their layers are meant."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from iopath.common.file_io import g_pathmgr

from slowfast_bias.bias import BiasReport
from slowfast_bias.errors import RequestError
from slowfast_bias.outputs import Outputs
from slowfast_bias.visualization.drawing.captions import check_reports
from slowfast_bias.visualization.drawing.layer_axis import by_stream, spread, stage, stages
from slowfast_bias.visualization.reading.report_files import find_layers, read_report, unknown_layer

Epochs = Mapping[int, BiasReport]


def read_epochs(folder: str) -> dict[int, BiasReport]:
    """Returns {epoch: report} of a run: `folder` is its OUTPUT_DIR, or the `bias/` in it."""
    root = str(folder).rstrip("/")
    if not g_pathmgr.isdir(root):
        raise RequestError(
            f"Expected the folder of a run, but there is none at {folder}: give an OUTPUT_DIR."
        )
    runs = [root]
    if os.path.basename(root) == os.path.basename(Outputs(root).bias):
        runs.append(os.path.dirname(root) or ".")
    for run in runs:
        found = Outputs(run).list_epoch_reports()
        if found:
            return {epoch: read_report(path) for epoch, path in found.items()}
    raise RequestError(
        f"Expected bias/epoch_00001.json and so on in {folder}, but found none: train with "
        "BIAS.ENABLE True; a run measures every BIAS.PERIOD epochs."
    )


def check_epochs(reports: Epochs) -> dict[int, BiasReport]:
    """Returns reports in the order of epochs; RequestError if they are not {epoch: report}."""
    check_reports(reports)
    odd = [key for key in reports if not isinstance(key, int) or key < 0]
    if odd:
        raise RequestError(
            f"Expected epochs 0, 1, 2, ... as the keys of the reports, but got {odd[0]!r}."
        )
    return {epoch: reports[epoch] for epoch in sorted(reports)}


def common_layers(reports: Epochs) -> list[str]:
    """Returns the layers, which must be the same in every epoch."""
    first, *others = reports
    layers = list(reports[first].layers)
    for other in others:
        if list(reports[other].layers) != layers:
            raise RequestError(
                f"Expected the same layers in every epoch, but epoch {first} has "
                f"{', '.join(layers)} and epoch {other} {', '.join(reports[other].layers)}: give "
                "the epochs of one run, measured with one BIAS.LAYERS."
            )
    return layers


def chosen_stages(
    every: Sequence[str], report: BiasReport, wanted: Sequence[str] | None, most: int
) -> dict[str, list[str]]:
    """Returns {stage: its layers}, in network order: those wanted, else all, `most` at most."""
    if wanted is None:
        names = set(spread(stages(every), most))
        chosen = [layer for layer in by_stream(every) if stage(layer) in names]
    else:
        for name in wanted:
            if not find_layers(report, name):
                raise unknown_layer(name, every)
        meant = {layer for name in wanted for layer in find_layers(report, name)}
        chosen = [layer for layer in every if layer in meant]
    if not chosen:
        raise RequestError(f"Expected at least one layer, but got none: it has {', '.join(every)}.")
    members: dict[str, list[str]] = {}
    for layer in chosen:
        members.setdefault(stage(layer), []).append(layer)
    return members


def wanted_layers(name: str, reports: Epochs, layer: str | None) -> list[str]:
    """Returns `layer` of a run, or its last stage; RequestError names the run."""
    every = common_layers(reports)
    if layer is None:
        return [x for x in every if stage(x) == stages(every)[-1]]
    found = find_layers(next(iter(reports.values())), layer)
    if not found:
        raise RequestError(f"{name}: {unknown_layer(layer, every)}")
    return found
