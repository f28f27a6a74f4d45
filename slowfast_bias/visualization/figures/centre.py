"""Centre bias: where in the frames of data sets the objects are, and the mean of the frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing import captions, style

Content = Mapping[str, Any]
_WIDE = 2.6  # inches of a panel
_COLOURS = "magma"


@style.styled()
def centre_figure(data: Mapping[str, Content]) -> Figure:
    """Returns a column per data set: its mean mask above its mean frame, one scale for all.

    Args:
        data: {data set: content of its `centre.json`}.
    """
    if not data:
        raise RequestError("Expected at least one mean mask, but got none.")
    heats = {name: np.array(x["map"], dtype=float) for name, x in data.items()}
    tallest = max(heat.shape[0] / heat.shape[1] for heat in heats.values())
    width = _WIDE * len(data) + 1.0
    figure = Figure(figsize=(width, 2 * _WIDE * tallest + 0.9), layout="constrained")
    axes = figure.subplots(2, len(data), squeeze=False)
    top = max(float(heat.max()) for heat in heats.values())
    for column, (name, heat) in zip(axes.T, heats.items(), strict=True):
        shown = column[0].imshow(heat, cmap=_COLOURS, vmin=0, vmax=top)
        column[0].contour(heat, [0.5 * heat.max()], colors="white", linewidths=0.8)
        x, y = data[name]["centroid"]
        rows, columns = heat.shape
        column[0].plot(
            x / 100 * columns - 0.5, y / 100 * rows - 0.5, "+", color="white", ms=8, gid="centroid"
        )
        column[0].set_title(f"{captions.wrap_name(name, 30, 2)}\n{_numbers(data[name])}")
        column[1].imshow(np.array(data[name]["image"], np.uint8))
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    axes[0, 0].set_ylabel("mean mask")
    axes[1, 0].set_ylabel("mean frame")
    bar = figure.colorbar(shown, ax=axes[0].tolist(), shrink=0.9, aspect=14)
    bar.set_label("frames with the object here (%)")
    words = [
        "White line: half of the largest value; cross: centre of mass. In the middle: share of the "
        "object in the middle quarter of the frame (25 % if all pixels were alike), 95 % interval "
        "over sequences. Fixed mask: J of the best constant mask."
    ]
    captions.make_taller(figure, captions.write_caption(figure, {}, width, *words))
    return figure


def _numbers(data: Content) -> str:
    low, high = (float("nan") if x is None else x for x in data["interval"])
    fixed = data["fixed_mask"]["J"]
    return (
        f"in the middle {data['central']:.0f} % [{low:.0f}, {high:.0f}]\nfixed mask J {fixed:.1f} %"
    )
