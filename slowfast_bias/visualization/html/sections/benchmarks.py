"""Benchmarks of cues (SCUBA, SCUFO, ConflFG, HAT): whatever numbers a battery has of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.blocks import Cell, Table
from slowfast_bias.visualization.reading.result_files import number, span

SAID = {
    "scuba": "SCUBA: only the background is new; high is good",
    "scufo": "SCUFO: one frame of it repeated; low is good",
    "contrasted": "contrasted: SCUBA right and its SCUFO wrong; high is good",
    "conflfg": "ConflFG: motion and a static foreground disagree",
    "hat_background_only": "HAT, background only",
    "hat_human_only": "HAT, human only",
    "hat_action_swap": "HAT, human on another background",
}
_RATES = {  # number -> its words, and the key of its interval
    "accuracy": ("accuracy", "interval"),
    "dynamic": ("named the moving class", "dynamic_interval"),
    "static": ("named the static class", "static_interval"),
    "prefers_dynamic": ("moving class likelier than the static one", "prefers_dynamic_interval"),
    "background": ("named the class of the background", "background_interval"),
}


def benchmark_table(benchmarks: Mapping[str, Any]) -> Table:
    """Returns a row per number of every benchmark."""
    rows: list[list[Cell | str]] = []
    for name, figures in benchmarks.items():
        if not isinstance(figures, Mapping):
            continue
        shown = figures.get("pairs", figures.get("videos"))
        for key, (text, interval) in _RATES.items():
            if key in figures:
                value, (low, high) = number(figures, key), _span(figures, key, interval)
                rows.append(
                    [
                        SAID.get(name, name),
                        text,
                        Cell(words.percent(value), value),
                        Cell(words.span(low, high), low),
                        Cell(str(shown) if isinstance(shown, int) else words.NONE),
                        Cell(left_out_words(figures), _left_out(figures)),
                    ]
                )
    head = ["benchmark", "share of videos", "percent", "95 % interval", "videos or pairs"]
    return Table("Benchmarks of cues", [*head, "not in it"], rows, 2)


def left_out_words(figures: Mapping[str, Any]) -> str:
    """Returns how many videos or pairs of a benchmark do not count, and why; a dash for none."""
    left, dropped = (int(figures.get(key) or 0) for key in ("left_out", "dropped"))
    said = [f"{left} with too small or too large a human"] if left else []
    said += [f"{dropped} that could not be read"] if dropped else []
    return words.listed(said) or words.NONE


def _left_out(figures: Mapping[str, Any]) -> int:
    return sum(int(figures.get(key) or 0) for key in ("left_out", "dropped"))


def _span(figures: Mapping[str, Any], key: str, interval: str) -> tuple[float, float]:
    """Returns the interval of a number, of its own key or among the `intervals` of all."""
    several = figures.get("intervals")
    if isinstance(several, Mapping) and several.get(key):
        return span(several, key)
    return span(figures, interval)
