"""Divergence: numbers that are no longer finite, each an error that says what leads out of it.

A network whose outputs are NaN would be "right" wherever class 0 is, so no accuracy is made of
such scores; and a run that went on from such weights would only meet the same NaN again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

import torch
from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.contract import VideoDataset
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import printable
from slowfast_bias.errors import NotFiniteError
from slowfast_bias.models.weights.readers import CheckpointError, not_finite, read_checkpoint
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import write_result

_SHOWN = 5


def scores_not_finite(
    step: str, dataset: VideoDataset, clips: Sequence[int], total: int, what: str, advice: str
) -> NotFiniteError:
    """Returns the error about outputs of a network; the same on every process.

    Args:
        step: what was going on.
        dataset: whose clips they are.
        clips: numbers of the clips with such scores; one of each video if videos are counted.
        total: how many clips or videos there are.
        what: which of the two is counted.
        advice: `other_weights` or `way_out`.
    """
    names = _first(dict.fromkeys(printable(dataset.describe(clip)[0]) for clip in clips))
    return NotFiniteError(
        f"Expected finite scores in the {step}, but the network gives NaN or Inf for {len(clips)} "
        f"of {total} {what} ({names}), and an accuracy over the rest would be another one. {advice}"
    )


def loss_not_finite(
    cfg: CfgNode, epoch: int, step: int, loss: float, dataset: VideoDataset, clips: Sequence[int]
) -> NotFiniteError:
    """Returns the error about the loss of an iteration (0-based), and writes down its videos.

    Args:
        cfg: the config.
        epoch: counts from 0.
        step: counts from 0.
        loss: what it is.
        dataset: whose clips they are.
        clips: numbers of the clips of the batch.
    """
    videos = [dict(zip(("path", "row"), dataset.describe(clip), strict=True)) for clip in clips]
    path = Outputs(cfg.OUTPUT_DIR).not_finite
    found = {"epoch": epoch + 1, "iteration": step + 1, "loss": str(loss), "rank": ranks.rank()}
    meta = {"config": Outputs(cfg.OUTPUT_DIR).config}
    write_result(path, "not_finite", meta, {**found, "clips": list(clips), "videos": videos})
    names = _first(dict.fromkeys(printable(video["path"]) for video in videos))
    return NotFiniteError(
        f"Expected a finite loss, but got {loss} in epoch {epoch + 1}, iteration {step + 1} "
        f"({names}; all of the batch in {path}). {way_out(cfg, epoch)}"
    )


def check_weights(cfg: CfgNode, epoch: int, weights: Mapping[str, torch.Tensor]) -> None:
    """Raises NotFiniteError if weights after `epoch` (0-based) are not to be saved."""
    names = not_finite(weights)
    if names:
        raise NotFiniteError(
            f"Expected finite weights after epoch {epoch + 1}, but {len(names)} of {len(weights)} "
            f"tensors hold NaN or Inf ({_first(names)}), and are not saved. "
            f"{way_out(cfg, epoch)}"
        )


def other_weights(cfg: CfgNode) -> str:
    """Returns what to do with a trained network that gives such scores."""
    return (
        f"Take the weights of an earlier epoch (TEST.CHECKPOINT_FILE_PATH){_precision(cfg)}, or "
        "train them again with a lower SOLVER.BASE_LR."
    )


def way_out(cfg: CfgNode, epoch: int) -> str:
    """Returns what to do after training has diverged in `epoch` (0-based)."""
    solver, drop = cfg.SOLVER, cfg.BIAS.STATIC_DROPOUT
    if drop.ENABLE and epoch >= solver.MAX_EPOCH:
        ways = [f"a lower BIAS.STATIC_DROPOUT.FINETUNE_LR (now {drop.FINETUNE_LR:g})"]
    else:
        ways = [f"a lower SOLVER.BASE_LR (now {solver.BASE_LR:g})"]
    if solver.CLIP_GRAD_VAL:
        ways.append(f"a lower SOLVER.CLIP_GRAD_VAL (now {solver.CLIP_GRAD_VAL:g})")
    elif solver.CLIP_GRAD_L2NORM:
        ways.append(f"a lower SOLVER.CLIP_GRAD_L2NORM (now {solver.CLIP_GRAD_L2NORM:g})")
    else:
        ways.append("clipped gradients (SOLVER.CLIP_GRAD_L2NORM 1.0)")
    if epoch <= solver.WARMUP_EPOCHS:  # else it would change nothing of what has happened
        ways.append(f"a longer SOLVER.WARMUP_EPOCHS (now {solver.WARMUP_EPOCHS:g})")
    return f"Run it again with {', or '.join(ways)}{_precision(cfg)}: {_goes_on(cfg)}"


def _first(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _precision(cfg: CfgNode) -> str:
    return ", or TRAIN.MIXED_PRECISION False" if cfg.TRAIN.MIXED_PRECISION else ""


def _goes_on(cfg: CfgNode) -> str:
    """Returns where the next run begins, and what helps if that is too late already."""
    newest = _newest(cfg.OUTPUT_DIR)
    if newest is None:
        return f"it begins anew, as {Outputs(cfg.OUTPUT_DIR).checkpoints} has no whole checkpoint."
    if not cfg.TRAIN.AUTO_RESUME:
        return f"with TRAIN.AUTO_RESUME True it goes on from {newest}, else it begins anew."
    return (
        f"it goes on from {newest}, which is whole; if that comes to the same, begin anew with "
        "another OUTPUT_DIR."
    )


def _newest(output_dir: str) -> str | None:
    """Returns the newest checkpoint that a run would go on from."""
    for path in Outputs(output_dir).list_checkpoints():
        try:
            read_checkpoint(path)
        except CheckpointError:
            continue
        return path
    return None


def set_aside(path: str) -> None:
    """Renames a checkpoint so that no run goes on from it."""
    if "://" in path:
        g_pathmgr.rm(path)
    else:
        os.replace(path, f"{path}.diverged")
