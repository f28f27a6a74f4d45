"""What a measurement leaves behind: ``bias/report.{json,csv,md,png}`` and a table in the log."""

from __future__ import annotations

import logging
import platform
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr

import slowfast_bias
from slowfast_bias import host
from slowfast_bias.bias import BiasReport
from slowfast_bias.datasets.styles.bank import StyleBank
from slowfast_bias.datasets.styles.folders import StyleFolders
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.files import write_whole

log = logging.getLogger(__name__)


def describe(
    cfg: CfgNode,
    bank: StyleBank | StyleFolders,
    reused: Sequence[str],
    videos: int,
    dropped: Sequence[int],
) -> dict[str, Any]:
    """Everything a reader of the report needs to judge it, or to measure again."""
    bias = cfg.BIAS
    test = bias.SPLIT == "test"
    return {
        "config": f"{cfg.OUTPUT_DIR}/config.yaml",
        "model": f"{cfg.MODEL.MODEL_NAME} {cfg.MODEL.ARCH} depth {cfg.RESNET.DEPTH}",
        "data": f"{cfg.TEST.DATASET if test else cfg.TRAIN.DATASET}/{bias.SPLIT}",
        "frames": f"{cfg.DATA.NUM_FRAMES}x{cfg.DATA.SAMPLING_RATE}",
        "styles": bank.about,
        "seed": bias.SEED,
        "order": bias.ORDER,
        "precision": bias.PRECISION,
        "reused_stages": list(reused),
        "videos": videos,
        "dropped_videos": list(dropped),
        "processes": ranks.world_size(),
        "device": _device(ranks.device_of(cfg)),
        "host": f"SlowFast {host.name}",
        "versions": {
            "slowfast_bias": slowfast_bias.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    }


def write_reports(output_dir: str, reports: Mapping[str, BiasReport]) -> None:
    """Writes each report, the first's figure (the trained network's), and one of all."""
    from slowfast_bias.visualization.drawing.save import save_figure
    from slowfast_bias.visualization.figures.pages import comparison_figure, report_figure

    folder = f"{output_dir}/bias"
    g_pathmgr.mkdirs(folder)
    main, *others = reports
    for name, report in reports.items():
        file = "report" if name == main else name
        report.save(f"{folder}/{file}.json")
        for suffix, text in (("csv", report.to_csv()), ("md", report.to_markdown())):
            with write_whole(f"{folder}/{file}.{suffix}") as out:
                out.write(text)
        log.info("%s network\n%s", name, report.table())
    save_figure(report_figure(reports[main]), f"{folder}/report.png")
    if others:
        save_figure(comparison_figure(reports), f"{folder}/comparison.png")
    log.info("report: %s/report.{json,csv,md,png}", folder)


def _device(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
