"""`slowfast_bias flow`: both directions, the same bytes however it is run, what is left out."""

from __future__ import annotations

import os
import shlex
import shutil

import cv2
import numpy as np
import pytest
from support.segments import write

from slowfast_bias import cli
from slowfast_bias.datasets.flow.dis import dis_flow
from slowfast_bias.datasets.flow.files import read_flo, read_flow_picture
from slowfast_bias.datasets.flow.layouts import find_flow
from slowfast_bias.datasets.flow.side_file import how_made
from slowfast_bias.datasets.flow.wheel import coded
from slowfast_bias.results import read_result

LENGTHS = {"pan": 3, "more/tilt": 2}
STEPS = {"pan": (2, 0), "more/tilt": (0, -3)}  # to the right, down


def texture(shape=(48, 64)):
    noise = np.random.default_rng(0).random(shape)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.uint8(255 * (smooth - smooth.min()) / np.ptp(smooth))


@pytest.fixture
def images(tmp_path):
    for name, length in LENGTHS.items():
        for time in range(length):
            dx, dy = (time * step for step in STEPS[name])
            write(
                tmp_path / "JPEGImages" / name / f"{time:05d}.png",
                np.roll(texture(), (dy, dx), (0, 1)),
            )
    return tmp_path


def flow(images, out, *more):
    return cli.main(["flow", f"{images}/JPEGImages", "--out", f"{out}", "--workers", "1", *more])


def files_of(root):
    files = (path for path in root.rglob("*") if path.suffix in (".png", ".flo"))
    return {path.relative_to(root): path.read_bytes() for path in files}


def test_flow_goes_both_ways_and_is_found_where_it_is_written(images, capsys):
    assert flow(images, images, "--raw") == 0
    assert f"BIAS.SEGMENTS.FLOW {images}/FlowImages_gap1" in capsys.readouterr().out
    frames = {name: [f"{k:05d}" for k in range(n)] for name, n in LENGTHS.items()}
    for backward in (False, True):
        raw = find_flow(f"{images}/Flows_gap1", frames, backward)
        pictures = find_flow(f"{images}/FlowImages_gap1", frames, backward)
        for name, step in STEPS.items():
            found = read_flo(raw.path(name, frames[name], 0 + backward))
            middle = np.median(found[12:-12, 12:-12], (0, 1))
            assert middle == pytest.approx(np.array(step) * (-1 if backward else 1), abs=0.3)
            picture = read_flow_picture(pictures.path(name, frames[name], 0 + backward))
            assert np.array_equal(picture, coded(found))
    made = how_made(f"{images}/FlowImages_gap1")
    assert "DIS medium" in made["method"] and made["gap"] == 1
    assert read_result(images / "flow.json", "flow").data["flows"] == {"more/tilt": 1, "pan": 2}


def test_several_processes_and_a_second_call_write_the_same_bytes(images, tmp_path):
    assert flow(images, tmp_path / "one", "--preset", "fast") == 0
    assert flow(images, tmp_path / "two", "--preset", "fast", "--workers", "2") == 0
    whole = files_of(tmp_path / "one")
    assert len(whole) == 6 and files_of(tmp_path / "two") == whole
    gone = tmp_path / "one" / "FlowImages_gap-1" / "pan" / "00002.png"
    kept = tmp_path / "one" / "FlowImages_gap1" / "pan" / "00000.png"
    gone.unlink()
    before = kept.stat().st_mtime_ns
    assert flow(images, tmp_path / "one", "--preset", "fast") == 0
    assert files_of(tmp_path / "one") == whole and kept.stat().st_mtime_ns == before


def test_flow_of_another_kind_is_not_mixed_with_what_is_there(images, capsys):
    assert flow(images, images) == 0
    assert flow(images, images, "--preset", "fast") == 2
    assert "DIS medium" in capsys.readouterr().err


def test_sequences_that_cannot_be_done_are_named_and_the_others_done(images, capsys):
    write(images / "JPEGImages" / "single" / "00000.png", texture())
    write(images / "JPEGImages" / "sizes" / "00000.png", texture())
    write(images / "JPEGImages" / "sizes" / "00001.png", texture((40, 64)))
    write(images / "JPEGImages" / "small" / "00000.png", texture((20, 30)))
    write(images / "JPEGImages" / "small" / "00001.png", texture((20, 30)))
    (images / "JPEGImages" / "torn").mkdir()
    for k in range(2):
        (images / "JPEGImages" / "torn" / f"0000{k}.png").write_bytes(b"\x89PNG")
    assert flow(images, images) == 1
    told = capsys.readouterr()
    assert "2 sequences, 3 flows each way" in told.out
    rows = dict(row.removeprefix("left out ").split(": ", 1) for row in told.err.splitlines())
    assert set(rows) == {"single", "sizes", "small", "torn"}
    assert "1 frame(s)" in rows["single"] and "(48, 64) and (40, 64)" in rows["sizes"]
    assert "30x20 px" in rows["small"] and "torn/00000.png" in rows["torn"]


def test_what_a_run_takes_it_with_does_not_depend_on_where_it_runs(images, monkeypatch, capsys):
    monkeypatch.chdir(images)
    assert cli.main(["flow", "JPEGImages", "--out", ".", "--workers", "1"]) == 0
    words = shlex.split(capsys.readouterr().out.partition("a run takes them with: ")[2])
    assert words == ["BIAS.SEGMENTS.FLOW", f"{images}/FlowImages_gap1"]
    assert os.path.isdir(words[1])


def test_a_folder_without_sequences_is_one_line_and_2(tmp_path, capsys):
    (tmp_path / "JPEGImages").mkdir()
    assert flow(tmp_path, tmp_path) == 2
    assert "a folder of pictures for each sequence" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "JPEGImages")
    assert flow(tmp_path, tmp_path) == 2
    assert "no such folder" in capsys.readouterr().err


def test_flow_is_the_same_on_any_number_of_threads():
    first, second = texture((120, 160)), np.roll(texture((120, 160)), 3, 1)
    before = cv2.getNumThreads()
    try:
        found = []
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            found.append(dis_flow(first, second))
            assert cv2.getNumThreads() == threads
    finally:
        cv2.setNumThreads(before)
    assert np.array_equal(*found)
