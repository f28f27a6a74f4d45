#!/usr/bin/env python3
"""Draws docs/idea.png: one clip, three views, a tapped network, two scores.

    python docs/idea.py [FILE]

The clip is one of the toy world; the styles are those that a measurement uses.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a checkout needs no installation

from slowfast_bias.datasets.pairs.frame_order import reorder  # noqa: E402
from slowfast_bias.datasets.styles.bank import make_styles  # noqa: E402
from slowfast_bias.datasets.toy.world import ToyWorld  # noqa: E402
from slowfast_bias.visualization.drawing import style  # noqa: E402
from slowfast_bias.visualization.drawing.save import save_figure  # noqa: E402

SIZE = 64
MIDDLE = 2.05  # of a strip
ORDER = torch.tensor([[2, 0, 3, 1]])
STATIC, DYNAMIC = style.COLORS["static"], style.COLORS["dynamic"]


def views() -> dict[str, torch.Tensor]:
    """Returns the strips of frames (T, H, W, 3) in [0, 1]: the clip and its three views."""
    world = ToyWorld(size=SIZE, frames=8, motion="orbit4", labels="both", seed=0, split="test")
    clip = world.clip(3)[::2].permute(3, 0, 1, 2)[None].float() / 255
    bank = make_styles("colour", 4, 0)
    styled, restyled = bank(clip, 0), bank(clip, 2)
    strips = {
        "clip": clip,
        "styled": styled,
        "shuffled": reorder(styled, ORDER),
        "restyled": restyled,
    }
    return {name: strip[0].permute(1, 2, 3, 0) for name, strip in strips.items()}


@style.styled()
def draw() -> Figure:
    """Returns the figure."""
    figure = Figure(figsize=(7.2, 2.75))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 72), ylim=(0, 27.5))
    ax.axis("off")
    rows = {"shuffled": 18.6, "styled": 10.6, "restyled": 2.6}
    strips = views()
    _strip(ax, strips["clip"], 1.0, 10.6, "one clip, decoded once")
    words = {
        "shuffled": "same look, frames in random order",
        "styled": "in one style",
        "restyled": "same motion, another style",
    }
    for name, bottom in rows.items():
        _strip(ax, strips[name], 22.0, bottom, words[name])
        _arrow(ax, (18.2, 10.6 + MIDDLE), (21.6, bottom + MIDDLE))
        _arrow(ax, (39.2, bottom + MIDDLE), (43.0, bottom + MIDDLE))
        for i in range(4):  # the network, its layers tapped
            _box(ax, 43.4 + 2.0 * i, bottom, 1.4, 4.1, 0.92 - 0.12 * i)
    words = "the same network,\nall layers tapped"
    ax.text(47.1, 23.4, words, ha="center", va="bottom", fontsize=7)
    for factor, (upper, lower), color, shared in (
        ("static", ("shuffled", "styled"), STATIC, "look"),
        ("dynamic", ("styled", "restyled"), DYNAMIC, "motion"),
    ):
        top, foot = rows[upper] + MIDDLE, rows[lower] + MIDDLE
        foot, top = (foot + 0.4, top) if factor == "static" else (foot, top - 0.4)
        ax.plot([51.4, 53.2, 53.2, 51.4], [top, top, foot, foot], color=color, lw=1.4)
        middle = (top + foot) / 2
        bold = {"color": color, "fontsize": 7.5, "weight": "bold", "va": "bottom"}
        ax.text(54.0, middle + 0.3, f"{factor} pair", **bold)
        formula = rf"$S_{{\mathrm{{{factor}}}}}$: mean correlation of units"
        ax.text(54.0, middle - 0.1, formula, fontsize=7.5, va="top")
        text = f"near 1 if a layer answers\nto the {shared}"
        ax.text(54.0, middle - 1.8, text, fontsize=6.5, va="top", color=style.GREY)
    return figure


def _strip(ax: Axes, frames: torch.Tensor, left: float, bottom: float, text: str) -> None:
    for i, frame in enumerate(frames):
        x = left + 4.3 * i
        ax.imshow(frame.numpy(), extent=(x, x + 4.1, bottom, bottom + 4.1), aspect="auto", zorder=2)
    ax.text(left, bottom - 0.25, text, fontsize=7, va="top")
    ax.set(xlim=(0, 72), ylim=(0, 27.5))  # imshow moves them


def _box(ax: Axes, x: float, y: float, width: float, height: float, grey: float) -> None:
    kind = "round,pad=0,rounding_size=0.3"
    look = {"fc": str(grey), "ec": "#3B3B3B", "lw": 0.6}
    ax.add_patch(FancyBboxPatch((x, y), width, height, boxstyle=kind, **look))


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    look = {"arrowstyle": "-|>", "mutation_scale": 7, "color": "#3B3B3B", "lw": 0.8}
    ax.add_patch(FancyArrowPatch(start, end, shrinkA=0, shrinkB=0, **look))


if __name__ == "__main__":
    file = sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).with_name("idea.png"))
    save_figure(draw(), file)
