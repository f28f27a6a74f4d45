"""The runs on the toy world, a few seconds each: every one serves all the figures that it can.

In place of Kinetics-400, Diving48 and SSv2 there are three tasks: the label is the texture, the
motion, or both. What they lack of real data is said in docs/RESULTS.md.
"""

from __future__ import annotations

from slowfast_bias.engine.studies.reproduction.planned import Plan, Planned, PlannedSweep

# 512 videos: below 500 the unit counts are biased
_QUIET = (("BIAS.TOY.NUM_VAL", 512), ("LOG_PERIOD", 1000))
_TOY = (*_QUIET, ("BIAS.TOY.NUM_TRAIN", 512))
_EPOCHS = (*_TOY, ("BIAS.PERIOD", 1))
_SILENCED = (
    ("BIAS.ABLATION.LAYER", "s4"),  # where there are units of all kinds
    ("BIAS.ABLATION.FRACTIONS", [0.0, 0.2, 0.4, 0.6, 0.8]),
)
_FAST = (("MODEL.ARCH", "fast"),)
_ALL = ("train", "measure", "test_orders", "ablate")
_BEGIN = {"config": "configs/Toy/SLOW_debias.yaml", "begins_with": "both_slow"}


def _task(task: str) -> tuple[Planned, ...]:
    """Returns SlowOnly and FastOnly, measured while they learn."""
    config, keys = f"configs/Toy/SLOW_{task}.yaml", (*_EPOCHS, *_SILENCED)
    return (
        Planned(f"{task}_slow", f"SlowOnly, {task}", config, keys, _ALL),
        Planned(f"{task}_fast", f"FastOnly, {task}", config, (*keys, *_FAST), _ALL),
    )


def _twins(task: str) -> tuple[Planned, ...]:
    """Returns both networks trained on frames in random order: what needs no order of frames."""
    shuffled = (("BIAS.SHUFFLE.TRAIN", True), ("BIAS.SHUFFLE.VAL", True))
    config, keys = f"configs/Toy/SLOW_{task}.yaml", (*_TOY, *shuffled)
    steps = ("train", "test_orders")
    return (
        Planned(f"{task}_slow_shuffled", f"SlowOnly, {task}, shuffled", config, keys, steps),
        Planned(
            f"{task}_fast_shuffled", f"FastOnly, {task}, shuffled", config, (*keys, *_FAST), steps
        ),
    )


RUNS: tuple[Plan, ...] = (
    *_task("texture"),
    *_task("motion"),
    *_task("both"),
    Planned("motion_2d", "2D", "configs/Toy/2D_motion.yaml", _TOY),
    Planned("motion_c2d", "C2D", "configs/Toy/C2D_motion.yaml", _TOY),
    Planned("motion_i3d", "I3D", "configs/Toy/I3D_motion.yaml", _TOY),
    Planned("motion_slowfast", "SlowFast", "configs/Toy/SLOWFAST_motion.yaml", _TOY),
    *_twins("texture"),
    *_twins("motion"),
    *_twins("both"),
    PlannedSweep(
        "dropout", "texture and motion tell the class",
        settings=({"kinds": ("none",)},
                  {"kinds": ("standard", "static"), "rates": (0.1, 0.3, 0.5, 0.7),
                   "temperatures": (0.1, 1.0)}),
        keys=_QUIET, **_BEGIN,
    ),
    PlannedSweep(
        "dropout_weaker", "texture agrees with motion in 9 of 10 clips",
        settings=({"kinds": ("none",)}, {"kinds": ("standard",), "rates": (0.5,)},
                  {"kinds": ("static",), "rates": (0.1, 0.3, 0.5), "temperatures": (0.1, 1.0)}),
        keys=(*_QUIET, ("BIAS.TOY.RHO", 0.9)), **_BEGIN,
    ),
)  # fmt: skip
