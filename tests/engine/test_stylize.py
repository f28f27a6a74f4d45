"""Writing styled folders: what is written, whole or not at all, and taken up where it stopped."""

from __future__ import annotations

import csv
import importlib.util
import json
import pickle
import runpy
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from slowfast_bias.datasets.decode import probe, read_frames
from slowfast_bias.datasets.styled_folders import find_styles, find_videos
from slowfast_bias.datasets.styles import make_styles
from slowfast_bias.engine import stylize as module
from slowfast_bias.engine.bank_report import bank_report
from slowfast_bias.engine.stylers import GeneratorError, Recipe, make_styler, read_generator
from slowfast_bias.engine.stylize import Options, collect, stylize
from slowfast_bias.errors import DataError, OutputError
from slowfast_bias.models.patch_generator import PatchGenerator, Shape

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location(
    "make_videos", ROOT / "tests" / "datasets" / "make_videos.py"
)
make = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make)

TWO = Recipe("colour", 2, 0)
SMALL = Shape(stem=4, half=4, quarter=4, up=4, last=4, blocks=1)


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    make.write_video(folder / "jump up.mp4", 24, fps=24)
    make.write_folder(folder / "class" / "tänze", range(5, 14))
    (folder / "broken.mp4").write_bytes(b"no film at all")
    return folder


def main_of(tool):
    return runpy.run_path(str(ROOT / "tools" / tool))["main"]


def test_png_frames_are_the_bank_of_every_frame_to_a_byte(films, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PIXELS", 96 * 64 * 10)  # 10 frames at a time
    outcome = stylize([str(films)], str(tmp_path), Options(TWO, png=True))
    assert outcome.written == ["class/tänze", "jump up"] and list(outcome.failed) == ["broken"]
    bank = make_styles("colour", 2, 0)
    for name, path in (("jump up", "jump up.mp4"), ("class/tänze", "class/tänze")):
        source = read_frames(films / path, lambda video: range(video.frames))
        clip = source.permute(3, 0, 1, 2)[None].float() / 255
        for k in range(2):
            folder = tmp_path / f"style_{k}" / name
            files = sorted(p.name for p in folder.glob("*.png"))
            assert files == [f"frame_{n:05d}.png" for n in range(1, len(source) + 1)]
            styled = read_frames(folder, range(len(source)))
            expected = bank(clip, k)[0].permute(1, 2, 3, 0).mul(255).round().byte()
            assert torch.equal(styled, expected)


def test_jpeg_every_nth_short_side_and_the_rate(films, tmp_path):
    options = Options(TWO, every=3, short_side=32, quality=90)
    stylize([str(films / "jump up.mp4")], str(tmp_path), options)
    folder = tmp_path / "style_1" / "jump up"
    assert len(list(folder.glob("frame_*.jpg"))) == 8
    info = probe(folder)
    assert (info.frames, info.width, info.height) == (8, 48, 32)
    about = json.loads((folder / "video.json").read_text())
    assert (about["fps"], about["every"]) == (8.0, 3)
    shrunk = read_frames(films / "jump up.mp4", range(0, 24, 3), short_side=32)
    exact = make_styler(TWO)(1, shrunk)
    assert (read_frames(folder, range(8)).float() - exact.float()).abs().mean() < 6


def test_bad_videos_are_listed_with_their_reason_and_leave_nothing(films, tmp_path):
    outcome = stylize([str(films), str(tmp_path / "nowhere.mp4")], str(tmp_path), Options(TWO))
    with open(tmp_path / "bad.csv", encoding="utf-8") as file:
        rows = {row["path"]: row["reason"] for row in csv.DictReader(file)}
    assert list(rows) == [str(films / "broken.mp4"), str(tmp_path / "nowhere.mp4")]
    assert "no such file" in rows[str(tmp_path / "nowhere.mp4")]
    assert outcome.failed["broken"] == rows[str(films / "broken.mp4")]
    assert list(find_videos(str(tmp_path / "style_0"))) == ["class/tänze", "jump up"]
    assert not list(tmp_path.rglob("*.part"))


def test_a_stopped_run_is_taken_up_and_never_seen_half_written(films, tmp_path, monkeypatch):
    whole, part = tmp_path / "whole", tmp_path / "part"
    stylize([str(films)], str(whole), Options(TWO))

    write, count = module._write_picture, []

    def stop(stem, *rest):
        count.append(stem)
        if len(count) == 30:  # in the second video
            raise KeyboardInterrupt
        write(stem, *rest)

    monkeypatch.setattr(module, "_write_picture", stop)
    with pytest.raises(KeyboardInterrupt):
        stylize([str(films)], str(part), Options(TWO))
    monkeypatch.undo()
    assert find_styles([str(part / f"style_{k}") for k in range(2)]).names == ("class/tänze",)
    stale = part / "style_0" / ".jump up.part"  # as a killed process leaves it
    stale.mkdir()
    (stale / "frame_00001.jpg").write_bytes(b"half")
    (part / "style_0" / "jump up").mkdir()  # killed between two renames, and emptied
    (part / "style_0" / "jump up").rmdir()
    outcome = stylize([str(films)], str(part), Options(TWO))
    assert (outcome.written, outcome.skipped) == (["jump up"], ["class/tänze"])
    files = lambda root: {p.relative_to(root): p.read_bytes() for p in root.rglob("*.jpg")}  # noqa: E731
    assert files(whole) == files(part) and len(files(part)) == 2 * (24 + 9)


def test_a_folder_begun_with_other_settings_is_refused(films, tmp_path):
    stylize([str(films / "jump up.mp4")], str(tmp_path), Options(TWO, every=12))
    with pytest.raises(OutputError, match=r"every 1 \(there: 12\)"):
        stylize([str(films)], str(tmp_path), Options(TWO))
    with pytest.raises(OutputError, match="'seed': 5"):
        stylize([str(films)], str(tmp_path), Options(Recipe("colour", 2, 5), every=12))


def test_two_sources_of_one_name_and_none_at_all_are_refused(films, tmp_path):
    make.write_folder(tmp_path / "jump up", [1])
    with pytest.raises(DataError, match="written as jump up"):
        collect([str(films), str(tmp_path / "jump up")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="there are none"):
        collect([str(tmp_path / "empty")])


def test_processes_write_what_one_writes_and_the_tool_says_how_to_go_on(films, tmp_path):
    words = [films, "--num", 2, "--every", 6, "--out", tmp_path / "two", "--workers", 2]
    command = [sys.executable, "tools/stylize.py", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr  # one was left out
    assert "2 videos written" in done.stdout and "bad.csv" in done.stderr
    assert f"BIAS.STYLES.DIRS \"['{tmp_path}/two/style_0', " in done.stdout
    stylize([str(films)], str(tmp_path / "one"), Options(TWO, every=6))
    for file in (tmp_path / "one").rglob("*.jpg"):
        other = tmp_path / "two" / file.relative_to(tmp_path / "one")
        assert file.read_bytes() == other.read_bytes()


# -- generators ----------------------------------------------------------------------------------


@pytest.fixture
def checkpoints(tmp_path):
    paths = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        paths.append(str(tmp_path / f"style{seed}.pth"))
        torch.save(PatchGenerator(SMALL).state_dict(), paths[-1])
    return paths


def test_a_generator_per_style_writes_what_it_makes_of_a_frame(films, tmp_path, checkpoints):
    recipe = Recipe(generators=tuple(checkpoints))
    stylize(
        [str(films / "jump up.mp4")], str(tmp_path / "out"), Options(recipe, every=12, png=True)
    )
    frames = read_frames(films / "jump up.mp4", [0, 12]).permute(0, 3, 1, 2).float() / 255
    for k, path in enumerate(checkpoints):
        expected = read_generator(path).eval().stylize(frames).mul(255).round().byte()
        found = read_frames(tmp_path / "out" / f"style_{k}" / "jump up", [0, 1])
        assert torch.equal(found.permute(0, 3, 1, 2), expected)


class Trap:
    """Leaves a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_a_pickled_network_is_refused_unexecuted_with_the_way_to_convert_it(tmp_path):
    path, trap = str(tmp_path / "model_00020.pth"), tmp_path / "executed"
    for whole in (PatchGenerator(SMALL), {"state_dict": {}, "extra": Trap(str(trap))}):
        torch.save(whole, path)
        with pytest.raises(GeneratorError, match=r"torch\.save\(model\.state_dict\(\)"):
            read_generator(path)
    assert not trap.exists()


def test_checkpoints_that_are_none_are_refused_by_name(tmp_path, checkpoints):
    path = tmp_path / "x.pth"
    with pytest.raises(GeneratorError, match="no file"):
        read_generator(str(path))
    path.write_bytes(Path(checkpoints[0]).read_bytes()[:2000])
    with pytest.raises(GeneratorError, match=r"x\.pth, but it cannot be read"):
        read_generator(str(path))
    path.write_bytes(b"text")
    with pytest.raises(GeneratorError, match=r"x\.pth, but it cannot be read"):
        read_generator(str(path))
    torch.save({"fc.weight": torch.zeros(1)}, path)
    with pytest.raises(GeneratorError, match=r"x\.pth: Expected the weights of a generator"):
        read_generator(str(path))
    torch.save(PatchGenerator(Shape(inputs=6, blocks=1)).state_dict(), path)
    with pytest.raises(GeneratorError, match="wants 6"):
        read_generator(str(path))


def test_a_recipe_travels_to_other_processes():
    recipe = Recipe(generators=("a", "b"))
    assert pickle.loads(pickle.dumps(recipe)) == recipe and recipe.styles == 2
    assert recipe.about() == {"generators": ["a", "b"], "norm": ""}


# -- strength and flicker ------------------------------------------------------------------------


@pytest.fixture
def still(tmp_path):
    """A film of which the lower half stands still."""
    folder = tmp_path / "still" / "a"
    folder.mkdir(parents=True)
    for place in range(1, 9):
        frame = make.numbered(3)
        frame[:32] = make.numbered(40 + place)[:32]
        cv2.imwrite(str(folder / f"{place:05d}.png"), frame)
    return folder.parent


def test_folders_and_the_bank_they_are_of_are_equally_strong(still, tmp_path):
    stylize([str(still)], str(tmp_path / "out"), Options(Recipe("randconv", 3, 1), png=True))
    dirs = [str(tmp_path / "out" / f"style_{k}") for k in range(3)]
    on_disk, made = bank_report([], dirs), bank_report([str(still)], (), ("randconv", 3, 1))
    assert on_disk.strength == pytest.approx(made.strength, abs=0.004)  # half a byte a side
    assert np.allclose(on_disk.pairs, made.pairs, atol=0.004)
    assert np.isnan(on_disk.flicker) and made.flicker == 0
    assert bank_report([str(still)], dirs).flicker == 0


def test_flicker_on_disk_is_found_where_the_originals_stand_still(still, tmp_path):
    stylize([str(still)], str(tmp_path / "out"), Options(TWO, png=True))
    dirs = [str(tmp_path / "out" / f"style_{k}") for k in range(2)]
    assert bank_report([str(still)], dirs).flicker == 0
    for place, file in enumerate(sorted((tmp_path / "out" / "style_1" / "a").glob("*.png"))):
        cv2.imwrite(str(file), cv2.imread(str(file)) // 2 + 20 * (place % 2))
    assert bank_report([str(still)], dirs).flicker == pytest.approx(10 / 255, rel=0.01)  # of 2


def test_the_report_tool_prints_and_draws(still, tmp_path, capsys):
    picture, run = tmp_path / "strip.png", main_of("bank_report.py")
    assert run([str(still), "--num", "2", "--preview", str(picture)]) == 0
    assert "strength" in capsys.readouterr().out and picture.stat().st_size > 1000
    assert run(["--dirs", str(still)]) == 2
    assert "two style folders" in capsys.readouterr().err
