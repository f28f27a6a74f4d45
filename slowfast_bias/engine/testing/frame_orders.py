"""Testing with frames out of order: what a network loses when it cannot rely on motion.

One decode per clip serves all of: ordered; shuffled, in several random orders; reversed; frozen
(the middle frame repeated). Accuracies come with 95 % Wilson intervals, the relative drop with a
paired bootstrap over videos.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator
from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias import host
from slowfast_bias.bias import evaluating
from slowfast_bias.datasets.pairs.static_dynamic import draw_order, reorder
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json, progress, set_up_logging
from slowfast_bias.engine.setup import network, unreadable_videos
from slowfast_bias.engine.setup.loaders import build_loader, inputs_of
from slowfast_bias.engine.setup.provenance import what_was_shown
from slowfast_bias.errors import DataError
from slowfast_bias.files import write_whole

log = logging.getLogger(__name__)

RESAMPLES = 1000  # of the bootstrap
_FEW_CLASSES = 20  # more are in the file only


def test_orders(cfg: CfgNode) -> dict[str, Any]:
    """Tests the trained network with frames in and out of order; writes ``bias/orders.json``."""
    set_up_logging(cfg.OUTPUT_DIR)
    model = network.build_network(cfg)
    path = network.load_trained(cfg, model)
    figures = {"checkpoint": path, **accuracy_by_order(cfg, model)}
    if ranks.is_master():
        with write_whole(f"{cfg.OUTPUT_DIR}/bias/orders.json") as file:
            json.dump(figures, file)
        log.info("frames in and out of order\n%s", order_table(figures))
    plain = {k: v for k, v in figures.items() if isinstance(v, (int, float))}
    plain["dropped"] = len(figures["meta"]["dropped_videos"])
    flat = {f"{name}_acc": figures[name]["accuracy"] for name in ("ordered", *_OTHERS)}
    log_json(cfg.OUTPUT_DIR, {"_type": "shuffled_test", **plain, **flat})
    ranks.wait()
    return figures


_OTHERS = ("shuffled", "reversed", "frozen")


@torch.no_grad()
def accuracy_by_order(cfg: CfgNode, model: nn.Module, split: str = "test") -> dict[str, Any]:
    """Accuracies in percent by order, per class too, over all views of each video.

    ``meta`` tells how the videos were read, and which are not in the figures.
    """
    hits, labels, meta = _hits(cfg, model, split)
    shuffles = [name for name in hits if name.startswith("shuffled")]
    rates = torch.stack([hits[name].double().mean() for name in shuffles]) * 100
    every = {
        "ordered": hits["ordered"],
        "shuffled": torch.stack([hits[name] for name in shuffles]).double().mean(0),
        "reversed": hits["reversed"],
        "frozen": hits["frozen"],
    }
    figures: dict[str, Any] = {
        "videos": len(labels), "orders": len(shuffles), "classes": cfg.MODEL.NUM_CLASSES,
        "meta": meta,
    }  # fmt: skip
    for name, right in every.items():
        right = right.double()
        figures[name] = {
            "accuracy": 100 * float(right.mean()),
            "interval": wilson(float(right.mean()), len(labels)),
            "per_class": {int(c): 100 * float(right[labels == c].mean()) for c in labels.unique()},
        }
    figures["shuffled"]["spread"] = float(rates.std()) if len(rates) > 1 else 0.0
    figures["relative_drop"], figures["relative_drop_interval"] = relative_drop(
        every["ordered"].double(), every["shuffled"].double(), cfg.BIAS.SEED
    )
    return figures


def _hits(
    cfg: CfgNode, model: nn.Module, split: str
) -> tuple[dict[str, torch.Tensor], torch.Tensor, dict[str, Any]]:
    """{order: whether each readable video's best class is right (V,)}, labels (V,), the meta."""
    device = next(model.parameters()).device
    loader = build_loader(cfg, split)
    views = cfg.TEST.NUM_ENSEMBLE_VIEWS * cfg.TEST.NUM_SPATIAL_CROPS if split == "test" else 1
    videos = -(-len(loader.dataset) // views)
    names = ["ordered", *(f"shuffled{k}" for k in range(cfg.BIAS.SHUFFLE.ORDERS)), "reversed"]
    sums = torch.zeros(
        len(names) + 1, videos, cfg.MODEL.NUM_CLASSES, dtype=torch.float64, device=device
    )
    truth = torch.full((videos,), -1, dtype=torch.long, device=device)
    read = torch.zeros_like(truth)  # views of each video
    with evaluating(model):
        for batch in progress(loader, len(loader), "frame orders"):
            unreadable_videos.note(cfg, loader, split, batch)
            if not len(batch.labels):
                continue
            video = batch.indices // views
            truth[video.to(device)] = batch.labels.to(device)
            read.index_add_(0, video.to(device), torch.ones_like(batch.labels, device=device))
            inputs = inputs_of(cfg, batch, device)
            for row, order in enumerate(_orders(cfg, inputs[-1].shape[2], batch.indices.tolist())):
                changed = host.repack(cfg, reorder(inputs[-1], order))
                sums[row].index_add_(0, video.to(device), model(changed).double())
    ranks.sum_over_processes(sums, read)
    ranks.max_over_processes(truth)
    unreadable_videos.settle(cfg, loader, split)
    seen = (read == views).cpu()
    if not seen.any():
        raise DataError(f"Expected at least one readable video in the {split} list, but got none.")
    best = sums.argmax(2).cpu()[:, seen]
    labels = truth.cpu()[seen]
    hits = {n: best[i] == labels for i, n in enumerate([*names, "frozen"])}
    return hits, labels, what_was_shown(cfg, loader, split, views, seen)


def _orders(cfg: CfgNode, frames: int, clips: list[int]) -> Iterator[torch.Tensor]:
    """Frame indices (B, T): as they are, shuffled (several), backwards, the middle one alone."""
    yield torch.arange(frames).expand(len(clips), -1)
    for k in range(cfg.BIAS.SHUFFLE.ORDERS):
        yield torch.stack([draw_order(frames, cfg.BIAS.SEED, clip, k) for clip in clips])
    yield torch.arange(frames - 1, -1, -1).expand(len(clips), -1)
    yield torch.full((len(clips), frames), frames // 2)


def wilson(share: float, n: int, z: float = 1.96) -> list[float]:
    """The 95 % interval, in percent, of a share seen in ``n`` trials."""
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(max(share * (1 - share), 0) / n + z * z / (4 * n * n))
    scale = 100 / (1 + z * z / n)
    return [scale * (centre - half), scale * (centre + half)]


def relative_drop(
    ordered: torch.Tensor, shuffled: torch.Tensor, seed: int
) -> tuple[float, list[float]]:
    """Percent of the ordered accuracy lost by shuffling, and its 95 % interval, from hits (V,)."""

    def drop(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (100 * (1 - b / a)).where(a > 0, math.nan)  # nothing was right even in order

    generator = torch.Generator().manual_seed(seed)
    picks = torch.randint(len(ordered), (RESAMPLES, len(ordered)), generator=generator)
    drops = drop(ordered[picks].mean(1), shuffled[picks].mean(1))
    drops = drops[drops.isfinite()]
    interval = [math.nan, math.nan]
    if len(drops):
        interval = torch.quantile(drops, torch.tensor([0.025, 0.975], dtype=drops.dtype)).tolist()
    return float(drop(ordered.mean(), shuffled.mean())), interval


def order_table(figures: dict[str, Any]) -> str:
    """The accuracies as aligned text."""
    lines = []
    for name in ("ordered", *_OTHERS):
        low, high = figures[name]["interval"]
        spread = f"  spread {figures[name]['spread']:.2f}" if name == "shuffled" else ""
        lines.append(
            f"{name:<9} {figures[name]['accuracy']:6.2f} %  [{low:.1f}, {high:.1f}]{spread}"
        )
    classes = figures["ordered"]["per_class"]
    for label in classes if len(classes) <= _FEW_CLASSES else ():
        rates = (
            f"{name} {figures[name]['per_class'][label]:.1f}" for name in ("ordered", *_OTHERS)
        )
        lines.append(f"  class {label}: " + "  ".join(rates))
    low, high = figures["relative_drop_interval"]
    lines.append(f"relative drop {figures['relative_drop']:.1f} %  [{low:.1f}, {high:.1f}]")
    return "\n".join(lines)
