"""Attention between tokens of which there are fewer keys than queries, and fewer of both later.

Fan et al., "Multiscale Vision Transformers", https://arxiv.org/abs/2104.11227.
Shapes: B batch, N heads, L tokens (a class token first, if there is one), C channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from slowfast_bias.models.networks.mvit_plan import Block, Grid, Pooling
from slowfast_bias.models.networks.mvit_positions import add_relative, table_size

NORM_EPS = 1e-6


@dataclass(frozen=True)
class Style:
    """What all blocks of a network have in common.

    Attributes:
        mode: tokens are pooled by a learnt convolution ("conv"), "avg" or "max".
        class_token: whether the first token is none of the grid.
        qkv_bias: whether queries, keys and values have biases.
        widen_in_attention: whether a block gets wider in its attention, instead of its MLP.
        residual_pooling: whether the pooled queries are added to what attention returns.
        relative_space: whether queries know how far keys are in H and W.
        relative_time: likewise in T.
        relative_from_zero: whether what they know is nothing at first.
        mlp_ratio: hidden channels of the MLP, of those that it gets.
        dropout: rate after attention and inside the MLP.
    """

    mode: str = "conv"
    class_token: bool = True
    qkv_bias: bool = True
    widen_in_attention: bool = False
    residual_pooling: bool = False
    relative_space: bool = False
    relative_time: bool = False
    relative_from_zero: bool = False
    mlp_ratio: float = 4.0
    dropout: float = 0.0


def pool_tokens(
    x: torch.Tensor, grid: Grid, pool: nn.Module | None, norm: nn.Module | None, skip: int
) -> tuple[torch.Tensor, Grid]:
    """Returns tokens (B, N, L', C) and their grid, pooled over T, H and W, each head alone.

    Args:
        x: (B, N, L, C).
        grid: (T, H, W) of the tokens.
        pool: takes (B*N, C, T, H, W); None leaves `x` as it is.
        norm: of the pooled tokens and the class token.
        skip: leading tokens that are not pooled.
    """
    if pool is None:
        return x, grid
    volume = x[:, :, skip:].flatten(0, 1).transpose(1, 2).unflatten(2, grid)
    volume = pool(volume.contiguous())
    tokens = volume.flatten(2).transpose(1, 2).unflatten(0, x.shape[:2])
    tokens = torch.cat((x[:, :, :skip], tokens), dim=2) if skip else tokens
    return (tokens if norm is None else norm(tokens)), tuple(volume.shape[2:])


class MultiScaleAttention(nn.Module):
    """Attention with pooled queries, keys and values."""

    def __init__(self, block: Block, style: Style) -> None:
        super().__init__()
        self.out = block.out if style.widen_in_attention else block.width
        self.heads, self.skip = block.heads, int(style.class_token)
        self.residual_pooling = style.residual_pooling
        self.qkv = nn.Linear(block.width, 3 * self.out, bias=style.qkv_bias)
        self.proj = nn.Linear(self.out, self.out)
        self.proj_drop = nn.Dropout(style.dropout)
        channels = self.out // self.heads
        for name, pooling in (("q", block.query), ("k", block.key), ("v", block.key)):
            learnt = style.mode == "conv" and pooling is not None
            self.add_module(f"pool_{name}", pool_layer(style.mode, pooling, channels))
            norm = nn.LayerNorm(channels, eps=NORM_EPS) if learnt else None
            self.add_module(f"norm_{name}", norm)
        self.axes = _add_tables(self, block, style, channels)

    def forward(self, x: torch.Tensor, grid: Grid) -> tuple[torch.Tensor, Grid]:
        """Returns tokens (B, L', C') and their grid.

        Args:
            x: (B, L, C).
            grid: (T, H, W) of the tokens.
        """
        skip = self.skip
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        q, queries = pool_tokens(q, grid, self.pool_q, self.norm_q, skip)
        k, keys = pool_tokens(k, grid, self.pool_k, self.norm_k, skip)
        v, _ = pool_tokens(v, grid, self.pool_v, self.norm_v, skip)
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
        if self.axes:
            tables = {axis: getattr(self, f"rel_pos_{axis}") for axis in self.axes}
            scores[:, :, skip:, skip:] = add_relative(
                scores[:, :, skip:, skip:], q[:, :, skip:], queries, keys, tables
            )
        attended = scores.softmax(dim=-1) @ v
        if self.residual_pooling:
            attended[:, :, skip:] += q[:, :, skip:]
        return self.proj_drop(self.proj(attended.transpose(1, 2).flatten(2))), queries


def pool_layer(mode: str, pooling: Pooling | None, channels: int) -> nn.Module | None:
    """Returns the layer that pools, over (B, C, T, H, W); None if nothing is to be pooled.

    Args:
        mode: "conv", "avg" or "max".
        pooling: kernel and stride; None: nothing is pooled.
        channels: of a learnt one, which is channel-wise.
    """
    if pooling is None:
        return None
    around = tuple(n // 2 for n in pooling.kernel)
    if mode == "conv":
        return nn.Conv3d(channels, channels, *pooling, around, groups=channels, bias=False)
    return {"avg": nn.AvgPool3d, "max": nn.MaxPool3d}[mode](*pooling, around)


def _add_tables(attention: nn.Module, block: Block, style: Style, channels: int) -> str:
    """Adds the parameters `rel_pos_*` and returns their axes, in the order in which they count."""
    axes = "hw" * style.relative_space + "t" * style.relative_time
    strides = [pooling.stride if pooling else (1, 1, 1) for pooling in (block.query, block.key)]
    for axis in axes:
        at = "thw".index(axis)
        size = table_size(*(block.grid[at] // (stride[at] if at else 1) for stride in strides))
        table = nn.Parameter(torch.zeros(size, channels))
        if not style.relative_from_zero:
            nn.init.trunc_normal_(table, std=0.02)
        attention.register_parameter(f"rel_pos_{axis}", table)
    return axes
