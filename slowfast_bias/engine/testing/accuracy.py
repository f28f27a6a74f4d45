"""Multi-view testing: the scores of a video's clips and crops are added up, then ranked."""

from __future__ import annotations

import dataclasses
import logging
import os
import pickle

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json, progress, set_up_logging
from slowfast_bias.engine.setup import network, unreadable_videos
from slowfast_bias.engine.setup.loaders import build_loader, inputs_of
from slowfast_bias.engine.training.meters import count_hits, errors
from slowfast_bias.errors import DataError
from slowfast_bias.files import write_whole

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class TestResult:
    """Accuracy over the videos of the test list, in percent."""

    __test__ = False  # pytest takes classes called Test... for tests

    top1: float
    top5: float
    videos: int
    dropped: list[int]  # videos of which a view could not be read
    checkpoint: str


def test(cfg: CfgNode) -> TestResult:
    """Tests in this process (one rank of the group, if there is one)."""
    set_up_logging(cfg.OUTPUT_DIR)
    model = network.build_network(cfg)
    path = network.load_trained(cfg, model)
    scores, labels, seen = predict_videos(cfg, model)
    keep = seen == cfg.TEST.NUM_ENSEMBLE_VIEWS * cfg.TEST.NUM_SPATIAL_CROPS
    dropped = (~keep).nonzero().flatten().tolist()
    if dropped:
        log.warning("videos %s could not be read and do not count", dropped)
    if not keep.any():
        raise DataError("Expected at least one readable video in the test list, but got none.")
    figures = errors(count_hits(scores[keep], labels[keep]))
    result = TestResult(
        100 - figures["top1_err"], 100 - figures["top5_err"], int(keep.sum()), dropped, path
    )
    line = {"_type": "test_final", "split": "test_final", "videos": result.videos}
    accuracies = {"top1_acc": f"{result.top1:.2f}", "top5_acc": f"{result.top5:.2f}"}
    log_json(cfg.OUTPUT_DIR, {**line, **accuracies, "dropped": len(dropped)})
    _save_predictions(cfg, scores, labels)
    return result


@torch.no_grad()
def predict_videos(
    cfg: CfgNode, model: torch.nn.Module
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Scores (V, classes) summed over views, labels (V,), views seen (V,), for all V videos."""
    model.eval()
    device = next(model.parameters()).device
    loader = build_loader(cfg, "test")
    views = cfg.TEST.NUM_ENSEMBLE_VIEWS * cfg.TEST.NUM_SPATIAL_CROPS
    videos = -(-len(loader.dataset) // views)
    scores = torch.zeros(videos, cfg.MODEL.NUM_CLASSES, dtype=torch.float64, device=device)
    labels, seen = (torch.zeros(videos, dtype=torch.long, device=device) for _ in range(2))
    for batch in progress(loader, len(loader), "test"):
        unreadable_videos.note(cfg, loader, "test", batch)
        if not len(batch.labels):
            continue
        inputs = inputs_of(cfg, batch, device)
        truth = batch.labels.to(device, non_blocking=True)
        with network.autocast(cfg, device):
            out = model(inputs).double()
        video = (batch.indices // views).to(device)
        scores.index_add_(0, video, out)
        seen.index_add_(0, video, torch.ones_like(video))
        labels.index_add_(0, video, truth)
    ranks.sum_over_processes(scores, labels, seen)
    unreadable_videos.settle(cfg, loader, "test")
    return scores.cpu(), (labels // seen.clamp(min=1)).cpu(), seen.cpu()


def _save_predictions(cfg: CfgNode, scores: torch.Tensor, labels: torch.Tensor) -> None:
    """TEST.SAVE_RESULTS_PATH: the pair of arrays that SlowFast pickles there."""
    if cfg.TEST.SAVE_RESULTS_PATH and ranks.is_master():
        path = os.path.join(cfg.OUTPUT_DIR, cfg.TEST.SAVE_RESULTS_PATH)
        with write_whole(path, "wb") as file:
            pickle.dump([scores.numpy(), labels.numpy()], file)
