"""The runs on the paper's data sets; which figure needs which is said in the figure's own file.

Networks of Kinetics-400 are the published ones if their files are there (docs/ZOO.md names them),
all others are trained by the recipes of `configs/`.
"""

from __future__ import annotations

from slowfast_bias.engine.studies.reproduction.planned import Plan, Planned, PlannedSweep

_KINETICS = {"data": "kinetics"}
_EPOCHS = {"ssv2": 3, "diving48": 10}  # between measurements while training
_ALL = ("train", "measure", "test_orders", "ablate")
_RATES = (0.1, 0.3, 0.5, 0.7)
_NONE = {"kinds": ("none",)}
_TREATED = {"kinds": ("standard", "static"), "rates": _RATES}

KINETICS = (
    Planned("kinetics_c2d", "C2D", "configs/Kinetics/C2D_8x8_R50.yaml",
            weights=("C2D_8x8_R50.pyth",), **_KINETICS),
    Planned("kinetics_i3d", "I3D", "configs/Kinetics/I3D_8x8_R50.yaml",
            weights=("I3D_8x8_R50.pkl", "I3D_8x8_R50.pyth"), **_KINETICS),
    Planned("kinetics_x3d", "X3D-M", "configs/Kinetics/X3D_M.yaml",
            weights=("x3d_m.pyth", "X3D_M.pyth"), **_KINETICS),
    Planned("kinetics_slow", "SlowOnly, Kinetics-400", "configs/Kinetics/SLOW_8x8_R50.yaml",
            steps=_ALL, weights=("SLOWONLY_8x8_R50.pkl", "SLOW_8x8_R50.pyth"), **_KINETICS),
    Planned("kinetics_fast", "FastOnly, Kinetics-400", "configs/Kinetics/FAST_32x2_R50.yaml",
            steps=_ALL, **_KINETICS),
    Planned("kinetics_slowfast", "SlowFast", "configs/Kinetics/SLOWFAST_8x8_R50.yaml",
            weights=("SLOWFAST_8x8_R50.pkl", "SLOWFAST_8x8_R50.pyth"), **_KINETICS),
    Planned("kinetics_mvit", "MViT-B", "configs/Kinetics/MVIT_B_16x4.yaml",
            weights=("MVIT_B_16x4.pyth", "MVIT_B_16x4"), **_KINETICS),
    Planned("kinetics_timesformer", "TimeSformer", "configs/HF/TIMESFORMER.yaml",
            steps=("measure", "test_orders"), folder="timesformer",
            weights=("TimeSformer_divST_8x32_224_K400.pyth", "timesformer"), **_KINETICS),
)  # fmt: skip


def _trained(data: str, label: str, folder: str) -> tuple[Planned, ...]:
    """Returns SlowOnly and FastOnly, measured while they learn."""
    keys = (("BIAS.PERIOD", _EPOCHS[data]),)
    return tuple(
        Planned(f"{data}_{short}", f"{name}, {label}", f"configs/{folder}/{config}.yaml", keys,
                _ALL, data)
        for short, name, config in (("slow", "SlowOnly", "SLOW_8x8_R50"),
                                    ("fast", "FastOnly", "FAST_32x2_R50"))
    )  # fmt: skip


def _twins(data: str, label: str, folder: str) -> tuple[Planned, ...]:
    """Returns both networks trained on frames in random order: what needs no order of frames."""
    return tuple(
        Planned(f"{data}_{short}_shuffled", f"{name}, {label}, shuffled",
                f"configs/{folder}/{config}_shuffled.yaml", (), ("train", "test_orders"), data)
        for short, name, config in (("slow", "SlowOnly", "SLOW_8x8_R50"),
                                    ("fast", "FastOnly", "FAST_32x2_R50"))
    )  # fmt: skip


def _dropout(data: str, label: str, folder: str, depth: int) -> PlannedSweep:
    config = f"configs/{folder}/SLOW_8x8_R{depth}_static_dropout.yaml"
    return PlannedSweep(
        f"{data}_dropout_r{depth}", f"{label}, 3D-ResNet-{depth}", config, (_NONE, _TREATED),
        data=data,
    )  # fmt: skip


RUNS: tuple[Plan, ...] = (
    *KINETICS,
    *_trained("ssv2", "SSv2", "SSv2"),
    *_trained("diving48", "Diving48", "Diving48"),
    *_twins("kinetics", "Kinetics-400", "Kinetics"),
    *_twins("ssv2", "SSv2", "SSv2"),
    *_twins("diving48", "Diving48", "Diving48"),
    *(_dropout("ssv2", "SSv2", "SSv2", depth) for depth in (18, 50)),
    *(_dropout("diving48", "Diving48", "Diving48", depth) for depth in (18, 50)),
    PlannedSweep(
        "something_else_dropout_r50", "Something-Else, 3D-ResNet-50",
        "configs/SSv2/SLOW_8x8_R50_static_dropout.yaml",
        (_NONE, {"kinds": ("standard",), "rates": (0.5,)},
         {"kinds": ("static",), "rates": (0.1, 0.3, 0.5)}),
        data="something_else",
    ),
)  # fmt: skip
