"""The files that a battery leaves, of clips or of masks: numbers, table, figure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slowfast_bias.files import write_whole
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import write_result

KIND = "battery"
Figures = dict[str, Any]


def write_battery(
    outputs: Outputs, figures: Figures, markdown: str, draw: Callable[[Figures], Any]
) -> None:
    """Writes `bias/battery.{json,md,png}`; `draw` makes the figure of the numbers."""
    from slowfast_bias.visualization.drawing.save import save_figure

    data = {key: value for key, value in figures.items() if key != "meta"}
    write_result(outputs.battery(), KIND, figures["meta"], data)
    with write_whole(outputs.battery("md")) as file:
        file.write(markdown)
    save_figure(draw(figures), outputs.battery("png"))
