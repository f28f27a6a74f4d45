"""Data sets of SlowFast: `kinetics` is read by `videos`; others come through `HostDataset`."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest
import torch
from support.networks import SLOWFAST
from support.videos import decode_all, write_video

from slowfast_bias import engine, host
from slowfast_bias.bias import BiasReport
from slowfast_bias.datasets import contract
from slowfast_bias.datasets.contract import FRAMES, Sample, is_registered
from slowfast_bias.datasets.host_dataset import HostDataset
from slowfast_bias.datasets.loader import Loader
from slowfast_bias.datasets.pairs.frame_order import reversed_order, shuffled
from slowfast_bias.datasets.pairs.request import pair_maker
from slowfast_bias.datasets.source_clips import SourceClips
from slowfast_bias.datasets.videos import Videos
from slowfast_bias.engine.measuring.film_strips import Shown, read_strips
from slowfast_bias.engine.measuring.measurement import measure_networks
from slowfast_bias.engine.measuring.views import make_views
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.setup.loaders import build_loader, source_loader
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.testing.battery import battery_of
from slowfast_bias.engine.testing.battery_questions import read_questions
from slowfast_bias.engine.testing.vote import FrameOrders, vote
from slowfast_bias.errors import DataError
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import strict
from slowfast_bias.visualization.drawing.film_strip import make_strip

pytestmark = [pytest.mark.host, pytest.mark.filterwarnings("ignore:fewer than 500 pairs")]


def lines(cfg, kind):
    with open(Outputs(cfg.OUTPUT_DIR).stats) as file:
        return [line for line in map(json.loads, file) if line["_type"] == kind]


def listed(cfg):
    """What bad_videos.csv says, as (split, path)."""
    path = Path(Outputs(cfg.OUTPUT_DIR).unreadable_videos)
    if not path.exists():
        return []
    with path.open() as file:
        return [(row["split"], row["path"]) for row in csv.DictReader(file)]


# -- kinetics -------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A folder of four videos of either class, of the very size of a crop, and one that is none."""
    folder = tmp_path_factory.mktemp("films")
    for number in range(8):
        first = 1000 * (number % 2) + 40 * number
        write_video(folder / f"{number}.mp4", list(range(first, first + 24)), size=(64, 64))
    (folder / "broken.mp4").write_bytes(b"this is not a video" * 100)
    return folder


@pytest.fixture
def kinetics(tiny, films, tmp_path):
    """A function: a config over lists in which some rows are replaced."""

    def make(*opts, **lists):
        for split in ("train", "val", "test"):
            good = [f"{number}.mp4 {number % 2}" for number in range(8)]
            chosen = lists.get(split, good if split == "train" else good[:3])
            (tmp_path / f"{split}.csv").write_text("".join(f"{row}\n" for row in chosen))
        return tiny(
            "TRAIN.DATASET", "kinetics", "TEST.DATASET", "Kinetics", "MODEL.NUM_CLASSES", 2,
            "DATA.PATH_TO_DATA_DIR", str(tmp_path), "DATA.PATH_PREFIX", str(films),
            "DATA.TRAIN_JITTER_SCALES", [64, 64], "DATA.TRAIN_CROP_SIZE", 64,
            "DATA.TEST_CROP_SIZE", 64, "SOLVER.MAX_EPOCH", 1,
            "TEST.NUM_ENSEMBLE_VIEWS", 2, "TEST.NUM_SPATIAL_CROPS", 3, *opts,
        )  # fmt: skip

    return make


def test_kinetics_trains_validates_and_tests_through_videos(kinetics):
    cfg = kinetics()
    assert cfg.TRAIN.DATASET == cfg.TEST.DATASET == "videos"
    trained = engine.train(cfg)
    assert trained.val["clips"] == 3 and trained.val["dropped"] == 0
    result = engine.test(cfg)
    assert (result.videos, result.dropped) == (3, [])


def test_batches_of_kinetics_hold_the_very_frames_of_the_videos(kinetics, films):
    cfg = kinetics("DATA.RANDOM_FLIP", False)
    decoded = {number: decode_all(films / f"{number}.mp4") for number in range(8)}
    for split, views in (("train", 1), ("val", 1), ("test", 6)):
        loader, seen = build_loader(cfg, split), []
        assert isinstance(loader.dataset, Videos)
        for batch in loader:
            (clips,) = batch.inputs
            assert clips.dtype == torch.uint8 and clips.shape[1:] == (8, 64, 64, 3)
            for clip, label, index in zip(clips, batch.targets, batch.indices, strict=True):
                number = int(index) // views
                starts = [
                    s for s in range(24 - 8 + 1)
                    if torch.equal(decoded[number][s : s + 8], clip)
                ]  # fmt: skip
                assert len(starts) == 1 and int(label) == number % 2
                seen.append(int(index))
        assert sorted(seen) == list(range({"train": 8, "val": 3, "test": 18}[split]))


@pytest.mark.parametrize("bad", ["broken.mp4", "missing.mp4"])
def test_a_video_that_cannot_be_read_is_dropped_and_counted(kinetics, bad):
    rows = ["0.mp4 0", f"{bad} 1", "2.mp4 0", "3.mp4 1"]
    cfg = kinetics(val=rows, test=rows)
    trained = engine.train(cfg)
    assert (trained.val["clips"], trained.val["dropped"]) == (3, 1)
    result = engine.test(cfg)
    assert (result.videos, result.dropped) == (3, [1])
    told = [x["dropped"] for x in (*lines(cfg, "val_epoch"), *lines(cfg, "test_final"))]
    assert told == [1, 1]


@pytest.mark.parametrize("workers", [0, 1])
def test_in_training_another_video_comes_and_that_is_said_once(kinetics, workers):
    rows = [*(f"{number}.mp4 {number % 2}" for number in range(7)), "missing.mp4 1"]
    cfg = kinetics(
        "SOLVER.MAX_EPOCH", 2, "DATA_LOADER.NUM_WORKERS", workers,
        "BIAS.DATA.MAX_BAD_SHARE", 0.2, train=rows,
    )  # fmt: skip
    engine.train(cfg)
    said = Path(Outputs(cfg.OUTPUT_DIR).log).read_text().splitlines()
    (line,) = [line for line in said if "bad video" in line]
    assert "of the train list" in line and "missing.mp4" in line and "row 8" in line


def test_a_training_list_without_any_readable_video_is_an_error(kinetics):
    rows = [f"missing{number}.mp4 0" for number in range(4)]
    with pytest.raises(DataError, match=r"none of the batch in epoch 1.*DATA\.PATH_PREFIX"):
        engine.train(kinetics("BIAS.DATA.MAX_BAD_SHARE", 1.0, train=rows))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["0.mp4 0", "1.mp4"], r"train\.csv, row 2: .*no label"),
        (["0.mp4 0", "1.mp4 2"], r"train\.csv, row 2: .*2 classes"),
        ([], r"train\.csv.*zero videos"),
    ],
)
def test_bad_lists_are_named_before_anything_is_decoded(kinetics, rows, says, monkeypatch):
    monkeypatch.setattr(Videos, "sample", None)
    with pytest.raises(DataError, match=says):
        engine.train(kinetics(train=rows))


def test_a_missing_list_is_named(kinetics, tmp_path):
    cfg = kinetics()
    (tmp_path / "test.csv").unlink()
    engine.train(cfg)
    with pytest.raises(DataError, match=r"test\.csv.*no such file"):
        engine.test(cfg)


# -- data sets that are registered with the host alone --------------------------------------------
VIDEOS = {"train": 8, "val": 6, "test": 5}


def frames_of(split, number):
    """A grey that follows the class with noise on it, uint8 (8, 32, 32, 3)."""
    generator = torch.Generator().manual_seed(100 * list(VIDEOS).index(split) + number)
    noise = torch.randint(0, 90, (8, 32, 32, 3), generator=generator, dtype=torch.uint8)
    return noise + 55 * (number % 4)


class Foreign(torch.utils.data.Dataset):
    """What a user of SlowFast writes: packed, normalised pathways of (cfg, split).

    DATA.PATH_PREFIX has the clips of each split that cannot be read: "train:3 test:7".
    """

    def __init__(self, cfg, split):
        self.cfg, self.split = cfg, split
        test = split == "test"
        self.views = cfg.TEST.NUM_ENSEMBLE_VIEWS * cfg.TEST.NUM_SPATIAL_CROPS if test else 1
        words = [word.split(":") for word in cfg.DATA.PATH_PREFIX.split()]
        self.torn = {int(index) for name, index in words if name == split}

    def __len__(self):
        return VIDEOS[self.split] * self.views

    def instead(self, index):
        """The clip that comes in place of one that cannot be read; None if none does."""
        return index

    def __getitem__(self, index):
        came = self.instead(index) if index in self.torn else index
        if came is None:
            return None
        number = came // self.views
        frames = frames_of(self.split, number).float() / 255
        planes = (frames - torch.tensor(self.cfg.DATA.MEAN)) / torch.tensor(self.cfg.DATA.STD)
        pathways = host.pack_pathways(self.cfg, planes.permute(3, 0, 1, 2).contiguous())
        return pathways, number % 4, came, {}


@host.register_dataset
class Replacing(Foreign):
    """Gives the next clip in place of one that cannot be read, as the hosts' own do."""

    def instead(self, index):
        return (index + self.views) % len(self)


@host.register_dataset
class Silent(Foreign):
    """Gives None."""

    def instead(self, index):
        return None


@host.register_dataset
class Jumping(Foreign):
    """Begins at a random frame, in validation too."""

    def __getitem__(self, index):
        pathways, *rest = super().__getitem__(index)
        return [x.roll(random.randrange(8), 1) for x in pathways], *rest


@contract.register_dataset
class Owned(torch.utils.data.Dataset):
    """The same frames behind our own contract."""

    streams = FRAMES

    def __init__(self, cfg, split):
        self.split, test = split, split == "test"
        self.views = cfg.TEST.NUM_ENSEMBLE_VIEWS * cfg.TEST.NUM_SPATIAL_CROPS if test else 1

    def __len__(self):
        return VIDEOS[self.split] * self.views

    def sample(self, index):
        video = index // self.views
        return Sample((self.clip(video),), self.target(video), index)

    def clip(self, video):
        return frames_of(self.split, video)

    def target(self, video):
        return video % 4

    def describe(self, index):
        return f"{self.split} video {index // self.views}", f"row {index}"

    def about(self):
        return {}


@pytest.fixture
def config(tiny, tmp_path):
    """A function: the config of a data set of that name, in a folder of its own."""

    def make(name, *opts):
        return tiny(
            "TRAIN.DATASET", name, "TEST.DATASET", name, "OUTPUT_DIR", str(tmp_path / name),
            "TEST.NUM_ENSEMBLE_VIEWS", 2, "TEST.NUM_SPATIAL_CROPS", 3, "SOLVER.MAX_EPOCH", 1,
            "BIAS.DATA.MAX_BAD_SHARE", 0.3, *opts,
        )  # fmt: skip

    return make


def weights(cfg):
    return torch.load(Outputs(cfg.OUTPUT_DIR).checkpoint(1), weights_only=True)["model_state"]


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


PATHWAYS = [pytest.param([], id="one"), pytest.param(SLOWFAST, id="two")]
FOREIGN = ["replacing", "silent"]


@pytest.mark.parametrize("pathways", PATHWAYS)
@pytest.mark.parametrize("name", FOREIGN)
def test_it_trains_validates_and_tests_as_the_same_frames_of_our_own(config, name, pathways):
    theirs, ours = config(name, *pathways), config("owned", *pathways)
    assert not is_registered(name) and is_registered("owned")
    results = [engine.train(cfg) for cfg in (theirs, ours)]
    assert results[0].val == {**results[1].val, "clips": 6, "dropped": 0}
    assert same(weights(theirs), weights(ours))
    assert results[0].train["loss"] == results[1].train["loss"]
    tested = [engine.test(cfg) for cfg in (theirs, ours)]
    assert (tested[0].videos, tested[0].dropped) == (5, [])
    assert (tested[0].top1, tested[0].top5) == (tested[1].top1, tested[1].top5)
    assert listed(theirs) == []


def test_workers_and_process_starts_change_nothing(kinetics):
    """On the host's own class, which a worker that starts afresh must unpickle."""
    cfg = kinetics()
    dataset = HostDataset("kinetics", cfg, "train")
    assert type(dataset.dataset).__module__.startswith("slowfast.")

    def clips(workers):
        batches = list(Loader(dataset, 4, training=True, seed=3, workers=workers))
        assert all(batch.streams[0].packed and not batch.unreadable for batch in batches)
        return [batch.inputs[0] for batch in batches]

    wanted, before = clips(0), torch.multiprocessing.get_start_method()
    for start in ("fork", "spawn"):
        torch.multiprocessing.set_start_method(start, force=True)
        try:
            got = clips(1)
        finally:
            torch.multiprocessing.set_start_method(before, force=True)
        assert all(torch.equal(a, b) for a, b in zip(got, wanted, strict=True)), start


@pytest.mark.parametrize("name", FOREIGN)
def test_what_it_cannot_read_is_dropped_and_named_in_evaluation(config, name):
    cfg = config(name, "DATA.PATH_PREFIX", "val:4 test:7 test:8")
    trained = engine.train(cfg)
    assert (trained.val["clips"], trained.val["dropped"]) == (5, 1)
    whole = engine.train(config("owned"))
    assert trained.train["loss"] == whole.train["loss"]
    result = engine.test(cfg)
    assert (result.videos, result.dropped) == (4, [1])
    assert listed(cfg) == [
        ("val", f"{name} val 4"), ("test", f"{name} test 7"), ("test", f"{name} test 8"),
    ]  # fmt: skip
    told = [x["dropped"] for x in (*lines(cfg, "val_epoch"), *lines(cfg, "test_final"))]
    assert told == [1, 1]
    said = Path(Outputs(cfg.OUTPUT_DIR).log).read_text()
    assert f"bad video of the test list: {name} test 7" in said
    meta = engine.test_orders(cfg)["meta"]
    assert (meta["videos"], meta["dropped_videos"]) == (4, [1])
    wanted = [f"{name} test 7", f"{name} test 8"]  # neither is the video's first clip
    assert [bad["path"] for bad in meta["dropped_because"]] == wanted
    assert all("another clip, or none" in bad["reason"] for bad in meta["dropped_because"])
    meta = engine.measure(cfg).meta
    assert (meta["videos"], meta["dropped_videos"]) == (5, [4])
    assert "another clip, or none" in meta["dropped_because"][0]["reason"]


def test_a_clip_that_comes_in_place_of_another_is_kept_and_named_in_training(config):
    cfg = config("replacing", "DATA.PATH_PREFIX", "train:3", "SOLVER.MAX_EPOCH", 2)
    batches = list(build_loader(cfg, "train"))
    assert sum(batch.clips() for batch in batches) == 8
    assert sorted(i for batch in batches for i in batch.indices.tolist()).count(4) == 2
    assert [position for batch in batches for position in batch.unreadable] == [3]
    engine.train(cfg)
    assert listed(cfg) == [("train", "replacing train 3")]
    said = Path(Outputs(cfg.OUTPUT_DIR).log).read_text()
    assert said.count("bad video of the train list: replacing train 3") == 1  # of two epochs
    assert [x["videos"] for x in lines(cfg, "bad_videos")] == [["replacing train 3"]]


def test_a_clip_that_does_not_come_is_left_out_of_the_batch_and_named_in_training(config):
    cfg = config("silent", "DATA.PATH_PREFIX", "train:3", "SOLVER.MAX_EPOCH", 2)
    batches = list(build_loader(cfg, "train"))
    assert sorted(batch.clips() for batch in batches) == [3, 4]
    assert sorted(i for b in batches for i in b.indices.tolist()) == [0, 1, 2, 4, 5, 6, 7]
    engine.train(cfg)
    assert listed(cfg) == [("train", "silent train 3")]


def test_a_batch_of_nothing_is_an_error(config):
    torn = " ".join(f"train:{number}" for number in range(8))
    cfg = config("silent", "DATA.PATH_PREFIX", torn, "BIAS.DATA.MAX_BAD_SHARE", 1.0)
    with pytest.raises(DataError, match="none of the batch in epoch 1"):
        engine.train(cfg)


def scores_of(report):
    return {
        (layer, factor): torch.as_tensor(report[layer].correlation[factor])
        for layer in report.layers
        for factor in ("static", "dynamic")
    }


@pytest.mark.parametrize("split", ["val", "test"])
@pytest.mark.parametrize("pathways", PATHWAYS)
def test_its_central_view_measures_as_the_same_frames_of_our_own(config, pathways, split):
    words = [*pathways, "BIAS.SPLIT", split]
    model = network.build_network(config("owned", *words))
    theirs, ours = (
        measure_networks(config(name, *words), {"net": model}, "config")["net"]
        for name in ("replacing", "owned")
    )
    assert theirs.meta["videos"] == ours.meta["videos"] == VIDEOS[split]
    a, b = scores_of(theirs), scores_of(ours)
    assert list(a) == list(b)
    for key in a:  # frames went through (x - mean) / std and back
        torch.testing.assert_close(a[key], b[key], rtol=0, atol=1e-4, equal_nan=True)


@pytest.mark.parametrize("name", FOREIGN)
def test_a_measurement_drops_and_names_what_cannot_be_read(config, name):
    cfg = config(name, "DATA.PATH_PREFIX", "val:2")
    engine.train(cfg)
    report = engine.measure(cfg)
    assert (report.meta["videos"], report.meta["dropped_videos"]) == (5, [2])
    assert report["s5"].pairs == dict.fromkeys(("static", "dynamic", "neither"), 5)
    loaded = BiasReport.load(Outputs(cfg.OUTPUT_DIR).report())
    assert loaded.meta["warnings"] == report.meta["warnings"] != []
    assert f"{name} val 2" in report.meta["warnings"][0]
    assert ("val", f"{name} val 2") in listed(cfg)


def test_the_random_choices_of_its_val_view_follow_from_the_seed_of_the_measurement(config):
    model = network.build_network(config("jumping"))
    found = []
    for seed, options in enumerate(([], [], ["TEST.BATCH_SIZE", 5], ["BIAS.SEED", 1])):
        random.seed(seed)
        cfg = config("jumping", *options)
        report = measure_networks(cfg, {"net": model}, "config")["net"]
        found.append(scores_of(report)["s5", "static"])
    assert torch.equal(found[0].nan_to_num(9), found[1].nan_to_num(9))
    torch.testing.assert_close(found[0], found[2], rtol=0, atol=1e-4, equal_nan=True)
    assert (found[0] - found[3]).abs().nan_to_num(0).max() > 1e-2


def test_a_strip_shows_the_clip_that_was_measured_however_it_was_drawn(config):
    cfg = config("jumping")
    shown = Shown(SourceClips(cfg, "val"), pair_maker("static_dynamic"), "styled")
    strips, unreadable = read_strips(cfg, shown, range(4))
    assert not unreadable and len({strip.webp for strip in strips.values()}) == 4
    (batch,) = [b for b in source_loader(cfg, shown.source) if 0 in b.indices.tolist()]
    for clip, video in zip(batch.inputs[0], batch.indices.tolist(), strict=True):
        views = make_views(cfg, shown.source, [clip[None]], [video], shown.maker, lambda x: [x])
        if video in strips:
            assert make_strip(views.inputs["styled"][0][0]).webp == strips[video].webp


@pytest.mark.parametrize("pathways", PATHWAYS)
def test_frames_out_of_order_are_packed_as_if_they_were_filmed_so(config, pathways):
    cfg = config("replacing", *pathways)
    task = make_task(cfg, network.build_network(cfg))
    batch = next(iter(build_loader(cfg, "val")))
    assert batch.frames() == 8
    orders = torch.stack([torch.randperm(8) for _ in range(batch.clips())])
    got = task.inputs(batch, torch.device("cpu"), orders)
    mean, std = torch.tensor(cfg.DATA.MEAN), torch.tensor(cfg.DATA.STD)
    for place, (index, order) in enumerate(zip(batch.indices.tolist(), orders, strict=True)):
        frames = (frames_of("val", index)[order].float() / 255 - mean) / std
        wanted = host.pack_pathways(cfg, frames.permute(3, 0, 1, 2).contiguous())
        assert len(got) == len(wanted) == (2 if pathways else 1)
        assert all(torch.equal(a[place], b) for a, b in zip(got, wanted, strict=True))


@pytest.mark.parametrize("pathways", PATHWAYS)
def test_shuffled_training_is_that_of_the_same_frames_of_our_own(config, pathways):
    words = [*pathways, "BIAS.SHUFFLE.TRAIN", True]
    theirs, ours = config("replacing", *words), config("owned", *words)
    for cfg in (theirs, ours):
        engine.train(cfg)
    assert same(weights(theirs), weights(ours))
    plain = config("replacing", *pathways, "OUTPUT_DIR", f"{theirs.OUTPUT_DIR}-plain")
    engine.train(plain)
    assert not same(weights(theirs), weights(plain))


@pytest.mark.parametrize("pathways", PATHWAYS)
def test_tests_out_of_order_are_those_of_the_same_frames_of_our_own(config, pathways):
    words = [*pathways, "BIAS.SHUFFLE.TEST", True]
    ours = config("owned", *words)
    engine.train(ours)
    words += ["TEST.CHECKPOINT_FILE_PATH", Outputs(ours.OUTPUT_DIR).checkpoint(1)]
    theirs, ours = (config(name, *words) for name in ("replacing", "owned"))
    a, b = (engine.test_orders(cfg) for cfg in (theirs, ours))
    assert a["videos"] == 5 and strict({**a, "meta": 0}) == strict({**b, "meta": 0})
    # accuracies of so few videos may agree by luck; scores do not
    orders = {
        "ordered": None,
        "shuffled": lambda frames, clips: shuffled(frames, 0, clips),
        "reversed": lambda frames, clips: reversed_order(frames, len(clips)),
    }
    model = engine.trained_network(theirs)
    task = make_task(theirs, model)
    found = [
        vote(cfg, task, FrameOrders(task, model, orders), "test").tally.scores
        for cfg in (theirs, ours)
    ]
    assert torch.equal(*found)
    assert not torch.equal(found[0][0], found[0][1])
    assert not torch.equal(found[0][0], found[0][2])


@pytest.mark.parametrize("pathways", PATHWAYS)
def test_looks_are_those_of_the_same_frames_of_our_own(config, pathways):
    few = ["BIAS.SHUFFLE.ORDERS", 1, "BIAS.BEHAVIOUR.SINGLE_FRAMES", 1, "BIAS.STYLES.NUM", 2]
    few += ["BIAS.BEHAVIOUR.WINDOWS", [], "BIAS.BEHAVIOUR.K_FRAMES", []]
    theirs, ours = (config(name, *pathways, *few) for name in ("replacing", "owned"))
    Path(theirs.OUTPUT_DIR).mkdir(exist_ok=True)
    model = engine.build_network(theirs)
    a, b = (battery_of(cfg, model, read_questions(cfg)) for cfg in (theirs, ours))
    for name, entry in b.pop("divergence").items():
        assert a["divergence"][name]["mean"] == pytest.approx(entry["mean"], rel=1e-4)
    assert "look1" in a["variants"] and strict(a["variants"]) == strict(b["variants"])
