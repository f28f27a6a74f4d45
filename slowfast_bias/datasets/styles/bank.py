"""Styles: other appearances of the same motion.

A style is one fixed function of a frame, the same for all frames of all clips. It depends on
nothing else in the clip or the batch, so it adds no flicker and commutes with shuffling the frames.

    bank = make_styles("colour", num=4, seed=0)
    styled = bank(clips, 2)                       # one style for all, (B, 3, T, H, W) in [0, 1]
    styled = bank(clips, torch.tensor([0, 3]))    # or one for each clip
    print(style_report(bank, clips).table())

Families, a file each in `looks`: "colour" rotates the colour cube about grey, by orthogonal
matrices that are far apart; "randconv" also adds a fixed random convolution, which changes textures
too; "grade" is milder: contrast, brightness, hue and tint change, as when a film is graded, and a
network still recognises about half of what it knows. A bank depends only on (family, num, seed), to
be published with any measurement: "static" means what the bank destroys.

Legend: B batch, C channels (3), T frames, H W space, S styles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from slowfast_bias.datasets.styles.looks.colour import Colour
from slowfast_bias.datasets.styles.looks.grade import Grade
from slowfast_bias.datasets.styles.looks.randconv import RandConv
from slowfast_bias.datasets.styles.strength import (
    StyleReport,
    preview_strip,
    save_preview,
    style_report,
)

__all__ = [
    "FAMILIES",
    "Look",
    "StyleBank",
    "StyleReport",
    "make_styles",
    "preview_strip",
    "save_preview",
    "style_report",
]

_LOOKS = {"colour": Colour, "randconv": RandConv, "grade": Grade}
FAMILIES = tuple(_LOOKS)


class Look(Protocol):
    """The styles of a family: what it draws from a seed, and how it applies it."""

    @classmethod
    def draw(cls, num: int, seed: int) -> Look:
        """Returns `num` styles, the same on every machine."""

    @property
    def reach(self) -> int:
        """The distance in pixels over which a pixel has influence."""

    def __call__(self, clips: torch.Tensor, styles: torch.Tensor) -> torch.Tensor:
        """Returns clips (B, 3, T, H, W) in [0, 1], each in its style of `styles`, (B,)."""


@dataclass(frozen=True, eq=False)
class StyleBank:
    """A fixed set of S styles, called as `bank(clips, style)`; made by `make_styles`.

    Attributes:
        family: one of FAMILIES.
        num: S, the number of styles.
        seed: of the random draws.
        look: the styles themselves.
    """

    family: str
    num: int
    seed: int
    look: Look

    def about(self) -> dict[str, str | int]:
        """Returns what a report holds of the styles, enough to make them again."""
        return {"family": self.family, "num": self.num, "seed": self.seed}

    @property
    def reach(self) -> int:
        """The distance in pixels over which a pixel has influence."""
        return self.look.reach

    def __call__(
        self, clips: torch.Tensor, style: int | Sequence[int] | torch.Tensor
    ) -> torch.Tensor:
        """Returns the restyled clips, on the device and of the type of `clips`.

        Args:
            clips: (B, 3, T, H, W) float32 or float64 in [0, 1], before any normalisation.
            style: 0 to S - 1; one for all, or (B,).
        """
        _check_clips(clips)
        return self.look(clips, self._one_a_clip(style, len(clips)))

    def _one_a_clip(self, style: int | Sequence[int] | torch.Tensor, batch: int) -> torch.Tensor:
        styles = torch.as_tensor(style, device="cpu")
        right = not styles.is_floating_point() and styles.shape in ((), (batch,))
        if not right or (batch and not 0 <= int(styles.min()) <= int(styles.max()) < self.num):
            raise ValueError(
                f"Expected `style` to be 0 to {self.num - 1}, one for all or one for each of "
                f"{batch} clips, but got {style}."
            )
        return styles.expand(batch).long()


def make_styles(family: str = "colour", num: int = 4, seed: int = 0) -> StyleBank:
    """Returns the bank of (family, num, seed), the same on every machine."""
    if family not in FAMILIES:
        known = f"{', '.join(FAMILIES[:-1])} or {FAMILIES[-1]}"
        raise ValueError(f"Expected `family` to be {known}, but got {family!r}.")
    if not 2 <= num <= 16:
        raise ValueError(
            f"Expected `num` to be 2 to 16, because a pair needs two styles and more than 16 look "
            f"alike, but got {num}; 4 will do."
        )
    return StyleBank(family, num, seed, _LOOKS[family].draw(num, seed))


def _check_clips(clips: torch.Tensor) -> None:
    if clips.ndim != 5 or clips.shape[1] != 3 or clips.dtype not in (torch.float32, torch.float64):
        raise ValueError(
            "Expected `clips` to be (B, 3, T, H, W) of float32 or float64 in [0, 1], but got "
            f"{tuple(clips.shape)} of {clips.dtype}; call `.float()`, and divide bytes by 255."
        )
