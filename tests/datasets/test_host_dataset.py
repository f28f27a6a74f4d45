"""Data sets that a user registered with the host: replaced clips, and the clip of a measurement."""

from __future__ import annotations

import pytest
import torch
from support.networks import SLOWFAST
from torch.utils.data import Dataset

from slowfast_bias import host
from slowfast_bias.datasets.contract import open_dataset
from slowfast_bias.datasets.decoding.read_frames import VideoError
from slowfast_bias.datasets.loader import Loader
from slowfast_bias.datasets.source_clips import SourceClips

pytestmark = pytest.mark.host

REPLACED, GONE = 2, 5  # video 3 comes in place of video 2


class Theirs(Dataset):
    """As SlowFast's own: (pathways, label, index, extra), another video's, or None."""

    def __init__(self, cfg, split):
        self.cfg = cfg
        test = cfg.TEST.NUM_ENSEMBLE_VIEWS * cfg.TEST.NUM_SPATIAL_CROPS
        self.views = test if split == "test" else 1

    def __len__(self):
        return 6 * self.views

    def __getitem__(self, index):
        video, view = divmod(index, self.views)
        if video == GONE:
            return None
        came = 3 if video == REPLACED else video
        data = self.cfg.DATA
        mean, std = (torch.tensor(v).view(3, 1, 1, 1) for v in (data.MEAN, data.STD))
        frames = torch.linspace(0, 1, 8).view(1, 8, 1, 1).expand(3, 8, 4, 4) * (came + 1) / 8
        packed = host.pack_pathways(self.cfg, (frames - mean) / std)
        return packed, came % 3, came * self.views + view, {}


@pytest.fixture
def theirs(tiny):
    """A function: the config with changes, and the data set of a split."""
    host.register_dataset(Theirs)
    names = ["TRAIN.DATASET", "theirs", "TEST.DATASET", "theirs"]

    def make(split, *opts):
        cfg = tiny(*names, *opts)
        return cfg, open_dataset("theirs", cfg, split)

    return make


@pytest.mark.parametrize("split", ["val", "test"])
def test_in_evaluation_a_replacement_counts_as_unreadable(theirs, split):
    _, data = theirs(split)
    (batch,) = Loader(data, 6, training=False, seed=0)
    assert batch.indices.tolist() == [0, 1, 3, 4] and batch.targets.tolist() == [0, 1, 0, 1]
    assert batch.unreadable == {REPLACED: "", GONE: ""}  # the host gives no reason


def test_in_training_a_replacement_is_kept_and_reported(theirs):
    _, data = theirs("train")
    (batch,) = Loader(data, 6, training=True, seed=0)
    assert sorted(batch.indices.tolist()) == [0, 1, 3, 3, 4]
    assert batch.targets.tolist() == [index % 3 for index in batch.indices.tolist()]
    assert batch.unreadable == {REPLACED: "", GONE: ""}


@pytest.mark.parametrize(("opts", "whole"), [([], [True]), (SLOWFAST, [False, True])])
def test_pathways_come_packed_and_one_has_every_frame(theirs, opts, whole):
    _, data = theirs("val", *opts)
    (batch,) = Loader(data, 6, training=False, seed=0)
    assert [stream.packed for stream in batch.streams] == [True] * len(whole)
    assert [stream.every_frame for stream in batch.streams] == whole
    assert [x.shape[2] == 8 for x in batch.inputs] == whole and batch.frames() == 8
    for x, pathway in zip(batch.inputs, data.dataset[1][0], strict=True):
        assert torch.equal(x[1], pathway)


@pytest.mark.parametrize("opts", [[], SLOWFAST])
@pytest.mark.parametrize("split", ["val", "test"])
def test_a_measurement_gets_the_frames_without_the_normalisation(theirs, split, opts):
    cfg, data = theirs(split, *opts, "TEST.NUM_ENSEMBLE_VIEWS", 2, "TEST.NUM_SPATIAL_CROPS", 3)
    clip = data.clip(1)
    assert clip.shape == (8, 4, 4, 3) and clip.dtype == torch.float32
    torch.testing.assert_close(clip[:, 0, 0, 0], torch.linspace(0, 1, 8) / 4)
    assert data.views == (6 if split == "test" else 1) and data.target(1) == 1
    for video in (REPLACED, GONE):
        for ask in (data.clip, data.target):
            with pytest.raises(VideoError):
                ask(video)
    source = SourceClips(cfg, split)
    assert len(source) == 6
    (batch,) = Loader(source, 6, training=False, seed=0)
    assert batch.indices.tolist() == [0, 1, 3, 4] and sorted(batch.unreadable) == [REPLACED, GONE]
