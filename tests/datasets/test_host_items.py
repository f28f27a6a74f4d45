"""Items of our data sets as SlowFast's own loops read them, on either host."""

from __future__ import annotations

import pytest
import torch

from slowfast_bias import host
from slowfast_bias.datasets.contract import Sample
from slowfast_bias.datasets.pairs.frame_order import reorder, shuffled
from slowfast_bias.datasets.toy.dataset import Toyvideos
from slowfast_bias.errors import DataError

pytestmark = pytest.mark.host


class Spoilt(Toyvideos):
    """The toy world, but nothing of videos 1 and 4 can be read."""

    def sample(self, index):
        bad = index // self.views in (1, 4)
        return Sample((), None, index, {index: "spoilt"}) if bad else super().sample(index)


def frames(cfg, item):
    return host.source_frames(cfg, item[0]).mul(255).round().byte().permute(1, 2, 3, 0)


@pytest.mark.parametrize("split", ["val", "test"])
def test_only_the_key_of_a_list_shuffles_it_and_the_test_is_never_shuffled(tiny, split):
    cfg = tiny("BIAS.SHUFFLE.VAL", True, "BIAS.SHUFFLE.TEST", True)
    data = Toyvideos(cfg, split)
    orders = shuffled(8, cfg.RNG_SEED, [2])
    ordered = data.clip(2)
    wanted = reorder(ordered[None], orders, time=1)[0] if split == "val" else ordered
    assert torch.equal(frames(cfg, data[2]), wanted)
    assert torch.equal(wanted, ordered) == (split == "test")
    assert torch.equal(data.sample(2).inputs[0], ordered)  # our own loops shuffle themselves


def test_epochs_have_orders_of_their_own_and_without_a_number_every_item_has(tiny):
    cfg = tiny("BIAS.SHUFFLE.TRAIN", True)
    data, seen = Toyvideos(cfg, "train"), []
    for epoch in (0, 1, 0):
        data._set_epoch_num(epoch)
        seen.append(frames(cfg, data[0]))
    assert torch.equal(seen[0], seen[2]) and not torch.equal(seen[0], seen[1])
    uncounted = Toyvideos(cfg, "train")  # as an older fork leaves it
    assert any(not torch.equal(frames(cfg, uncounted[0]), seen[0]) for _ in range(3))


def test_a_clip_of_the_val_list_that_cannot_be_read_is_replaced(tiny):
    data = Spoilt(tiny(), "val")
    assert [data[index][2] for index in range(5)] == [0, 2, 2, 3, 0]
    assert [data[index][1] for index in (1, 4)] == [data.target(2), data.target(0)]
    assert data.num_videos == 5


def test_in_slowfasts_test_it_is_an_error_that_names_the_clip(tiny):
    data = Spoilt(tiny("TEST.NUM_ENSEMBLE_VIEWS", 2), "test")
    assert [data[index][2] for index in (0, 1, 4)] == [0, 1, 4] and data.num_videos == 10
    with pytest.raises(DataError, match="toy video 1 .*slowfast_bias check"):
        data[3]
