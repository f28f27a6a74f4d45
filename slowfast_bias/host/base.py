"""What a host offers to the floors above, and the part of it that both generations share.

Code above this floor reads `host.capabilities`, never a version.
Shapes: B batch, C channels, T frames, H W space.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import torch
from fvcore.common.config import CfgNode
from fvcore.common.registry import Registry
from torch import nn

from slowfast_bias.errors import DataError, RequestError, place_of
from slowfast_bias.host.generation_keys import ON_BY_DEFAULT
from slowfast_bias.host.own_networks import Description, OwnNetwork, lacking
from slowfast_bias.host.packing import packed

POLY, _POWER = "poly", 0.9  # SOLVER.LR_POLICY: falls as (1 - epoch / MAX_EPOCH) ** 0.9
# Networks of the ResNet family, which both generations can build.
RESNET_ARCHS = frozenset({"slow", "i3d", "c2d", "2d", "slow_c2d", "slow_i3d", "fast"})


class Sample(NamedTuple):
    """One clip of a dataset, in the same layout for both hosts."""

    inputs: list[torch.Tensor]  # one (C, T, H, W) tensor per pathway
    label: int
    index: int  # position in the dataset of the clip that came


class Host:
    """One SlowFast generation behind the names that the facade lists."""

    name: ClassVar[str]
    # architecture names and optional features, in words a config error can show
    capabilities: frozenset[str]
    # keys of the other generation: dropped by name instead of refused as a typo
    foreign_keys: frozenset[str]
    # switches among them that a config written by the other generation has on without being asked
    on_by_default: ClassVar[frozenset[str]] = ON_BY_DEFAULT
    # how to get a missing capability: shown in errors
    remedy: ClassVar[str] = ""

    # {MODEL.ARCH: network} of this project's own that the host lacks
    own: Mapping[str, OwnNetwork]

    def __init__(self, root: Path) -> None:
        self.root = root

    def add_own(self) -> None:
        """Adds this project's own networks of kinds that the host lacks, with their keys."""
        self.own = lacking(self.capabilities)
        self.capabilities |= {arch for arch, own in self.own.items() if not own.missing()}
        known = {key for network in self.own.values() for key in network.defaults}
        self.foreign_keys = self.foreign_keys - known

    # -- filled in by each generation ------------------------------------------------------------
    defaults: ModuleType  # slowfast.config.defaults
    datasets: Registry
    optimizer: ModuleType  # slowfast.models.optimizer
    losses: ModuleType  # slowfast.models.losses
    pathways: ModuleType  # slowfast.datasets.utils
    c2_names: ModuleType  # slowfast.utils.c2_model_loading

    def build(self, cfg: CfgNode) -> nn.Module:
        """Returns the network of a cfg that `view` has prepared, on the CPU."""
        raise NotImplementedError

    # -- shared ----------------------------------------------------------------------------------
    def get_cfg(self) -> CfgNode:
        """Returns a new copy of the host's defaults, with the keys it lacks and our loop has."""
        cfg = self.defaults._C.clone()
        for network in self.own.values():
            network.complete(cfg)
        single = cfg.MODEL.SINGLE_PATHWAY_ARCH
        cfg.MODEL.SINGLE_PATHWAY_ARCH = [*single, *(a for a in self.own if a not in single)]
        return cfg

    def problems(self, cfg: CfgNode) -> list[str]:
        """Returns what this generation cannot do of an otherwise valid config."""
        own = self.own.get(cfg.MODEL.ARCH)
        return list(own.problems(cfg)) if own is not None else []

    def remedy_for(self, capability: str) -> str:
        """Returns how to get a capability that is lacking here."""
        own = self.own.get(capability)
        return own.missing() if own is not None else self.remedy

    def described(self, cfg: CfgNode) -> Description:
        """Returns what the files that `cfg` names say of its network, which config keys hold."""
        own = self.own.get(cfg.MODEL.ARCH)
        return own.description(cfg) if own is not None else Description()

    def published_weights(self, cfg: CfgNode) -> str:
        """Returns where the weights are that come with the files that `cfg` names; "" if none."""
        own = self.own.get(cfg.MODEL.ARCH)
        return own.weights(cfg) if own is not None else ""

    def view(self, cfg: CfgNode) -> CfgNode:
        """Returns the copy of `cfg` that host code gets: one process, even if the run has several.

        Sharding, DistributedDataParallel and checkpoints are ours, so host code must not see more
        than one process (with several it uses `model.module` or CUDA devices).
        """
        view = cfg.clone()
        view.defrost()
        view.SOLVER = scaled(cfg)
        if view.BN.NORM_TYPE == "sync_batchnorm":
            view.BN.NORM_TYPE = "batchnorm"  # ours replaces it (batchnorm_helper.py:31 breaks)
        view.NUM_GPUS, view.NUM_SHARDS, view.SHARD_ID = 1, 1, 0
        return view

    def build_model(self, cfg: CfgNode) -> nn.Module:
        """Returns the network that `cfg` describes, on the CPU, in one process."""
        view = self.view(cfg)
        own = self.own.get(cfg.MODEL.ARCH)
        if own is not None:
            return own.build_from(view)
        try:
            return self.build(view)
        except AssertionError as error:
            raise RequestError(
                f"Expected a {cfg.MODEL.MODEL_NAME} that SlowFast {self.name} can build, but it "
                f"stops at an assert{f': {error}' if str(error) else ''}, {place_of(error)}. "
                "Compare the config with one of that network that is known to work."
            ) from error

    def register_dataset(self, cls: type) -> type:
        """Adds a dataset class by its name, which `str.capitalize` must not change."""
        if cls.__name__ != cls.__name__.capitalize():
            raise ValueError(
                f"Expected a dataset name that str.capitalize keeps, but got {cls.__name__!r}: "
                f"SlowFast would look for {cls.__name__.capitalize()!r}. Rename the class."
            )
        if cls.__name__ not in self.datasets:
            self.datasets.register(cls)
        return cls

    def build_dataset(self, name: str, cfg: CfgNode, split: str) -> torch.utils.data.Dataset:
        """Returns the dataset registered as `name`, constructed with (cfg, split)."""
        wanted = name.capitalize()
        if wanted not in self.datasets:
            known = ", ".join(sorted(key for key, _ in self.datasets))
            raise DataError(
                f"Expected TRAIN.DATASET / TEST.DATASET to name a dataset of this host "
                f"({self.name}), but got {name!r}. It has {known}. {self.remedy}".rstrip()
            )
        return self.datasets.get(wanted)(self.view(cfg), split)

    def unpack_sample(self, sample: Any) -> Sample | None:
        """Returns inputs, label and index of a dataset's item (4 or 5 entries); None for None."""
        if sample is None:
            return None
        inputs, label, index = sample[0], sample[1], sample[2]
        inputs = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        return Sample(inputs, int(label), int(index))

    def pack_sample(self, inputs: list[torch.Tensor], label: int, index: int) -> tuple[Any, ...]:
        """Returns an item of a data set as the host's own loops take it."""
        return inputs, label, index, {}

    def pack_pathways(self, cfg: CfgNode, frames: torch.Tensor) -> list[torch.Tensor]:
        """Returns one tensor per pathway from the frames (C, T, H, W) of a clip, slow first."""
        return self.pathways.pack_pathway_output(cfg, frames)

    def pack_batch(self, cfg: CfgNode, clips: torch.Tensor) -> list[torch.Tensor]:
        """Returns one tensor (B, C, T', H, W) per pathway from clips (B, C, T, H, W)."""
        return packed(functools.partial(self.pack_pathways, cfg), clips)

    def whole_pathways(self, cfg: CfgNode) -> list[bool]:
        """Returns, pathway by pathway, whether it has every frame of a clip.

        `pack_pathway_output` of both generations puts the slow pathway first and the fast one, or
        the only one, last; the last one has every frame.
        """
        pathways = 2 if cfg.MODEL.ARCH in cfg.MODEL.MULTI_PATHWAY_ARCH else 1
        return [False] * (pathways - 1) + [True]

    def repack(self, cfg: CfgNode, frames: torch.Tensor) -> list[torch.Tensor]:
        """Returns the pathways of frames (B, C, T, H, W) that were a packed, whole pathway."""
        return self.pack_batch(cfg, frames)

    def source_frames(self, cfg: CfgNode, inputs: list[torch.Tensor]) -> torch.Tensor:
        """Returns the frames (3, T, H, W) in [0, 1] from which a dataset made its pathways."""
        frames = inputs[self.whole_pathways(cfg).index(True)]
        mean, std = (torch.tensor(v).view(-1, 1, 1, 1) for v in (cfg.DATA.MEAN, cfg.DATA.STD))
        return (frames * std + mean).clamp(0, 1)

    def central_view(self, cfg: CfgNode, split: str) -> tuple[CfgNode, int, int]:
        """Returns a config of central clips, its clips per video, and which of these to take."""
        view = cfg.clone()
        view.defrost()
        view.TEST.NUM_ENSEMBLE_VIEWS, view.TEST.NUM_SPATIAL_CROPS = 1, 1
        return view, 1, 0

    def construct_optimizer(self, model: nn.Module, cfg: CfgNode) -> torch.optim.Optimizer:
        """Returns the host's optimizer of a model that is not wrapped."""
        return self.optimizer.construct_optimizer(model, self.view(cfg))

    def lr_at(self, epoch: float, cfg: CfgNode) -> float:
        """Returns the learning rate at a fractional epoch, by the host's policy or by `POLY`."""
        # called in every iteration: a whole `view` would cost milliseconds
        solver, share = scaled(cfg), 1.0
        if solver.LR_POLICY == POLY:  # hosts have none: a constant rate of theirs, and its fall
            solver.LR_POLICY, solver.STEPS, solver.LRS = "steps_with_relative_lrs", [0], [1.0]
            share = max(0.0, 1 - epoch / solver.MAX_EPOCH) ** _POWER
        return share * self.optimizer.get_epoch_lr(epoch, SimpleNamespace(SOLVER=solver))

    def set_lr(self, optimizer: torch.optim.Optimizer, lr: float) -> None:
        """Sets every group's rate; groups from the other generation lack `layer_decay`."""
        for group in optimizer.param_groups:
            group["lr"] = lr * group.get("layer_decay", 1.0)

    def build_loss(self, cfg: CfgNode) -> nn.Module:
        """Returns the host's loss, averaged over the batch."""
        return self.losses.get_loss_func(cfg.MODEL.LOSS_FUNC)(reduction="mean")

    def caffe2_name(self, blob: str) -> str:
        """Returns the PyTorch name of a Caffe2 blob of the model zoo."""
        return self.c2_names.get_name_convert_func()(blob)


def scaled(cfg: CfgNode) -> CfgNode:
    """Returns a copy of SOLVER, its rates times NUM_SHARDS if BASE_LR_SCALE_NUM_SHARDS is set."""
    solver = cfg.SOLVER.clone()
    solver.defrost()
    if solver.BASE_LR_SCALE_NUM_SHARDS:
        for key in ("BASE_LR", "WARMUP_START_LR", "COSINE_END_LR"):
            solver[key] = solver[key] * cfg.NUM_SHARDS
    solver.BASE_LR_SCALE_NUM_SHARDS = False
    return solver


def add_fast_only(builder: ModuleType) -> None:
    """Adds FastOnly, only the fast pathway of SlowFast, to a host's tables as `fast`.

    Its narrow channels are RESNET.WIDTH_PER_GROUP 8, an eighth of SlowOnly's.
    """
    kernels = [[[5]], [[3]], [[3]], [[3]], [[3]]]
    builder._TEMPORAL_KERNEL_BASIS.setdefault("fast", kernels)
    builder._POOL1.setdefault("fast", [[1, 1, 1]])
