"""The network of a run: built, placed, wrapped, and filled with weights."""

from __future__ import annotations

import contextlib
import inspect
import logging
from typing import Any, NamedTuple

import torch
from fvcore.common.config import CfgNode
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from slowfast_bias import host
from slowfast_bias.config.lookup import lookup
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import set_up_logging
from slowfast_bias.engine.setup import checkpoint
from slowfast_bias.models.sync_batchnorm import convert_sync_batchnorm
from slowfast_bias.models.weights.fit import load_weights
from slowfast_bias.models.weights.huggingface_folder import is_pretrained, read_pretrained
from slowfast_bias.models.weights.readers import CheckpointError, read_checkpoint
from slowfast_bias.seeding import seed_all

log = logging.getLogger(__name__)


class Trained(NamedTuple):
    """A network with its weights, and the file they are of."""

    model: nn.Module
    weights: str


def build_network(cfg: CfgNode) -> nn.Module:
    """Returns the network with fresh weights on this process's device, the same on every rank."""
    seed_all(cfg.RNG_SEED)
    model = host.build_model(cfg)
    if cfg.BN.NORM_TYPE == "sync_batchnorm":
        convert_sync_batchnorm(model)
    return model.to(ranks.device_of(cfg))


def open_trained(cfg: CfgNode) -> Trained:
    """Sets up logging and returns the network with its weights: how every flow but training begins.

    Weights are those of TEST.CHECKPOINT_FILE_PATH, else of the newest checkpoint of OUTPUT_DIR,
    else of TRAIN.CHECKPOINT_FILE_PATH, as SlowFast does, else those that come with the network's
    own files; never from thin air.
    """
    set_up_logging(cfg.OUTPUT_DIR)
    model = build_network(cfg)
    return Trained(model, load_trained(cfg, model))


def across_processes(model: nn.Module) -> nn.Module:
    """Returns `model`, wrapped so that gradients are averaged if several processes train it."""
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
    """Opens mixed precision if TRAIN.MIXED_PRECISION: fp16 on a GPU, bf16 on a CPU."""
    dtype = torch.float16 if device.type == "cuda" else torch.bfloat16
    return torch.autocast(device.type, dtype=dtype, enabled=cfg.TRAIN.MIXED_PRECISION)


def load_trained(cfg: CfgNode, model: nn.Module) -> str:
    """Fills `model` for testing and measuring, see `open_trained`; returns the file of weights."""
    path, kind = cfg.TEST.CHECKPOINT_FILE_PATH, cfg.TEST.CHECKPOINT_TYPE
    if not path:
        found = checkpoint.last_good_checkpoint(cfg.OUTPUT_DIR)
        if found is not None:
            path, kind = found[0], "pytorch"
        elif cfg.TRAIN.CHECKPOINT_FILE_PATH:
            path, kind = cfg.TRAIN.CHECKPOINT_FILE_PATH, cfg.TRAIN.CHECKPOINT_TYPE
        elif not (path := host.published_weights(cfg)):
            raise CheckpointError(
                f"Expected weights, but TEST.CHECKPOINT_FILE_PATH is empty and {cfg.OUTPUT_DIR} "
                "has no checkpoint. Give TEST.CHECKPOINT_FILE_PATH, or train first: TRAIN.ENABLE "
                "True."
            )
    state = read_weights(cfg, model, path, kind)
    load_weights(
        model,
        state["model_state"],
        path,
        partial=cfg.BIAS.ALLOW_PARTIAL_WEIGHTS,
        reshape=kind == "caffe2",
    )
    log.info("weights of %s", path)
    return path


def read_weights(cfg: CfgNode, model: nn.Module, path: str, kind: str) -> dict[str, Any]:
    """Returns the content of a checkpoint, or of a folder of weights, for `model`."""
    if not is_pretrained(path, model):
        return read_checkpoint(path, kind)
    new = lookup(cfg, "BIAS.NEW_CLASSIFIER", False)
    return read_pretrained(path, model, cfg.BIAS.ALLOW_PARTIAL_WEIGHTS, new)
