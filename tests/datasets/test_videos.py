"""Videos: which frames a clip has, which view of them, and what happens to a bad file."""

from __future__ import annotations

import shutil

import pytest
import torch
from support.networks import SLOWFAST
from support.videos import cut, spoil, write_audio, write_folder, write_video

from slowfast_bias import host
from slowfast_bias.datasets.contract import Sample, open_dataset
from slowfast_bias.datasets.decoding.read_frames import VideoError, read_frames
from slowfast_bias.datasets.loader import Loader
from slowfast_bias.datasets.source_clips import SourceClips
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.errors import DataError
from slowfast_bias.seeding import seeded

pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """60 frames each: 30 fps, 60 fps, a folder of pictures, and a file that is no video."""
    folder = tmp_path_factory.mktemp("films")
    write_video(folder / "a.mp4", 60, 30)
    write_video(folder / "b.mp4", 60, 60)
    write_folder(folder / "c", range(60))
    (folder / "bad.mp4").write_text("no video")
    return folder


@pytest.fixture
def videos(tiny, films, tmp_path):
    """A function: the data set of a split over rows, with changes of the config."""

    def make(split, rows, *opts, dataset=True):
        (tmp_path / f"{split}.csv").write_text("".join(f"{row}\n" for row in rows))
        cfg = tiny(
            "TRAIN.DATASET", "videos", "TEST.DATASET", "videos", "MODEL.NUM_CLASSES", 2,
            "DATA.PATH_TO_DATA_DIR", str(tmp_path), "DATA.PATH_PREFIX", str(films),
            "DATA.TRAIN_JITTER_SCALES", [64, 64], "DATA.TRAIN_CROP_SIZE", 64,
            "DATA.TEST_CROP_SIZE", 64, "DATA.SAMPLING_RATE", 2, *opts,
        )  # fmt: skip
        return open_dataset("videos", cfg, split) if dataset else cfg

    return make


def pixels(data, index):
    """What an item for the host's own loops was made of, in [0, 255]."""
    inputs = data[index][0]
    return host.source_frames(data.cfg, inputs).mul(255).round().to(torch.uint8)


# -- frames --------------------------------------------------------------------------------------


def test_the_central_clip_is_the_middle_in_time_and_space(videos, films):
    for name, first, last in (("a.mp4", 22, 37), ("b.mp4", 14, 45), ("c", 22, 37)):
        data = videos("val", [f"{name} 1"])
        picks = torch.linspace(first, last, 8).long().tolist()
        wanted = read_frames(films / name, picks)[:, :, 16:80]
        assert torch.equal(data.clip(0), wanted)
        assert data.clip(0).dtype == torch.uint8
        (frames,), label, index, unreadable = data.sample(0)
        assert (label, index, unreadable) == (1, 0, {}) and frames.dtype == torch.uint8
        assert torch.equal(frames, wanted)
        inputs, label, index, *_ = data[0]  # as the host's own loops read it
        assert (label, index) == (1, 0) and inputs[0].shape == (3, 8, 64, 64)
        assert torch.equal(pixels(data, 0).permute(1, 2, 3, 0), wanted)


def test_exact_stride_and_segments(videos, films):
    exact = videos("val", ["a.mp4 0"], "BIAS.DATA.STRIDE", "exact")
    wanted = read_frames(films / "a.mp4", range(22, 38, 2))[:, :, 16:80]
    assert torch.equal(exact.clip(0), wanted)
    parts = videos("val", ["a.mp4 0"], "BIAS.DATA.SAMPLING", "segments")
    wanted = read_frames(films / "a.mp4", [3, 11, 18, 26, 33, 40, 48, 55])[:, :, 16:80]
    assert torch.equal(parts.clip(0), wanted)


@pytest.mark.parametrize(
    ("part", "first", "last"),
    [("#frames=30,40", 30, 39), ("#t=0.5,1", 15, 29), ("#t=1.95,9", 59, 59)],
)
def test_a_listed_part_is_all_that_is_seen(videos, films, part, first, last):
    whole = read_frames(films / "a.mp4", range(60))[:, :, 16:80]
    clip = videos("val", [f"a.mp4{part} 0"]).clip(0)
    shown = [int((whole - frame.short()).abs().sum((1, 2, 3)).argmin()) for frame in clip]
    assert first <= min(shown) and max(shown) <= last
    data = videos("train", [f"a.mp4{part} 0"], "BIAS.DATA.SHORT", "loop")
    for seed in range(3):
        with seeded(seed):
            assert data.sample(0).inputs[0].shape == (8, 64, 64, 3)


def test_a_part_behind_the_end_is_an_error_that_says_so(videos):
    for part in ("#frames=60,70", "#t=2.5,4"):
        with pytest.raises(VideoError, match=r"row 1 of its list.*ends before it: 60 frames"):
            videos("val", [f"a.mp4{part} 0"]).clip(0)


def test_test_views_are_all_windows_and_crops_video_by_video(videos, films):
    views = ("TEST.NUM_ENSEMBLE_VIEWS", 2, "TEST.NUM_SPATIAL_CROPS", 3)
    data = videos("test", ["a.mp4 0", "c 1"], *views)
    assert len(data) == 12
    whole = read_frames(films / "a.mp4", range(60))
    for index in range(6):
        start, left = [0, 22][index // 3], [0, 16, 32][index % 3]
        picks = torch.linspace(0, 15, 8).long() + start
        (got,), label, came, _ = data.sample(index)
        assert torch.equal(got, whole[picks, :, left : left + 64])
        assert torch.equal(pixels(data, index).permute(1, 2, 3, 0), got)
        assert (label, came) == data[index][1:3] == (0, index)
    assert data.sample(6)[1:3] == data[6][1:3] == (1, 6)
    one = videos("test", ["a.mp4 0"], "TEST.NUM_SPATIAL_CROPS", 1)
    # a single crop is the middle one, on all hosts
    assert torch.equal(one.sample(0).inputs[0], data.sample(1).inputs[0])


# -- randomness ----------------------------------------------------------------------------------


def test_training_draws_from_the_seeded_generators_only(videos):
    data = videos("train", ["a.mp4 0"], "DATA.TRAIN_JITTER_SCALES", [64, 80])
    seen = []
    for seed in (1, 2, 1):
        with seeded(seed):
            seen.append(data.sample(0).inputs[0])
    assert torch.equal(seen[0], seen[2]) and not torch.equal(seen[0], seen[1])


def test_the_val_list_is_random_only_if_asked(videos):
    for central in (True, False):
        opts = ("BIAS.DATA.VAL_CENTRAL", central, "DATA.TRAIN_JITTER_SCALES", [64, 80])
        data = videos("val", ["a.mp4 0"], *opts)
        with seeded(1):
            first = data.sample(0).inputs[0]
        with seeded(2):
            assert torch.equal(first, data.sample(0).inputs[0]) == central


def test_nothing_is_mirrored_where_the_config_says_so(videos):
    for flip in (False, True):
        data, mirrored = videos("train", ["c 0"], "DATA.RANDOM_FLIP", flip), 0
        for seed in range(12):
            with seeded(seed):
                top = data.sample(0).inputs[0][:, :12, :, 0].float().mean(1)
            mirrored += bool(top[:, :8].mean() > top[:, -8:].mean())  # small numbers: dark left
        assert bool(mirrored) == flip


def pathways(arch):
    """The words of a config for one pathway or two."""
    return SLOWFAST if arch == "slowfast" else ["MODEL.ARCH", arch]


@pytest.mark.parametrize("arch", ["slow", "slowfast"])
def test_one_and_two_pathways(videos, arch):
    inputs = videos("val", ["a.mp4 0"], *pathways(arch))[0][0]
    assert [x.shape[1] for x in inputs] == ([8] if arch == "slow" else [2, 8])


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("arch", ["slow", "slowfast"])
def test_what_our_loader_hands_over_in_uint8_is_what_the_items_hold(videos, arch, reverse):
    opts = (*pathways(arch), "DATA.REVERSE_INPUT_CHANNEL", reverse, "DATA.MEAN", [0.4, 0.5, 0.6])
    data = videos("train", ["a.mp4 0", "b.mp4 1", "c 0"], *opts)
    loader = Loader(data, 3, training=True, seed=data.cfg.RNG_SEED)
    loader.set_epoch(4)
    data._set_epoch_num(4)  # as SlowFast's own loop does
    (batch,) = loader
    assert [x.dtype for x in batch.inputs] == [torch.uint8]
    task = make_task(data.cfg, host.build_model(data.cfg))
    got = task.inputs(batch, torch.device("cpu"))
    for place, index in enumerate(batch.indices.tolist()):
        item = data[index]
        assert item[1:3] == (batch.targets[place], index)
        for whole, alone in zip(got, item[0], strict=True):
            assert torch.equal(whole[place], alone)


# -- bad files -----------------------------------------------------------------------------------


def test_evaluation_drops_and_measurement_drops(videos, tmp_path):
    rows = ["a.mp4 0", "bad.mp4 1", "none.mp4 0"]
    data = videos("val", rows)
    batches = list(Loader(data, 2, training=False, seed=0))
    assert [batch.indices.tolist() for batch in batches] == [[0], []]
    assert [sorted(batch.unreadable) for batch in batches] == [[1], [2]]
    reasons = {k: v for batch in batches for k, v in batch.unreadable.items()}
    assert "bad.mp4" in reasons[1] and "none.mp4" in reasons[2]
    assert data.describe(1)[1] == f"{tmp_path}/val.csv, row 2"
    source = SourceClips(videos("val", rows, dataset=False), "val")
    assert [source.sample(i).inputs == () for i in range(3)] == [False, True, True]
    assert torch.equal(source.sample(0).inputs[0], data.clip(0))
    (batch,) = Loader(source, 3, training=False, seed=0)
    assert sorted(batch.unreadable) == [1, 2] and "bad.mp4" in batch.unreadable[1]
    assert source.describe(1) == data.describe(1)


def test_training_takes_the_next_good_video_of_the_same_label(videos):
    rows = ["a.mp4 0", "bad.mp4 1", "none.mp4 1", "b.mp4 0", "c 1", "c#t=1,2 1"]
    data = videos("train", rows)
    (batch,) = Loader(data, 6, training=True, seed=0)
    came = dict(zip(range(6), [data.sample(i).index for i in range(6)], strict=True))
    assert came == {0: 0, 1: 4, 2: 4, 3: 3, 4: 4, 5: 5}
    assert came == dict(zip(range(6), [data[i][2] for i in range(6)], strict=True))
    assert sorted(batch.indices.tolist()) == sorted(came.values())
    assert sorted(batch.targets.tolist()) == [0, 0, 1, 1, 1, 1]
    assert sorted(batch.unreadable) == [1, 2]
    assert "bad.mp4" in batch.unreadable[1] and "none.mp4" in batch.unreadable[2]


def test_after_the_last_of_a_label_comes_its_first(videos):
    data = videos("train", ["b.mp4 0", "a.mp4 1", "bad.mp4 1"])
    assert data.sample(2)[1:3] == data[2][1:3] == (1, 1)


def test_a_label_without_a_good_video_is_dropped_even_in_training(videos):
    data = videos("train", ["a.mp4 0", "bad.mp4 1"])
    sample = data.sample(1)
    assert sample[:3] == Sample((), None, 1)[:3] and sorted(sample.unreadable) == [1]
    with pytest.raises(DataError, match="bad.mp4"):  # SlowFast counts every clip
        data[1]


def test_every_kind_of_bad_file_is_dropped_by_name(videos, films):
    bad = films / "kinds"
    bad.mkdir(exist_ok=True)
    for name in ("truncated", "spoilt"):
        shutil.copy(films / "a.mp4", bad / f"{name}.mp4")
    cut(bad / "truncated.mp4", 0.5)
    spoil(bad / "spoilt.mp4", 0.2, 0.9)
    (bad / "empty.mp4").touch()
    (bad / "text.mp4").write_text("hello " * 100)
    write_audio(bad / "sound.mp4")
    write_folder(bad / "hole", [1, 2, 4])
    names = sorted(path.name for path in bad.iterdir())
    assert len(names) == 6
    data = videos("val", ["a.mp4 0", *(f"kinds/{name} 1" for name in names)])
    for index, name in enumerate(names, start=1):
        inputs, _, came, unreadable = data.sample(index)
        assert (inputs, came, list(unreadable)) == ((), index, [index])
        assert name in unreadable[index]
        assert data[index][2] == 0  # in SlowFast's own loop the one that can be read
    assert len(data.sample(0).inputs) == 1 and data[0][2] == 0


# -- configs -------------------------------------------------------------------------------------


def test_settings_that_cannot_work_are_refused(videos):
    with pytest.raises(DataError, match="TRAIN_JITTER_SCALES .* at least DATA.TRAIN_CROP_SIZE 64"):
        videos("train", ["a.mp4 0"], "DATA.TRAIN_JITTER_SCALES", [32, 80])
    if "AUG" in host.get_cfg():
        with pytest.raises(DataError, match=r"AUG\.ENABLE to be off"):
            videos("train", ["a.mp4 0"], "AUG.ENABLE", True)
        with pytest.raises(DataError, match="be set together"):
            videos("train", ["a.mp4 0"], "DATA.TRAIN_JITTER_SCALES_RELATIVE", [0.1, 1.0])


def test_kinetics_is_this_data_set_with_all_its_keys(videos):
    for name in ("kinetics", "Kinetics"):
        opts = ["TRAIN.DATASET", name, "DATA.RANDOM_FLIP", False, "DATA.PATH_LABEL_SEPARATOR", ","]
        cfg = videos("train", ["a.mp4,1"], *opts, dataset=False)
        assert (cfg.TRAIN.DATASET, cfg.BIAS.DATA.FORMAT) == ("videos", "csv")
        data = open_dataset(cfg.TRAIN.DATASET, cfg, "train")
        assert data.describe(0)[0].endswith("a.mp4") and data.target(0) == 1
