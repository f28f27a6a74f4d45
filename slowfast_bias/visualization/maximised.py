"""All pictures of a run of activation maximisation, from its files and beside them.

draw_maximised("runs/motion/maximised.json")
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from matplotlib.figure import Figure

from slowfast_bias.errors import RequestError
from slowfast_bias.outputs import Outputs
from slowfast_bias.visualization.drawing.moving_pictures import is_moving, rate_of, save_moving
from slowfast_bias.visualization.drawing.save import check_suffix, save_figure
from slowfast_bias.visualization.figures.confusions import confusion_figure
from slowfast_bias.visualization.figures.maximised import maximised_figure
from slowfast_bias.visualization.figures.maximised_film import unit_film
from slowfast_bias.visualization.figures.maximised_unit import unit_figure
from slowfast_bias.visualization.reading.maximised import Maximised, Unit, read_maximised

MOVING = (".gif", ".mp4")


def draw_maximised(path: str) -> list[str]:
    """Draws every unit, all of them together and the pairs; returns the files, the first of all.

    Units that there are no clips of are left out; if there are none at all, nothing is written.
    """
    found = read_maximised(path)
    if not found.drawn:
        return []
    outputs = Outputs(os.path.dirname(path) or ".")
    written = [_saved(maximised_figure(found), outputs.maximised_figure)]
    if found.confusions:
        written.append(_saved(confusion_figure(found), outputs.maximised_pairs))
    for unit in found.drawn:
        written += draw_unit(found, unit)
    return written


def draw_unit(found: Maximised, unit: Unit) -> list[str]:
    """Draws one unit beside its arrays: film strips, a moving picture, and each clip by itself."""
    written = [_saved(unit_figure(found, unit), found.beside(unit, ".png"))]
    film = unit_film(found, unit)
    clips = found.clips(unit)
    rate = rate_of(clips.rgb.shape[2])
    for ending in MOVING:
        written.append(found.beside(unit, ending))
        save_moving(film, written[-1], rate)
    for place, speed in enumerate(found.speeds):
        written.append(found.beside(unit, f"_{speed}.webp"))
        save_moving([*clips.rgb[place, unit.best(speed)]], written[-1], rate)
    return written


def plot_maximised(
    path: str, out: str, units: Sequence[int] | None = None, layer: str | None = None
) -> None:
    """Writes one figure of a file to `out`, or one moving picture of a unit.

    Args:
        path: a `maximised.json`.
        out: .png, .pdf or .svg; of one unit also .gif, .webp or .mp4.
        units: none: all units, the overview; one: its film strips; two: side by side.
        layer: of these units; needed if several layers have a unit of that number.
    """
    found = read_maximised(path)
    chosen = [unit_of(found, number, layer) for number in units or ()]
    if len(chosen) == 1 and is_moving(out):
        film = unit_film(found, chosen[0])
        save_moving(film, out, rate_of(len(film)))
        return
    check_suffix(out)
    if layer and not chosen:
        raise RequestError("Expected --units with --layer: remove it, or name units of the layer.")
    if len(chosen) > 2:
        raise RequestError(f"Expected one unit or two with --units, but got {len(chosen)}.")
    if not chosen:
        save_figure(maximised_figure(found), out)
    elif len(chosen) == 1:
        save_figure(unit_figure(found, chosen[0]), out)
    else:
        save_figure(confusion_figure(found, [(chosen[0], chosen[1])]), out)


def unit_of(found: Maximised, number: int, layer: str | None = None) -> Unit:
    """Returns the unit of a number; RequestError names those that there are clips of."""
    there = [unit for unit in found.drawn if layer in (None, unit.layer)]
    fits = [unit for unit in there if unit.unit == number]
    if len(fits) > 1:
        layers = ", ".join(unit.layer for unit in fits)
        raise RequestError(f"Expected --layer, one of {layers}: each has clips of unit {number}.")
    if not fits:
        names = ", ".join(f"{unit.layer} {unit.unit}" for unit in there or found.drawn) or "none"
        raise RequestError(
            f"Expected a unit with clips in {found.path}, but got {number}: it has {names}."
        )
    return fits[0]


def _saved(figure: Figure, path: str) -> str:
    save_figure(figure, path)
    return path
