"""The effect of a bank of styles on clips, in numbers and in a picture.

Legend: B batch, T frames, H W space, S styles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

if TYPE_CHECKING:  # bank.py exports the functions here, so it imports this file
    from slowfast_bias.datasets.styles.bank import StyleBank

_GUTTER = 2  # white pixels between the pictures of a strip


@dataclass(frozen=True)
class StyleReport:
    """What `style_report` measured, in units of the colour range [0, 1].

    Attributes:
        strength: mean |style a - style b| over pixels, clips and pairs of styles.
        pairs: the same for each pair, S rows of S, zeros on the diagonal.
        flicker: mean frame-to-frame change where the originals stand still; 0 for a good bank, NaN
            if it is not known: a note gives the reason.
        commutes: largest |style(shuffled) - shuffled(style)|; 0 or float rounding for a good bank,
            NaN if it was not tested.
        flickers: the flicker of each style.
        notes: how the numbers were measured, and what was left out; one sentence each.
    """

    strength: float
    pairs: tuple[tuple[float, ...], ...]
    flicker: float
    commutes: float
    flickers: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()

    def table(self) -> str:
        """Returns the numbers as lines of text, and the notes."""
        styles = range(len(self.pairs))
        known = self.flickers or (math.nan,) * len(self.pairs)
        lines = ["style  " + "".join(f"{index:>7}" for index in styles) + "   flicker"]
        for index, row in enumerate(self.pairs):
            distances = "".join(f"{value:7.3f}" for value in row)
            lines.append(f"{index:>5}  {distances}{_shown(known[index]):>10}")
        last = f"strength {self.strength:.3f}, flicker {_shown(self.flicker)}"
        if not math.isnan(self.commutes):
            last += f", off commuting with shuffles by {self.commutes:.1e}"
        return "\n".join([*lines, last, *(f"note: {note}" for note in self.notes)])


def style_report(bank: StyleBank, clips: torch.Tensor) -> StyleReport:
    """Returns the bank's effect on `clips`, (B, 3, T, H, W) in [0, 1] with T of 2 or more.

    Works with any callable like a bank that has `num` and `reach`.
    """
    if clips.ndim != 5 or clips.shape[2] < 2:
        raise ValueError(
            "Expected `clips` to be (B, 3, T, H, W) with at least 2 frames, but got "
            f"{tuple(clips.shape)}."
        )
    order = torch.randperm(clips.shape[2], generator=torch.Generator().manual_seed(0))
    order = order if (order.diff() != 1).any() else order.flip(0)  # not the original order
    half_still, still = _half_still(clips, bank.reach)

    styled = [bank(clips, style) for style in range(bank.num)]
    strengths = np.zeros((bank.num, bank.num))
    for a, b in combinations(range(bank.num), 2):
        strengths[a, b] = strengths[b, a] = (styled[a] - styled[b]).abs().mean().item()

    flicker, commutes = [], []
    for style in range(bank.num):
        flicker.append(bank(half_still, style)[..., still].diff(dim=2).abs().mean().item())
        after = bank(clips[:, :, order], style)
        commutes.append((after - styled[style][:, :, order]).abs().max().item())
    return StyleReport(
        strength=strengths.sum() / (bank.num * (bank.num - 1)),
        pairs=tuple(tuple(row) for row in strengths.tolist()),
        flicker=sum(flicker) / len(flicker),
        commutes=max(commutes),
        flickers=tuple(flicker),
    )


def preview_strip(
    bank: StyleBank, clip: torch.Tensor, columns: int = 4, zoom: int = 1
) -> np.ndarray:
    """Returns a picture, uint8 (H', W', 3): the clip above itself in every style.

    Args:
        bank: the styles.
        clip: (3, T, H, W) in [0, 1].
        columns: number of frames, evenly spread over the clip, that are shown side by side.
        zoom: how often each pixel is repeated in a row and a column.
    """
    picks = np.linspace(0, clip.shape[1] - 1, min(columns, clip.shape[1])).round().astype(int)
    rows = [clip, *(bank(clip[None], style)[0] for style in range(bank.num))]
    pixels = torch.stack(rows).mul(255).round().byte().cpu().numpy()[:, :, picks]
    pixels = pixels.repeat(zoom, axis=-2).repeat(zoom, axis=-1)
    height, width = pixels.shape[-2] + _GUTTER, pixels.shape[-1] + _GUTTER
    strip = np.full((len(rows) * height, len(picks) * width, 3), 255, dtype=np.uint8)
    for row, frames in enumerate(pixels.transpose(0, 2, 3, 4, 1)):
        for column, frame in enumerate(frames):
            top, left = row * height, column * width
            strip[top : top + height - _GUTTER, left : left + width - _GUTTER] = frame
    return strip[:-_GUTTER, :-_GUTTER]


def save_preview(bank: StyleBank, clip: torch.Tensor, path: str | Path) -> None:
    """Writes the strip of a clip, (3, T, H, W) in [0, 1], as a PNG; enlarges small ones."""
    strip = preview_strip(bank, clip, zoom=-(-96 // clip.shape[-1]))
    if not cv2.imwrite(str(path), strip[..., ::-1]):
        raise OSError(f"Expected to write a PNG to {path}, but could not; does its folder exist?")


def _shown(flicker: float) -> str:
    return "not known" if math.isnan(flicker) else f"{flicker:.1e}"


def _half_still(clips: torch.Tensor, reach: int) -> tuple[torch.Tensor, slice]:
    """Returns clips with their left half frozen, and the columns that the right cannot reach.

    Only half, because a style that is computed from each frame would keep a frozen clip still, too.
    """
    half = clips.shape[-1] // 2
    frozen = clips.clone()
    frozen[..., :half] = clips[:, :, :1, :, :half]
    return frozen, slice(0, max(half - reach, 1))
