"""Where an MViT begins and ends: patches of a clip become tokens, features become class scores."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from slowfast_bias.errors import RequestError
from slowfast_bias.models.networks.mvit_plan import Grid


class PatchEmbed(nn.Module):
    """A convolution whose outputs are tokens.

    Args:
        inside: channels of a clip.
        out: channels of a token.
        kernel: frames, rows and columns of a patch.
        stride: from one patch to the next.
        padding: around the clip.
        clip: T, H and W of a clip.
    """

    def __init__(
        self,
        inside: int,
        out: int,
        kernel: Sequence[int],
        stride: Sequence[int],
        padding: Sequence[int],
        clip: Sequence[int],
    ) -> None:
        super().__init__()
        self.clip = tuple(clip)
        self.grid = tuple(n // s for n, s in zip(clip, stride, strict=True))
        self.proj = nn.Conv3d(inside, out, tuple(kernel), tuple(stride), tuple(padding))
        ends = zip(clip, kernel, stride, padding, strict=True)
        found = tuple((n + 2 * p - k) // s + 1 for n, k, s, p in ends)
        if found != self.grid:
            raise RequestError(
                f"Expected {self.grid} patches over T, H and W, clips of {self.clip} divided by "
                f"MVIT.PATCH_STRIDE, but with MVIT.PATCH_PADDING {list(padding)} there are "
                f"{found}. Make DATA.NUM_FRAMES and DATA.TRAIN_CROP_SIZE multiples of "
                f"{list(stride)}, or change the padding; [1, 3, 3] goes with kernels of [3, 7, 7]."
            )

    def forward(self, clips: torch.Tensor) -> tuple[torch.Tensor, Grid]:
        """Returns tokens (B, L, C), in the order of time, rows, columns, and their grid.

        Args:
            clips: (B, C, T, H, W).
        """
        patches = self.proj(clips)
        if patches.shape[2:] != self.grid:
            raise RequestError(
                f"Expected clips of {_words(self.clip)} (DATA.NUM_FRAMES, DATA.TRAIN_CROP_SIZE), "
                f"which this network's positions are made for, but got {_words(clips.shape[2:])}. "
                "Give it such clips: DATA.TEST_CROP_SIZE is the same as DATA.TRAIN_CROP_SIZE."
            )
        return patches.flatten(2).transpose(1, 2), self.grid


def _words(clip: Sequence[int]) -> str:
    frames, height, width = clip
    return f"{frames} frames of {height} x {width}"


class TransformerBasicHead(nn.Module):
    """Dropout and a linear layer; a softmax in evaluation."""

    def __init__(self, inside: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.projection = nn.Linear(inside, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns logits (B, classes) of features (B, C) in training, probabilities otherwise."""
        scores = self.projection(self.dropout(x))
        return scores if self.training else scores.softmax(dim=1)
