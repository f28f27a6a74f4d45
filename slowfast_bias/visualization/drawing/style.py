"""The style of all figures: one fixed colour per score and unit kind, one font size per role.

The colours of factors and kinds are Okabe and Ito's, those of models Paul Tol's "muted": both work
for readers who cannot distinguish red and green, and no model looks like a factor. What is about
looks is orange, about motion blue; scores of one panel also differ in grey. Models also differ by
marker, kinds also by their order in a bar; networks for reference are thin, grey and dashed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

STACK = ("static", "joint", "dynamic", "residual", "dead")  # from the bottom of a bar up
COLORS = {
    "static": "#D55E00",
    "joint": "#CC79A7",
    "dynamic": "#0072B2",
    "residual": "#C8C8C8",
    "dead": "#FFFFFF",
    "look": "#E69F00",
    "motion": "#003F6E",
    "content": "#66C2A5",
}
INK = COLORS | {"look": "#A06E00", "content": "#2B8467"}  # of words: light colours are darker
MARKERS = {"static": "s", "look": "D", "dynamic": "o", "motion": "^", "content": "v"}
HATCH = {"dead": "//////"}
DARK = ("static", "dynamic")  # kinds whose colour needs white text on it

MODEL_COLORS = ("#332288", "#44AA99", "#882255", "#999933", "#CC6677", "#117733", "#88CCEE")
MODEL_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")

TEXT, SMALL = 8, 7  # points
GREY = "#555555"
REFERENCE = {
    "color": "#808080",
    "ls": (0, (4, 2)),
    "lw": 0.9,
    "ms": 3.0,
    "mfc": "white",
    "zorder": 1.8,
}

_RC = {
    "font.size": TEXT,
    "axes.titlesize": 9,
    "axes.labelsize": TEXT,
    "xtick.labelsize": TEXT,
    "ytick.labelsize": TEXT,
    "legend.fontsize": TEXT,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "legend.columnspacing": 1.4,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.titlepad": 5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.3,
    "lines.markersize": 4,
    "hatch.linewidth": 0.5,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,  # text stays text in a paper's PDF
    "svg.hashsalt": "slowfast_bias",  # else the ids differ in every SVG
}


def styled():  # noqa: ANN201 - matplotlib does not name its type
    """Returns a context manager and decorator: our style inside, the caller's afterwards."""
    return matplotlib.style.context(["default", _RC])


def model_styles(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Returns {model: {"color", "marker"}}; the first 56 models differ (7 colours, 8 markers)."""
    return {
        name: {
            "color": MODEL_COLORS[i % len(MODEL_COLORS)],
            "marker": MODEL_MARKERS[i % len(MODEL_MARKERS)],
        }
        for i, name in enumerate(names)
    }


def score_styles(scores: Iterable[str]) -> dict[str, dict[str, str]]:
    """Returns {score: {"color", "marker"}}."""
    return {score: {"color": COLORS[score], "marker": MARKERS[score]} for score in scores}


def line_handles(styles: Mapping[str, Mapping[str, Any]]) -> list[Line2D]:
    """Returns legend entries for lines, labelled by the keys."""
    return [Line2D([], [], label=label, **style) for label, style in styles.items()]


def pathway_handles(
    names: tuple[str, str] = ("pathway 0", "pathway 1"), **look: Any
) -> list[Line2D]:
    """Returns legend entries that distinguish the two pathways of one network."""
    look = {"color": GREY, "marker": "o", **look}
    return [
        Line2D([], [], label=names[0], **look),
        Line2D([], [], label=names[1], **look, ls="--", mfc="white"),
    ]


def kind_handles(kinds: Iterable[str]) -> list[Patch]:
    """Returns legend entries for unit kinds."""
    return [Patch(label=kind, **patch_style(kind)) for kind in kinds]


def kind_legend(kinds: Sequence[str]) -> dict[str, object]:
    """Returns the arguments of a legend of unit kinds in one compact row."""
    spacing = {"handlelength": 1.2, "handletextpad": 0.5, "columnspacing": 1.0}
    return {"handles": kind_handles(kinds), "ncols": len(kinds), **spacing}


def patch_style(kind: str) -> dict[str, object]:
    """Returns the fill of a bar segment of this kind of unit."""
    edge = GREY if kind in HATCH else "white"
    return {
        "facecolor": COLORS[kind],
        "edgecolor": edge,
        "hatch": HATCH.get(kind),
        "linewidth": 0.4,
    }


def guides(ax: Axes) -> None:
    """Draws light horizontal guide lines behind the contents of the axes."""
    ax.grid(axis="y", color="#E6E6E6", linewidth=0.6)
    ax.set_axisbelow(True)
