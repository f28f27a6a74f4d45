"""BiasMeter: any order, split or number of ranks gives the same report; errors are honest."""

from __future__ import annotations

import math
import pickle

import pytest
import torch
import torch.distributed as dist

from slowfast_bias.bias import BiasMeter, BiasReport, PairStats, Tap, all_merge
from slowfast_bias.bias.meter import FOLDS
from slowfast_bias.errors import UserError
from slowfast_bias.results import strict

pytestmark = pytest.mark.filterwarnings("ignore:fewer than 500 pairs")
TAPS = [Tap("s4"), Tap("s5")]
WIDTHS = {"s4": 3, "s5/0": 5, "s5/1": 2}
TARGET = {"static": 0.8, "dynamic": 0.3}


def make_features(n=90, seed=0, widths=WIDTHS, offset=7.0):
    """{factor: (a, b)} of n videos, whose units correlate by about TARGET."""
    generator = torch.Generator().manual_seed(seed)
    features = {}
    for factor, r in TARGET.items():
        a = {k: torch.randn(n, c, generator=generator) for k, c in widths.items()}
        noise = {k: torch.randn(n, c, generator=generator) for k, c in widths.items()}
        b = {k: r * x + math.sqrt(1 - r**2) * noise[k] for k, x in a.items()}
        features[factor] = [{k: x + offset for k, x in side.items()} for side in (a, b)]
    return features


def rows(features, index):
    return {k: x[index] for k, x in features.items()}


def fill(meter, features, videos):
    for factor, (a, b) in features.items():
        meter.update(factor, rows(a, videos), rows(b, videos), videos)
    return meter


def numbers(report):
    """Every number of a report but its meta, flat."""
    found = []

    def walk(value):
        if isinstance(value, dict):
            [walk(x) for x in value.values()]
        elif isinstance(value, list):
            [walk(x) for x in value]
        else:
            found.append(math.nan if value is None else value)

    walk(strict({name: layer.to_json() for name, layer in report.layers.items()}))
    return torch.tensor(found, dtype=torch.float64)


def same(first, second, tolerance=1e-10):
    got, want = numbers(first), numbers(second)
    torch.testing.assert_close(got, want, rtol=0, atol=tolerance, equal_nan=True)


@pytest.fixture
def features():
    return make_features()


@pytest.fixture
def whole(features):
    return fill(BiasMeter(TAPS), features, torch.arange(90)).compute()


def test_the_report_holds_the_correlations_of_the_pairs(features, whole):
    assert list(whole.layers) == list(WIDTHS)
    for factor, (a, b) in features.items():
        for layer in WIDTHS:
            want = PairStats.of(a[layer], b[layer]).correlation()
            torch.testing.assert_close(whole[layer].correlation[factor], want)
            assert whole[layer].score(factor) == pytest.approx(want.mean().item())
            assert whole[layer].pairs[factor] == 90


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_any_batch_size_and_order_gives_the_same_report(features, whole, batch):
    order = torch.randperm(90, generator=torch.Generator().manual_seed(1))
    meter = BiasMeter(TAPS)
    for videos in order.split(batch):
        fill(meter, features, videos)
    same(meter.compute(), whole)


def test_meters_of_disjoint_videos_merge_to_the_same_report(features, whole):
    parts = [fill(BiasMeter(TAPS), features, torch.arange(i, 90, 3)) for i in range(3)]
    merged = BiasMeter(TAPS)
    for part in (parts[2], BiasMeter(TAPS), parts[0], parts[1]):
        merged.merge(part)
    same(merged.compute(), whole)


def test_memory_is_the_same_after_50_videos_and_after_5000(features):
    sizes = []
    for n in (50, 5000):
        meter = BiasMeter(TAPS)
        many = make_features(n)
        for start in range(0, n, 25):
            fill(meter, many, torch.arange(start, start + 25))
        sizes.append(len(pickle.dumps(meter)))
        # two factors, six numbers a unit and fold, eight bytes each, and little else
        assert sizes[-1] < 1.5 * 2 * 6 * 8 * FOLDS * sum(WIDTHS.values()) + 4000
    assert sizes[0] == sizes[1]


def test_merge_changes_self_only_and_shares_no_memory(features):
    first = fill(BiasMeter(TAPS), features, torch.arange(40))
    second = fill(BiasMeter(TAPS), features, torch.arange(40, 90))
    before = second.compute()
    merged = BiasMeter(TAPS).merge(second)
    assert merged.merge(first) is merged
    fill(merged, features, torch.arange(5))
    same(second.compute(), before, 0)


def test_without_videos_a_running_count_decides_the_fold(features, whole):
    meter = BiasMeter(TAPS)
    for factor, (a, b) in features.items():
        for videos in torch.arange(90).split(13):
            meter.update(factor, rows(a, videos), rows(b, videos))
    same(meter.compute(), whole)


def test_the_standard_error_of_a_layer_score_is_the_spread_over_repetitions():
    # 120 repetitions know their own spread to 1 / sqrt(240) = 6.5 %; 25 % is four times that.
    scores, errors = [], []
    for seed in range(120):
        features = make_features(200, seed, {"s4": 4, "s5": 6})
        layer = fill(BiasMeter(TAPS), features, torch.arange(200)).compute()["s5"]
        percent, stderr = layer.percent(), layer.stderr
        scores.append([layer.score(f, s) for s in ("pearson", "pooled") for f in TARGET])
        scores[-1] += percent.values()
        errors.append([*(stderr[f] for f in TARGET), *stderr["pooled"].values()])
        errors[-1] += stderr["percent"].values()
    spread, told = torch.tensor(scores).std(0), torch.tensor(errors).mean(0)
    assert ((told / spread - 1).abs() < 0.25).all(), (told, spread)


@pytest.mark.parametrize("n", [12, 90])  # fewer videos than folds, and more
def test_the_standard_error_is_the_jackknife_over_video_index_mod_folds(features, n):
    report = fill(BiasMeter(TAPS), features, torch.arange(n)).compute()
    a, b = (side["s5/0"][:n] for side in features["static"])
    fold = torch.arange(n) % FOLDS
    replicates = torch.stack(
        [PairStats.of(a[fold != k], b[fold != k]).correlation().mean() for k in fold.unique()]
    )
    k = len(replicates)
    want = ((k - 1) / k * (replicates - replicates.mean()).square().sum()).sqrt().item()
    assert report["s5/0"].stderr["static"] == pytest.approx(want, rel=1e-9)


def test_unit_counts_have_an_error_where_units_are_near_the_threshold(features):
    layer = fill(BiasMeter(TAPS), features, torch.arange(90)).compute(threshold=0.3)["s5/0"]
    assert layer.stderr["units"]["joint"] > 0 and layer.stderr["units"]["dead"] == 0


def test_folds_are_by_video_so_copies_of_a_pair_do_not_shrink_the_error(features, whole):
    videos = torch.arange(90).repeat(4)
    copies = fill(BiasMeter(TAPS), features, videos).compute()
    assert copies["s4"].stderr["static"] == pytest.approx(whole["s4"].stderr["static"], rel=1e-6)


def test_fewer_videos_than_folds_still_have_an_error(features):
    report = fill(BiasMeter(TAPS), features, torch.arange(FOLDS // 2)).compute()
    assert 0 < report["s4"].stderr["static"] < 1


def test_one_factor_alone_has_scores_but_no_percent_or_kinds(features):
    a, b = features["static"]
    meter = BiasMeter(TAPS)
    meter.update("static", a, b)
    layer = meter.compute()["s4"]
    assert 0.6 < layer.score("static") < 0.9 and layer.stderr["static"] > 0
    for ask in (layer.percent, layer.units, lambda: layer.score("dynamic")):
        with pytest.raises(ValueError, match="'dynamic'.*only \\['static'\\]"):
            ask()


def test_identical_pairs_are_one_under_a_name_of_your_own(features):
    a, _ = features["static"]
    meter = BiasMeter(TAPS)
    meter.update("identical", a, {k: x.clone() for k, x in a.items()})
    layer = meter.compute()["s5/0"]
    assert layer.score("identical") == pytest.approx(1, abs=1e-12)
    assert layer.score("identical", "pooled") == pytest.approx(1, abs=1e-12)


def test_a_layer_whose_units_are_all_dead_is_nan_with_a_warning(features):
    for a, b in features.values():
        a["s4"], b["s4"] = torch.zeros(90, 3), torch.zeros(90, 3)
    meter = fill(BiasMeter(TAPS), features, torch.arange(90))
    with pytest.warns(UserWarning, match="all 3 units of s4 are dead"):
        report = meter.compute()
    assert math.isnan(report["s4"].score("static")) and report["s4"].units()["dead"] == [0, 1, 2]
    assert not math.isnan(report["s5/0"].score("static"))


def test_few_pairs_are_warned_of_and_written_down(features):
    meter = fill(BiasMeter(TAPS), features, torch.arange(90))
    with pytest.warns(UserWarning, match=r"fewer than 500 pairs \(90\)"):
        report = meter.compute(meta={"seed": 3, "warnings": ["one video was dropped"]})
    assert report.meta["seed"] == 3
    assert report.warnings[0] == "one video was dropped" and "(90)" in report.warnings[1]
    assert "warning: one video was dropped" in report.table()


def test_a_meter_filled_in_inference_mode_can_be_filled_outside(features, whole):
    meter = BiasMeter(TAPS)
    with torch.inference_mode():
        fill(meter, make_features(), torch.arange(50))
    fill(meter, features, torch.arange(50, 90))
    same(meter.compute(), whole)


def test_autocast_does_not_touch_the_statistics(features, whole):
    with torch.autocast("cpu", torch.bfloat16):
        same(fill(BiasMeter(TAPS), features, torch.arange(90)).compute(), whole, 0)


@pytest.mark.parametrize("videos", [[0], []])
def test_fewer_than_two_videos_are_an_error(features, videos):
    meter = BiasMeter(TAPS)
    if videos:
        fill(meter, features, torch.tensor(videos))
    with pytest.raises(ValueError, match="at least two pairs"):
        meter.compute()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_features_that_are_not_finite_name_layer_and_videos(features, bad):
    a, b = features["dynamic"]
    b["s5/1"][4, 1] = bad
    a["s5/1"][6, 0] = bad
    meter = BiasMeter(TAPS)
    said = r"layer s5/1 for videos \[104, 106\] \(dynamic pairs\)"
    with pytest.raises(ValueError, match=said) as caught:
        meter.update("dynamic", a, b, range(100, 190))
    assert isinstance(caught.value, UserError)  # one line of a command
    assert meter.pairs() == {}


def test_large_but_finite_features_are_accepted():
    big = {"s4": torch.full((2, 3), 3e38), "s5": torch.zeros(2, 2)}  # their float32 sum overflows
    meter = BiasMeter(TAPS)
    meter.update("static", big, big)
    assert meter.pairs() == {"static": 2}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a, b: b.update(s4=torch.zeros(90, 4)), r"\(90, 3\) and \(90, 4\) in layer 's4'"),
        (lambda a, b: b.pop("s4"), "same layers in `a` and `b`"),
        (lambda a, b: [x.pop("s4") for x in (a, b)], r"taps \['s4', 's5'\]"),
        (lambda a, b: [x.update(s9=torch.zeros(90, 1)) for x in (a, b)], "s9"),
        (lambda a, b: [x.update(s4=torch.zeros(8, 3)) for x in (a, b)], "one B for all"),
    ],
)
def test_features_that_do_not_fit_are_explained(features, change, message):
    a, b = features["static"]
    change(a, b)
    with pytest.raises(ValueError, match=message):
        BiasMeter(TAPS).update("static", a, b)


def test_other_mistakes_are_explained(features):
    a, b = features["static"]
    meter = BiasMeter(TAPS)
    meter.update("static", a, b)
    with pytest.raises(ValueError, match="layers seen so far"):
        meter.update("static", a | {"s4": b["s4"][:, :2]}, b | {"s4": b["s4"][:, :2]})
    with pytest.raises(ValueError, match="90 integer indices"):
        meter.update("static", a, b, videos=[1, 2])
    with pytest.raises(ValueError, match="none of"):
        meter.update("pooled", a, b)
    with pytest.raises(ValueError, match="same taps"):
        meter.merge(BiasMeter(["s4"]))
    with pytest.raises(ValueError, match="`statistic`.*'median'"):
        meter.compute(statistic="median")


def test_all_merge_without_processes_is_the_meter_itself():
    meter = BiasMeter(TAPS)
    assert all_merge(meter) is meter


def measure_share(folder):
    rank = dist.get_rank()
    shares = {  # {case: the videos of each rank}
        "strides": (torch.arange(0, 90, 2), torch.arange(1, 90, 2)),
        "first_empty": (None, torch.arange(90)),
        "second_empty": (torch.arange(90), None),
    }
    for case, videos in shares.items():
        meter = BiasMeter(TAPS)
        if videos[rank] is not None:
            fill(meter, make_features(), videos[rank])
        before = meter.pairs()
        all_merge(meter).compute().save(f"{folder}/{case}_{rank}.json")
        assert meter.pairs() == before


@pytest.mark.ddp
def test_two_processes_give_the_report_of_one_on_both_ranks(tmp_path, whole, two_ranks):
    two_ranks.run(measure_share, tmp_path)
    for case in ("strides", "first_empty", "second_empty"):
        first, second = (tmp_path / f"{case}_{rank}.json" for rank in (0, 1))
        assert first.read_bytes() == second.read_bytes()
        same(BiasReport.load(first), whole)
        assert list(BiasReport.load(first).layers) == list(WIDTHS)
