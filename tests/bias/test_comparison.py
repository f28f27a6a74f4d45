"""Differences of two networks: the jackknife of the difference, that covers and is smaller."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from slowfast_bias import cli
from slowfast_bias.bias import BiasMeter, BiasReport
from slowfast_bias.bias.comparison import Difference, difference, why_unpaired
from slowfast_bias.visualization.network_differences import difference_sentences

pytestmark = pytest.mark.filterwarnings("ignore:fewer than 500 pairs")
ABOUT = {"data": "videos/val", "list": "val.csv", "videos": 200, "recordings": 200}


def features(n, seed, shares, common=1.0):
    """{factor: two (n, units)}: networks see the same videos; `shares` is what a look leaves."""
    world = torch.Generator().manual_seed(seed)
    own = torch.Generator().manual_seed(seed + 10_000 + round(1000 * sum(shares)))
    units, found = len(shares), {}
    r = torch.tensor(shares, dtype=torch.float64)
    for factor, kept in (("static", r), ("dynamic", r / 2), ("neither", r / 3)):
        parts = [
            math.sqrt(common) * torch.randn(n, units, generator=world, dtype=torch.float64)
            + math.sqrt(1 - common) * torch.randn(n, units, generator=own, dtype=torch.float64)
            for _ in range(2)
        ]
        found[factor] = parts[0], kept * parts[0] + (1 - kept**2).sqrt() * parts[1]
    return found


def report(n=200, seed=0, shares=(0.3, 0.5), layer="s5", common=1.0, recordings=None, **meta):
    meter = BiasMeter([layer])
    for factor, (a, b) in features(n, seed, shares, common).items():
        meter.update(factor, {layer: a}, {layer: b}, torch.arange(n), recordings)
    return meter.compute(meta={**ABOUT, **meta})


def numpy_score(found, factor, keep):
    a, b = (x.numpy()[keep] for x in found[factor])
    return np.mean([np.corrcoef(x, y)[0, 1] for x, y in zip(a.T, b.T, strict=True)])


def test_the_error_is_a_numpy_jackknife_of_the_difference():
    shares = ((0.3, 0.5), (0.4, 0.8))
    reports, shown = ([make(150, 3, s) for s in shares] for make in (report, features))
    folds = np.arange(150) % 20

    def gap(score, keep):
        first, *rest = {"motion": ("dynamic", "neither"), "static": ("static",)}[score]
        sums = [
            numpy_score(x, first, keep) - sum(numpy_score(x, f, keep) for f in rest) for x in shown
        ]
        return sums[0] - sums[1]

    for score in ("static", "motion"):
        without = np.array([gap(score, folds != k) for k in range(20)])
        error = np.sqrt(19 / 20 * np.square(without - without.mean()).sum())
        found = difference(*reports, score, ("s5", "s5"))
        assert found.value == pytest.approx(gap(score, folds >= 0), abs=1e-12)
        assert found.error == pytest.approx(error, rel=1e-9) and found.paired


def test_paired_errors_cover_in_100_sets_and_unpaired_are_larger():
    # as in test_contrasts: 5 of 100 may miss, below 16 with p < 1e-4
    misses, ratios = 0, []
    for seed in range(100):
        a, b = (report(seed=seed, shares=s, common=0.7) for s in ((0.3, 0.5), (0.4, 0.8)))
        found = difference(a, b, "static", ("s5", "s5"))
        misses += abs(found.value + 0.2) > 2.093 * found.error
        apart = difference(a, BiasReport(b.layers, {**b.meta, "list": "c"}), "static", ("s5",) * 2)
        ratios.append(found.error / apart.error)
    assert misses < 16 and np.mean(ratios) < 0.85, (misses, np.mean(ratios))


def test_networks_of_other_videos_have_independent_errors():
    a, b = report(seed=1), report(seed=2, list="other.csv")
    found = difference(a, b, "static", ("s5", "s5"))
    errors = [x["s5"].score_error("static") for x in (a, b)]
    assert found.error == pytest.approx(math.hypot(*errors))
    assert not found.paired and "unpaired: other list" in found.sentence("A", "B")


@pytest.mark.parametrize(
    ("meta", "says"),
    [
        ({}, ""),
        ({"seed": 1, "frames": "32x2", "styles": {"seed": 1}, "dropped_videos": []}, ""),
        ({"dropped_videos": [3]}, "other dropped videos"),
        ({"data": "videos/test", "videos": 9}, "other data, videos"),
    ],
)
def test_what_makes_two_measurements_paired(meta, says):
    assert why_unpaired(report(), report(**meta)) == says


def test_other_folds_and_files_without_replicates_are_unpaired(tmp_path):
    few = report(recordings=torch.arange(200) % 7)
    assert "20 and 7 folds" in difference(report(), few, "static", ("s5", "s5")).unpaired
    report().save(tmp_path / "a.json")
    data = json.loads((tmp_path / "a.json").read_text())
    del data["layers"]["s5"]["replicates"]
    (tmp_path / "a.json").write_text(json.dumps(data))
    old = BiasReport.load(tmp_path / "a.json")
    assert "no replicates" in difference(old, report(), "static", ("s5", "s5")).unpaired


def test_sentences_say_which_network_has_more_or_that_nothing_is_seen():
    def said(value, error, score="static"):
        return Difference(score, ("s5", "s5"), value, error).sentence("A", "B")

    assert said(0.27, 0.05) == "A is more static than B by 0.270 ± 0.050 (s5)"
    assert said(-0.27, 0.05) == "B is more static than A by 0.270 ± 0.050 (s5)"
    assert said(-0.1, 0.01, "motion") == "B has more motion-only than A by 0.100 ± 0.010 (s5)"
    assert "no difference seen between A and B: +0.010 ± 0.030" in said(0.01, 0.03)
    assert "no difference seen" in said(1e-7, 1e-9)  # rounding of networks that are both exact
    assert "no error can be given" in said(0.3, math.nan) and "nan" not in said(0.3, math.nan)
    assert "cannot be compared" in said(math.nan, math.nan)


def test_networks_without_a_common_layer_are_compared_in_their_last():
    reports = {"A": report(layer="s5"), "B": report(layer="blocks", shares=(0.8, 0.9))}
    lines = difference_sentences(reports)
    assert len(lines) == 3 and all("s5 and blocks" in line for line in lines)
    assert lines[0].startswith("B is more static than A by")


def test_errors_from_few_recordings_are_called_rough():
    few = {
        x: report(recordings=torch.arange(200) % 4, shares=(s, s))
        for x, s in (("A", 0.3), ("B", 0.8))
    }
    assert difference_sentences(few)[-1] == "note: errors from 4 groups of recordings are rough"


def test_the_command_says_it_below_the_table_of_two_and_of_more_with_to(tmp_path, capsys):
    for name, share in (("a", 0.2), ("b", 0.8), ("c", 0.5)):
        report(shares=(share, share), name=name).save(tmp_path / f"{name}.json")
    files = [str(tmp_path / f"{name}.json") for name in "abc"]

    def run(*words):
        status = cli.main(["compare", *words])
        return status, *capsys.readouterr()

    status, out, _ = run(*files[:2])
    assert status == 0 and "- b is more static than a by 0." in out
    assert "more static" not in run(*files)[1]
    assert "more static" not in run(*files[:2], "--format", "csv")[1]
    out = run(*files, "--to", "c")[1]
    assert "c is more static than a" in out and "b is more static than c" in out
    for words, says in ((["--to", "z"], "a, b, c"), (["--to", "a", "--format", "csv"], "markdown")):
        status, _, err = run(*files, *words)
        assert status == 2 and says in err and err.count("\n") == 1
