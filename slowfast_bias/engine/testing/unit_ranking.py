"""The measurement that ranks a layer's units: one that is there already, or a new one."""

from __future__ import annotations

import logging
import os

from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr
from torch import nn

from slowfast_bias.bias import BiasReport, Tap
from slowfast_bias.config import ConfigError
from slowfast_bias.engine.measuring.layers import SILENCED
from slowfast_bias.engine.measuring.measurement import measure_networks
from slowfast_bias.engine.measuring.report_files import write_reports
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.setup.provenance import write_config
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import ResultError

log = logging.getLogger(__name__)


def report_for(
    cfg: CfgNode,
    model: nn.Module,
    weights: str,
    tap: Tap,
    layer: str | None = None,
    key: str = SILENCED,
) -> tuple[BiasReport, str]:
    """Returns a report of `model` with `weights` that has a layer, and its file.

    OUTPUT_DIR/bias/report.json if it is of these weights and has `tap`, else a new
    measurement in its place. The same on every process.

    Args:
        cfg: the config.
        model: the network.
        weights: the file of its weights.
        tap: the layer's.
        layer: the layer, or a pathway of it; that of BIAS.ABLATION.LAYER if not given.
        key: the key that names it, for errors.
    """
    path = Outputs(cfg.OUTPUT_DIR).report()
    why_not = ranks.from_master(_why_not(path, weights, tap.label))
    if why_not:
        log.info("measuring first, as %s", why_not)
        report = _measure(cfg, model, weights, tap)
    else:
        log.info("units are ranked by %s", path)
        report = BiasReport.load(path)
    _check(report, cfg.BIAS.ABLATION.LAYER if layer is None else layer, key)
    return report, path


def _why_not(path: str, weights: str, label: str) -> str | None:
    """Returns why the report at `path` cannot be used; None if it can."""
    if not g_pathmgr.exists(path):
        return f"there is no {path}"
    try:
        report = BiasReport.load(path)
    except ResultError as error:
        return str(error)
    if report.meta.get("checkpoint") != weights:
        return f"{path} is of other weights ({report.meta.get('checkpoint')})"
    if _is_older(path, weights):
        return f"{path} is older than {weights}"
    if not any(name == label or name.startswith(f"{label}/") for name in report.layers):
        return f"{path} lacks {label}"
    return None


def _is_older(path: str, weights: str) -> bool:
    """Returns whether weights were written after the report, by a new run under the old name."""
    if "://" in path or "://" in weights or not os.path.exists(weights):
        return False
    return os.path.getmtime(path) < os.path.getmtime(weights)


def _measure(cfg: CfgNode, model: nn.Module, weights: str, tap: Tap) -> BiasReport:
    mine = cfg.clone()
    mine.defrost()
    mine.BIAS.LAYERS = [*cfg.BIAS.LAYERS, tap.label]
    config = Outputs(cfg.OUTPUT_DIR).bias_config
    reports = measure_networks(mine, {"trained": model}, config, {"checkpoint": weights})
    if ranks.is_master():
        write_config(mine, config)
        write_reports(cfg.OUTPUT_DIR, reports)
    ranks.wait()
    return reports["trained"]


def _check(report: BiasReport, layer: str, key: str) -> None:
    if layer not in report.layers:
        pathways = [name for name in report.layers if name.startswith(f"{layer}/")]
        raise ConfigError(
            [
                f"{key}: expected one of {', '.join(pathways or report.layers)}, as its "
                f"report has them, but got {layer!r}"
            ]
        )
    if not report[layer].complete:
        only = ", ".join(report[layer].pairs)
        raise ConfigError([f"{key}: {layer} was measured on {only} pairs only"])
