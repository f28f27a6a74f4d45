"""The units that are shown are the first of their kind, and lists of clips lose their end alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.reports import report_of, report_with_motion

from slowfast_bias.bias.class_evidence import against_classes, class_evidence, top_classes
from slowfast_bias.bias.extremes import Extremes, Ranked
from slowfast_bias.bias.stats import PairStats
from slowfast_bias.bias.top_units import TopUnit, choose_units, top_units, with_few_videos

WIDTHS = {"s1": 30, "s2": 40}
DEGREES = {
    True: {
        "static": lambda s, d, n: s - n,
        "dynamic": lambda s, d, n: d - n,
        "joint": lambda s, d, n: n,
        "residual": lambda s, d, n: -max(s, d),
    },
    False: {
        "static": lambda s, d, n: s,
        "dynamic": lambda s, d, n: d,
        "joint": lambda s, d, n: min(s, d),
        "residual": lambda s, d, n: -max(s, d),
    },
}


def report(motion, threshold=0.5):
    if motion:
        return report_with_motion(WIDTHS, pairs=12)
    return report_of(WIDTHS, pairs=12, dead={"s1": 7}, threshold=threshold)


@pytest.mark.parametrize("motion", [True, False])
def test_units_are_of_the_kind_that_the_report_counts_them_in_the_first_ones_first(motion):
    for layer in report(motion).layers.values():
        scores = [layer.unit_scores(f).tolist() for f in ("static", "dynamic")]
        content = layer.unit_scores("content") if motion else torch.zeros(layer.channels)
        scores.append(content.tolist())
        chosen = choose_units(layer, 4)
        assert list(chosen) == ["static", "dynamic", "joint", "residual"]
        for kind, units in layer.units().items():
            if kind != "dead":
                degree = DEGREES[motion][kind]
                order = sorted(units, key=lambda u: -degree(*(x[u] for x in scores)))
                assert chosen[kind] == order[:4]


def test_every_unit_has_the_clips_of_its_own_column_half_of_few_videos_at_either_end():
    found = report(True)  # of 12 videos
    x = torch.randn(12, sum(WIDTHS.values()), generator=torch.Generator().manual_seed(0))
    units = top_units(found.layers, Extremes.of(x, torch.arange(12), 100), 2)
    assert {unit.layer for unit in units} == {"s1", "s2"}
    for unit in units:
        column = x[:, unit.unit + (30 if unit.layer == "s2" else 0)]
        order = column.argsort(descending=True).tolist()
        assert [clip.video for clip in unit.most] == order[:6]
        assert [clip.video for clip in unit.least] == order[:5:-1]
        assert [clip.value for clip in unit.most] == column[order[:6]].tolist()
        layer = found[unit.layer]
        assert unit.scores == {
            s: float(layer.unit_scores(s)[unit.unit]) for s in ("static", "motion", "content")
        }


def test_too_many_videos_cost_every_list_its_end_and_last_places_first():
    generator = torch.Generator().manual_seed(3)
    units = []
    for number in range(6):
        draws = torch.randperm(40, generator=generator).tolist()
        most, least = ([Ranked(v, 0.0) for v in draws[i : i + 4]] for i in (0, 4))
        units.append(TopUnit("s1", number, "static", {}, most, least))
    assert with_few_videos(units, 1000) == units
    for limit in (0, 5, 17, 30):
        fewer = with_few_videos(units, limit)
        assert len({video for unit in fewer for video in unit.videos()}) <= limit
        lists = [x for unit in fewer for x in (unit.most, unit.least)]
        whole = [x for unit in units for x in (unit.most, unit.least)]
        assert all(some == every[: len(some)] for some, every in zip(lists, whole, strict=True))
    # 12 first places need 12 videos at most: with 17 none of them is lost
    assert all(unit.most and unit.least for unit in with_few_videos(units, 17))


def test_evidence_is_weight_times_spread():
    generator = torch.Generator().manual_seed(0)
    z, weight = torch.randn(50, 6, generator=generator), torch.randn(4, 6, generator=generator)
    found = class_evidence(weight, PairStats.of(z, z))
    expected = weight.numpy() * z.double().numpy().std(0)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)
    for unit in range(6):
        order = np.argsort(-expected[:, unit])[:3].tolist()
        assert [number for number, _ in top_classes(found, unit, 3)] == order
        below = [(c, expected[c, unit]) for c in np.argsort(expected[:, unit]).tolist()]
        below = [(c, pytest.approx(x)) for c, x in below if x < 0][:2]
        assert against_classes(found, unit, 2) == below
    assert against_classes(found.abs(), 0, 1) == []
