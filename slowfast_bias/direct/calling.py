"""Calling: how a network wants its clips, found by trying the ways that networks have.

SlowFast's take a list; most take (B, 3, T, H, W); those of Hugging Face (B, T, 3, H, W) by keyword;
a network of pictures takes frames. What the weights cannot take fails, so the first way that works
is right: only clips of 3 frames could be taken for colours, and have to be told.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from slowfast_bias.errors import RequestError
from slowfast_bias.models.families import family_of

LAYOUTS = ("BCTHW", "BTCHW", "frames")
_KEYWORDS = ("pixel_values", "pixel_values_videos")  # of Hugging Face's


@dataclass(frozen=True)
class Calling:
    """One way to call a network.

    Attributes:
        layout: "BCTHW"; "BTCHW"; or "frames", (B*T, C, H, W).
        keyword: of the clips; "" for the first argument.
        family: whether the network is of a known kind, which says how it is called.
    """

    layout: str = "BCTHW"
    keyword: str = ""
    family: bool = False

    def __call__(self, model: nn.Module, clips: Tensor) -> Any:
        """Returns what the network makes of clips (B, 3, T, H, W)."""
        if self.family:
            return family_of(model).call(model, [clips])
        x = clips if self.layout == "BCTHW" else clips.transpose(1, 2)
        if self.layout == "frames":
            x = x.flatten(0, 1)
        return model(**{self.keyword: x}) if self.keyword else model(x)

    def scores(self, output: Any, clips: int) -> Tensor | None:
        """Returns class scores (B, classes) of an output; None if it has none."""
        if isinstance(output, Mapping) or hasattr(output, "logits"):
            output = output["logits"] if isinstance(output, Mapping) else output.logits
        elif isinstance(output, (list, tuple)) and output:
            output = output[0]
        if not isinstance(output, Tensor) or output.ndim != 2 or output.shape[1] < 2:
            return None
        rows, left = divmod(len(output), clips)
        if left or not rows:
            return None
        return output if rows == 1 else output.unflatten(0, (clips, rows)).mean(1)

    def words(self) -> str:
        """Returns it in words, for the report."""
        if self.family:
            return "as its kind is"
        return f"{self.layout}{f' as {self.keyword}' if self.keyword else ''}"


def find_calling(
    model: nn.Module, clip: Tensor, layout: str | None = None, keyword: str | None = None
) -> Calling:
    """Returns the first way in which a network takes a clip (1, 3, T, H, W).

    Args:
        model: in eval mode.
        clip: normalised.
        layout: the only layout to try, one of LAYOUTS.
        keyword: the only keyword to try.
    """
    if layout is not None and layout not in LAYOUTS:
        raise RequestError(f"Expected `layout` to be one of {LAYOUTS}, but got {layout!r}.")
    if layout is None and clip.shape[2] == 3:
        raise RequestError(
            "Expected `layout` ('BCTHW' or 'BTCHW') with clips of 3 frames, because frames could "
            "be taken for colours, but got none."
        )
    failed = []
    for way in _ways(model, layout, keyword):
        try:
            with torch.no_grad():
                way(model, clip)
        except Exception as error:  # a network may raise anything for a wrong shape
            why = " ".join(str(error).split())[:160]
            failed.append(f"{way.words()}: {type(error).__name__}: {why}")
        else:
            return way
    raise RequestError(
        f"Expected {type(model).__name__} to take a clip {tuple(clip.shape)} (1, 3, frames, "
        f"height, width) in some layout, but it fails: {'; '.join(failed)}. Give the `frames` and "
        "`size` that it was made for, its `layout` and `keyword`, or wrap it in a module of one "
        "argument."
    )


def _ways(model: nn.Module, layout: str | None, keyword: str | None) -> Iterator[Calling]:
    if layout is None and keyword is None and family_of(model).name != "plain":
        yield Calling(family=True)
        return
    names = inspect.signature(model.forward).parameters
    known = [name for name in _KEYWORDS if name in names]
    keywords = [keyword] if keyword is not None else known or [""]
    order = ("BTCHW", "BCTHW", "frames") if known else LAYOUTS
    for name in keywords:
        for form in [layout] if layout else order:
            yield Calling(form, name)
