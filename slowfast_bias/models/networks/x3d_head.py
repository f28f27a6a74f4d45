"""The classifier of X3D: two pointwise convolutions around the pooling, then a linear layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from slowfast_bias.errors import RequestError
from slowfast_bias.models.networks.x3d_blocks import Norm


class X3DHead(nn.Module):
    """Pools by a window of fixed size; a larger clip is classified at several places."""

    def __init__(
        self,
        inside: int,
        inner: int,
        out: int,
        classes: int,
        window: Sequence[int],
        dropout: float,
        norm: Norm,
        norm_last: bool,
    ) -> None:
        super().__init__()
        self.conv_5 = nn.Conv3d(inside, inner, 1, bias=False)
        self.conv_5_bn = norm(inner)
        self.conv_5_relu = nn.ReLU(inplace=True)
        self.avg_pool = nn.AvgPool3d(tuple(window), stride=1)
        self.lin_5 = nn.Conv3d(inner, out, 1, bias=False)
        self.lin_5_bn = norm(out) if norm_last else None
        self.lin_5_relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(dropout)
        self.projection = nn.Linear(out, classes)

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Returns logits (B, classes) in training, probabilities otherwise.

        Args:
            inputs: one pathway of features (B, C, T, H, W), not smaller than the window.
        """
        (x,) = inputs
        self._check(x)
        x = self.avg_pool(self.conv_5_relu(self.conv_5_bn(self.conv_5(x))))
        x = self.lin_5(x)
        x = self.lin_5_relu(x if self.lin_5_bn is None else self.lin_5_bn(x))
        x = self.projection(self.dropout(x.movedim(1, -1)))
        if self.training:
            return x.flatten(1)
        return x.softmax(-1).mean((1, 2, 3))  # over the places

    def _check(self, x: torch.Tensor) -> None:
        window, found = self.avg_pool.kernel_size, tuple(x.shape[2:])
        # Several places are averaged as probabilities, which a loss on logits cannot do.
        fits = (
            found == window
            if self.training
            else all(n >= m for n, m in zip(found, window, strict=True))
        )
        if not fits:
            raise RequestError(
                f"Expected clips whose last features are {'' if self.training else 'at least '}"
                f"{window} frames, rows and columns, as DATA.NUM_FRAMES and DATA.TRAIN_CROP_SIZE "
                f"/ 32 say, but got {found}. Set these keys to the clips' size."
            )
