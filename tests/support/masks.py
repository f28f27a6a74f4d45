"""Two-stream networks with full-size names and small widths, random weights, and their inputs."""

from __future__ import annotations

import functools

import torch
from torch import nn

from slowfast_bias.models.segmentation import FusionSeg, MATNet, RTNet

SMALL = {"trunk": "resnet18", "width": 8}
SIZE = (33, 49)  # no multiple of any stride

NETWORKS = {
    "fusionseg": lambda: FusionSeg(**SMALL),
    "no crossing": lambda: MATNet(crossing="none", **SMALL),
    "up": lambda: MATNet(**SMALL),
    "up, gates": lambda: MATNet(gates=True, fusion="convex", **SMALL),
    "both": lambda: MATNet(crossing="both", **SMALL),
    "both, gates": lambda: MATNet(crossing="both", gates=True, boundaries=False, **SMALL),
    "r34": lambda: RTNet("resnet18", 8),
    "rx50": lambda: RTNet("resnet50", 8),  # groups are slow, and change nothing else
}


def make(name: str, seed: int = 0) -> nn.Module:
    """Returns a network in eval mode, all of whose weights and statistics are at random."""
    torch.manual_seed(seed)
    model = NETWORKS[name]()
    randomise(model, seed)
    return model.eval()


@functools.cache
def shared(name: str, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Returns what `make` does, one for all tests: none of them may change it."""
    return make(name).to(dtype)


@torch.no_grad()
def randomise(model: nn.Module, seed: int = 0) -> None:
    """Gives weights values of a size at which all units matter."""
    g = torch.Generator().manual_seed(seed)
    for name, x in [*model.named_parameters(), *model.named_buffers()]:
        if x.ndim > 1:
            x.normal_(0, x[0].numel() ** -0.5, generator=g)
        elif name.endswith("running_var"):
            x.uniform_(0.5, 1.5, generator=g)
        elif name.endswith("weight"):
            x.uniform_(0.5, 1, generator=g)
        elif x.is_floating_point():
            x.normal_(0, 0.1, generator=g)


def inputs_for(model: nn.Module, batch: int = 1, seed: int = 0, size=SIZE, frames: int = 1):
    """Returns [image, flow] for a network, at random."""
    g = torch.Generator().manual_seed(seed)
    t = model.frames or frames
    return [torch.randn(batch, c, t, *size, generator=g) for c in model.colours]
