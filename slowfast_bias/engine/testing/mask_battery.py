"""The battery of masks: what a two-stream network still finds without its image or its flow.

Image or flow come from another sequence, or are taken away; every variant is scored against the
mask of the frame, and those with exchanged streams against both objects, so that it shows which of
the two the network follows. What each number means: docs/SEGMENTATION.md.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias.config.check_styles import FLOW_PAIRS, pairs_name
from slowfast_bias.datasets.contract import open_dataset
from slowfast_bias.datasets.segments.exchanged import Exchanged
from slowfast_bias.datasets.styles.bank import StyleBank, make_styles
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json
from slowfast_bias.engine.setup.loaders import exchanged_loader
from slowfast_bias.engine.setup.network import open_trained
from slowfast_bias.engine.setup.provenance import provenance, write_config
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.testing.battery_files import write_battery
from slowfast_bias.engine.testing.mask_figures import Interval, figures_of
from slowfast_bias.engine.testing.mask_table import mask_markdown, mask_table
from slowfast_bias.engine.testing.mask_variants import ExchangedStreams
from slowfast_bias.engine.testing.mask_votes import SwapTally
from slowfast_bias.engine.testing.vote import vote
from slowfast_bias.errors import DataError
from slowfast_bias.models.families.family import SEGMENTATION
from slowfast_bias.outputs import Outputs

log = logging.getLogger(__name__)

_NO_ORDERS = "orders of frames are left out: a mask is made of one frame and its flow"
_NO_LOOKS = "styles are folders: other looks are left out, as they need a generated bank"


def mask_battery(cfg: CfgNode) -> dict[str, Any]:
    """Tests the trained network with exchanged streams.

    Writes `bias/battery.{json,yaml,md,png}`.
    """
    start, outputs = time.perf_counter(), Outputs(cfg.OUTPUT_DIR)
    trained = open_trained(cfg, scores=True)
    figures = mask_battery_of(cfg, trained.model)
    found = {**trained.about, **figures["meta"], "seconds": round(time.perf_counter() - start, 3)}
    figures["meta"] = provenance(cfg, "test", outputs.battery("yaml"), **found)
    if ranks.is_master():
        write_config(cfg, outputs.battery("yaml"))
        _write(outputs, figures)
    log_json(cfg.OUTPUT_DIR, _line(figures))
    ranks.wait()
    return figures


def mask_battery_of(cfg: CfgNode, model: nn.Module) -> dict[str, Any]:
    """Returns the numbers of a network; `meta` says how frames were read."""
    task, keys, bank = make_task(cfg, model), cfg.BIAS.BEHAVIOUR, _bank(cfg)
    streams = ExchangedStreams(task, model, bank, cfg.BIAS.MASKS.MIRROR)
    votes = vote(
        cfg, task, streams, "test", "battery",
        lambda _, videos, *__: SwapTally(streams.names, videos, task.rule), exchanged_loader(cfg),
    )  # fmt: skip
    notes = [_NO_ORDERS, *([_NO_LOOKS] if keys.STYLES and bank is None else [])]
    return {
        "task": SEGMENTATION,
        "frames": votes.meta["videos"],
        **figures_of(votes, streams.looks, Interval(cfg.BIAS.SEED, keys.BOOTSTRAP)),
        "rule": {**task.rule.about(), "box": task.rule.box.about()},
        "meta": {
            **votes.meta,
            "seed": cfg.BIAS.SEED,
            **({"styles": bank.about()} if bank else {}),
            "notes": notes,
        },
    }


def check_mask_battery(cfg: CfgNode) -> None:
    """Raises, before any work, what keeps the test list from being tested so."""
    dataset = open_dataset(cfg.TEST.DATASET, cfg, "test")
    Exchanged(dataset, cfg.BIAS.SEED)
    truth = dataset.target(0)
    if not truth.mask.numel() and not all(x == x for x in truth.box):
        raise DataError(
            "Expected a test list with masks or boxes for BIAS.BEHAVIOUR.ENABLE, but "
            f"{dataset.describe(0)[0]} has neither. Set it to False."
        )


def _bank(cfg: CfgNode) -> StyleBank | None:
    """Returns the looks; None if they are not asked for, or are folders."""
    styles = cfg.BIAS.STYLES
    if not cfg.BIAS.BEHAVIOUR.STYLES or pairs_name(cfg) not in FLOW_PAIRS:
        return None
    return make_styles(styles.FAMILY, styles.NUM, styles.SEED)


def _write(outputs: Outputs, figures: dict[str, Any]) -> None:
    from slowfast_bias.visualization.figures.mask_battery import mask_battery_figure

    write_battery(outputs, figures, mask_markdown(figures), mask_battery_figure)
    log.info("battery of exchanged streams\n%s", mask_table(figures))


def _line(figures: dict[str, Any]) -> dict[str, Any]:
    """Returns what json_stats.log holds."""
    variants, measure = figures["variants"], figures["measure"]
    line = {"_type": "battery", "frames": figures["frames"], "sequences": figures["sequences"]}
    line["dropped"] = len(figures["meta"]["dropped_videos"])
    line |= {f"{name}_{measure}": found["mean"] for name, found in variants.items()}
    followed = {name: x["follows"] for name, x in variants.items() if "follows" in x}
    return line | {f"{name}_follows_flow": x["flow_share"] for name, x in followed.items()}
