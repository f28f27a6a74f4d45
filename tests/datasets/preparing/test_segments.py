"""`slowfast_bias prepare` of sequences: what is good is listed, and a run takes the lists."""

from __future__ import annotations

import shlex

import pytest
from support.segments import square, write, write_flows, write_sequences

from slowfast_bias import cli
from slowfast_bias.datasets.contract import open_dataset

LENGTHS = {"bear": 4, "cows": 3, "dogs": 3}


def prepare(root, form="davis17", *more):
    words = ["prepare", form, "--lists", str(root), "--out", f"{root}/ready", "--workers", "1"]
    return cli.main([*words, *more])


def test_good_sequences_are_listed_and_bad_ones_named(tmp_path, tiny, capsys):
    write_sequences(tmp_path, LENGTHS)
    (tmp_path / "ImageSets/2017").mkdir(parents=True)
    (tmp_path / "ImageSets/2017/train.txt").write_text("bear\n")
    (tmp_path / "ImageSets/2017/val.txt").write_text("cows\ndogs\n")
    write(tmp_path / "Annotations/bear/00000.png", square(0))
    (tmp_path / "Annotations/dogs/00001.png").write_bytes(b"no picture")
    assert prepare(tmp_path) == 0
    told = capsys.readouterr().out
    assert "train 4 frames, 4 masks of which 1 are empty" in told
    assert "1 bad sequences" in told and "dogs" in (tmp_path / "ready/bad.csv").read_text()
    assert f"slowfast_bias flow {tmp_path}/JPEGImages --out {tmp_path}" in told
    assert (tmp_path / "ready/val.txt").read_text() == "cows\n"
    write_flows(tmp_path, LENGTHS)
    assert prepare(tmp_path) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == "their flow is there"
    words = shlex.split(told[-2].partition("with: ")[2])
    cfg = tiny(*words, "DATA.NUM_FRAMES", 1, check=False)
    for split, names in (("train", {"bear"}), ("val", {"cows"}), ("test", {"cows"})):
        data = open_dataset("segments", cfg, split)
        assert {data.recording(k) for k in range(len(data))} == names


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("davis17",), "train list of davis17"),
        (("youtube-vos",), "images of youtube-vos"),
        (("davis17", "--quick"), "no --quick with davis17"),
        (("davis17", "--short-side", "64"), "no --short-side with davis17"),
    ],
)
def test_what_cannot_be_prepared_is_one_line_and_2(tmp_path, capsys, words, says):
    write_sequences(tmp_path, {"bear": 2})
    assert prepare(tmp_path, *words) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert says in error


def test_a_list_with_a_fault_is_no_list_that_is_missing(tmp_path, capsys):
    write_sequences(tmp_path, {"bear": 2})
    (tmp_path / "ImageSets/2017").mkdir(parents=True)
    (tmp_path / "ImageSets/2017/train.txt").write_text("bear\n")
    (tmp_path / "ImageSets/2017/val.txt").write_text("bare\n")
    assert prepare(tmp_path) == 2
    assert "did you mean bear" in capsys.readouterr().err
