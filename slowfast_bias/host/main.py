"""GitHub main (a checkout of facebookresearch/SlowFast): more networks, some imports replaced.

Works with and without torchvision and pytorchvideo; which of its networks can be built depends on
what is installed and is listed in `capabilities`.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import distributed as dist
from torch import nn

from slowfast_bias.errors import MissingPackageError
from slowfast_bias.host import video_io
from slowfast_bias.host.base import RESNET_ARCHS, Host, add_fast_only
from slowfast_bias.host.generation_keys import NOWHERE, PYPI_ONLY
from slowfast_bias.host.stand_ins import absent, standing_in


class MainHost(Host):
    """SlowFast's main branch behind the facade."""

    name = "main"
    foreign_keys = PYPI_ONLY | NOWHERE
    remedy = "Networks of pytorchvideo need torchvision and pytorchvideo installed."

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        found = _import_host()
        self.defaults, self.datasets = found.defaults, found.build.DATASET_REGISTRY
        self.losses, self.optimizer = found.losses, found.optimizer
        self.pathways, self.c2_names = found.pathways, found.c2_model_loading
        self._models = found.models.MODEL_REGISTRY
        add_fast_only(found.video_model_builder)
        # datasets/decoder.py:279,325 call functions that torchvision no longer has
        found.decoder.io = SimpleNamespace(
            _probe_video_from_memory=video_io.probe, _read_video_from_memory=video_io.read
        )
        self.capabilities = frozenset(RESNET_ARCHS | {"slowfast", "x3d", "mvit"})
        if "PTVResNet" in self._models:
            self.capabilities |= {"ptv"}
        self.add_own()

    def get_cfg(self) -> CfgNode:
        """Returns main's defaults, with the networks that its list of single pathways lacks."""
        cfg = super().get_cfg()
        single = [*cfg.MODEL.SINGLE_PATHWAY_ARCH, "slow_c2d", "slow_i3d", "fast"]
        cfg.MODEL.SINGLE_PATHWAY_ARCH = list(dict.fromkeys(single))
        return cfg

    def construct_optimizer(self, model: nn.Module, cfg: CfgNode) -> torch.optim.Optimizer:
        """Returns `Host.construct_optimizer`'s; hides what main prints (models/optimizer.py:92)."""
        with contextlib.redirect_stdout(io.StringIO()):
            return super().construct_optimizer(model, cfg)

    def view(self, cfg: CfgNode) -> CfgNode:
        """Returns the copy of `Host.view`, with the decoding backend that `video_io` replaces."""
        view = super().view(cfg)
        view.DATA.DECODING_BACKEND = "torchvision"  # decoder.py:422 breaks with the other one
        return view

    def pack_sample(self, inputs: list[torch.Tensor], label: int, index: int) -> tuple[Any, ...]:
        """Returns an item of a data set, with a time that only other tasks read."""
        return inputs, label, index, 0, {}

    def pack_pathways(self, cfg: CfgNode, frames: torch.Tensor) -> list[torch.Tensor]:
        """Returns what `Host.pack_pathways` does, colour channels in the order in which they come.

        DATA.REVERSE_INPUT_CHANNEL is for main's own loaders of pictures, which read blue first and
        turn that round as they pack; what is packed here has red first already.
        """
        if cfg.DATA.REVERSE_INPUT_CHANNEL:
            frames = frames.flip(0)  # main turns it back (datasets/utils.py:89)
        return super().pack_pathways(cfg, frames)

    def build(self, cfg: CfgNode) -> nn.Module:
        """Returns the network from the registry: models/build.py:30 requires CUDA for NUM_GPUS."""
        return self._models.get(cfg.MODEL.MODEL_NAME)(cfg)


def _import_host() -> SimpleNamespace:
    """Returns the host's modules, imported with stand-ins; a missing dependency is named."""
    names = (
        "config.defaults", "models", "datasets", "datasets.build", "datasets.decoder",
        "models.losses", "models.optimizer", "models.video_model_builder", "utils.c2_model_loading",
    )  # fmt: skip
    try:
        # models/__init__.py prints "Please update your PyTorchVideo" if pytorchvideo is missing
        with standing_in(stand_ins()), contextlib.redirect_stdout(io.StringIO()):
            loaded = {name: importlib.import_module(f"slowfast.{name}") for name in names}
            pathways = importlib.import_module("slowfast.datasets.utils")
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"Expected SlowFast main's own dependencies, but `{error.name}` is not installed. "
            "`pip install 'slowfast_bias[main]'` installs them."
        ) from error
    except ImportError as error:
        raise MissingPackageError(
            f"Expected SlowFast main and what it imports to fit together, but: {error}. Take "
            "another version of the checkout or of that package."
        ) from error
    modules = {name.rpartition(".")[2]: module for name, module in loaded.items()}
    return SimpleNamespace(pathways=pathways, **modules)


def stand_ins() -> dict[str, dict[str, Any]]:
    """Returns {module: attributes that the import needs}; {}: any attribute, none usable."""
    norms = {name: absent(f"pytorchvideo.{name}") for name in _NORMS}
    return {
        "torchvision": {},
        "torchvision.transforms": {},
        "torchvision.transforms.functional": {},
        # pytorchvideo/transforms/augmentations.py:9 uses the name it had before torchvision 0.17
        "torchvision.transforms.functional_tensor": _functions(
            "torchvision.transforms._functional_tensor"
        ),
        "torchvision.io": {},
        "torchvision.utils": {},
        "detectron2": {},
        "detectron2.layers": {"ROIAlign": _roi_align()},
        "vision": {},
        "vision.fair": {},
        "vision.fair.slowfast": {},
        "vision.fair.slowfast.ava_evaluation": {},
        "pytorchvideo": {},
        "pytorchvideo.layers": {},
        "pytorchvideo.layers.distributed": _collectives(),
        "pytorchvideo.layers.batch_norm": norms,
        "pytorchvideo.layers.swish": {"Swish": nn.SiLU},
        "pytorchvideo.losses": {},
        "pytorchvideo.losses.soft_target_cross_entropy": {
            "SoftTargetCrossEntropyLoss": SoftTargetCrossEntropyLoss
        },
    }


def _functions(module: str) -> dict[str, Any]:
    """Returns the attributes of a module; {} if it cannot be imported."""
    try:
        found = vars(importlib.import_module(module))
    except Exception:  # absent, or built for another torch
        return {}
    return {name: value for name, value in found.items() if not name.startswith("__")}


_NORMS = ("NaiveSyncBatchNorm1d", "NaiveSyncBatchNorm3d")


def _roi_align() -> type:
    """Returns torchvision's RoIAlign, `aligned` by default as detectron2's, or one that raises."""
    try:
        ops: ModuleType = importlib.import_module("torchvision.ops")
    except Exception:  # absent, or built for another torch
        return absent("torchvision.ops.RoIAlign")

    class ROIAlign(ops.RoIAlign):
        def __init__(self, *args: Any, aligned: bool = True, **kwargs: Any) -> None:
            super().__init__(*args, aligned=aligned, **kwargs)

    return ROIAlign


def _collectives() -> dict[str, Any]:
    """Returns what utils/distributed.py imports from pytorchvideo; our loop calls none of it."""

    def world() -> int:
        return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1

    def cat_all_gather(tensor: torch.Tensor, local: bool = False) -> torch.Tensor:
        parts = [torch.empty_like(tensor) for _ in range(world())]
        if world() == 1:
            return tensor
        dist.all_gather(parts, tensor)
        return torch.cat(parts)

    return {
        "cat_all_gather": cat_all_gather,
        "get_world_size": world,
        "get_local_size": world,
        "get_local_rank": lambda: dist.get_rank() if world() > 1 else 0,
        "get_local_process_group": lambda: None,
        "init_distributed_training": lambda *_: None,
    }


class SoftTargetCrossEntropyLoss(nn.Module):
    """Cross entropy against class probabilities (B, classes), as mixed labels are."""

    def __init__(
        self, ignore_index: int = -100, reduction: str = "mean", normalize_targets: bool = True
    ) -> None:
        super().__init__()
        self.reduction, self.normalize = reduction, normalize_targets

    def forward(self, scores: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Returns the loss of scores (B, classes); makes integer targets one-hot, as original."""
        if not torch.is_floating_point(target):
            target = nn.functional.one_hot(target, scores.shape[1]).to(scores.dtype)
        if self.normalize:
            target = target / (target.sum(dim=1, keepdim=True) + torch.finfo(target.dtype).eps)
        losses = -(target * scores.log_softmax(dim=1)).sum(dim=1)
        return losses.mean() if self.reduction == "mean" else losses
