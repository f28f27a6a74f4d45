"""The verdict's sentences: right for known networks, and never a claim that numbers do not bear."""

from __future__ import annotations

import itertools
import math
import random
import re

import pytest

from slowfast_bias.visualization.html.doubts import Grounds, doubts
from slowfast_bias.visualization.html.grounds import Looks, Motion, Rate, Score, Shuffling
from slowfast_bias.visualization.html.verdict import (
    looks_sentence,
    motion_sentence,
    shuffling_sentence,
)

NAN = math.nan
GUESS = Rate(25.0, 18.3, 33.2)
NO_LOSS = Rate(0.0, 0.0, 0.0)

# What the demo measures of its four networks, whose answers are known.
DEMO = {
    "texture labels": (
        Looks("head", Score(0.993, 0.0002), Score(-0.221, 0.012), (256, 256)),
        Motion(Score(-0.220, 0.012), Score(-0.221, 0.012), Score(0.0012, 0.0006)),
        Shuffling(Rate(100, 97.1, 100), Rate(100, 97.1, 100), NO_LOSS, 25.0),
        ("It goes almost entirely by looks", "Its motion score is nothing to speak of",
         "Shuffling costs nothing"),
    ),
    "motion labels": (
        Looks("head", Score(0.083, 0.024), Score(0.016, 0.021), (256, 0)),
        Motion(Score(0.866, 0.008), Score(0.016, 0.021), Score(0.850, 0.021), Score(0.052, 0.004)),
        Shuffling(Rate(100, 97.1, 100), Rate(26.0, 19.2, 34.3), Rate(74.0, 69.8, 78.4), 25.0),
        ("It hardly goes by looks", "Its motion score is motion",
         "Shuffling leaves it no more than a guess"),
    ),
    "no temporal kernels": (
        Looks("head", Score(1.0, 0.0), Score(-0.040, 0.010), (256, 256), frame_wise=True),
        Motion(Score(-0.040, 0.01), Score(-0.040, 0.01), Score(0.0, 0.0), frame_wise=True),
        Shuffling(Rate(19.5, 13.6, 27.2), Rate(19.5, 13.6, 27.2), NO_LOSS, 25.0),
        ("It sees frames one by one", "None of its motion score is motion",
         "Shuffling has nothing to take"),
    ),
    "untrained": (
        Looks("head", Score(0.737, 0.006), Score(-0.073, 0.019), (252, 212)),
        Motion(Score(-0.021, 0.019), Score(-0.073, 0.019), Score(0.052, 0.004)),
        Shuffling(GUESS, GUESS, NO_LOSS, 25.0),
        ("It goes mostly by looks", "It has motion that its motion score does not show",
         "Shuffling has nothing to take"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("network", DEMO)
def test_the_four_networks_of_the_demo(network):
    looks, motion, shuffling, said = DEMO[network]
    found = (looks_sentence(looks), motion_sentence(motion), shuffling_sentence(shuffling))
    assert tuple(sentence.says for sentence in found) == said
    alive, only = looks.units
    assert f"{only} of {alive}\N{NO-BREAK SPACE}live units" in str(found[0])


# The Inception I3D and its untrained twin under colour (docs/EXPERIMENTS.md).
def test_a_motion_score_that_is_content_is_not_called_motion():
    twin = Motion(Score(0.454, 0.048), Score(0.461, 0.047), Score(-0.007, 0.013))
    assert motion_sentence(twin).says == "Its motion score is content"
    i3d = Motion(
        Score(0.222, 0.028), Score(0.178, 0.027), Score(0.044, 0.012), Score(-0.007, 0.013)
    )
    assert motion_sentence(i3d).says == "80\N{NO-BREAK SPACE}% of its motion score is content"
    assert "untrained has −0.007" in motion_sentence(i3d).because


def test_content_that_survives_both_changes_is_not_called_looks():
    shapes = Looks("s5", Score(0.92, 0.01), Score(0.85, 0.02), (64, 3))
    found = looks_sentence(shapes)
    assert found.says == "It goes almost entirely by content"
    assert "what s5 gives" in found.because and "0.850" in found.because


def test_what_was_not_measured_is_said_with_the_way_to_do_it():
    assert "BIAS.ENABLE True" in str(looks_sentence(None))
    assert "BIAS.ENABLE True" in str(motion_sentence(None))
    assert "BIAS.SHUFFLE.TEST True" in str(shuffling_sentence(None))
    assert "not tested" in shuffling_sentence(None).says
    old = motion_sentence(Motion(Score(0.4, 0.02)))
    assert "not known" in old.says and "measure again" in old.because and "0.400" in old.because
    assert "no static pairs" in str(looks_sentence(Looks("head", None)))
    assert "dead" in str(looks_sentence(Looks("head", Score(NAN, NAN))))
    assert "not known" in motion_sentence(Motion(Score(NAN), Score(NAN), Score(NAN))).says


def test_without_an_error_nothing_is_claimed():
    one = Motion(Score(0.8), Score(0.1), Score(0.7))
    assert motion_sentence(one).says.endswith("cannot be told")
    nothing_right = Shuffling(Rate(0.0, 0.0, 2.9), Rate(0.0, 0.0, 2.9), Rate(NAN), None)
    assert shuffling_sentence(nothing_right).says == "What shuffling costs cannot be told"


def drawn(seed):
    """Numbers as a measurement may give them: any sign, errors small and large."""
    take = random.Random(seed)
    content, motion = take.uniform(-0.9, 0.9), take.choice([0.0, take.uniform(-0.5, 0.9)])
    error = take.choice([0.001, 0.02, 0.2])
    return Motion(Score(content + motion, error), Score(content, error), Score(motion, error))


def test_claims_about_motion_follow_from_the_numbers():
    said = set()
    for seed in range(400):
        x = drawn(seed)
        found = motion_sentence(x)
        value, error = x.motion
        seen = abs(value) >= 2 * error and abs(value) >= 0.02
        says = re.sub(r"^\d+.% of", "p of", found.says)
        said.add(says)
        if says in ("Its motion score is motion", "p of its motion score is content",
                    "No content is seen in its motion score"):  # fmt: skip
            assert seen and value > 0 and x.dynamic.value > 0
        if says == "It has motion that its motion score does not show":
            assert seen and value > 0 and x.dynamic.value < max(2 * error, 0.02)
        if says in ("Its motion score is content", "Its motion score is nothing to speak of"):
            assert not seen
        if says == "Its motion score is less than its content":
            assert seen and value < 0
        if says == "p of its motion score is content":
            share = int(re.match(r"(\d+)", found.says)[1])
            assert abs(share - 100 * x.content.value / x.dynamic.value) <= 0.5 + 1e-9
    assert len(said) == 7  # every case was met


def test_the_more_static_the_more_it_goes_by_looks():
    order = ["does not go by", "hardly goes by", "goes little by", "goes partly by",
             "goes mostly by", "goes almost entirely by"]  # fmt: skip
    ranks = []
    for k in range(-99, 100):
        says = looks_sentence(Looks("head", Score(k / 100, 0.01))).says
        ranks.append(next(i for i, words in enumerate(order) if words in says))
    assert ranks == sorted(ranks) and set(ranks) == set(range(6))


def test_claims_about_shuffling_follow_from_the_numbers():
    said = set()
    for a, b, half in itertools.product((10, 26, 60, 100), (5, 26, 59.5, 60, 100), (0.3, 3, 30)):
        drop = 100 * (1 - b / a)
        x = Shuffling(
            Rate(a, max(a - half, 0), min(a + half, 100)),
            Rate(b, max(b - half, 0), min(b + half, 100)),
            Rate(drop, drop - half, drop + half),
            25.0,
        )
        says = shuffling_sentence(x).says
        said.add(re.sub(r"\d+.%", "p", says))
        guess, near = x.ordered.low <= 25, x.ordered.high <= 35
        assert (says == "Shuffling has nothing to take") == (guess and near)
        assert (says == "What shuffling costs cannot be told") == (guess and not near)
        if says == "Shuffling costs nothing":
            assert a == b and half < 30
        if "p of its accuracy" in re.sub(r"\d+.%", "p", says):
            assert drop > half and (x.shuffled.low > 25 or x.shuffled.high > 35)
        if says == "Shuffling leaves it no more than a guess":
            assert x.shuffled.low <= 25 and x.shuffled.high <= 35
        if says == "Shuffling helps it":
            assert drop < -half
        if says == "No cost of shuffling is seen":
            assert abs(drop) <= half
    assert len(said) == 8


@pytest.mark.parametrize(
    "x",
    [
        Shuffling(Rate(100, 20.7, 100), Rate(0, 0, 79.3), Rate(100, NAN, NAN), 25.0),
        Shuffling(Rate(39.1, 22.2, 59.2), Rate(34.8, 18.8, 55.1), Rate(11, -40, 50), 25.0),
        Shuffling(Rate(10, 2, 40), Rate(10, 2, 40), NO_LOSS, 25.0),
    ],
)
def test_of_few_videos_no_cost_and_no_guess_is_claimed(x):
    found = shuffling_sentence(x)
    assert found.says == "What shuffling costs cannot be told" and "more videos" in found.because


def test_sentences_are_whole_and_have_no_raw_numbers():
    sentences = [motion_sentence(drawn(seed)) for seed in range(50)]
    sentences += [looks_sentence(Looks("head", Score(-0.0001, 0.02), None, (1, 1)))]
    for sentence in map(str, sentences):
        assert "nan" not in sentence and "None" not in sentence.replace("None of", "")
        assert not re.search(r"-\d|−0\.000", sentence)
        assert sentence.endswith(".") and sentence.count(": ") == 1


NOTHING = Grounds(untrained=True)


@pytest.mark.parametrize(
    ("grounds", "says"),
    [
        (Grounds(warnings=["partial weights: 3 are random"], untrained=True), "Partial weights"),
        (Grounds(recordings=12, untrained=True), "12\N{NO-BREAK SPACE}recordings"),
        (Grounds(recognition=False, untrained=True), "recognises"),
        (Grounds(is_untrained=True), "random weights"),
        (Grounds(), "BIAS.BASELINE True"),
        (Grounds(untrained=True, gap=Score(0.01, 0.02)), "not seen to be above"),
        (Grounds(untrained=True, bank="colour, 4 of seed 0", seed="0"), "colour, 4 of seed 0"),
        (Grounds(untrained=True, other_weights="b.pyth"), "b.pyth"),
        (Grounds(untrained=True, dropped_in_test=3), "3\N{NO-BREAK SPACE}videos"),
        (Grounds(untrained=True, tested=(1, 1)), "1\N{NO-BREAK SPACE}tested video alone"),
        (Grounds(untrained=True, tested=(90, 12)), "12\N{NO-BREAK SPACE}recordings alone"),
    ],
)
def test_each_reason_to_doubt_is_said_where_there_is_one(grounds, says):
    (found,) = doubts(grounds)
    assert says in found and not found[0].islower() and found.endswith(".")


def test_nothing_to_doubt_is_nothing_said():
    assert doubts(NOTHING) == []
    fine = Grounds(untrained=True, recordings=400, gap=Score(0.8, 0.02), tested=(128, 128))
    assert doubts(fine) == []
    assert doubts(Grounds(measured=False, recognition=False)) == []
