"""What a clip is: values that would end in a traceback, or after hours, are told at once."""

from __future__ import annotations

import pytest

from slowfast_bias.config import check
from slowfast_bias.config.lookup import lookup
from slowfast_bias.config.options import get_cfg

pytestmark = pytest.mark.host

SLOWFAST = [
    "MODEL.ARCH", "slowfast", "MODEL.MODEL_NAME", "SlowFast", "DATA.INPUT_CHANNEL_NUM", [3, 3],
    "RESNET.NUM_BLOCK_TEMP_KERNEL", [[2, 2]] * 4,
]  # fmt: skip


@pytest.fixture
def found(tiny):
    """A function: the problems of the tiny config with changes."""
    return lambda *opts: check.find_problems(tiny(*opts, check=False))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("DATA.MEAN", [0.45]),
        ("DATA.MEAN", [0.45, "a", 0.45]),
        ("DATA.MEAN", [0.45, float("nan"), 0.45]),
        ("DATA.STD", [0.2, 0.2]),
        ("DATA.STD", [0.2, 0, 0.2]),
        ("DATA.TRAIN_JITTER_SCALES", [40]),
        ("DATA.TRAIN_JITTER_SCALES", [40, 36]),
        ("DATA.TRAIN_JITTER_SCALES", [0, 36]),
        ("DATA.TARGET_FPS", 0),
        ("DATA.TARGET_FPS", -30),
        ("DATA.SAMPLING_RATE", 0),
        ("DATA.TRAIN_CROP_SIZE", 0),
        ("DATA.TEST_CROP_SIZE", -32),
        ("TEST.NUM_ENSEMBLE_VIEWS", 0),
        ("TEST.NUM_SPATIAL_CROPS", 0),
        ("TRAIN.BATCH_SIZE", 0),
        ("BIAS.SHUFFLE.ORDERS", 0),
        ("SOLVER.BASE_LR", float("nan")),
        ("SOLVER.WEIGHT_DECAY", -1.0),
        ("SOLVER.MOMENTUM", -0.9),
        ("RESNET.WIDTH_PER_GROUP", 0),
    ],
)
def test_a_value_that_cannot_be_is_named_with_what_was_expected(found, key, value):
    if lookup(get_cfg(), key) is None:
        pytest.skip(f"this host has no {key}")
    (problem,) = [x for x in found(key, value) if x.startswith(f"{key}: expected")]
    assert "but got" in problem


@pytest.mark.parametrize(
    "key",
    ["BIAS.ENABLE", "BIAS.ABLATION.ENABLE", "BIAS.SHUFFLE.TRAIN", "BIAS.SHUFFLE.VAL",
     "BIAS.SHUFFLE.TEST", "BIAS.BEHAVIOUR.ENABLE"],
)  # fmt: skip
def test_one_frame_has_no_order(found, key):
    (problem,) = found("DATA.NUM_FRAMES", 1, key, True)
    assert problem.startswith("DATA.NUM_FRAMES 1: ") and key in problem and "2 at least" in problem
    assert found("DATA.NUM_FRAMES", 1) == [] and found("DATA.NUM_FRAMES", 2, key, True) == []


def test_a_wrong_word_for_pairs_of_image_and_flow_asks_for_no_more_frames(found):
    problems = found(
        "BIAS.TASK", "segmentation", "DATA.NUM_FRAMES", 1, "BIAS.ENABLE", True, "BIAS.PAIRS", "flow"
    )
    assert any(x.startswith("BIAS.PAIRS: expected") for x in problems)
    assert not any("another order" in x for x in problems)


def test_a_slow_pathway_of_one_frame_has_no_order_of_its_own(found):
    one = [*SLOWFAST, "SLOWFAST.ALPHA", 8, "BIAS.ENABLE", True]
    (problem,) = found(*one, "BIAS.ORDER", "pathway")
    assert problem.startswith("SLOWFAST.ALPHA 8: ") and "1 of 8 frames" in problem
    assert found(*one, "BIAS.ORDER", "clip") == []
    assert found(*one, "BIAS.ORDER", "pathway", "SLOWFAST.ALPHA", 4) == []
    assert "none of 8 frames" in found(*SLOWFAST, "SLOWFAST.ALPHA", 16)[0]


def test_loaders_of_the_hosts_have_three_crops_and_ours_any_number(found):
    crops = ["TEST.NUM_SPATIAL_CROPS", 5]
    (problem,) = [x for x in found(*crops, "TEST.DATASET", "charades") if "CROPS" in x]
    assert "at most 3" in problem
    for ours in ("videos", "kinetics"):  # which is read by `videos`
        assert found(*crops, "TEST.DATASET", ours) == []


def test_nesterov_needs_momentum(found):
    (problem,) = found("SOLVER.MOMENTUM", 0.0)
    assert problem.startswith("SOLVER.NESTEROV: ") and "SOLVER.NESTEROV False" in problem
    assert found("SOLVER.MOMENTUM", 0.0, "SOLVER.NESTEROV", False) == []
    assert found("SOLVER.MOMENTUM", 0.0, "SOLVER.OPTIMIZING_METHOD", "adamw") == []
