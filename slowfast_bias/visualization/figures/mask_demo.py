"""The demo of masks: what each network marks, what it loses, and what was measured of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from slowfast_bias.visualization.drawing import captions, style
from slowfast_bias.visualization.drawing.bands import legend_above

Content = Mapping[str, Any]
_WIDTH = 9.6
_ASKED = {"own": "own frames", "other flow": "flow of\nanother scene",
          "other image": "image of\nanother scene"}  # fmt: skip
_KINDS = {"flow_swap": "-", "flow_jitter": ":"}


@style.styled()
def mask_demo_figure(data: Content) -> Figure:
    """Returns examples above, below them overlaps and S_static by stage.

    Args:
        data: what `demo_segmentation.json` holds.
    """
    networks, examples = data["networks"], data["examples"]
    looks = style.model_styles(networks)
    columns = 3 + len(networks)
    tall = _WIDTH / columns * len(examples)
    figure = Figure(figsize=(_WIDTH, tall + 3.0), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(tall + 0.25, 2.75))
    _draw_examples(above, examples, list(networks))
    bars, curves = below.subplots(1, 2, width_ratios=(1, 1.1))
    _draw_overlaps(bars, networks, looks)
    _draw_scores(curves, networks, looks)
    handles = style.line_handles({f"learnt {name}": look for name, look in looks.items()})
    handles += style.line_handles(
        {"swapped flow": {"color": style.GREY, "ls": "-"},
         "jittered flow": {"color": style.GREY, "ls": ":"}}
    )  # fmt: skip
    lines = 2 * legend_above(below, handles, _WIDTH)
    words = [
        "Above: scenes with one object that moves (blue) and one that has another colour (orange). "
        "Below: overlap with the object in the world that a network learnt; S_static is 1 if "
        "another flow changes nothing. Jittered flow still shows the object's outline."
    ]
    captions.make_taller(figure, lines + captions.write_caption(figure, {}, _WIDTH, *words))
    return figure


def _draw_examples(panel: SubFigure, examples: Sequence[Content], names: Sequence[str]) -> None:
    axes = panel.subplots(len(examples), 3 + len(names), squeeze=False)
    for row, one in zip(axes, examples, strict=True):
        pictures = [np.array(one[key], np.uint8) for key in ("image", "flow")]
        pictures += [_coloured(np.array(one["truth"]))]
        pictures += [_over(np.array(one["truth"]), np.array(one["masks"][name])) for name in names]
        for ax, picture in zip(row, pictures, strict=True):
            ax.imshow(picture, interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(True)
    titles = ["image", "flow", "objects", *(f"learnt {name}" for name in names)]
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(title)


def _coloured(truth: np.ndarray) -> np.ndarray:
    """Returns the objects in the colours of motion and look."""
    found = np.full((*truth.shape, 3), 255, np.uint8)
    for value, factor in ((1, "dynamic"), (2, "static")):
        found[truth == value] = _rgb(style.COLORS[factor])
    return found


def _over(truth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Returns what is marked: dark, in the object's colour if it is on one; objects are pale."""
    found = _coloured(truth).astype(float)
    pale = 255 - (255 - found) * 0.25
    marked = np.where((truth > 0)[..., None], found, 90)
    return np.where((mask > 0)[..., None], marked, pale).astype(np.uint8)


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def _draw_overlaps(ax: Axes, networks: Content, looks: Mapping[str, Any]) -> None:
    style.guides(ax)
    width = 0.8 / len(networks)
    for i, (name, row) in enumerate(networks.items()):
        x = [k + (i - (len(networks) - 1) / 2) * width for k in range(len(_ASKED))]
        heights = [row["asked"][key] for key in _ASKED]
        bars = ax.bar(x, heights, 0.92 * width, color=looks[name]["color"], label=name)
        ax.bar_label(bars, [f"{h:.0f}" for h in heights], padding=1, fontsize=style.SMALL)
    ax.set_xticks(range(len(_ASKED)), list(_ASKED.values()))
    ax.tick_params(axis="x", length=0)
    ax.set(ylim=(0, 105), ylabel="J (%)")


def _draw_scores(ax: Axes, networks: Content, looks: Mapping[str, Any]) -> None:
    style.guides(ax)
    for name, row in networks.items():
        for kind, dashes in _KINDS.items():
            values = {_short(k): scores["static"] for k, scores in row["scores"][kind].items()}
            fill = {"mfc": "white"} if kind == "flow_jitter" else {}
            ax.plot(
                list(values), list(values.values()), ls=dashes, gid=f"{name} {kind}",
                **{**looks[name], **fill},
            )  # fmt: skip
    ax.set(ylim=(-0.1, 1.05), ylabel="S_static")


def _short(layer: str) -> str:
    return "mask" if layer.startswith("decoder") else layer
