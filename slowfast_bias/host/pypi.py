"""The PyPI release of December 2019 (`pyslowfast==1.0`): no tools, no build on a CPU, no AdamW.

What it lacks and this project's loop offers on both hosts is declared in `SUPPLEMENT` under GitHub
main's names. A comment on each fix of the host names the host's file.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias.host.base import RESNET_ARCHS, Host, add_fast_only, scaled
from slowfast_bias.host.generation_keys import MAIN_ONLY, NOWHERE
from slowfast_bias.host.stand_ins import absent, standing_in

# Keys of GitHub main that this project supports on the release as well: name -> default.
SUPPLEMENT: dict[str, Any] = {
    "MODEL.MODEL_NAME": "SlowFast",
    "MODEL.HEAD_ACT": "softmax",  # the only one here; `problems` refuses others
    "TRAIN.MIXED_PRECISION": False,
    "TRAIN.CHECKPOINT_EPOCH_RESET": False,
    "SOLVER.CLIP_GRAD_VAL": None,
    "SOLVER.CLIP_GRAD_L2NORM": None,
    "SOLVER.COSINE_END_LR": 0.0,
    "SOLVER.COSINE_AFTER_WARMUP": False,
    "SOLVER.BASE_LR_SCALE_NUM_SHARDS": False,
    "BN.NORM_TYPE": "batchnorm",
    "SOLVER.ZERO_WD_1D_PARAM": False,
    # for the data set `videos`
    "DATA.TRAIN_JITTER_SCALES_RELATIVE": [],
    "DATA.TRAIN_JITTER_ASPECT_RELATIVE": [],
    "DATA.USE_OFFSET_SAMPLING": False,
    "DATA.PATH_LABEL_SEPARATOR": None,  # any white space
    "DATA.RANDOM_FLIP": True,
    "TEST.SAVE_RESULTS_PATH": "",
    "TENSORBOARD.ENABLE": False,
    "TENSORBOARD.LOG_DIR": "",
}

# Main's names of networks -> the release's names of their parts.
_ALIASES = {
    "slow": "slowonly",
    "2d": "c2d_nopool",
    "slow_c2d": "c2d_nopool",
    "slow_i3d": "i3d_nopool",
}


class PypiHost(Host):
    """pyslowfast 1.0 behind the facade."""

    name = "pypi"
    foreign_keys = MAIN_ONLY - frozenset(SUPPLEMENT) | NOWHERE
    remedy = (
        "GitHub main has more: set SLOWFAST_MAIN to a checkout of facebookresearch/SlowFast "
        "and `pip install 'slowfast_bias[main]'`."
    )

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        roi_align = {"ROIAlign": absent("detectron2.layers.ROIAlign")}
        with standing_in({"detectron2": {}, "detectron2.layers": roi_align}):
            from slowfast.config import defaults
            from slowfast.datasets import build, transform
            from slowfast.datasets import utils as pathways
            from slowfast.models import losses, model_builder, optimizer, video_model_builder
            from slowfast.utils import c2_model_loading, metrics
        from slowfast_bias.host.repairs import topks_correct, whole_crop

        self.defaults, self.datasets = defaults, build.DATASET_REGISTRY
        self.losses, self.optimizer, self.pathways = losses, optimizer, pathways
        self.c2_names = c2_model_loading
        self._models = model_builder._MODEL_TYPES
        _add_networks(video_model_builder, self._models)
        # utils/metrics.py:40 flattens a non-contiguous tensor with .view
        metrics.topks_correct = topks_correct
        # datasets/transform.py:90 does not return the boxes if there is nothing to crop
        transform.random_crop = whole_crop(transform.random_crop)
        self.capabilities = frozenset(RESNET_ARCHS | {"slowfast"})
        self.add_own()

    def get_cfg(self) -> CfgNode:
        """Returns the release's defaults plus `SUPPLEMENT`; warm-up epochs may be fractions."""
        cfg = super().get_cfg()
        for key, value in SUPPLEMENT.items():
            section, name = key.split(".")
            cfg.setdefault(section, CfgNode())[name] = value
        cfg.SOLVER.WARMUP_EPOCHS = float(cfg.SOLVER.WARMUP_EPOCHS)
        cfg.MODEL.SINGLE_PATHWAY_ARCH = [*cfg.MODEL.SINGLE_PATHWAY_ARCH, *_ALIASES, "fast"]
        return cfg

    def problems(self, cfg: CfgNode) -> list[str]:
        """Returns what of a config it cannot do: the release's heads end in a softmax."""
        found = super().problems(cfg)
        if cfg.MODEL.HEAD_ACT == "softmax":
            return found
        return [
            *found,
            f"MODEL.HEAD_ACT {cfg.MODEL.HEAD_ACT}: SlowFast pypi has only softmax. {self.remedy}",
        ]

    def view(self, cfg: CfgNode) -> CfgNode:
        """Returns `Host.view`'s copy; the head's pooling fits the training crop, as on main."""
        view = super().view(cfg)
        view.DATA.CROP_SIZE = view.DATA.TRAIN_CROP_SIZE
        return view

    def central_view(self, cfg: CfgNode, split: str) -> tuple[CfgNode, int, int]:
        """Returns the middle one of three crops: a single crop would be the left one here."""
        view, _, _ = super().central_view(cfg, split)
        if split != "test":
            return view, 1, 0
        view.TEST.NUM_SPATIAL_CROPS = 3
        return view, 3, 1

    def build(self, cfg: CfgNode) -> nn.Module:
        """Returns the network from the table of networks: model_builder.py:29 requires CUDA."""
        return self._models[cfg.MODEL.ARCH](cfg)

    def construct_optimizer(self, model: nn.Module, cfg: CfgNode) -> torch.optim.Optimizer:
        """Returns the release's SGD or Adam, or what it lacks: AdamW, weights without decay."""
        solver, adamw = cfg.SOLVER, cfg.SOLVER.OPTIMIZING_METHOD == "adamw"
        names = hasattr(model, "no_weight_decay")
        if not adamw and not solver.ZERO_WD_1D_PARAM and not names:
            return super().construct_optimizer(model, cfg)
        plain = cfg.clone()
        plain.defrost()
        plain.SOLVER.OPTIMIZING_METHOD = "adam" if adamw else solver.OPTIMIZING_METHOD
        optimizer = super().construct_optimizer(model, plain)
        groups = [{k: g[k] for k in ("params", "weight_decay")} for g in optimizer.param_groups]
        groups = _without_decay(model, groups, solver.ZERO_WD_1D_PARAM)
        if adamw:
            return torch.optim.AdamW(groups, lr=scaled(cfg).BASE_LR, eps=1e-8)
        return type(optimizer)(groups, **optimizer.defaults)

    def lr_at(self, epoch: float, cfg: CfgNode) -> float:
        """Returns the rate by the release's policy; main's two cosine options are computed here."""
        solver = scaled(cfg)
        plain = not (solver.COSINE_END_LR or solver.COSINE_AFTER_WARMUP)
        if solver.LR_POLICY != "cosine" or plain:
            return super().lr_at(epoch, cfg)
        offset = solver.WARMUP_EPOCHS if solver.COSINE_AFTER_WARMUP else 0.0

        def cosine(at: float) -> float:
            angle = math.pi * (at - offset) / (solver.MAX_EPOCH - offset)
            span = solver.BASE_LR - solver.COSINE_END_LR
            return solver.COSINE_END_LR + span * (math.cos(angle) + 1.0) / 2

        if epoch < solver.WARMUP_EPOCHS:
            rise = (cosine(solver.WARMUP_EPOCHS) - solver.WARMUP_START_LR) / solver.WARMUP_EPOCHS
            return solver.WARMUP_START_LR + epoch * rise
        return cosine(epoch)


def _without_decay(model: nn.Module, groups: list[dict], vectors: bool) -> list[dict]:
    """Returns the groups of an optimiser, weights that must not decay in one of their own.

    These are, as on main, what the network names itself and, with `vectors`, biases and vectors.
    """
    named = set(model.no_weight_decay()) if hasattr(model, "no_weight_decay") else set()
    free = {
        id(p)
        for name, p in model.named_parameters()
        if any(word in name for word in named)
        or (vectors and (p.ndim == 1 or name.endswith(".bias")))
    }
    free -= {id(p) for p in groups[0]["params"]}  # batch norms have a key of their own
    kept = [{**g, "params": [p for p in g["params"] if id(p) not in free]} for g in groups]
    rest = [p for g in groups for p in g["params"] if id(p) in free]
    return [*kept, {"params": rest, "weight_decay": 0.0}] if rest else groups


def _add_networks(builder: Any, models: dict[str, type]) -> None:
    """Adds depth 18 and main's names of the ResNet family to the release's own tables."""
    builder._MODEL_STAGE_DEPTH.setdefault(18, (2, 2, 2, 2))
    for alias, known in _ALIASES.items():
        builder._TEMPORAL_KERNEL_BASIS.setdefault(alias, builder._TEMPORAL_KERNEL_BASIS[known])
        builder._POOL1.setdefault(alias, builder._POOL1[known])
        models.setdefault(alias, builder.ResNetModel)
    add_fast_only(builder)
    models.setdefault("fast", builder.ResNetModel)
