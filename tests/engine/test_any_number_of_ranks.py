"""One to seven processes: statistics bit-equal, accuracies equal, and none waits for ever.

Batches are of one clip each here: a convolution rounds by the shape of its batch, and then nothing
is left that a number of processes could change. Sums of folds are exact below 20 videos, as each
has a fold of its own; with more, merging in another order rounds the 16th digit.
"""

from __future__ import annotations

import pytest
import torch
from support.baton import Baton
from support.segments import TOY

from slowfast_bias.bias import BiasMeter, all_merge
from slowfast_bias.engine.measuring.measurement import measure_networks
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.testing.vote import as_filmed, vote

pytestmark = [pytest.mark.host, pytest.mark.filterwarnings("ignore:fewer than 500 pairs")]

VIDEOS = 5  # no number of processes divides it, and the last one leaves two without a video
WORLDS = (2, 3, 4, 7)
WIDE = 64
FEATURES = torch.randn(2, 90, 6, generator=torch.Generator().manual_seed(0)) + 3


@pytest.fixture(params=[(), tuple(TOY)], ids=["classification", "segmentation"])
def of(tiny, request):
    """A function (ranks): a config whose batches are one clip on each of them."""

    def make(world):
        return tiny(
            *request.param, "BIAS.TOY.NUM_VAL", VIDEOS, "BIAS.TOY.NUM_TEST", VIDEOS,
            "TEST.BATCH_SIZE", world, "BIAS.MASKS.SAVE", False,
        )  # fmt: skip

    return make


def found(cfg, model):
    """What a rank knows when a network is measured and tested: all numbers of both."""
    report = measure_networks(cfg, {"net": model}, "config")["net"]
    units = {
        (name, factor): layer.correlation[factor]
        for name, layer in report.layers.items()
        for factor in layer.correlation
    }
    assert {count for layer in report.layers.values() for count in layer.pairs.values()} == {VIDEOS}
    task = make_task(cfg, model)
    votes = vote(cfg, task, as_filmed(task, model), "test")
    return units, votes.figures("ordered").compute(), votes.meta["videos"]


def test_statistics_are_bit_equal_and_accuracies_equal(of):
    model = network.build_network(of(1))  # one for all ranks: they work in turn
    units, figures, videos = found(of(1), model)
    assert videos == VIDEOS and len(units) > 10
    for world in WORLDS:
        for other, again, count in Baton(world).run(found, of(world), model):
            assert count == videos and again == figures and other.keys() == units.keys()
            for key, scores in units.items():
                assert torch.equal(other[key].nan_to_num(9), scores.nan_to_num(9)), (world, key)


def test_the_ranks_of_the_baton_are_ranks():
    def ask():
        told = ranks.gather_objects(ranks.rank())
        total = torch.tensor(float(ranks.rank()))
        ranks.sum_over_processes(total)
        return told, float(total), ranks.from_master(ranks.rank()), ranks.is_master()

    assert Baton(3).run(ask) == [([0, 1, 2], 3.0, 0, rank == 0) for rank in range(3)]

    def fail():
        return ranks.all_or_none(lambda: 1 / (ranks.rank() - 1))

    with pytest.raises(ZeroDivisionError):
        Baton(3).run(fail)


def shares_merged(world):
    """The statistics of 90 pairs that so many ranks share out, merged; some ranks have none."""
    meter = BiasMeter(["s1"])
    videos = torch.arange(90)[ranks.rank() :: world]
    if world > 1 and ranks.rank() % 5 == 3:
        videos = videos[:0]
    elif world == 1:
        videos = torch.tensor([v for v in range(90) if v % WIDE % 5 != 3])
    if len(videos):
        a, b = (FEATURES[i][videos] for i in (0, 1))
        meter.update("static", {"s1": a}, {"s1": b}, videos)
    merged = all_merge(meter)
    if ranks.rank() not in (0, WIDE - 1):
        return merged.pairs()
    return merged.compute()["s1"].correlation["static"]


def test_the_statistics_of_64_ranks_are_those_of_one():
    alone = shares_merged(1)
    merged = Baton(WIDE).run(shares_merged, WIDE)
    videos = sum(v % WIDE % 5 != 3 for v in range(90))
    assert merged[1]["static"] == videos and all(other == merged[1] for other in merged[2:-1])
    assert torch.equal(merged[0], merged[-1])
    torch.testing.assert_close(merged[0], alone, rtol=0, atol=1e-12)
