"""Silenced units: what is left without the most static, the most dynamic, or random units.

They are zero at inference, in one layer at a time, and the test list is classified or segmented
(the paper's Fig. 11). One decode a batch, and one forward of everything up to a layer, serve all
orders and fractions. A result holds the first layer, and `further` layers in the same form.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

from fvcore.common.config import CfgNode

from slowfast_bias.bias import BiasReport
from slowfast_bias.config import ConfigError
from slowfast_bias.engine.measuring.layers import silenced_layers
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json
from slowfast_bias.engine.setup.network import open_trained
from slowfast_bias.engine.setup.provenance import provenance, write_config
from slowfast_bias.engine.tasks import make_task, task_class
from slowfast_bias.engine.testing.mirrored import Mirrored
from slowfast_bias.engine.testing.silencing_plan import (
    ACCURACY,
    LEAST_BIASED,
    MARGIN,
    UnitSet,
    accuracy_curves,
    curve_table,
    dominant,
    overlap_curves,
    plan_sets,
)
from slowfast_bias.engine.testing.unit_ranking import report_for
from slowfast_bias.engine.testing.vote import (
    Votes,
    WithoutUnits,
    videos_and_recordings,
    vote,
)
from slowfast_bias.models.families.family import SEGMENTATION
from slowfast_bias.models.silenced_sets import SilencedSets
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import write_result

log = logging.getLogger(__name__)

KIND = "silencing"
PASS = "silenced units"


def ablate(cfg: CfgNode) -> dict[str, Any]:
    """Tests the trained network without some units of its layers; returns the figures.

    The layers are those of BIAS.ABLATION. Ranks units by OUTPUT_DIR/bias/report.json if it is of
    the same weights, else measures first. Writes `bias/ablation.{json,png}` and `_type: ablation`
    lines. Accuracies of classes; of masks the mean over sequences that the test names J or mIoU.
    """
    start = time.perf_counter()
    trained = open_trained(cfg, scores=True)
    model = trained.model
    taps = silenced_layers(cfg, model)  # a typo is named before anything is decoded
    report, source = report_for(cfg, model, trained.weights, taps)
    plans = {layer: plan_sets(cfg, report, layer) for layer in taps}
    task = make_task(cfg, model)
    silenced = {layer: SilencedSets(model, layer, tap) for layer, tap in taps.items()}
    variants = WithoutUnits(task, [(silenced[x], _sets(plans[x])) for x in taps])
    if cfg.BIAS.MASKS.MIRROR and not task.counts_hits:
        variants = Mirrored(task, variants)
    tally = None if task.counts_hits else task.overlaps
    votes = vote(cfg, task, variants, "test", PASS, tally)
    layers = list(_layers(plans, votes, report, task.counts_hits))
    outputs = Outputs(cfg.OUTPUT_DIR)
    found = {
        **trained.about,
        "report": source,
        **{key: report.meta[key] for key in ("styles", "seed", "pairs_made") if key in report.meta},
        **votes.meta,
        "layer": layers[0]["layer"],
        "statistic": report[layers[0]["layer"]].statistic,
        "run_once_a_batch": silenced[layers[0]["layer"]].reused,
        "random_from": _random_words(cfg),
        "mirror": isinstance(variants, Mirrored),
        "seconds": round(time.perf_counter() - start, 3),
    }
    data = {
        "meta": provenance(cfg, "test", outputs.silencing("yaml"), **found),
        **layers[0],
        **({"further": layers[1:]} if len(layers) > 1 else {}),
    }
    if ranks.is_master():
        write_config(cfg, outputs.silencing("yaml"))
        _write(outputs, data, layers)
    _log(cfg, layers, votes)
    ranks.wait()
    return data


def check_silencing(cfg: CfgNode) -> None:
    """Raises, before any work, if the task has no score that silenced units could lower."""
    if cfg.BIAS.TASK != SEGMENTATION and not task_class(cfg).counts_hits:
        raise ConfigError(
            [
                f"BIAS.TASK {cfg.BIAS.TASK}: expected segmentation, or a task in which a video is "
                "right or wrong, for BIAS.ABLATION.ENABLE; set it to False"
            ]
        )


def _sets(plan: list[UnitSet]) -> list[tuple[int, ...]]:
    """Returns what is run of a plan: the empty set is one for all orders."""
    return list(dict.fromkeys(chosen.units for chosen in plan))


def _layers(
    plans: dict[str, list[UnitSet]], votes: Votes, report: BiasReport, hits: bool
) -> Iterator[dict[str, Any]]:
    """Yields what the result holds of each layer, in the order of the variants."""
    names, score = iter(votes.names), ACCURACY if hits else votes.tally.score
    for layer, plan in plans.items():
        mine = {units: next(names) for units in _sets(plan)}
        if hits:
            values = {units: votes.hits(name) for units, name in mine.items()}
            curves = accuracy_curves(plan, values, votes.recordings)
        else:
            values = {
                x: votes.tally.by_sequence(votes.names.index(name)) for x, name in mine.items()
            }
            curves = overlap_curves(plan, values, score)
        yield {
            "layer": layer,
            "channels": report[layer].channels,
            "score": score,
            "dominant": dominant(report[layer]),
            "curves": curves,
        }


def _random_words(cfg: CfgNode) -> str:
    if cfg.BIAS.ABLATION.RANDOM_FROM != LEAST_BIASED:
        return cfg.BIAS.ABLATION.RANDOM_FROM
    return f"{LEAST_BIASED}: the share + {MARGIN:g} least biased to the layer's dominant factor"


def _log(cfg: CfgNode, layers: list[dict[str, Any]], votes: Votes) -> None:
    dropped = len(votes.meta["dropped_videos"])
    for found in layers:
        for order, points in found["curves"].items():
            for point in points:
                low, high = point["interval"]
                line = {k: point[k] for k in ("fraction", "units", found["score"])}
                line |= {"_type": "ablation", "layer": found["layer"], "order": order}
                log_json(cfg.OUTPUT_DIR, {**line, "low": low, "high": high, "dropped": dropped})


def _write(outputs: Outputs, data: dict[str, Any], layers: list[dict[str, Any]]) -> None:
    from slowfast_bias.visualization.drawing.save import save_figure
    from slowfast_bias.visualization.figures.silencing import ablation_figure

    meta, rest = data["meta"], {k: v for k, v in data.items() if k != "meta"}
    write_result(outputs.silencing(), KIND, meta, rest)
    save_figure(ablation_figure(data), outputs.silencing("png"))
    for found in layers:
        log.info(
            "%s (%%) of %s without units of %s (%d channels)\n%s",
            found["score"], videos_and_recordings(meta, found["score"] != ACCURACY),
            found["layer"], found["channels"], curve_table(found["curves"], found["score"]),
        )  # fmt: skip
