"""Settings: what BIAS.MAXIMISE says, with what follows from the canvas filled in."""

from __future__ import annotations

import dataclasses
from typing import Any

from fvcore.common.config import CfgNode

from slowfast_bias.config import ConfigError
from slowfast_bias.optvis import Canvas, Recipe, Row, Speed, speeds_named

_LONG = 16  # frames; longer clips have more to find
_STEPS, _MORE = 100, 150


@dataclasses.dataclass(frozen=True)
class Settings:
    """How units are maximised, and what the numbers are compared with.

    Attributes:
        speeds: the columns.
        seeds: the rows of each.
        recipe: of a scene.
        batch: scenes at once.
        top_clips: natural clips beside a unit.
    """

    speeds: list[Speed]
    seeds: list[int]
    recipe: Recipe
    batch: int
    top_clips: int

    @classmethod
    def of(cls, cfg: CfgNode, canvas: Canvas) -> Settings:
        """Returns the settings of a config; ConfigError if the seeds are no seeds."""
        keys = cfg.BIAS.MAXIMISE
        seeds = list(keys.SEEDS)
        whole = all(isinstance(x, int) and not isinstance(x, bool) and x >= 0 for x in seeds)
        if not seeds or not whole or len(set(seeds)) < len(seeds):
            raise ConfigError(
                [f"BIAS.MAXIMISE.SEEDS: expected different whole numbers from 0, got {seeds}"]
            )
        speeds = speeds_named(keys.SPEEDS)
        recipe = Recipe(
            steps=keys.STEPS or (_STEPS if canvas.frames <= _LONG else _MORE),
            kind=keys.PARAMETERS,
            rate=keys.RATE,
            jitter=min(canvas.height, canvas.width) // 16 if keys.JITTER < 0 else keys.JITTER,
            tv=None if keys.TV < 0 else keys.TV,
            motion=keys.MOTION,
        )
        rows = len(speeds) * len(seeds)
        return cls(speeds, seeds, recipe, keys.BATCH_SIZE or rows, keys.TOP_CLIPS)

    def rows(self) -> list[Row]:
        """Returns all rows, speed by speed."""
        return [Row(speed, seed) for speed in self.speeds for seed in self.seeds]

    def described(self) -> dict[str, Any]:
        """Returns what decides what is made and compared, for files."""
        return {
            "speeds": [speed.name for speed in self.speeds],
            "seeds": self.seeds,
            "top_clips": self.top_clips,
            **dataclasses.asdict(self.recipe),
        }
