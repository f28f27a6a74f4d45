"""Multi-view testing: views of a video are added up, and every video counts once."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
import torch

from slowfast_bias import engine, host
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.testing.vote import as_filmed, videos_and_recordings, vote
from slowfast_bias.errors import DataError
from slowfast_bias.models.weights.readers import CheckpointError
from slowfast_bias.outputs import Outputs

pytestmark = pytest.mark.host


@host.register_dataset
class Viewvideos(torch.utils.data.Dataset):
    """Five test videos of noise whose views differ; DATA.PATH_PREFIX lists the broken clips."""

    def __init__(self, cfg, split):
        self.cfg, self.views = cfg, cfg.TEST.NUM_ENSEMBLE_VIEWS * cfg.TEST.NUM_SPATIAL_CROPS
        self.broken = {int(word) for word in cfg.DATA.PATH_PREFIX.split()}

    def __len__(self):
        return 5 * self.views

    def __getitem__(self, index):
        came = index
        if index in self.broken:
            came = (index + self.views) % len(self)  # the host's way: another clip, unasked
        frames = torch.randn(3, 8, 32, 32, generator=torch.Generator().manual_seed(came))
        return host.pack_pathways(self.cfg, frames), came // self.views % 4, came, {}


VIEWS = ["TEST.DATASET", "viewvideos", "TEST.NUM_ENSEMBLE_VIEWS", 2, "TEST.NUM_SPATIAL_CROPS", 3]


@pytest.fixture
def trained(tiny):
    """A function: the config of a trained network, tested on `Viewvideos` with changes."""
    engine.train(tiny("SOLVER.MAX_EPOCH", 1))
    return lambda *opts: tiny(*VIEWS, *opts)


def network_of(cfg):
    model = network.build_network(cfg)
    network.load_trained(cfg, model)
    return model.eval()


def predict_videos(cfg, model):
    """Scores (V, classes) summed over views, labels (V,), views seen (V,)."""
    task = make_task(cfg, model)
    tally = vote(cfg, task, as_filmed(task, model), "test").tally
    assert tally.scores.shape[0] == 1
    return tally.scores[0], tally.labels, tally.clips_of()


@pytest.mark.parametrize("batch", [1, 4, 30])
def test_scores_of_all_views_of_a_video_are_added(trained, batch):
    cfg = trained("TEST.BATCH_SIZE", batch)
    model = network_of(cfg)
    scores, labels, seen = predict_videos(cfg, model)
    assert seen.tolist() == [6] * 5 and labels.tolist() == [0, 1, 2, 3, 0]
    dataset = host.build_dataset("viewvideos", cfg, "test")
    with torch.no_grad():
        clips = torch.stack([dataset[i][0][0] for i in range(len(dataset))])
        wanted = model([clips]).view(5, 6, 4).sum(1)
    torch.testing.assert_close(scores, wanted.double(), rtol=1e-5, atol=1e-6)


def test_accuracy_is_that_of_the_summed_scores(trained):
    cfg = trained()
    scores, labels, _ = predict_videos(cfg, network_of(cfg))
    result = engine.test(cfg)
    assert result.top1 == pytest.approx(100 * float((scores.argmax(1) == labels).double().mean()))
    assert (result.top5, result.videos, result.dropped) == (100.0, 5, [])
    with open(f"{cfg.OUTPUT_DIR}/json_stats.log") as file:
        line = json.loads(file.readlines()[-1])
    assert line["_type"] == "test_final" and line["videos"] == 5 and line["dropped"] == 0
    assert line["top1_acc"] == f"{result.top1:.2f}"


def test_a_replaced_clip_is_dropped_and_its_video_does_not_count_on_the_others(trained):
    whole = predict_videos(trained(), network_of(trained()))
    cfg = trained("DATA.PATH_PREFIX", "6 7")
    scores, labels, seen = predict_videos(cfg, network_of(cfg))
    assert seen.tolist() == [6, 4, 6, 6, 6] and labels.tolist() == [0, 1, 2, 3, 0]
    others = [0, 2, 3, 4]
    assert torch.equal(scores[others], whole[0][others])
    assert (scores[1] < whole[0][1]).all()
    assert engine.test(cfg).dropped == [1]


def test_a_video_without_any_readable_view_is_dropped_counted_and_named(trained):
    cfg = trained("DATA.PATH_PREFIX", " ".join(map(str, range(6, 12))))
    result = engine.test(cfg)
    assert (result.videos, result.dropped) == (4, [1])
    with open(f"{cfg.OUTPUT_DIR}/json_stats.log") as file:
        assert json.loads(file.readlines()[-1])["dropped"] == 1
    with open(f"{cfg.OUTPUT_DIR}/stdout.log") as file:
        assert "videos [1] could not be read" in file.read()


def test_no_readable_video_at_all_is_an_error(trained):
    with pytest.raises(DataError, match="at least one readable video"):
        engine.test(trained("DATA.PATH_PREFIX", " ".join(map(str, range(30)))))


def test_predictions_are_saved_as_the_host_saves_them(trained):
    cfg = trained("TEST.SAVE_RESULTS_PATH", "scores.pkl")
    engine.test(cfg)
    with open(f"{cfg.OUTPUT_DIR}/scores.pkl", "rb") as file:
        scores, labels = pickle.load(file)
    wanted = predict_videos(cfg, network_of(cfg))
    np.testing.assert_array_equal(scores, wanted[0].numpy())
    assert labels.tolist() == [0, 1, 2, 3, 0]


def test_weights_come_from_the_named_file_then_the_run_then_the_start(trained, tiny, tmp_path):
    cfg = trained()
    own = Outputs(cfg.OUTPUT_DIR).checkpoint(1)
    other = str(tmp_path / "other.pyth")
    torch.save(network_of(cfg).state_dict(), other)
    empty = ["OUTPUT_DIR", str(tmp_path / "empty")]
    assert engine.test(trained("TEST.CHECKPOINT_FILE_PATH", other)).checkpoint == other
    assert engine.test(trained("TRAIN.CHECKPOINT_FILE_PATH", other)).checkpoint == own
    assert engine.test(trained(*empty, "TRAIN.CHECKPOINT_FILE_PATH", other)).checkpoint == other
    with pytest.raises(CheckpointError, match=r"TEST\.CHECKPOINT_FILE_PATH is empty.*empty"):
        engine.test(trained(*empty))


def test_caffe2_weights_are_tested_by_name(trained, tmp_path):
    cfg = trained()
    names = {
        "conv1_w": "s1.pathway0_stem.conv.weight", "pred_w": "head.projection.weight",
        "pred_b": "head.projection.bias",
    }  # fmt: skip
    state = network_of(cfg).state_dict()
    path = tmp_path / "zoo.pkl"
    path.write_bytes(pickle.dumps({"blobs": {b: state[n].numpy() for b, n in names.items()}}))
    opts = ["TEST.CHECKPOINT_FILE_PATH", str(path), "TEST.CHECKPOINT_TYPE", "caffe2"]
    with pytest.raises(CheckpointError, match="lacks"):
        engine.test(trained(*opts))
    assert engine.test(trained(*opts, "BIAS.ALLOW_PARTIAL_WEIGHTS", True)).videos == 5


@pytest.mark.parametrize(
    ("videos", "recordings", "says"),
    [(1, 1, "1 video"), (9, 9, "9 videos"), (9, 1, "9 videos of 1 recording")],
)
def test_one_video_is_written_as_one(videos, recordings, says):
    assert videos_and_recordings({"videos": videos, "recordings": recordings}) == says


def test_frames_of_sequences_are_no_videos():
    found = {"videos": 12, "recordings": 3}
    assert videos_and_recordings(found, frames=True) == "12 frames of 3 sequences"
