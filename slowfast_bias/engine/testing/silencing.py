"""Silenced units: what is left without the most static, the most dynamic, or random units.

They are zero at inference, in one layer, and the test list is classified (the paper's Fig. 11).
One decode a batch, and one forward of everything up to the layer, serve all orders and fractions.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from typing import Any

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.bias import evaluating
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json, progress, set_up_logging
from slowfast_bias.engine.setup import network, unreadable_videos
from slowfast_bias.engine.setup.loaders import build_loader, inputs_of
from slowfast_bias.engine.setup.provenance import what_was_shown
from slowfast_bias.engine.testing.silencing_plan import curves, plan_cuts, table
from slowfast_bias.engine.testing.unit_ranking import find_layer, report_for
from slowfast_bias.errors import DataError
from slowfast_bias.files import write_whole
from slowfast_bias.models.silenced_sets import Variants

log = logging.getLogger(__name__)

FORMAT = 1


def ablate(cfg: CfgNode) -> dict[str, Any]:
    """Tests the trained network without some units of BIAS.ABLATION.LAYER; returns the figures.

    Ranks units by OUTPUT_DIR/bias/report.json where it is of the same weights, else measures
    first. Writes ``bias/ablation.{json,png}`` and ``_type: ablation`` lines.
    """
    set_up_logging(cfg.OUTPUT_DIR)
    start, layer = time.perf_counter(), cfg.BIAS.ABLATION.LAYER
    model = network.build_network(cfg)
    tap = find_layer(model, layer)  # a typo is told before any work is done
    path = network.load_trained(cfg, model)
    report, source = report_for(cfg, model, path, tap)
    cuts = plan_cuts(cfg, report)
    variants = Variants(model, layer, tap)
    sets = list(dict.fromkeys(cut.units for cut in cuts))  # nobody silenced is nobody, in any order
    hits, shown = hits_without(cfg, variants, sets)
    data = {
        "format": FORMAT,
        "meta": {
            "checkpoint": path,
            "report": source,
            **shown,
            "layer": layer,
            "statistic": report[layer].statistic,
            "run_once_a_batch": variants.reused,
            "seconds": round(time.perf_counter() - start, 3),
        },
        "layer": layer,
        "channels": report[layer].channels,
        "curves": curves(cuts, dict(zip(sets, hits, strict=True))),
    }
    if ranks.is_master():
        _write(cfg.OUTPUT_DIR, data)
    for order, points in data["curves"].items():
        for point in points:
            low, high = point["interval"]
            line = {k: point[k] for k in ("fraction", "units", "accuracy")}
            line |= {"_type": "ablation", "layer": layer, "order": order, "low": low, "high": high}
            line["dropped"] = len(shown["dropped_videos"])
            log_json(cfg.OUTPUT_DIR, line)
    ranks.wait()
    return data


@torch.no_grad()
def hits_without(
    cfg: CfgNode, variants: Variants, sets: Sequence[tuple[int, ...]]
) -> tuple[torch.Tensor, dict[str, Any]]:
    """Whether each readable video of the test list is classified right without each set, (S, V).

    And what was shown. Scores are summed over the views of a video, as in `testing.accuracy`; the
    same on every process.
    """
    model = variants.model
    device = next(model.parameters()).device
    loader = build_loader(cfg, "test")
    views = cfg.TEST.NUM_ENSEMBLE_VIEWS * cfg.TEST.NUM_SPATIAL_CROPS
    shape = len(sets), -(-len(loader.dataset) // views), cfg.MODEL.NUM_CLASSES
    sums = torch.zeros(shape, dtype=torch.float64, device=device)
    truth = torch.full(shape[1:2], -1, dtype=torch.long, device=device)
    read = torch.zeros_like(truth)  # views of each video
    with evaluating(model):
        for batch in progress(loader, len(loader), "silenced units"):
            unreadable_videos.note(cfg, loader, "test", batch)
            if not len(batch.labels):
                continue
            video = (batch.indices // views).to(device)
            truth[video] = batch.labels.to(device)
            read.index_add_(0, video, torch.ones_like(video))
            inputs = inputs_of(cfg, batch, device)
            with network.autocast(cfg, device):
                scores = variants.scores(inputs, sets)
            sums.index_add_(1, video, torch.stack(scores).double())
    ranks.sum_over_processes(sums, read)
    ranks.max_over_processes(truth)
    unreadable_videos.settle(cfg, loader, "test")
    seen = read == views
    if not seen.any():
        raise DataError("Expected at least one readable video in the test list, but got none.")
    if not seen.all():
        log.warning("%d videos could not be read and do not count", int((~seen).sum()))
    hits = (sums.argmax(2) == truth)[:, seen].cpu()
    return hits, what_was_shown(cfg, loader, "test", views, seen)


def _write(output_dir: str, data: dict[str, Any]) -> None:
    from slowfast_bias.visualization.drawing.save import save_figure
    from slowfast_bias.visualization.figures.silencing import ablation_figure

    with write_whole(f"{output_dir}/bias/ablation.json") as file:
        json.dump(data, file)
    save_figure(ablation_figure(data), f"{output_dir}/bias/ablation.png")
    log.info(
        "accuracy (%%) without units of %s (%d channels)\n%s",
        data["layer"], data["channels"], table(data),
    )  # fmt: skip
