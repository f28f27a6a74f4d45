"""What a trained network loses when the frames of its test clips come in random order."""

from __future__ import annotations

import torch
from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias import host
from slowfast_bias.bias import evaluating
from slowfast_bias.datasets.clips import SourceClips
from slowfast_bias.datasets.pairs import draw_order, reorder
from slowfast_bias.engine import processes
from slowfast_bias.engine.data import normalised, source_loader
from slowfast_bias.engine.meters import count_hits


@torch.no_grad()
def shuffled_accuracy(cfg: CfgNode, model: nn.Module, split: str = "test") -> dict[str, float]:
    """Top-1 accuracy in percent on "ordered" and on "shuffled" frames, one clip per video.

    Each clip is decoded once; its order follows from (BIAS.SEED, video index).
    """
    source = SourceClips(cfg, cfg.TEST.DATASET if split == "test" else cfg.TRAIN.DATASET, split)
    device = next(model.parameters()).device
    sums = {
        name: torch.zeros(3, dtype=torch.float64, device=device) for name in ("ordered", "shuffled")
    }
    with evaluating(model):
        for batch in source_loader(cfg, source):
            if not len(batch.labels):
                continue
            clips = normalised(cfg, batch.inputs[0].to(device))
            videos = [source.videos[position] for position in batch.indices.tolist()]
            orders = torch.stack([draw_order(clips.shape[2], cfg.BIAS.SEED, v) for v in videos])
            for name, frames in (("ordered", clips), ("shuffled", reorder(clips, orders))):
                scores = model(host.pack_batch(source.cfg, frames))
                sums[name] += count_hits(scores, batch.labels.to(device))
    processes.sum_over_processes(*sums.values())
    return {name: 100 * float(hits[1] / hits[0]) for name, hits in sums.items()}
