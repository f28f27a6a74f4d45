"""What banks agree on: planted flips are found, and nothing else is called one."""

from __future__ import annotations

import itertools
import math
import statistics

import pytest
import scipy.stats
import torch

from slowfast_bias import cli
from slowfast_bias.bias import BiasMeter
from slowfast_bias.bias.bank_stability import bank_stability
from slowfast_bias.bias.bank_verdicts import OrderOfTwo
from slowfast_bias.bias.comparison import Difference
from slowfast_bias.errors import RequestError

pytestmark = pytest.mark.filterwarnings("ignore:fewer than 500 pairs")
LAYERS = ("s1", "s2", "s3", "s4", "s5")
BANKS = {
    "colour": {"family": "colour", "num": 16, "seed": 0},
    "noise": {"family": "randconv", "num": 16, "seed": 0},
    "films": {"source": "folders", "dirs": ["/a", "/b"], "num": 2},
}


def report(bank, static, motion=None, content=0.2, seed=0, n=200, network="trained", layers=LAYERS):
    """A report whose layers have the planted scores, four units each."""
    world, meter = torch.Generator().manual_seed(seed), BiasMeter(list(layers))
    motion = [0.1] * len(layers) if motion is None else motion
    planted = {
        "static": static, "dynamic": [content + x for x in motion],
        "neither": [content] * len(layers),
    }  # fmt: skip
    for factor, rows in planted.items():
        first, second = {}, {}
        for layer, r in zip(layers, rows, strict=True):
            a, noise = torch.randn(2, n, 4, generator=world, dtype=torch.float64)
            first[layer], second[layer] = a, r * a + math.sqrt(1 - r**2) * noise
        meter.update(factor, first, second)
    meta = {"name": network, "model": "slow", "styles": BANKS[bank], "data": "k/val", "videos": n}
    return meter.compute(meta=meta)


RISING = [0.2, 0.35, 0.5, 0.65, 0.8]


def test_the_order_of_layers_is_scipys_over_every_pair_of_banks():
    rows = {"colour": RISING, "noise": [0.3, 0.2, 0.6, 0.4, 0.9], "films": RISING[::-1]}
    reports = [report(bank, row, seed=i) for i, (bank, row) in enumerate(rows.items())]
    found = bank_stability(reports)
    scores = [[x[layer].score("static") for layer in LAYERS] for x in reports]
    want = [scipy.stats.spearmanr(*pair).statistic for pair in itertools.combinations(scores, 2)]
    row = found.layers["trained"]["static"]
    assert row.spearman == pytest.approx(want) and row.layers == 5
    assert row.cells()[:2] == [f"{min(want):.3f}", f"{statistics.median(want):.3f}"]
    assert list(found.layers["trained"]) == ["static", "motion", "content", "dynamic"]
    assert found.networks == {}


def test_motion_that_changes_its_sign_is_named_and_chance_is_not():
    still = report("colour", RISING, [0.3, 0.0, 0.0, 0.3, 0.3])
    turned = report("noise", RISING, [0.3, 0.0, 0.0, 0.3, -0.15], seed=1)
    (line,) = bank_stability([still, turned]).motion
    assert line.startswith("trained, s5 FLIPS: colour 16 seed 0 +0.") and "; randconv" in line
    table = bank_stability([still, report("noise", RISING, seed=2)]).table()
    assert "no layer has another sign in another bank" in table and "FLIPS" not in table


def pair(bank, first, second, seed):
    rows = {"A": first, "B": second}
    return [report(bank, [0.5] * 4 + [x], seed=seed, network=name) for name, x in rows.items()]


def test_networks_that_change_places_are_named_with_their_errors():
    reports = pair("colour", 0.8, 0.4, 0) + pair("noise", 0.3, 0.7, 5)
    found = bank_stability(reports)
    (order,) = found.networks["static"]
    assert order.flips and not order.same
    by_bank = list(order.by_bank.values())
    assert by_bank[0].errors > 2 and by_bank[1].errors < -2 and by_bank[0].paired
    table = found.table()
    line = next(x for x in table.splitlines() if x.startswith("S_static") and "A - B" in x)
    assert line.endswith("FLIPS") and f"{by_bank[0].errors:+.1f}" in line
    same = bank_stability(pair("colour", 0.8, 0.4, 0) + pair("noise", 0.7, 0.3, 5))
    assert same.networks["static"][0].verdict() == "A > B"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ((0.3, 0.2), "A > B"),
        ((-0.3, -0.2), "B > A"),
        ((0.3, 0.01), "A > B, but not by 2 errors in every bank"),
        ((0.3, -0.01), "changes, but not by 2 errors both ways"),
        ((0.3, -0.3), "FLIPS"),
        ((0.01, -0.01), "no difference seen"),
        ((0.3, math.nan), "not known, a score has no error"),
    ],
)
def test_verdicts(values, says):
    by_bank = {str(i): Difference("static", ("s5", "s5"), x, 0.05) for i, x in enumerate(values)}
    order = OrderOfTwo("A", "B", by_bank)
    assert order.verdict() == says and "nan" not in " ".join(order.cells(["0", "1", "2"]))


def test_what_is_no_grid_of_networks_and_banks_is_refused():
    a = report("colour", RISING)
    with pytest.raises(RequestError, match=r"two are of 'trained' with colour 16 seed 0"):
        bank_stability([a, report("noise", RISING), a])
    with pytest.raises(RequestError, match="two banks or more, but each of trained, other has one"):
        bank_stability([a, report("noise", RISING, network="other")])
    with pytest.raises(RequestError, match="got 1 names for 2 reports"):
        bank_stability([a, report("noise", RISING)], ["a"])


def test_banks_and_networks_that_differ_in_one_entry_are_told_apart(monkeypatch):
    monkeypatch.setitem(BANKS, "other films", {**BANKS["films"], "dirs": ["/a", "/c"]})
    reports = [report(bank, RISING) for bank in ("films", "other films")]
    assert len(bank_stability(reports).banks) == 2
    for found, weights in zip(reports, "ab", strict=True):
        found.meta["checkpoint"] = weights
    with pytest.raises(RequestError, match="each of a, b has one"):
        bank_stability(reports)


def test_notes_say_what_was_not_measured_and_that_few_layers_say_little():
    layers = ("s4", "s5")
    reports = [report(bank, [0.3, 0.6], layers=layers) for bank in ("colour", "noise")]
    reports.append(report("colour", [0.3, 0.6], layers=layers, network="other"))
    notes = bank_stability(reports).notes
    assert any("2 layers have few orders" in note for note in notes)
    assert "other was not measured with randconv 16 seed 0" in notes


def test_the_command_takes_two_reports_or_many(tmp_path, capsys):
    files = []
    for i, (bank, network) in enumerate(itertools.product(BANKS, ("a", "b"))):
        files.append(str(tmp_path / f"{bank}_{network}.json"))
        report(bank, RISING, seed=i, network=network).save(files[-1])
    assert cli.main(["compare", "--banks", *files]) == 0
    out = capsys.readouterr().out
    for word in ("folders /a and 1 more", "lowest Spearman", "motion-only", "a - b", "order"):
        assert word in out
    assert cli.main(["compare", "--banks", files[0], files[2]]) == 0
    out = capsys.readouterr().out
    assert "same kind" in out and "lowest Spearman" in out
    assert cli.main(["compare", "--banks", files[0], files[0], files[1]]) == 2
    assert capsys.readouterr().err.count("\n") == 1
