"""The demo: trains, measures and compares four toy networks whose bias is known beforehand.

A network that learnt textures must be measured as static, one that learnt motion as dynamic, one
without temporal kernels as purely static for any labels, and an untrained one as static too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from fvcore.common.config import CfgNode

from slowfast_bias import engine, plain_table
from slowfast_bias.bias import HEADLINE, BiasReport
from slowfast_bias.bias.origin import origin_words
from slowfast_bias.bias.report_text import TITLES, with_error
from slowfast_bias.config import dump_cfg
from slowfast_bias.engine.measuring.measurement import measure_networks
from slowfast_bias.engine.runtime.page import write_page
from slowfast_bias.engine.setup.network import open_trained
from slowfast_bias.engine.setup.provenance import provenance
from slowfast_bias.engine.testing.frame_orders import KIND, accuracy_by_order
from slowfast_bias.files import write_whole
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import write_result
from slowfast_bias.visualization.drawing.save import save_figure
from slowfast_bias.visualization.figures.pages import comparison_figure

# name in the table -> config
NETWORKS = {
    "texture labels": "configs/Toy/SLOW_texture.yaml",
    "motion labels": "configs/Toy/SLOW_motion.yaml",
    "no temporal kernels": "configs/Toy/2D_motion.yaml",
}


def run(output_dir: str = "runs/demo", configs: str = "") -> dict[str, BiasReport]:
    """Runs the whole demo, prints its table, writes figure, page and reports; returns the reports.

    Args:
        output_dir: the folder of all results; a second run finds its checkpoints there.
        configs: the folder that holds `configs/`.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)  # networks this small lose time to more, on a busy machine much
    start, outputs, reports, accuracies = time.perf_counter(), Outputs(output_dir), {}, {}
    for name, config in NETWORKS.items():
        cfg = _load(configs + config, outputs.run(Path(config).stem).root)
        engine.train(cfg)
        reports[name] = engine.measure(cfg)
        trained = open_trained(cfg)
        accuracies[name] = accuracy_by_order(cfg, trained.model)
        mine = Outputs(cfg.OUTPUT_DIR)
        _keep_orders(cfg, accuracies[name], mine.frame_orders, mine.bias_config, trained.about)
    cfg = _load(configs + NETWORKS["motion labels"], output_dir)
    config = outputs.untrained("yaml")
    with write_whole(config) as file:
        file.write(dump_cfg(cfg))
    model = engine.build_network(cfg)
    reports["untrained"] = measure_networks(cfg, {"untrained": model}, config)["untrained"]
    accuracies["untrained"] = accuracy_by_order(cfg, model)
    _keep_orders(cfg, accuracies["untrained"], outputs.untrained_orders, config)
    reports["untrained"].save(outputs.untrained())
    save_figure(comparison_figure(reports), outputs.demo_figure)
    print(summary(reports, accuracies))
    print(f"\nfigure: {outputs.demo_figure}   reports: {output_dir}/*/bias/report.md")
    print(f"{time.perf_counter() - start:.0f} seconds")
    if page := write_page(output_dir, _folders(outputs), list(reports), "Four toy networks"):
        print(f"page: {page}")
    return reports


def _folders(outputs: Outputs) -> list[str]:
    trained = [outputs.run(Path(config).stem).root for config in NETWORKS.values()]
    return [*trained, outputs.untrained()]


def _keep_orders(
    cfg: CfgNode,
    figures: dict[str, Any],
    path: str,
    config: str,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Writes accuracies by order of frames, as a test of them does, for the page."""
    meta = provenance(cfg, "test", config, **(about or {}), **figures["meta"])
    data = {key: value for key, value in figures.items() if key != "meta"}
    write_result(path, KIND, meta, data)


def _load(config: str, output_dir: str) -> CfgNode:
    # 512 videos: below 500 the unit counts are biased
    options = {"OUTPUT_DIR": output_dir, "BIAS.TOY.NUM_VAL": 512, "LOG_PERIOD": 1000}
    return engine.load_cfg(config, [word for pair in options.items() for word in pair])


def summary(reports: dict[str, BiasReport], accuracies: dict[str, dict[str, Any]]) -> str:
    """Returns the table at the end: the bias of the classifier's input, the cost of shuffling."""
    kinds = ("static", "dynamic")
    head = ["network", "accuracy", "shuffled", *(TITLES[score] for score in HEADLINE)]
    rows = [head + [f"{kind}-only units" for kind in kinds]]
    for name, report in reports.items():
        layer = report["head"]
        alive = layer.channels - len(layer.units()["dead"])
        share = {kind: 100 * len(units) / max(alive, 1) for kind, units in layer.units().items()}
        found = [accuracies[name][order]["accuracy"] for order in ("ordered", "shuffled")]
        row = [name, *(f"{x:.1f}%" for x in found)]
        row += [with_error(layer, score) for score in HEADLINE]
        rows.append(row + [f"{share[kind]:.1f}%" for kind in kinds])
    origin = origin_words(report.meta for report in reports.values())
    return "\n".join([*plain_table.aligned(rows), origin])
