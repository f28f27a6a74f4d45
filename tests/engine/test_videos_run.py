"""Real videos through the whole command line: train, test, measure; and what bad files do."""

from __future__ import annotations

import csv
import json
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from support.videos import cut, has_codec, spoil, write_audio, write_video

from slowfast_bias import engine
from slowfast_bias.bias import BiasReport
from slowfast_bias.cli import main
from slowfast_bias.datasets.contract import open_dataset
from slowfast_bias.datasets.loader import RankSampler
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.steps import check_data
from slowfast_bias.errors import DataError, UserError

pytestmark = pytest.mark.host

RATES = (24, 25, Fraction(30000, 1001), 60)


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Eight sound videos of two classes, four rates and several codecs; two that cannot be read."""
    folder = tmp_path_factory.mktemp("films é")
    codecs = [c for c in ("libx264", "mpeg4", "libx265", "libvpx-vp9") if has_codec(c)]
    for kind in range(8):
        frames = range(0, 20) if kind % 2 else range(3000, 3020)
        name = f"kind {kind}.mp4" if codecs[kind % len(codecs)] != "libvpx-vp9" else None
        path = folder / (name or f"kind {kind}.webm")
        write_video(path, list(frames), RATES[kind % 4], codec=codecs[kind % len(codecs)])
    write_audio(folder / "sound.mp4")
    write_video(folder / "cut.mp4", 40)
    cut(folder / "cut.mp4", 0.5)
    return folder


@pytest.fixture
def config(tiny, films, tmp_path):
    """A function: a config file over 20 rows, of which the given ones are bad, and its cfg."""
    good = sorted(films.glob("kind *"))

    def make(*opts, bad=("sound.mp4", "cut.mp4")):
        names = []
        for number in range(20):  # the same file several times, by another name
            link = tmp_path / "videos" / f"{number:02d} {good[number % 8].name}"
            link.parent.mkdir(exist_ok=True)
            if not link.exists():
                link.symlink_to(good[number % 8])
            names.append(link.name)
        for place, name in zip((7, 14), bad, strict=False):
            names[place] = name
            if not (tmp_path / "videos" / name).exists():
                (tmp_path / "videos" / name).symlink_to(films / name)
        for split in ("train", "val", "test"):
            rows = "".join(f"{name} {number % 2}\n" for number, name in enumerate(names))
            (tmp_path / f"{split}.csv").write_text(rows)
        return [
            *tiny.words, "OUTPUT_DIR", str(tmp_path / "run"), "TRAIN.DATASET", "videos",
            "TEST.DATASET", "videos", "MODEL.NUM_CLASSES", 2, "DATA.NUM_FRAMES", 4,
            "DATA.PATH_TO_DATA_DIR", str(tmp_path), "DATA.PATH_PREFIX", str(tmp_path / "videos"),
            "DATA.TRAIN_JITTER_SCALES", [36, 40], "DATA.SAMPLING_RATE", 2,
            "TRAIN.BATCH_SIZE", 8, "TEST.BATCH_SIZE", 8, "SOLVER.MAX_EPOCH", 1, *opts,
        ]  # fmt: skip

    return make


def run(words, tmp_path):
    (tmp_path / "empty.yaml").write_text("{}")
    return main(["--cfg", str(tmp_path / "empty.yaml"), *map(str, words)])


def lines(tmp_path, kind):
    with open(tmp_path / "run" / "json_stats.log") as file:
        return [line for line in map(json.loads, file) if line["_type"] == kind]


def test_a_run_with_bad_files_names_exactly_those(config, tmp_path):
    words = config("BIAS.ENABLE", True, "BIAS.DATA.MAX_BAD_SHARE", 0.1)
    assert run(words, tmp_path) == 0
    wanted = {str(tmp_path / "videos" / name) for name in ("sound.mp4", "cut.mp4")}
    with open(tmp_path / "run" / "bad_videos.csv") as file:
        rows = list(csv.DictReader(file))
    for split in ("train", "val", "test"):
        named = {row["path"]: row for row in rows if row["split"] == split}
        assert set(named) == wanted
        assert {row["row"] for row in named.values()} == {
            f"{tmp_path}/{split}.csv, row {row}" for row in (8, 15)
        }
        assert all(Path(path).name in row["reason"] for path, row in named.items())
    assert len(rows) == 6
    named = {line["split"]: set(line["videos"]) for line in lines(tmp_path, "bad_videos")}
    assert named == {"train": wanted, "val": wanted, "test": wanted}
    (val,) = lines(tmp_path, "val_epoch")
    assert (val["clips"], val["dropped"]) == (18, 2)
    (final,) = lines(tmp_path, "test_final")
    assert (final["videos"], final["dropped"]) == (18, 2)
    meta = BiasReport.load(str(tmp_path / "run" / "bias" / "report.json")).meta
    assert meta["dropped_videos"] == [7, 14] and meta["videos"] == 18
    assert {bad["path"]: bad["row"].rpartition(" ")[2] for bad in meta["dropped_because"]} == {
        str(tmp_path / "videos" / name): row
        for name, row in (("sound.mp4", "8"), ("cut.mp4", "15"))
    }
    assert meta["decoder"].startswith("pyav")


def test_training_stops_with_the_list_when_too_much_is_bad(config, tmp_path, capsys):
    assert run(config("BIAS.DATA.MAX_BAD_SHARE", 0.09), tmp_path) == 2
    said = capsys.readouterr().err
    assert "at most 9.0% of the 20 videos" in said and "bad_videos.csv" in said
    assert "sound.mp4" in said and "cut.mp4" in said and "row 8" in said and "row 15" in said


def test_a_run_that_goes_on_does_not_list_twice(config, tmp_path):
    words = config("BIAS.DATA.MAX_BAD_SHARE", 0.1, "TEST.ENABLE", False)
    engine.train(engine.load_cfg((), words))
    before = (tmp_path / "run" / "bad_videos.csv").read_text()
    engine.train(engine.load_cfg((), [*words, "SOLVER.MAX_EPOCH", 2]))
    assert (tmp_path / "run" / "bad_videos.csv").read_text() == before
    with open(tmp_path / "run" / "stdout.log") as file:
        said = [line for line in file if "bad video of the train list" in line]
    assert len(said) == 4  # two in each of the two runs


def test_workers_and_their_start_change_no_measurement(config, tmp_path):
    words = config("TRAIN.CHECKPOINT_FILE_PATH", "")
    cfg = engine.load_cfg((), [*words, "BIAS.DATA.MAX_BAD_SHARE", 0.1])
    engine.train(cfg)
    found = {}
    before = torch.multiprocessing.get_start_method()
    for start, workers in (("fork", 0), ("fork", 2), ("spawn", 1)):
        torch.multiprocessing.set_start_method(start, force=True)
        try:
            opts = ["DATA_LOADER.NUM_WORKERS", workers, "OUTPUT_DIR", cfg.OUTPUT_DIR]
            found[start, workers] = engine.measure(engine.load_cfg((), [*words, *opts]))
        finally:
            torch.multiprocessing.set_start_method(before, force=True)
    first, *others = found.values()
    for report in others:
        assert report.meta["dropped_videos"] == first.meta["dropped_videos"] == [7, 14]
        for layer in first.layers:
            for factor in ("static", "dynamic"):
                a, b = (r[layer].correlation[factor] for r in (first, report))
                assert np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True)


@pytest.mark.ddp
def test_two_processes_name_the_same_files(config, tmp_path, two_ranks):
    words = config("BIAS.DATA.MAX_BAD_SHARE", 0.1, "NUM_GPUS", 2)
    two_ranks.run(engine.run, engine.load_cfg((), words))
    with open(tmp_path / "run" / "bad_videos.csv") as file:
        rows = sorted((row["split"], Path(row["path"]).name) for row in csv.DictReader(file))
    wanted = [(s, n) for s in ("test", "train", "val") for n in ("cut.mp4", "sound.mp4")]
    assert rows == wanted
    (final,) = lines(tmp_path, "test_final")
    assert (final["videos"], final["dropped"]) == (18, 2)


@pytest.mark.ddp
def test_one_process_that_alone_meets_too_much_stops_them_all(config, tmp_path):
    cfg = engine.load_cfg((), config("NUM_GPUS", 2, bad=()))
    row = list(RankSampler(20, 1, 2, cfg.RNG_SEED, 8))[2]
    rows = (tmp_path / "train.csv").read_text().splitlines()
    rows[row] = f"gone.mp4 {rows[row][-1]}"
    (tmp_path / "train.csv").write_text("\n".join(rows))
    with pytest.raises(UserError, match="at most 1.0% of the 20 videos") as stopped:
        engine.run(cfg)
    assert type(stopped.value) is DataError  # raised here as it was there
    assert f"gone.mp4 ({tmp_path}/train.csv" in str(stopped.value)
    with open(tmp_path / "run" / "bad_videos.csv") as file:
        (listed,) = csv.DictReader(file)
    assert listed["row"] == f"{tmp_path}/train.csv, row {row + 1}"


def test_a_measurement_alone_lists_what_it_dropped_once(config, tmp_path):
    words = config("BIAS.ENABLE", True, "TRAIN.ENABLE", False, "TEST.ENABLE", False)
    cfg = engine.load_cfg((), [*words, "DATA_LOADER.NUM_WORKERS", 1])
    weights = str(tmp_path / "weights.pyth")
    torch.save({"model_state": network.build_network(cfg).state_dict()}, weights)
    words += ["TEST.CHECKPOINT_FILE_PATH", weights]
    for _ in range(2):
        assert run(words, tmp_path) == 0
    with open(tmp_path / "run" / "bad_videos.csv") as file:
        rows = list(csv.DictReader(file))
    assert [(Path(row["path"]).name, row["split"]) for row in rows] == [
        ("sound.mp4", "val"),
        ("cut.mp4", "val"),
    ]
    meta = BiasReport.load(str(tmp_path / "run" / "bias" / "report.json")).meta
    assert meta["config"] == f"{cfg.OUTPUT_DIR}/bias/config.yaml"
    again = ["--cfg", meta["config"], "OUTPUT_DIR", str(tmp_path / "again")]
    assert main(again) == 0
    (first, second) = (
        BiasReport.load(str(tmp_path / name / "bias" / "report.json")) for name in ("run", "again")
    )
    assert first.to_csv() == second.to_csv()
    first, _ = lines(tmp_path, "bias_final")
    assert (first["videos"], first["dropped"]) == (18, 2) and "head" in first["S_static"]
    page = (tmp_path / "run" / "bias" / "report.md").read_text()
    assert f"18 videos; decoder {meta['decoder']}" in page and "; sampling window" in page
    assert "2 of 20 videos could not be read and do not count: sound.mp4, cut.mp4" in page
    for row, told in zip(rows, meta["dropped_because"], strict=True):
        assert row == {**told, "split": "val"}
    said = (tmp_path / "run" / "stdout.log").read_text()
    assert said.count("bad video of the val list") == 2


def test_a_video_of_which_a_view_is_damaged_does_not_count_in_the_test(config, tmp_path):
    words = config("TEST.NUM_ENSEMBLE_VIEWS", 6, "TRAIN.ENABLE", False, bad=())
    damaged = tmp_path / "videos" / "damaged.mp4"
    write_video(damaged, 60, gop=10)
    spoil(damaged, 0.5, 0.6)
    rows = (tmp_path / "test.csv").read_text().splitlines()
    (tmp_path / "test.csv").write_text("\n".join([*rows[:5], "damaged.mp4 0"]))
    cfg = engine.load_cfg((), words)
    weights = str(tmp_path / "weights.pyth")
    torch.save({"model_state": network.build_network(cfg).state_dict()}, weights)
    data = open_dataset("videos", cfg, "test")
    seen = [not data.sample(index).unreadable for index in range(5 * 6, 6 * 6)]
    assert any(seen) and not all(seen)
    result = engine.test(engine.load_cfg((), [*words, "TEST.CHECKPOINT_FILE_PATH", weights]))
    assert (result.videos, result.dropped) == (5, [5])


def test_a_class_without_a_good_video_is_named(config, tmp_path):
    words = config("TRAIN.BATCH_SIZE", 1, "BIAS.DATA.MAX_BAD_SHARE", 0.5, bad=())
    words += ["MODEL.NUM_CLASSES", 3]
    with open(tmp_path / "train.csv", "a") as file:
        file.write("gone.mp4 2\n")
    with pytest.raises(UserError, match=r"any other of the same class.*\n.*gone\.mp4"):
        engine.train(engine.load_cfg((), words))


def test_names_that_are_no_text_are_told_all_the_same(config, tmp_path, capsys):
    for split in ("train", "val", "test"):
        for kind in "ab":
            (tmp_path / "own" / split / kind).mkdir(parents=True)
            write_video(tmp_path / "own" / split / kind / "good.mp4", 8)
            name = os.fsdecode(os.fsencode(tmp_path / "own" / split / kind) + b"/\xff.mp4")
            with open(name, "w") as file:
                file.write("no video")
    words = config("BIAS.ENABLE", True, "BIAS.DATA.FORMAT", "folders", "TRAIN.BATCH_SIZE", 2)
    words += ["DATA.PATH_TO_DATA_DIR", str(tmp_path / "own"), "DATA.PATH_PREFIX", ""]
    assert run([*words, "BIAS.DATA.MAX_BAD_SHARE", 0.9], tmp_path) == 0
    said = capsys.readouterr()
    assert "Traceback" not in said.err and "\\udcff.mp4" in said.out
    with open(tmp_path / "run" / "bad_videos.csv", errors="surrogateescape") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 and all(os.path.exists(row["path"]) for row in rows)


def test_a_list_without_a_readable_video_is_an_error(config, tmp_path):
    words = config("DATA.PATH_PREFIX", str(tmp_path / "nowhere"), "BIAS.DATA.MAX_BAD_SHARE", 1.0)
    with pytest.raises(UserError, match="none of the batch in epoch 1"):
        engine.train(engine.load_cfg((), words))


def test_check_data_describes_the_lists_and_finds_what_is_bad(config, tmp_path, capsys):
    def check(words):
        cfg = engine.load_cfg((), words)
        return check_data(cfg, processes=1, quick=False, progress=lambda steps, *_: steps)

    train, val, test = check(config())
    assert [c.split for c in (train, val, test)] == ["train", "val", "test"]
    names = [Path(name.partition(" (")[0]).name for name in train.bad]
    assert names == ["sound.mp4", "cut.mp4"]
    assert "20 videos, 2 unreadable" in train.text and "2 of 2, 10 to 10 videos" in train.text
    assert "29.97 (4)" in train.text and "96x64 (18)" in train.text
    (tmp_path / "val.csv").write_text("gone.mp4 0\n")
    bad = check([*config(bad=()), "TRAIN.ENABLE", False, "TEST.ENABLE", False])[0].bad
    assert bad == {}


def test_check_data_decodes_what_silencing_reads(config, tmp_path):
    off = ["TRAIN.ENABLE", False, "TEST.ENABLE", False]
    words = config(*off, "BIAS.ABLATION.ENABLE", True, bad=())
    (tmp_path / "test.csv").write_text("gone.mp4 0\n")
    cfg = engine.load_cfg((), words)
    found = check_data(cfg, processes=1, quick=False, progress=lambda steps, *_: steps)
    assert {checked.split for checked in found} == {"val", "test"}
    (test,) = (checked for checked in found if checked.split == "test")
    (name,) = test.bad
    assert "gone.mp4" in name and f"{tmp_path}/test.csv, row 1" in name
