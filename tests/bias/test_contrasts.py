"""Motion-only, look-only, content: planted units come out as planted, and errors cover."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from slowfast_bias.bias import BiasMeter, BiasReport, all_merge, measure_bias

pytestmark = pytest.mark.filterwarnings("ignore:fewer than 500 pairs")

# unit -> shares of the variance: content, look, order (motion), and look and order together
PLANTED = {
    "content": (1.0, 0.0, 0.0, 0.0),
    "look": (0.0, 1.0, 0.0, 0.0),
    "motion": (0.0, 0.0, 1.0, 0.0),
    "mixed": (0.2, 0.3, 0.4, 0.1),
}
PAIRS = {
    "static": ("styled", "shuffled"),
    "dynamic": ("styled", "restyled"),
    "neither": ("shuffled", "restyled"),
}


def views(n, seed=0, shares=PLANTED):
    """{view: (n, units)} of units that are sums of independent parts, with these shares."""
    generator = torch.Generator().manual_seed(seed)
    c, look, motion, both = torch.tensor(list(shares.values())).double().sqrt().unbind(1)

    def draw(count):
        return torch.randn(count, n, len(shares), generator=generator, dtype=torch.float64)

    (content,), looks, orders, joint = draw(1), draw(2), draw(2), draw(4)
    places = {"styled": (0, 0), "shuffled": (0, 1), "restyled": (1, 0), "reshuffled": (1, 1)}
    return {
        view: c * content + look * looks[i] + motion * orders[j] + both * joint[2 * i + j]
        for view, (i, j) in places.items()
    }


def filled(n=100_000, seed=0, effect=False, recordings=None, shares=PLANTED, repeat=1):
    """A meter over planted units; each of n recordings is shown `repeat` times."""
    shown = {k: x.repeat_interleave(repeat, 0) for k, x in views(n, seed, shares).items()}
    meter = BiasMeter(["layer"])
    videos = torch.arange(n * repeat)
    for factor, (a, b) in PAIRS.items():
        meter.update(factor, {"layer": shown[a]}, {"layer": shown[b]}, videos, recordings)
    if effect:
        change = [shown["styled"] - shown["shuffled"], shown["restyled"] - shown["reshuffled"]]
        meter.update("effect", *({"layer": x} for x in change), videos, recordings)
    return meter


def test_planted_units_come_out_as_planted():
    layer = filled(effect=True).compute()["layer"]
    content, look, motion, both = torch.tensor(list(PLANTED.values())).double().unbind(1)
    want = {"content": content, "look": look, "motion": motion, "order_share": motion + both}
    for score, planted in want.items():
        units = layer.unit_scores(score)
        torch.testing.assert_close(units, planted, rtol=0, atol=0.02)
        assert layer.score(score) == pytest.approx(units.mean().item())
    # of what the order changes, the part that is the same in both looks; nothing to compare: NaN
    agreement = layer.unit_scores("order_agreement")
    assert agreement[:2].isnan().all()
    torch.testing.assert_close(agreement[2:], (motion / (motion + both))[2:], rtol=0, atol=0.02)


@pytest.mark.parametrize("statistic", ["pearson", "pooled"])
def test_contrasts_are_differences_of_the_papers_scores(statistic):
    layer = filled(300).compute(statistic=statistic)["layer"]
    for name, factor in (("motion", "dynamic"), ("look", "static")):
        difference = layer.score(factor) - layer.score("neither")
        assert layer.score(name) == pytest.approx(difference, abs=1e-12)
        units = layer.unit_scores(factor) - layer.unit_scores("neither")
        assert torch.equal(layer.unit_scores(name), units)
    assert layer.score("content") == layer.score("neither")


def test_the_third_pair_changes_no_score_of_the_paper():
    meter, two = filled(200), BiasMeter(["layer"])
    shown = views(200)
    for factor in ("static", "dynamic"):
        a, b = PAIRS[factor]
        two.update(factor, {"layer": shown[a]}, {"layer": shown[b]}, torch.arange(200))
    with_third, without = meter.compute()["layer"], two.compute()["layer"]
    for factor in ("static", "dynamic"):
        assert with_third.score(factor) == without.score(factor)
        assert with_third.score_error(factor) == without.score_error(factor)
    assert with_third.percent() == without.percent() and with_third.units() == without.units()
    assert without.measured == ["static", "dynamic"]
    with pytest.raises(ValueError, match="motion and look need neither too"):
        without.score("motion")


def test_errors_of_contrasts_cover_in_200_simulated_sets():
    # A 95 % interval that holds misses 10 of 200; a binomial stays below 24 with p < 1e-4.
    # With 20 folds the interval is that of Student's t with 19 degrees of freedom.
    misses = dict.fromkeys(("motion", "look", "content"), 0)
    truth = torch.tensor(list(PLANTED.values())).double().mean(0)
    want = dict(zip(("content", "look", "motion"), truth[:3].tolist(), strict=True))
    for seed in range(200):
        layer = filled(200, seed=seed).compute()["layer"]
        for score in misses:
            off = abs(layer.score(score) - want[score])
            misses[score] += off > 2.093 * layer.score_error(score)
    assert max(misses.values()) < 24, misses


def test_the_error_of_a_difference_is_its_own():
    # Content makes both terms swing together; their difference hardly swings.
    shares = {"a": (0.5, 0.2, 0.3, 0.0), "b": (0.6, 0.2, 0.2, 0.0)}
    layer = filled(400, shares=shares).compute()["layer"]
    apart = math.hypot(layer.score_error("dynamic"), layer.score_error("neither"))
    assert layer.score_error("motion") < 0.8 * apart


def test_parts_of_one_recording_do_not_shrink_the_error():
    once = filled(60).compute()["layer"]
    parts = filled(60, repeat=5, recordings=torch.arange(60).repeat_interleave(5)).compute()
    alone = filled(60, repeat=5).compute()["layer"]
    for score in ("static", "dynamic", "motion", "look", "content"):
        error = parts["layer"].score_error(score)
        assert error == pytest.approx(once.score_error(score), rel=1e-6)
        assert error > 1.5 * alone.score_error(score)


def test_saved_loaded_and_merged_reports_keep_contrasts(tmp_path):
    meter = filled(90, effect=True)
    report = all_merge(meter).compute()
    report.save(tmp_path / "a.json")
    loaded = BiasReport.load(tmp_path / "a.json")
    loaded.save(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    for score in report["layer"].measured:
        assert loaded["layer"].score(score) == report["layer"].score(score)
        assert loaded["layer"].score_error(score) == report["layer"].score_error(score)
        got, want = (x["layer"].unit_scores(score) for x in (loaded, report))
        torch.testing.assert_close(got, want, rtol=0, atol=0, equal_nan=True)
    assert loaded.table() == report.table() and "motion-only" in report.table()


class FrameWise(nn.Module):
    """Frames one by one, then their mean: it cannot see motion."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv3d(3, 6, (1, 3, 3))
        self.head = nn.Linear(6, 5)

    def forward(self, x):
        return self.head(self.conv(x).relu().mean((2, 3, 4)))


def test_motion_only_of_a_frame_wise_network_is_zero_in_every_unit_and_layer():
    generator = torch.Generator().manual_seed(0)
    clips = torch.rand(40, 3, 8, 6, 6, generator=generator)
    shuffled = clips[:, :, torch.randperm(8, generator=generator)]
    restyled = 1 - clips.roll(1, 1) * torch.rand(40, 3, 1, 1, 1, generator=generator)
    named = {"styled": clips, "shuffled": shuffled, "restyled": restyled}
    pairs = {factor: [(named[a], named[b])] for factor, (a, b) in PAIRS.items()}
    report = measure_bias(FrameWise(), pairs, ["conv", "head"])
    for layer in report.layers.values():
        assert abs(layer.score("content")) > 0.05  # S_dynamic is content, and not 0
        assert layer.score("motion") == pytest.approx(0, abs=1e-6)
        assert layer.score_error("motion") < 1e-6
        assert layer.unit_scores("motion").abs().max() < 1e-5
