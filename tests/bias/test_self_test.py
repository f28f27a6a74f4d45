"""Recognition, and the self-test on the first batch."""

from __future__ import annotations

import pytest
import torch

from slowfast_bias.bias.recognition import ENOUGH, Recognition, chosen, probabilities
from slowfast_bias.bias.self_test import first_clips, self_test
from slowfast_bias.errors import FeaturesError


def test_recognition_counts_the_best_class_and_its_probability():
    original = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.9, 0.1, 0.0]])
    styled = torch.tensor([[0.6, 0.3, 0.1], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.2, 0.7, 0.1]])
    parts = [Recognition.of(original[:1], styled[:1]), Recognition.of(original[1:], styled[1:])]
    found = parts[0].merge(parts[1])
    assert (found.clips, found.kept) == (4, 1)
    want = {"clips": 4, "top1_kept": 0.25, "probability": 0.75, "probability_styled": 0.325}
    assert found.figures() == pytest.approx(want, abs=1e-6)
    assert "25 % of 4 clips" in found.warnings()[0]
    assert found.warnings(trained=False) == Recognition(10, 5).warnings() == []
    assert Recognition().figures() == {}


def test_logits_become_probabilities_and_probabilities_stay():
    logits = torch.randn(5, 7)
    shares = torch.softmax(logits.double(), 1)
    torch.testing.assert_close(probabilities(logits), shares)
    torch.testing.assert_close(probabilities(shares), shares)


@pytest.mark.parametrize("total", [1, 63, 64, 65, 1000, 240_000])
def test_the_clips_shown_as_filmed_are_few_and_spread(total):
    picked = [position for position in range(total) if chosen(position, total)]
    assert min(total, ENOUGH) / 2 <= len(picked) <= ENOUGH
    gaps = {b - a for a, b in zip(picked, picked[1:], strict=False)}
    assert len(gaps) <= 1


def features(x):
    return {"layer": x.flatten(1).double()}


def test_a_clip_alone_has_the_features_that_it_has_among_others():
    inputs = [torch.randn(4, 3, 2)]
    self_test(lambda x: features(x[0]), inputs, features(inputs[0]))
    mixing = {"layer": features(inputs[0])["layer"].flip(0)}  # rows of other clips
    with pytest.raises(FeaturesError, match="'layer' change by .* when it is shown alone"):
        self_test(lambda x: features(x[0]), inputs, mixing)


def test_a_random_network_is_told_from_a_mixing_one():
    x = torch.randn(4, 6)
    with pytest.raises(FeaturesError, match="draws at random in eval mode"):
        self_test(lambda y: features(y + torch.rand_like(y)), x, features(x))


def test_rounding_of_another_batch_size_is_no_difference():
    x = torch.randn(4, 6)
    self_test(lambda y: features(y * (1 + 1e-7)), x, features(x))
    self_test(lambda y: features(y * 1.01), x, features(x), exact=False)


def test_first_clips_keeps_the_kind_of_the_inputs():
    x = torch.arange(6).view(3, 2)
    got = first_clips([x, {"a": x, "n": 3}, (x,)], 1)
    assert got[0].tolist() == [[0, 1]] and got[1]["n"] == 3 and isinstance(got[2], tuple)
