"""The hosts' own Kinetics csv loader, on real video files, through our loop."""

from __future__ import annotations

import json

import av
import numpy as np
import pytest
import torch

from slowfast_bias import engine
from slowfast_bias.engine.setup.loaders import build_loader
from slowfast_bias.errors import DataError

pytestmark = pytest.mark.host


def write_video(path, brightness, seconds=2, rate=30, width=64, height=48):
    """Non-square mp4 of a bright bar that moves over a grey of its own."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for step in range(seconds * rate):
            image = np.full((height, width, 3), brightness, np.uint8)
            image[:, step % width] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """A folder of four dark and four bright videos, and one that is none."""
    folder = tmp_path_factory.mktemp("videos")
    for number in range(8):
        write_video(folder / f"{number}.mp4", 40 if number % 2 else 200)
    (folder / "broken.mp4").write_bytes(b"this is not a video" * 100)
    return folder


@pytest.fixture
def kinetics(tiny, videos, tmp_path):
    """A function: a config over lists in which some rows are replaced."""

    def make(*opts, rows=None, **lists):
        for split in ("train", "val", "test"):
            good = [f"{number}.mp4 {number % 2}" for number in range(8)]
            chosen = lists.get(split, good if split == "train" else good[:3])
            (tmp_path / f"{split}.csv").write_text("".join(f"{row}\n" for row in chosen))
        return tiny(
            "TRAIN.DATASET", "kinetics", "TEST.DATASET", "kinetics", "MODEL.NUM_CLASSES", 2,
            "DATA.PATH_TO_DATA_DIR", str(tmp_path), "DATA.PATH_PREFIX", str(videos),
            "DATA.TRAIN_JITTER_SCALES", [36, 40], "DATA.SAMPLING_RATE", 2, "SOLVER.MAX_EPOCH", 1,
            "TEST.NUM_ENSEMBLE_VIEWS", 2, "TEST.NUM_SPATIAL_CROPS", 3, *opts,
        )  # fmt: skip

    return make


def test_trains_validates_and_tests(kinetics):
    cfg = kinetics()
    trained = engine.train(cfg)
    assert trained.val["clips"] == 3 and trained.val["dropped"] == 0
    result = engine.test(cfg)
    assert (result.videos, result.dropped) == (3, [])


def test_batches_hold_the_videos(kinetics):
    cfg = kinetics()
    for split, clips in (("train", 8), ("val", 3), ("test", 18)):
        loader, seen = build_loader(cfg, split), []
        for batch in loader:
            assert batch.inputs[0].shape[1:] == (3, 8, 32, 32)
            seen += batch.indices.tolist()
            pixels = batch.inputs[0] * cfg.DATA.STD[0] + cfg.DATA.MEAN[0]
            dark = pixels.median(-1).values.flatten(1).median(1).values < 0.45
            assert torch.equal(dark.long(), batch.labels)
        assert sorted(seen) == list(range(clips))


def test_workers_and_process_starts_change_nothing(kinetics):
    cfg = kinetics()
    wanted = [batch.inputs[0] for batch in build_loader(cfg, "train")]
    before = torch.multiprocessing.get_start_method()
    for start in ("fork", "spawn"):
        torch.multiprocessing.set_start_method(start, force=True)
        try:
            loader = build_loader(kinetics("DATA_LOADER.NUM_WORKERS", 1), "train")
            got = [batch.inputs[0] for batch in loader]
        finally:
            torch.multiprocessing.set_start_method(before, force=True)
        assert all(torch.equal(a, b) for a, b in zip(got, wanted, strict=True)), start


@pytest.mark.parametrize("bad", ["broken.mp4", "missing.mp4"])
def test_a_video_that_cannot_be_read_is_dropped_and_counted(kinetics, bad):
    rows = ["0.mp4 0", f"{bad} 1", "2.mp4 0", "3.mp4 1"]
    cfg = kinetics(val=rows, test=rows)
    trained = engine.train(cfg)
    assert (trained.val["clips"], trained.val["dropped"]) == (3, 1)
    result = engine.test(cfg)
    assert (result.videos, result.dropped) == (3, [1])
    with open(f"{cfg.OUTPUT_DIR}/json_stats.log") as file:
        lines = [json.loads(line) for line in file]
    assert [x["dropped"] for x in lines if x["_type"] in ("val_epoch", "test_final")] == [1, 1]


@pytest.mark.parametrize("workers", [0, 1])
def test_in_training_another_video_comes_and_that_is_said_once(kinetics, workers):
    rows = [*(f"{number}.mp4 {number % 2}" for number in range(7)), "missing.mp4 1"]
    cfg = kinetics("SOLVER.MAX_EPOCH", 2, "DATA_LOADER.NUM_WORKERS", workers, train=rows)
    engine.train(cfg)
    with open(f"{cfg.OUTPUT_DIR}/stdout.log") as file:
        said = [line for line in file if "could not be read" in line]
    assert len(said) == 1 and "clips [7] of the train list" in said[0]


def test_a_training_list_without_any_readable_video_is_an_error(kinetics):
    rows = [f"missing{number}.mp4 0" for number in range(4)]
    with pytest.raises(DataError, match=r"none of the batch in epoch 1.*DATA\.PATH_PREFIX"):
        engine.train(kinetics(train=rows))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["0.mp4 0", "1.mp4"], r"row 2 of .*train\.csv.*no label"),
        (["0.mp4 0", "1.mp4 2"], r"row 2 of .*train\.csv.*2 classes"),
        ([], r"train\.csv.*zero videos"),
    ],
)
def test_bad_lists_are_named_before_the_host_meets_them(kinetics, rows, says):
    with pytest.raises(DataError, match=says):
        engine.train(kinetics(train=rows))


def test_a_missing_list_is_named(kinetics, tmp_path):
    cfg = kinetics()
    (tmp_path / "test.csv").unlink()
    engine.train(cfg)
    with pytest.raises(DataError, match=r"test\.csv.*no such file"):
        engine.test(cfg)
