"""The colours of the page as CSS variables, on light and on dark paper.

Those of factors and kinds are the figures' own, darker or lighter where they would be too faint:
lines and marks have a contrast of 3 to the paper, words one of 4.5. No colour stands alone: scores
and kinds also have a shape, and a word.
"""

from __future__ import annotations

from collections.abc import Mapping

from slowfast_bias.visualization.drawing import style

PAPER = {"light": "#FCFBF9", "dark": "#15171B"}
WORDS = {  # ink of text, of small text, of links
    "light": {"ink": "#1D1F23", "muted": "#5C6068", "link": "#1F5A93"},
    "dark": {"ink": "#E8E6E1", "muted": "#A3A8B1", "link": "#8CBDF0"},
}
SURFACES = {  # of panels, thin lines, a warning's edge
    "light": {"panel": "#F4F2EE", "rule": "#DDD9D2", "warn": "#9A5B00"},
    "dark": {"panel": "#1D2026", "rule": "#363B44", "warn": "#E8B04A"},
}
MARKS = {
    "light": {
        **{name: style.INK[name] for name in ("static", "dynamic", "look", "motion", "content")},
        "joint": "#B4568B",
        "residual": "#808080",
        "random": "#6F6F6F",
    },
    "dark": {
        "static": "#F0894A",
        "dynamic": "#5AAEE6",
        "look": "#E8B04A",
        "motion": "#A5CBF5",
        "content": style.COLORS["content"],
        "joint": "#E6A0C8",
        "residual": "#8F949C",
        "random": "#B0B5BD",
    },
}
NETWORKS = {  # Paul Tol's "muted", as `style.MODEL_COLORS`; the reference is grey
    "light": ("#332288", "#2B8C7E", "#882255", "#7D7D22", "#C2566A", "#117733", "#3C8FB8"),
    "dark": ("#A99CF0", "#57C7B5", "#E083B4", "#C9C95C", "#F09AAA", "#62C583", "#88CCEE"),
}
REFERENCE = "reference"
# the shape of a score, of a kind of unit, of a network
MARKERS = {
    **style.MARKERS,
    "joint": "D",
    "residual": "x",
    "random": "^",
    REFERENCE: "o",
    **{f"network{i}": style.MODEL_MARKERS[i] for i in range(len(style.MODEL_COLORS))},
}


def variables(theme: str) -> dict[str, str]:
    """Returns {CSS variable: colour} of the theme "light" or "dark"."""
    networks = {f"network{i}": color for i, color in enumerate(NETWORKS[theme])}
    found = {"paper": PAPER[theme], **WORDS[theme], **SURFACES[theme], **MARKS[theme], **networks}
    return found | {REFERENCE: found["muted"]}


def network_looks(names: Mapping[str, bool]) -> dict[str, str]:
    """Returns {network: its look}, given {network: whether it is a reference}."""
    main = [name for name, reference in names.items() if not reference]
    looks = {name: f"network{i % len(style.MODEL_COLORS)}" for i, name in enumerate(main)}
    return {name: looks.get(name, REFERENCE) for name in names}
