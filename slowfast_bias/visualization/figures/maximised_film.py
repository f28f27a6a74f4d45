"""The clips of a unit as one moving picture: a column per speed, then the data's first clip."""

from __future__ import annotations

import numpy as np

from slowfast_bias.visualization.drawing.flow_pictures import components, directions, largest_speed
from slowfast_bias.visualization.drawing.labelled_films import Column, labelled_films
from slowfast_bias.visualization.figures.maximised_words import (
    NATURAL,
    natural_reached,
    reached,
    written,
)
from slowfast_bias.visualization.reading.maximised import Maximised, Unit


def unit_film(found: Maximised, unit: Unit) -> list[np.ndarray]:
    """Returns the frames: numbers above the columns are what REACHED says."""
    clips = found.clips(unit)
    largest = 1.0 if clips.flow is None else largest_speed(clips.flow)
    columns = []
    for place, speed in enumerate(found.speeds):
        best = unit.best(speed)
        below = [clips.rgb[place, best]]
        if clips.flow is not None:
            flow = clips.flow[place, best]
            below += [components(flow, largest), directions(flow, largest)]
        columns.append(Column(_label(speed, reached(unit, speed)), below))
    if clips.natural is not None:
        columns.append(Column(_label(NATURAL, natural_reached(unit, 0)), [clips.natural[0]]))
    need = written(unit.motion_need)
    where = f" ({unit.where})" if unit.name else ""
    words = "" if need == "–" else f": motion need {need}"
    return labelled_films(f"{unit.title}{where}{words}", columns)


def _label(name: str, ratio: float) -> str:
    return f"{name} {written(ratio)}" if written(ratio) != "–" else name
