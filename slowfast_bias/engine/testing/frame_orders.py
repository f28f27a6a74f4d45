"""Testing with frames out of order: what a network loses when it cannot rely on motion.

One decode per clip serves all of: ordered; shuffled, in several random orders; reversed; frozen
(the middle frame repeated). Accuracies come with 95 % Wilson intervals, the relative drop with a
paired bootstrap, both over recordings: parts of one are no independent videos.
"""

from __future__ import annotations

import functools
import logging
import math
from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias.bias.intervals import effective_n, relative_drop, wilson
from slowfast_bias.datasets.pairs.frame_order import frozen, reversed_order, shuffled
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json
from slowfast_bias.engine.setup.network import open_trained
from slowfast_bias.engine.setup.provenance import provenance, write_config
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.testing.vote import FrameOrders, Orders, videos_and_recordings, vote
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import write_result

log = logging.getLogger(__name__)

KIND = "frame_orders"
PASS = "frame orders"
ORDERS = ("ordered", "shuffled", "reversed", "frozen")
_FEW_CLASSES = 20  # more are in the file only


def test_orders(cfg: CfgNode) -> dict[str, Any]:
    """Tests the trained network with frames in and out of order; writes `bias/orders.json`."""
    trained = open_trained(cfg, scores=True)
    outputs = Outputs(cfg.OUTPUT_DIR)
    figures = {"checkpoint": trained.weights, **accuracy_by_order(cfg, trained.model)}
    figures["meta"] = provenance(
        cfg, "test", outputs.frame_orders_config, **trained.about, **figures["meta"]
    )
    if ranks.is_master():
        data = {key: value for key, value in figures.items() if key != "meta"}
        write_result(outputs.frame_orders, KIND, figures["meta"], data)
        write_config(cfg, outputs.frame_orders_config)
        log.info("frames in and out of order\n%s", order_table(figures))
    plain = {k: v for k, v in figures.items() if isinstance(v, (int, float))}
    plain["dropped"] = len(figures["meta"]["dropped_videos"])
    flat = {f"{name}_acc": figures[name]["accuracy"] for name in ORDERS}
    log_json(cfg.OUTPUT_DIR, {"_type": "shuffled_test", **plain, **flat})
    ranks.wait()
    return figures


def accuracy_by_order(cfg: CfgNode, model: nn.Module) -> dict[str, Any]:
    """Returns accuracies in percent by order, per class too, over all views of each video.

    `meta` says how the videos were read, and which are not in the figures.
    """
    task = make_task(cfg, model)
    votes = vote(cfg, task, FrameOrders(task, model, _orders(cfg)), "test", PASS)
    labels = votes.labels()
    shuffles = [votes.hits(name).double() for name in votes.names if name.startswith("shuffled")]
    every = {
        "ordered": votes.hits("ordered").double(),
        "shuffled": torch.stack(shuffles).mean(0),
        "reversed": votes.hits("reversed").double(),
        "frozen": votes.hits("frozen").double(),
    }
    figures: dict[str, Any] = {
        "videos": len(labels), "recordings": votes.meta["recordings"], "orders": len(shuffles),
        "classes": cfg.MODEL.NUM_CLASSES, "meta": votes.meta,
    }  # fmt: skip
    for name, right in every.items():
        independent = effective_n(right, votes.recordings)
        figures[name] = {
            "accuracy": 100 * float(right.mean()),
            "effective_n": independent,
            "interval": wilson(float(right.mean()), independent),
            "per_class": {int(c): 100 * float(right[labels == c].mean()) for c in labels.unique()},
        }
    rates = torch.stack([right.mean() for right in shuffles]) * 100
    figures["shuffled"]["spread"] = float(rates.std()) if len(rates) > 1 else 0.0
    figures["relative_drop"], figures["relative_drop_interval"] = relative_drop(
        every["ordered"], every["shuffled"], cfg.BIAS.SEED, votes.recordings
    )
    return figures


def _orders(cfg: CfgNode) -> dict[str, Orders | None]:
    def shuffle(number: int, frames: int, clips: list[int]) -> torch.Tensor:
        return shuffled(frames, cfg.BIAS.SEED, clips, number)

    random = {f"shuffled{k}": functools.partial(shuffle, k) for k in range(cfg.BIAS.SHUFFLE.ORDERS)}
    return {
        "ordered": None,
        **random,
        "reversed": lambda frames, clips: reversed_order(frames, len(clips)),
        "frozen": lambda frames, clips: frozen(frames, len(clips)),
    }


def order_table(figures: dict[str, Any]) -> str:
    """Returns the accuracies as aligned text."""
    lines = []
    if figures["recordings"] < figures["videos"]:
        lines.append(videos_and_recordings(figures))
    for name in ORDERS:
        low, high = figures[name]["interval"]
        spread = f"  spread {figures[name]['spread']:.2f}" if name == "shuffled" else ""
        lines.append(
            f"{name:<9} {figures[name]['accuracy']:6.2f} %  [{low:.1f}, {high:.1f}]{spread}"
        )
    classes = figures["ordered"]["per_class"]
    for label in classes if len(classes) <= _FEW_CLASSES else ():
        rates = (f"{name} {figures[name]['per_class'][label]:.1f}" for name in ORDERS)
        lines.append(f"  class {label}: " + "  ".join(rates))
    low, high = figures["relative_drop_interval"]
    span = "no interval" if math.isnan(low) else f"[{low:.1f}, {high:.1f}]"
    lines.append(f"relative drop {figures['relative_drop']:.1f} %  {span}")
    return "\n".join(lines)
