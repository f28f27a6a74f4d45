"""What figures of maximised units say of a unit and of its numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from slowfast_bias.bias.origin import origin_words
from slowfast_bias.visualization.drawing.captions import wrap_name
from slowfast_bias.visualization.reading.maximised import Maximised, Unit
from slowfast_bias.visualization.reading.result_files import number

NATURAL = "natural"
SAID = {  # number -> what it is called, short and long
    "activation": ("reached", "activation, of a class log-odds"),
    "ratio": ("of natural", "activation over the largest of the data"),
    "transfer": ("transfer", "share of other networks that agree, or their ratio"),
    "reversed": ("backwards", "activation, or log-odds, of the clip played backwards"),
    "flow_magnitude": ("flow", "mean flow in pixels per frame (of two streams in full colours)"),
    "direction_spread": ("spread", "spread of flow directions: 0 one, 1 all alike"),
    "frame_difference": ("change", "difference between frames"),
    "path_similarity": ("path", "similarity to natural clips in the layer before"),
}
REACHED = "activation over the largest of the data (of a class: log-odds)"
_LETTERS = 20
_UNSAID = ("class", "pair", "list")  # ways to choose a unit that say no more than its name


def fitting(units: Sequence[Unit], room: int) -> list[Unit]:
    """Returns as many units as there is room for: the first ones of every way to choose them."""
    ways = [unit.chosen_as for unit in units]
    places = [ways[:i].count(way) for i, way in enumerate(ways)]
    first = sorted(range(len(units)), key=lambda i: (places[i], i))[:room]
    return [units[i] for i in sorted(first)]


def unit_words(unit: Unit, letters: int = _LETTERS) -> list[str]:
    """Returns what a unit is, line by line, its title first."""
    lines = wrap_name(unit.title, letters, 2).replace(r"\$", "$").split("\n")
    about = unit.where if unit.name else ""
    return [*lines, *filter(None, (about, chosen_words(unit)))]


def chosen_words(unit: Unit) -> str:
    """Returns how a unit was chosen; "" where that says no more than its name."""
    return "" if unit.chosen_as in _UNSAID else unit.chosen_as


def written(value: float, form: str = ".2f") -> str:
    """Returns a number with a real minus sign; a dash if it is not known."""
    return f"{value:{form}}".replace("-", "\N{MINUS SIGN}") if math.isfinite(value) else "–"


def origin_sentence(found: Maximised) -> list[str]:
    """Returns which network it is and where the numbers come from; nothing that is not said."""
    model, origin = found.meta.get("model"), origin_words([found.meta])
    said = [f"Network: {model}."] if isinstance(model, str) and model else []
    return [*said, f"{origin[0].upper()}{origin[1:]}."] if origin else said


def seeds_words(found: Maximised) -> str:
    """Returns how the clips were made, in a sentence."""
    count = len(found.seeds)
    best = f"best of {count} seeds, " if count > 1 else ""
    return f"Made from noise; {best}{found.steps} steps."


def reached(unit: Unit, speed: str) -> float:
    """Returns how far the clip that is shown drives a unit: see `REACHED`."""
    return unit.shown(speed, "activation" if unit.is_class else "ratio")


def natural_reached(unit: Unit, clip: int) -> float:
    """Returns how far a clip of the data drives a unit, in the same measure."""
    value = number(unit.natural[clip], "value") if clip < len(unit.natural) else math.nan
    return in_its_measure(unit, value)


def in_its_measure(unit: Unit, activation: float) -> float:
    """Returns an activation over the largest natural one; log-odds as they are."""
    if unit.is_class:
        return activation
    return activation / unit.natural_max if unit.natural_max > 0 else math.nan
