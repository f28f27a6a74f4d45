"""Rank agreement of two banks: scipy as the reference, and what two reports must have in common."""

from __future__ import annotations

import dataclasses
import json
import math
import re

import numpy as np
import pytest
import scipy.stats
import torch

from slowfast_bias import cli
from slowfast_bias.bias import BiasReport
from slowfast_bias.bias.agreement import DifferentLayersError, bank_agreement
from slowfast_bias.bias.meter import BiasMeter
from slowfast_bias.bias.rank_agreement import Agreement, KindAgreement
from slowfast_bias.bias.taps import Tap

LAYERS = ("s1", "s2", "s3", "s4", "s5")
pytestmark = pytest.mark.filterwarnings("ignore:fewer than 500 pairs")


def report(seed=0, layers=LAYERS, channels=6, noise=0.0, factors=("static", "dynamic"), **meta):
    """Units whose share of common signal grows with the layer and the unit."""
    world, own = torch.Generator().manual_seed(7), torch.Generator().manual_seed(seed)
    meter = BiasMeter([Tap(layer) for layer in layers])
    for k, factor in enumerate(factors):
        first, second = {}, {}
        for depth, layer in enumerate(layers):
            share = torch.linspace(0.1, 0.6, channels) + 0.07 * (depth if k else -depth) + 0.2
            common, a, b = torch.randn(3, 400, channels, generator=world)
            extra = noise * torch.randn(400, channels, generator=own)
            first[layer] = share * common + (1 - share) * a + extra
            second[layer] = share * common + (1 - share) * b
        meter.update(factor, first, second)
    return meter.compute(meta=meta)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [2, 5, 40])
def test_both_coefficients_are_scipys(n, ties):
    generator = torch.Generator().manual_seed(n)
    a, b = torch.randn(2, n, generator=generator, dtype=torch.float64)
    if ties and n > 2:
        a, b = (a * 2).round(), (b * 2).round()
    found = Agreement.of(a, b)
    assert found.spearman == pytest.approx(scipy.stats.spearmanr(a, b).statistic, abs=1e-12)
    assert found.kendall == pytest.approx(scipy.stats.kendalltau(a, b).statistic, abs=1e-12)


def test_order_alone_counts_and_dead_units_are_left_out():
    a = torch.tensor([0.1, 0.5, math.nan, 0.2, 0.9])
    b = torch.tensor([1.0, 30.0, 5.0, 2.0, math.nan])
    found = Agreement.of(a, b)
    assert (found.n, found.spearman, found.kendall) == (3, 1.0, 1.0)
    assert Agreement.of(a, -b).kendall == -1.0
    assert found.change == pytest.approx(29.5)
    noisy = torch.tensor([0.1, 0.5, 0.5, 0.9], dtype=torch.float64)
    assert Agreement.of(noisy, noisy + 1e-15 * torch.tensor([0, 1, -1, 1])).kendall == 1.0


@pytest.mark.parametrize("row", [[], [1.0], [2.0, 2.0, 2.0]])
def test_what_has_no_order_agrees_with_nothing(row):
    found = Agreement.of(row, row)
    assert math.isnan(found.spearman) and math.isnan(found.kendall)


def test_a_report_agrees_with_itself_and_two_banks_in_part():
    a, same = report(channels=40), report(channels=40)
    other = report(1, channels=40, noise=0.6)
    itself = bank_agreement(a, same)
    for row in (*itself.layers.values(), *(x for u in itself.units.values() for x in u.values())):
        assert row.spearman == pytest.approx(1.0) and row.kendall == pytest.approx(1.0)
        assert row.change == 0
    assert {(kind.same, kind.kappa) for kind in itself.kinds.values()} == {(1.0, 1.0)}
    across = bank_agreement(a, other)
    assert 0 < across.layers["S_static"].kendall <= 1
    assert 0 < across.units["s3"]["static"].kendall < 1 and across.layers["static %"].change > 0
    assert list(across.layers)[:2] == ["S_static", "S_dynamic"]


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_that_of_the_table_of_both_partitions(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.choice(4, 60, p=[0.6, 0.2, 0.1, 0.1]), rng.choice(4, 60)
    b = np.where(rng.random(60) < 0.4, a, b)
    counts = np.zeros((4, 4))
    np.add.at(counts, (a, b), 1)
    shares = counts / 60
    chance = (shares.sum(0) * shares.sum(1)).sum()
    kinds = [{str(k): np.flatnonzero(x == k).tolist() for k in range(4)} for x in (a, b)]
    found = KindAgreement.of(*kinds)
    assert found.same == pytest.approx(np.trace(shares)) and found.chance == pytest.approx(chance)
    assert found.kappa == pytest.approx((np.trace(shares) - chance) / (1 - chance))


def test_units_drawn_anew_agree_by_chance_and_one_kind_alone_says_nothing():
    generator = torch.Generator().manual_seed(0)
    orders = [torch.randperm(5000, generator=generator).tolist() for _ in range(2)]
    drawn = [{"static": order[:3500], "dead": order[3500:]} for order in orders]
    found = KindAgreement.of(*drawn)
    assert found.chance == pytest.approx(0.7**2 + 0.3**2)
    assert found.same == pytest.approx(found.chance, abs=0.03) and abs(found.kappa) < 0.06
    alone = {"static": [0, 1], "dead": []}
    assert math.isnan(KindAgreement.of(alone, alone).kappa)
    assert KindAgreement.of(alone, {"static": [0], "dead": [1]}).kappa == 0


def test_what_has_no_order_is_a_dash_that_a_note_explains():
    a = report()
    flat = {name: dataclasses.replace(a["s3"]) for name in LAYERS}  # every layer the same
    table = bank_agreement(BiasReport(flat, {"seed": 0}), BiasReport(flat, {"seed": 0})).table()
    assert "nan" not in table and "note: - in place of Spearman and Kendall: all values" in table
    assert re.search(r"^S_static +- +- +5 ", table, re.MULTILINE)
    table = bank_agreement(a, report(1, noise=0.5)).table()
    assert "in place of Spearman" not in table


def test_the_third_pair_is_compared_where_both_have_it():
    three = ("static", "dynamic", "neither")
    found = bank_agreement(report(factors=three), report(1, noise=0.5, factors=three))
    scores = ["S_static", "S_dynamic", "motion-only", "look-only", "content"]
    assert list(found.layers)[:5] == scores
    assert list(found.units["s1"]) == ["static", "dynamic", "motion", "look", "content"]
    assert "motion-only" not in bank_agreement(report(), report(1, factors=three)).layers


def test_layers_match_by_name_not_by_place():
    a = report()
    turned = BiasReport(dict(reversed(a.layers.items())), a.meta)
    assert bank_agreement(a, turned).layers["S_static"].spearman == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (lambda: report(layers=("s1", "head")), r"'s2', 's3', 's4', 's5'\].*\['head'\]"),
        (lambda: report(channels=5), "s1 has 6 units in the first and 5"),
        (lambda: report(factors=("static",)), "static and dynamic pairs in both"),
    ],
)
def test_reports_of_different_layers_are_refused(other, says):
    with pytest.raises(DifferentLayersError, match=says):
        bank_agreement(report(), other())


def test_notes_say_why_numbers_may_mislead():
    bank = {"family": "colour", "num": 4, "seed": 0}
    a = report(layers=("s4", "s5"), styles=bank, checkpoint="a.pyth")
    b = report(layers=("s4", "s5"), styles=bank, checkpoint="b.pyth")
    notes = " ".join(bank_agreement(a, b).notes)
    assert "one bank" in notes and "a.pyth and b.pyth" in notes and "2 layers" in notes
    c = report(layers=LAYERS, styles={**bank, "seed": 1}, checkpoint="a.pyth")
    assert bank_agreement(report(styles=bank, checkpoint="a.pyth"), c).notes == []


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [("videos", 900, 800), ("seed", 0, 1), ("frames", "8x8", "8x4"), ("threshold", 0.5, 0.4)],
)
def test_what_differs_besides_the_bank_is_noted(key, one, other):
    a, b = (
        BiasReport(found.layers, {**found.meta, "styles": value, key: value})
        for found, value in ((report(), one), (report(), other))
    )
    (note,) = bank_agreement(a, b).notes
    assert note == f"{key} differs: {one} and {other}"


def test_dropped_videos_are_noted():
    sound = report(styles={"seed": 0}, dropped_videos=[])
    (note,) = bank_agreement(sound, report(styles={"seed": 1}, dropped_videos=[3, 5])).notes
    assert note.startswith("0 and 2 videos were dropped")


def test_the_command_prints_the_table_or_one_clear_line(tmp_path, capsys):
    def run(reports):
        return cli.main(["compare", "--banks", *reports])

    report(0, styles={"seed": 0}).save(tmp_path / "a.json")
    report(1, noise=0.5, styles={"seed": 1}).save(tmp_path / "b.json")
    assert run([str(tmp_path / "a.json"), str(tmp_path / "b.json")]) == 0
    printed = capsys.readouterr().out
    for word in ("over the layers", "S_dynamic", "residual %", "Kendall", "same kind", "s5"):
        assert word in printed
    data = json.loads((tmp_path / "b.json").read_text())
    del data["layers"]["s5"]
    (tmp_path / "c.json").write_text(json.dumps(data))
    assert run([str(tmp_path / "a.json"), str(tmp_path / "c.json")]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "same layers" in told
    assert run([str(tmp_path / "a.json")]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "two reports or more with --banks, but got 1" in told
