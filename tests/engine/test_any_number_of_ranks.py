"""One to seven processes: statistics bit-equal, accuracies equal, and none waits for ever.

Batches are of one clip each here: a convolution rounds by the shape of its batch, and then nothing
is left that a number of processes could change. Sums of folds are exact below 20 videos, as each
has a fold of its own; with more, merging in another order rounds the 16th digit.
"""

from __future__ import annotations

import functools

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


def share(rank, world):
    """The statistics of one rank's share of 90 pairs; some ranks have none."""
    meter, videos = BiasMeter(["s1"]), torch.arange(90)[rank::world]
    if len(videos):
        a, b = (x[videos] for x in FEATURES)
        meter.update("static", {"s1": a}, {"s1": b}, videos)
    return meter


@pytest.mark.parametrize("world", [64, 100])
def test_the_shares_of_many_ranks_are_merged_to_what_one_has(world):
    merged = functools.reduce(BiasMeter.merge, (share(rank, world) for rank in range(world)))
    one, many = (m.compute()["s1"].correlation["static"] for m in (share(0, 1), merged))
    assert merged.pairs() == share(0, 1).pairs()
    torch.testing.assert_close(many, one, rtol=0, atol=1e-12)


def test_every_rank_gets_the_same_from_all_merge():
    def work():
        return all_merge(share(ranks.rank(), 7)).compute()["s1"].correlation["static"]

    scores = Baton(7).run(work)
    assert all(torch.equal(scores[0], other) for other in scores)
    torch.testing.assert_close(
        scores[0], share(0, 1).compute()["s1"].correlation["static"], rtol=0, atol=1e-12
    )
