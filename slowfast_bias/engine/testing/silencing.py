"""Silenced units: what is left without the most static, the most dynamic, or random units.

They are zero at inference, in one layer, and the test list is classified (the paper's Fig. 11).
One decode a batch, and one forward of everything up to the layer, serve all orders and fractions.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from fvcore.common.config import CfgNode

from slowfast_bias.engine.measuring.layers import find_layer
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json
from slowfast_bias.engine.setup.network import open_trained
from slowfast_bias.engine.setup.provenance import provenance, write_config
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.testing.silencing_plan import accuracy_curves, curve_table, plan_sets
from slowfast_bias.engine.testing.unit_ranking import report_for
from slowfast_bias.engine.testing.vote import WithoutUnits, videos_and_recordings, vote
from slowfast_bias.models.silenced_sets import SilencedSets
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import write_result

log = logging.getLogger(__name__)

KIND = "silencing"
PASS = "silenced units"


def ablate(cfg: CfgNode) -> dict[str, Any]:
    """Tests the trained network without some units of BIAS.ABLATION.LAYER; returns the figures.

    Ranks units by OUTPUT_DIR/bias/report.json if it is of the same weights, else measures first.
    Writes `bias/ablation.{json,png}` and `_type: ablation` lines.
    """
    start, layer = time.perf_counter(), cfg.BIAS.ABLATION.LAYER
    trained = open_trained(cfg, scores=True)
    model = trained.model
    tap = find_layer(model, layer)  # a typo is named before anything is decoded
    report, source = report_for(cfg, model, trained.weights, tap)
    plan = plan_sets(cfg, report)
    silenced, task = SilencedSets(model, layer, tap), make_task(cfg, model)
    sets = list(dict.fromkeys(chosen.units for chosen in plan))  # the empty set is one for all
    votes = vote(cfg, task, WithoutUnits(task, silenced, sets), "test", PASS)
    hits = {units: votes.hits(name) for units, name in zip(sets, votes.names, strict=True)}
    outputs = Outputs(cfg.OUTPUT_DIR)
    found = {
        **trained.about,
        "report": source,
        **{key: report.meta[key] for key in ("styles", "seed") if key in report.meta},
        **votes.meta,
        "layer": layer,
        "statistic": report[layer].statistic,
        "run_once_a_batch": silenced.reused,
        "seconds": round(time.perf_counter() - start, 3),
    }
    data = {
        "meta": provenance(cfg, "test", outputs.silencing("yaml"), **found),
        "layer": layer,
        "channels": report[layer].channels,
        "curves": accuracy_curves(plan, hits, votes.recordings),
    }
    if ranks.is_master():
        write_config(cfg, outputs.silencing("yaml"))
        _write(outputs, data)
    for order, points in data["curves"].items():
        for point in points:
            low, high = point["interval"]
            line = {k: point[k] for k in ("fraction", "units", "accuracy")}
            line |= {"_type": "ablation", "layer": layer, "order": order, "low": low, "high": high}
            line["dropped"] = len(data["meta"]["dropped_videos"])
            log_json(cfg.OUTPUT_DIR, line)
    ranks.wait()
    return data


def _write(outputs: Outputs, data: dict[str, Any]) -> None:
    from slowfast_bias.visualization.drawing.save import save_figure
    from slowfast_bias.visualization.figures.silencing import ablation_figure

    meta, rest = data["meta"], {k: v for k, v in data.items() if k != "meta"}
    write_result(outputs.silencing(), KIND, meta, rest)
    save_figure(ablation_figure(data), outputs.silencing("png"))
    log.info(
        "accuracy (%%) of %s without units of %s (%d channels)\n%s",
        videos_and_recordings(meta), data["layer"], data["channels"], curve_table(data["curves"]),
    )  # fmt: skip
