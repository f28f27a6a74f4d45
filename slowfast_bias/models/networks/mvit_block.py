"""A block of MViT: attention and an MLP, each on a residual branch, and the skips around them."""

from __future__ import annotations

import math

import torch
from torch import nn

from slowfast_bias.models.networks.drop_path import DropPath
from slowfast_bias.models.networks.mvit_attention import (
    NORM_EPS,
    MultiScaleAttention,
    Style,
    pool_layer,
    pool_tokens,
)
from slowfast_bias.models.networks.mvit_plan import Block, Grid, Pooling, skip_kernel


class Mlp(nn.Module):
    """Two linear layers with a GELU between them."""

    def __init__(self, inside: int, hidden: int, out: int, dropout: float) -> None:
        super().__init__()
        self.fc1 = nn.Linear(inside, hidden)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(hidden, out)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns (..., out) of `x` (..., inside)."""
        return self.drop(self.fc2(self.drop(self.act(self.fc1(x)))))


class MultiScaleBlock(nn.Module):
    """A block; the skip around its attention is max-pooled as the queries are."""

    def __init__(self, block: Block, style: Style, drop_path: float) -> None:
        super().__init__()
        self.skip, self.widen_in_attention = int(style.class_token), style.widen_in_attention
        width = block.out if style.widen_in_attention else block.width
        self.norm1 = nn.LayerNorm(block.width, eps=NORM_EPS)
        self.attn = MultiScaleAttention(block, style)
        self.drop_path = DropPath(drop_path)
        self.norm2 = nn.LayerNorm(width, eps=NORM_EPS)
        self.mlp = Mlp(width, int(width * style.mlp_ratio), block.out, style.dropout)
        self.proj = nn.Linear(block.width, block.out) if block.width != block.out else None
        stride = block.query.stride if block.query else (1, 1, 1)
        pools = math.prod(stride) > 1
        pooling = Pooling(skip_kernel(stride), stride) if pools else None
        self.pool_skip = pool_layer("max", pooling, width)

    def forward(self, x: torch.Tensor, grid: Grid) -> tuple[torch.Tensor, Grid]:
        """Returns tokens (B, L', C') and their grid.

        Args:
            x: (B, L, C), a class token first, if there is one.
            grid: (T, H, W) of the other tokens.
        """
        normed = self.norm1(x)
        attended, pooled = self.attn(normed, grid)
        if self.proj is not None and self.widen_in_attention:
            x = self.proj(normed)
        skipped, _ = pool_tokens(x[:, None], grid, self.pool_skip, None, self.skip)
        x = skipped[:, 0] + self.drop_path(attended)
        normed = self.norm2(x)
        added = self.drop_path(self.mlp(normed))
        if self.proj is not None and not self.widen_in_attention:
            x = self.proj(normed)
        return x + added, pooled
