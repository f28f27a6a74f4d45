"""MViT: transformers whose tokens get fewer and wider from block to block, versions 1 and 2.

Fan et al., "Multiscale Vision Transformers", https://arxiv.org/abs/2104.11227; Li et al., "MViTv2",
https://arxiv.org/abs/2112.01526. Parameters have the names and shapes of SlowFast's main branch, so
that its checkpoints load.

    model = MViT(frames=16, size=224, patch_padding=(1, 3, 3), first_key_stride=(1, 8, 8), ...)
    logits = model.train()([clips])         # (B, 3, T, H, W) -> (B, classes)

`ARGUMENTS`, `DEFAULTS` and `ONLY` say how SlowFast's config keys describe such a network.
Shapes: B batch, L tokens (a class token first, if there is one), C channels, T frames, H W space.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from slowfast_bias.errors import RequestError
from slowfast_bias.models.networks.mvit_attention import NORM_EPS, Style
from slowfast_bias.models.networks.mvit_block import MultiScaleBlock
from slowfast_bias.models.networks.mvit_ends import PatchEmbed, TransformerBasicHead
from slowfast_bias.models.networks.mvit_keys import ARGUMENTS, DEFAULTS, ONLY
from slowfast_bias.models.networks.mvit_plan import adapted_strides, plan, poolings

__all__ = ["ARGUMENTS", "DEFAULTS", "ONLY", "MViT"]

_STD = 0.02


class MViT(nn.Module):
    """Patches, `blocks`, a norm and `head`.

    Args:
        frames: T of a clip.
        size: H and W of a clip.
        input_channels: channels of each pathway; the first is used.
        classes: number of classes.
        head_dropout: rate before the classifier.
        head_init_scale: what the classifier's first weights are multiplied by.
        mean_pooling: whether the classifier gets the mean of the tokens, then normalised. Without
            it, tokens are normalised first, and it gets the class token, or their mean.
        class_token: whether there is one.
        patch_kernel: frames, rows and columns of a patch.
        patch_stride: from one patch to the next.
        patch_padding: around the clip.
        norm_stem: whether tokens are normalised before the first block.
        absolute_positions: whether learnt position embeddings are added to the patches.
        separate_positions: whether these are sums of one for space and one for time.
        depth: number of blocks.
        width: channels of the first block.
        heads: of its attention.
        width_factors: table [[block, factor], ...]: where it gets wider.
        head_factors: table: where it has more heads.
        widen_in_attention: as `Style` says.
        mode: as `Style` says.
        pool_kernel: of all pooling; None: a little more than the stride.
        query_strides: table [[block, T, H, W], ...]: where queries, and so tokens, are pooled.
        key_strides: table: where keys and values are pooled.
        first_key_stride: instead of that table: the first block's; later ones `adapted_strides`.
        qkv_bias: as `Style` says.
        relative_space: as `Style` says.
        relative_time: as `Style` says.
        relative_from_zero: as `Style` says.
        residual_pooling: as `Style` says.
        mlp_ratio: as `Style` says.
        dropout: rate in blocks and after the position embeddings.
        drop_path: rate of stochastic depth in the last block; rises linearly from 0.
        undecayed_positions: whether `no_weight_decay` names the positions.
    """

    def __init__(
        self,
        *,
        frames: int = 8,
        size: int = 224,
        input_channels: Sequence[int] = (3,),
        classes: int = 400,
        head_dropout: float = 0.5,
        head_init_scale: float = 1.0,
        mean_pooling: bool = False,
        class_token: bool = True,
        patch_kernel: Sequence[int] = (3, 7, 7),
        patch_stride: Sequence[int] = (2, 4, 4),
        patch_padding: Sequence[int] = (2, 4, 4),
        norm_stem: bool = False,
        absolute_positions: bool = True,
        separate_positions: bool = False,
        depth: int = 16,
        width: int = 96,
        heads: int = 1,
        width_factors: Sequence[Sequence[float]] = (),
        head_factors: Sequence[Sequence[float]] = (),
        widen_in_attention: bool = False,
        mode: str = "conv",
        pool_kernel: Sequence[int] | None = None,
        query_strides: Sequence[Sequence[int]] = (),
        key_strides: Sequence[Sequence[int]] = (),
        first_key_stride: Sequence[int] | None = None,
        qkv_bias: bool = True,
        relative_space: bool = False,
        relative_time: bool = False,
        relative_from_zero: bool = False,
        residual_pooling: bool = False,
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        drop_path: float = 0.1,
        undecayed_positions: bool = True,
    ) -> None:
        super().__init__()
        self.cls_embed_on, self.mean_pooling = class_token, mean_pooling
        self.undecayed_positions = undecayed_positions
        clip = (frames, size, size)
        self.patch_embed = PatchEmbed(
            input_channels[0], width, patch_kernel, patch_stride, patch_padding, clip
        )
        self.grid = self.patch_embed.grid
        self._add_positions(width, absolute_positions, separate_positions)
        self.pos_drop = nn.Dropout(dropout)
        self.norm_stem = nn.LayerNorm(width, eps=NORM_EPS) if norm_stem else None
        if first_key_stride is not None:
            key_strides = adapted_strides(depth, first_key_stride, query_strides)
        blocks = plan(
            depth, width, heads, self.grid, width_factors, head_factors, widen_in_attention,
            poolings(depth, query_strides, pool_kernel, "MVIT.POOL_Q_STRIDE"),
            poolings(depth, key_strides, pool_kernel, "MVIT.POOL_KV_STRIDE"),
        )  # fmt: skip
        style = Style(
            mode, class_token, qkv_bias, widen_in_attention, residual_pooling, relative_space,
            relative_time, relative_from_zero, mlp_ratio, dropout,
        )  # fmt: skip
        rates = [drop_path * i / max(depth - 1, 1) for i in range(depth)]
        self.blocks = nn.ModuleList(map(MultiScaleBlock, blocks, [style] * depth, rates))
        self.norm = nn.LayerNorm(blocks[-1].out, eps=NORM_EPS)
        self.head = TransformerBasicHead(blocks[-1].out, classes, head_dropout)
        self.apply(_init)
        for parameter in self.head.projection.parameters():
            parameter.data.mul_(head_init_scale)

    def forward(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Returns logits (B, classes) in training, probabilities otherwise.

        Args:
            inputs: one pathway of clips (B, C, T, H, W); the list stays as it is.
        """
        if len(inputs) != 1:
            raise RequestError(f"Expected one pathway of clips, but got {len(inputs)}.")
        x, grid = self.patch_embed(inputs[0])
        if self.cls_embed_on:
            x = torch.cat((self.cls_token.expand(len(x), -1, -1), x), dim=1)
        if self.positions:
            x = x + self._positions()
        x = self.pos_drop(x)
        x = x if self.norm_stem is None else self.norm_stem(x)
        for block in self.blocks:
            x, grid = block(x, grid)
        return self.head(self._features(x))

    def no_weight_decay(self) -> list[str]:
        """Returns parts of names of the parameters that an optimiser must not decay."""
        if not self.undecayed_positions:
            return []
        relative = [f"rel_pos_{axis}" for axis in self.blocks[0].attn.axes]
        return [*self.positions, *relative, *(["cls_token"] if self.cls_embed_on else [])]

    def _add_positions(self, width: int, absolute: bool, separate: bool) -> None:
        """Adds the class token and the position embeddings, and keeps the names of these."""
        frames, height, columns = self.grid
        skip = int(self.cls_embed_on)
        sizes = {"pos_embed": skip + frames * height * columns}
        if separate:
            sizes = {"pos_embed_spatial": height * columns, "pos_embed_temporal": frames}
            sizes |= {"pos_embed_class": 1} if skip else {}
        self.positions = list(sizes) if absolute else []
        if skip:
            self.cls_token = _trunc_normal(1, width)
        for name in self.positions:
            self.register_parameter(name, _trunc_normal(sizes[name], width))

    def _positions(self) -> torch.Tensor:
        """Returns the embedding (1, L, C) of each token's position."""
        if "pos_embed" in self.positions:
            return self.pos_embed
        frames, height, columns = self.grid
        space = self.pos_embed_spatial.repeat(1, frames, 1)
        tokens = space + self.pos_embed_temporal.repeat_interleave(height * columns, dim=1)
        return torch.cat((self.pos_embed_class, tokens), 1) if self.cls_embed_on else tokens

    def _features(self, x: torch.Tensor) -> torch.Tensor:
        """Returns what the classifier gets, (B, C), of the last block's tokens (B, L, C)."""
        if self.mean_pooling:
            return self.norm(x[:, int(self.cls_embed_on) :].mean(1))
        x = self.norm(x)
        return x[:, 0] if self.cls_embed_on else x.mean(1)


def _trunc_normal(tokens: int, width: int) -> nn.Parameter:
    return nn.Parameter(nn.init.trunc_normal_(torch.empty(1, tokens, width), std=_STD))


def _init(module: nn.Module) -> None:
    """Sets a layer's first weights. Biases begin at the same small number as in SlowFast."""
    if isinstance(module, (nn.Linear, nn.Conv3d)):
        nn.init.trunc_normal_(module.weight, std=_STD)
    if isinstance(module, nn.LayerNorm):
        nn.init.ones_(module.weight)
    if isinstance(module, (nn.Linear, nn.LayerNorm)) and module.bias is not None:
        nn.init.constant_(module.bias, _STD)
