"""SVG as text: elements, numbers that are short, and the shapes of marks."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

# paths around (0, 0), about 7 wide
SHAPES = {
    "o": "M-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0-6.4 0z",
    "s": "M-2.9-2.9h5.8v5.8h-5.8z",
    "^": "M0-3.8L3.7 2.8h-7.4z",
    "v": "M0 3.8L3.7-2.8h-7.4z",
    "D": "M0-4L4 0L0 4L-4 0z",
    "P": "M-1.3-3.8h2.6v2.5h2.5v2.6h-2.5v2.5h-2.6v-2.5h-2.5v-2.6h2.5z",
    "X": "M-3.4-2L-2-3.4L0-1.4L2-3.4L3.4-2L1.4 0L3.4 2L2 3.4L0 1.4L-2 3.4L-3.4 2L-1.4 0z",
    "x": "M-2.6-2.6L2.6 2.6M-2.6 2.6L2.6-2.6",
}


def element(tag: str, *children: str, **attributes: object) -> Markup:
    """Returns an element; attributes that are None are left out, `_` in a name is `-`."""
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(str(escape(child)) for child in children)
    return Markup(f"<{tag}{words}>{inner}</{tag}>" if inner else f"<{tag}{words}/>")  # noqa: S704


def joined(parts: Iterable[Markup]) -> Markup:
    """Returns elements one after the other."""
    return Markup("").join(parts)


def short(value: float) -> str:
    """Returns a coordinate with at most one decimal."""
    written = f"{value:.1f}".removesuffix(".0")
    return "0" if written == "-0" else written


def path_of(points: Iterable[tuple[float, float]]) -> str:
    """Returns the path through points."""
    return "M" + "L".join(f"{short(x)} {short(y)}" for x, y in points)


def mark(
    shape: str, x: float, y: float, look: str, title: str = "", hollow: bool = False
) -> Markup:
    """Returns a mark of a look's colour; `title` is shown while the pointer rests on it."""
    return element(
        "path",
        *([element("title", title)] if title else []),
        d=SHAPES[shape],
        transform=f"translate({short(x)} {short(y)})",
        class_=f"mark k-{look}{' hollow' if hollow or shape == 'x' else ''}",
    )


def figure_svg(
    width: float, height: float, name: str, *parts: Markup, text: str = "", **more: object
) -> Markup:
    """Returns the figure as a picture called `name`, with `text` as its longer description."""
    label = f"{name}. {text}".strip() if text else name
    return element(
        "svg",
        *parts,
        viewBox=f"0 0 {short(width)} {short(height)}",
        role="img",
        aria_label=label,
        **more,
    )


def _text(value: object) -> str:
    return short(value) if isinstance(value, float) else str(value)
