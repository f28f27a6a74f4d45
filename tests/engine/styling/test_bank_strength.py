"""Strength and flicker of banks: measured beside the originals, else estimated, and said which."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import videos as make

from slowfast_bias.cli import main
from slowfast_bias.engine.styling.bank_strength import bank_report
from slowfast_bias.engine.styling.folder_writer import Options, stylize
from slowfast_bias.engine.styling.stylers import Recipe
from slowfast_bias.errors import DataError

TWO = Recipe("colour", 2, 0)


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


def bank_of(still, out, recipe, published=True):
    """Folders of styles; published ones lack what `stylize` says of their originals."""
    stylize([str(still)], str(out), Options(recipe, png=True))
    for file in out.rglob("video.json") if published else ():
        file.unlink()
    return [str(out / f"style_{k}") for k in range(recipe.num)]


def add_flicker(folder, step=20):
    """Darkens every second frame; half of the steps of brightness, as the pictures are halved."""
    for place, file in enumerate(sorted(Path(folder).rglob("*.png"))):
        cv2.imwrite(str(file), cv2.imread(str(file)) // 2 + step * (place % 2))


def test_folders_and_the_bank_they_are_of_are_equally_strong(still, tmp_path):
    dirs = bank_of(still, tmp_path / "out", Recipe("randconv", 3, 1))
    on_disk, made = bank_report([], dirs), bank_report([str(still)], (), ("randconv", 3, 1))
    assert on_disk.strength == pytest.approx(made.strength, abs=0.004)  # half a byte a side
    assert np.allclose(on_disk.pairs, made.pairs, atol=0.004)
    assert np.isnan(on_disk.commutes) and made.flicker == 0
    assert bank_report([str(still)], dirs).flicker == 0


def test_flicker_is_measured_where_the_originals_stand_still(still, tmp_path):
    dirs = bank_of(still, tmp_path / "out", TWO)
    assert bank_report([str(still)], dirs).flickers == (0, 0)
    add_flicker(dirs[1])
    found = bank_report([str(still)], dirs)
    assert found.flickers[0] == 0 and found.flickers[1] == pytest.approx(20 / 255, rel=0.01)
    assert found.flicker == pytest.approx(10 / 255, rel=0.01)
    assert found.notes == ("flicker: where the originals stand still, in 1 of 1 videos",)


def test_originals_are_found_as_stylize_wrote_or_by_the_end_of_their_name(still, tmp_path):
    dirs = bank_of(still, tmp_path / "out", TWO, published=False)
    assert "originals stand still" in bank_report([], dirs).notes[0]
    dirs = bank_of(still, tmp_path / "other", TWO)
    assert "estimate" in bank_report([], dirs).notes[0]
    shutil.move(still, tmp_path / "class")
    (tmp_path / "all").mkdir()
    shutil.move(tmp_path / "class", tmp_path / "all")
    assert "originals stand still" in bank_report([str(tmp_path / "all")], dirs).notes[0]
    make.write_folder(tmp_path / "all" / "class 2" / "a", range(8))  # now two of that end
    assert "estimate" in bank_report([str(tmp_path / "all")], dirs).notes[0]


def test_without_originals_the_flicker_is_estimated_where_another_style_stands_still(
    still, tmp_path
):
    dirs = bank_of(still, tmp_path / "out", Recipe("colour", 3, 0))
    sound = bank_report([], dirs)
    assert sound.flickers == (0, 0, 0) and "an estimate" in sound.notes[0]
    add_flicker(dirs[1])
    measured, estimated = bank_report([str(still)], dirs), bank_report([], dirs)
    assert estimated.flickers == pytest.approx(measured.flickers, rel=0.02)
    assert estimated.flickers[1] > 0.05


def test_where_all_styles_flicker_it_is_not_known_and_said_why(still, tmp_path):
    dirs = bank_of(still, tmp_path / "out", TWO)
    for folder in dirs:
        add_flicker(folder)
    found = bank_report([], dirs)
    assert np.isnan(found.flicker) and "nothing stands still in any style" in found.notes[0]
    assert "nan" not in found.table() and "flicker not known" in found.table()
    assert bank_report([str(still)], dirs).flicker == pytest.approx(20 / 255, rel=0.01)


def test_of_two_styles_of_which_one_flickers_only_that_one_can_be_told(still, tmp_path):
    dirs = bank_of(still, tmp_path / "out", TWO)
    add_flicker(dirs[0])
    found = bank_report([], dirs)
    assert found.flickers[0] == found.flicker == pytest.approx(20 / 255, rel=0.01)
    assert np.isnan(found.flickers[1])  # no other one stands still beside it


def test_an_original_of_other_frames_is_not_used_and_named(still, tmp_path):
    dirs = bank_of(still, tmp_path / "out", TWO)
    (still / "a" / "00008.png").unlink()
    found = bank_report([str(still)], dirs)
    assert "an estimate" in found.notes[0]
    assert "originals of 1 videos were not used: Expected 8 frames" in found.notes[1]
    assert "but got 7" in found.notes[1]


def test_every_nth_frame_is_compared_with_every_nth_of_the_original(still, tmp_path):
    out = tmp_path / "out"
    stylize([str(still)], str(out), Options(TWO, every=3, png=True))
    found = bank_report([str(still)], [str(out / f"style_{k}") for k in range(2)])
    assert found.flicker == 0 and "originals stand still" in found.notes[0]


def test_videos_that_cannot_be_read_are_left_out_and_named(still, tmp_path):
    shutil.copytree(still / "a", still / "b")
    dirs = bank_of(still, tmp_path / "out", TWO)
    sound = bank_report([str(still)], dirs)
    (tmp_path / "out" / "style_1" / "b" / "frame_00003.png").unlink()
    found = bank_report([str(still)], dirs)
    assert found.pairs == sound.pairs
    assert "1 of 2 videos were left out" in found.notes[-1] and "is missing" in found.notes[-1]
    shutil.rmtree(tmp_path / "out" / "style_1" / "a")
    with pytest.raises(DataError, match="Expected a readable video, but got none.*is missing"):
        bank_report([str(still)], dirs)


def test_a_style_that_is_there_twice_is_noted(still, tmp_path):
    dirs = bank_of(still, tmp_path / "out", TWO)
    again = shutil.copytree(dirs[0], tmp_path / "again")
    assert not any("hardly differ" in note for note in bank_report([], dirs).notes)
    notes = bank_report([], [*dirs, str(again)]).notes
    assert notes[0].startswith("styles 0 and 2 hardly differ") and len(notes) == 2


def test_sizes_may_differ_between_styles(still, tmp_path):
    dirs = bank_of(still, tmp_path / "out", TWO)
    same = bank_report([], dirs)
    for file in Path(dirs[1]).rglob("*.png"):
        picture = cv2.imread(str(file))
        cv2.imwrite(str(file), cv2.resize(picture, (192, 128), interpolation=cv2.INTER_NEAREST))
    found = bank_report([], dirs)
    assert found.strength == pytest.approx(same.strength, rel=0.1)


def run(words):
    """The status of `slowfast_bias styles`; argparse leaves with its own."""
    try:
        return main(["styles", *words])
    except SystemExit as left:
        return left.code


def test_the_command_prints_and_draws(still, tmp_path, capsys):
    picture = tmp_path / "strip.png"
    (still / "Broken.mp4").write_bytes(b"no film")  # before the good one
    assert run([str(still), "--num", "2", "--preview", str(picture)]) == 0
    said = capsys.readouterr().out
    assert "strength" in said and "1 of 2 videos were left out" in said
    assert picture.stat().st_size > 1000
    dirs = bank_of(still, tmp_path / "out", TWO)
    assert run(["--dirs", *dirs]) == 0
    assert "note: flicker: an estimate" in capsys.readouterr().out
    assert run(["--dirs", str(still)]) == 2
    assert "two style folders" in capsys.readouterr().err
    for wrong in (["--frames", "1"], ["--dirs", *dirs, "--preview", "x.png"]):
        assert run([str(still), *wrong]) == 2
        assert "expected" in capsys.readouterr().err.lower()
    assert run([]) == 2
