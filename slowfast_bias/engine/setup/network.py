"""The network of a run: built, placed, wrapped, and filled with weights."""

from __future__ import annotations

import contextlib
import inspect
import logging
import random

import numpy as np
import torch
from fvcore.common.config import CfgNode
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from slowfast_bias import host
from slowfast_bias.datasets.loader import fold
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.setup import checkpoint
from slowfast_bias.models.sync_batchnorm import convert_sync_batchnorm
from slowfast_bias.models.weights.fit import load_weights

log = logging.getLogger(__name__)


def seed_all(*numbers: int) -> None:
    """Seeds python, numpy and torch, GPUs too; SlowFast itself forgets python's generator."""
    seed = fold(*numbers)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def build_network(cfg: CfgNode, seed: int | None = None) -> nn.Module:
    """The network with fresh weights on this process's device; the same weights on every rank."""
    seed_all(cfg.RNG_SEED if seed is None else seed)
    model = host.build_model(cfg)
    if cfg.BN.NORM_TYPE == "sync_batchnorm":
        convert_sync_batchnorm(model)
    return model.to(ranks.device_of(cfg))


def across_processes(model: nn.Module) -> nn.Module:
    """``model``, wrapped so that gradients are averaged where several processes train it."""
    if ranks.world_size() == 1:
        return model
    device = next(model.parameters()).device
    ids = [device.index] if device.type == "cuda" else None
    # each rank keeps the batch-norm statistics of its own clips: `share_statistics` joins them;
    # torch 2.13 renamed the option
    known = inspect.signature(DistributedDataParallel).parameters
    option = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
    return DistributedDataParallel(model, device_ids=ids, **{option: False})


def autocast(cfg: CfgNode, device: torch.device) -> contextlib.AbstractContextManager:
    """Mixed precision where TRAIN.MIXED_PRECISION asks for it: fp16 on a GPU, bf16 on a CPU."""
    dtype = torch.float16 if device.type == "cuda" else torch.bfloat16
    return torch.autocast(device.type, dtype=dtype, enabled=cfg.TRAIN.MIXED_PRECISION)


def load_trained(cfg: CfgNode, model: nn.Module) -> str:
    """Fills ``model`` for testing and measuring; returns the path of the weights.

    Taken from TEST.CHECKPOINT_FILE_PATH, else the newest checkpoint of OUTPUT_DIR, else
    TRAIN.CHECKPOINT_FILE_PATH, as SlowFast does; never from thin air.
    """
    path, kind = cfg.TEST.CHECKPOINT_FILE_PATH, cfg.TEST.CHECKPOINT_TYPE
    if not path:
        found = checkpoint.last_good_checkpoint(cfg.OUTPUT_DIR)
        if found is not None:
            path, kind = found[0], "pytorch"
        elif cfg.TRAIN.CHECKPOINT_FILE_PATH:
            path, kind = cfg.TRAIN.CHECKPOINT_FILE_PATH, cfg.TRAIN.CHECKPOINT_TYPE
        else:
            raise checkpoint.CheckpointError(
                f"Expected weights, but TEST.CHECKPOINT_FILE_PATH is empty and {cfg.OUTPUT_DIR} "
                "has no checkpoint. Give TEST.CHECKPOINT_FILE_PATH, or train first: TRAIN.ENABLE "
                "True."
            )
    state = checkpoint.read_checkpoint(path, kind)
    load_weights(
        model,
        state["model_state"],
        path,
        partial=cfg.BIAS.ALLOW_PARTIAL_WEIGHTS,
        reshape=kind == "caffe2",
    )
    log.info("weights of %s", path)
    return path
