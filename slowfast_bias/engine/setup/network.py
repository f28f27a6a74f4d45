"""The network of a run: built, placed, wrapped, and filled with weights."""

from __future__ import annotations

import contextlib
import inspect
import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from slowfast_bias import host
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import set_up_logging
from slowfast_bias.engine.setup import checkpoint
from slowfast_bias.engine.setup.crossing import check_crossing
from slowfast_bias.models.families import family_of
from slowfast_bias.models.sync_batchnorm import convert_sync_batchnorm
from slowfast_bias.models.weights.fit import Loaded, load_weights
from slowfast_bias.models.weights.huggingface_folder import is_pretrained, read_pretrained
from slowfast_bias.models.weights.readers import CheckpointError, read_checkpoint
from slowfast_bias.models.weights.tables import colours_of
from slowfast_bias.models.weights.tables.vjepa2 import join_probe
from slowfast_bias.seeding import seed_all

log = logging.getLogger(__name__)

_SAME_COLOUR = 1e-3  # some sources count colours to 255 and round


@dataclass(frozen=True)
class Trained:
    """A network with its weights, and the file they are of.

    `model, weights = open_trained(cfg)` takes it apart.
    """

    model: nn.Module
    weights: str
    table: str = ""  # source whose names were translated, as "pytorchvideo"
    fresh: tuple[str, ...] = ()  # weights that the file lacks: they are random

    @classmethod
    def of(cls, model: nn.Module, path: str, loaded: Loaded) -> Trained:
        """Returns a network that was filled from a file, and what was done with that."""
        return cls(model, path, loaded.source, tuple(loaded.untouched))

    def __iter__(self) -> Iterator[Any]:
        return iter((self.model, self.weights))

    @property
    def about(self) -> dict[str, str]:
        """What results say of the weights."""
        table = {"weights_table": self.table} if self.table else {}
        fresh = {"random_weights": list(self.fresh)} if self.fresh else {}
        return {"checkpoint": self.weights, **table, **fresh}

    @property
    def scores_at_random(self) -> bool:
        """Whether weights that scores follow from are at random; without a classifier, any."""
        if family_of(self.model).head(self.model) is None:
            return bool(self.fresh)
        return self.has_fresh_classifier

    @property
    def has_fresh_classifier(self) -> bool:
        """Whether the classifier is at random: what it says means nothing."""
        head = family_of(self.model).head(self.model)
        names = [name for name in self.fresh if head and name.startswith(f"{head.projection}.")]
        return bool(names)


def build_network(cfg: CfgNode) -> nn.Module:
    """Returns the network with fresh weights on this process's device, the same on every rank."""
    seed_all(cfg.RNG_SEED)
    model = host.build_model(cfg)
    if cfg.BN.NORM_TYPE == "sync_batchnorm":
        convert_sync_batchnorm(model)
    return model.to(ranks.device_of(cfg))


def open_trained(cfg: CfgNode, scores: bool = False) -> Trained:
    """Sets up logging and returns the network with its weights: how every flow but training begins.

    Weights are those of TEST.CHECKPOINT_FILE_PATH, else of the newest checkpoint of OUTPUT_DIR,
    else of TRAIN.CHECKPOINT_FILE_PATH, as SlowFast does, else those that come with the network's
    own files; never from thin air.

    Args:
        cfg: the config.
        scores: whether the flow reads class scores: those of a classifier at random are an error.
    """
    set_up_logging(cfg.OUTPUT_DIR)
    model = build_network(cfg)
    trained = Trained.of(model, *load_trained(cfg, model))
    if scores and trained.scores_at_random:
        raise _no_scores(trained)
    return trained


def open_twin(cfg: CfgNode, path: str) -> Trained:
    """Returns the network of `cfg` with other weights: those of a file."""
    mine = cfg.clone()
    mine.defrost()
    mine.TEST.CHECKPOINT_FILE_PATH = path
    model = build_network(mine)
    return Trained.of(model, *load_trained(mine, model))


def _no_scores(trained: Trained) -> CheckpointError:
    if not trained.has_fresh_classifier:
        return CheckpointError(
            f"Expected all weights in {trained.weights}, as masks are to be scored, but "
            f"{len(trained.fresh)} of the network's are not in it ({trained.fresh[0]}, ...), and "
            "BIAS.ALLOW_PARTIAL_WEIGHTS leaves them at random. Measure alone (TEST.ENABLE False), "
            "or train them: TRAIN.CHECKPOINT_FILE_PATH."
        )
    return CheckpointError(
        f"Expected a classifier in {trained.weights}, as accuracies are asked for, but it has "
        "none that fits, and BIAS.ALLOW_PARTIAL_WEIGHTS leaves it at random. Measure alone "
        "(TEST.ENABLE, BIAS.SHUFFLE.TEST, BIAS.ABLATION.ENABLE and BIAS.BEHAVIOUR.ENABLE False)"
        ", or train one: TRAIN.CHECKPOINT_FILE_PATH with BIAS.NEW_CLASSIFIER True."
    )


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
    # Else it sorts gradients into other buckets after its first step. Of three numbers a bucket's
    # place decides which two are added first, and a run that goes on would round otherwise.
    stays = ranks.world_size() > 2
    warnings.filterwarnings("ignore", message="find_unused_parameters=True was specified")
    return DistributedDataParallel(
        model, device_ids=ids, find_unused_parameters=stays, **{option: False}
    )


def autocast(cfg: CfgNode, device: torch.device) -> contextlib.AbstractContextManager:
    """Opens mixed precision if TRAIN.MIXED_PRECISION: fp16 on a GPU, bf16 on a CPU."""
    dtype = torch.float16 if device.type == "cuda" else torch.bfloat16
    return torch.autocast(device.type, dtype=dtype, enabled=cfg.TRAIN.MIXED_PRECISION)


def load_trained(cfg: CfgNode, model: nn.Module) -> tuple[str, Loaded]:
    """Fills `model` for testing and measuring, see `open_trained`; returns the file of weights."""
    path = cfg.TEST.CHECKPOINT_FILE_PATH
    if not path:
        found = checkpoint.last_good_checkpoint(cfg.OUTPUT_DIR)
        path = found[0] if found is not None else cfg.TRAIN.CHECKPOINT_FILE_PATH
    path = path or host.published_weights(cfg)
    if not path:
        raise CheckpointError(
            f"Expected weights, but TEST.CHECKPOINT_FILE_PATH is empty and {cfg.OUTPUT_DIR} "
            "has no checkpoint. Give TEST.CHECKPOINT_FILE_PATH, or train first: TRAIN.ENABLE "
            "True."
        )
    state = read_weights(cfg, model, path)
    check_crossing(cfg, state, path)
    loaded = load_weights(
        model,
        state["model_state"],
        path,
        partial=cfg.BIAS.ALLOW_PARTIAL_WEIGHTS,
        reshape=state["format"] == "caffe2",
        frames=cfg.DATA.NUM_FRAMES,
        size=cfg.DATA.TRAIN_CROP_SIZE,
    )
    check_colours(cfg, loaded, path)
    log.info("weights of %s", path)
    return path, loaded


def read_weights(
    cfg: CfgNode, model: nn.Module, path: str, new_classifier: bool = False
) -> dict[str, Any]:
    """Returns the content of a checkpoint, or of a folder of weights, for `model`."""
    if not is_pretrained(path, model):
        state, probe = read_checkpoint(path), cfg.BIAS.HF.PROBE
        if probe:
            more = read_checkpoint(probe)["model_state"]
            state["model_state"] = join_probe(state["model_state"], more, probe)
        return state
    return read_pretrained(path, model, cfg.BIAS.ALLOW_PARTIAL_WEIGHTS, new_classifier)


def check_colours(cfg: CfgNode, loaded: Loaded, path: str) -> None:
    """Raises CheckpointError if colours are not normalised as for the training of the weights."""
    words = colours_of(loaded.table)
    if not all(_are_close(cfg.DATA[key.partition(".")[2]], value) for key, value in words.items()):
        raise CheckpointError(
            f"Expected DATA.MEAN and DATA.STD that the weights of {path} were trained with "
            f"({loaded.source}), but got {list(cfg.DATA.MEAN)} and {list(cfg.DATA.STD)}. Add "
            + " ".join(f"{key} {_in_words(value)}" for key, value in words.items())
            + "."
        )


def _are_close(given: Sequence[float], wanted: Sequence[float]) -> bool:
    pairs = zip(given, wanted, strict=False)
    return len(given) == len(wanted) and all(abs(a - b) < _SAME_COLOUR for a, b in pairs)


def _in_words(values: Sequence[float]) -> str:
    return f"[{','.join(map(str, values))}]"  # no spaces: one word of a shell
