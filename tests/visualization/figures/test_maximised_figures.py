"""Figures of what was made for units: every unit and speed in its place, and errors in one line."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image
from support.maximised import SPEEDS, arrays, row, write_maximised

from slowfast_bias import cli
from slowfast_bias.outputs import Outputs
from slowfast_bias.visualization.figures.confusions import confusion_figure
from slowfast_bias.visualization.figures.maximised import maximised_figure
from slowfast_bias.visualization.figures.maximised_unit import unit_figure
from slowfast_bias.visualization.maximised import draw_maximised, draw_unit
from slowfast_bias.visualization.reading.maximised import read_maximised

LONG = "throwing and catching $5 <or> a very long stick"


def words_of(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def written(folder, **sizes):
    of = {key: sizes[key] for key in ("seeds", "speeds") if key in sizes}
    rows = [row("s5", 3, **of), row("s5", 12, chosen_as="static", motion_need=-0.04, **of)]
    rows.append(row("class", 7, name=LONG, chosen_as="pair", preferred_speed="slow", **of))
    rows.append(row("class", 8, name="b", chosen_as="pair", motion_need=None, **of))
    return read_maximised(write_maximised(folder, rows=rows, pairs=[(7, 8)], **sizes))


@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"flow": True, "natural": False, "speeds": SPEEDS[::2]},
        {"flow": True, "frames": 1, "speeds": ("slow",)},
    ],
)
def test_words_are_clear_and_a_page_is_kept(tmp_path, check_text, sizes):
    found = written(tmp_path, **sizes)
    figures = [maximised_figure(found), confusion_figure(found)]
    figures.append(unit_figure(found, found.drawn[2]))
    for figure in figures:
        check_text(figure)
        assert figure.get_size_inches()[1] < 10.5
    assert words_of(figures[0]).count("motion need") == 1
    assert ("natural" in words_of(figures[0])) == sizes.get("natural", True)


def test_a_cell_shows_the_best_seed_and_the_slice_of_the_frozen_clip_is_upright(tmp_path):
    found = read_maximised(write_maximised(tmp_path, units=(3,)))
    pictures = [
        np.asarray(ax.images[0].get_array()) for ax in maximised_figure(found).axes if ax.images
    ]
    frames, slices = pictures[0::2], pictures[1::2]
    clips = arrays(3)
    for place in range(len(SPEEDS)):
        assert np.array_equal(frames[place], clips["rgb"][place, 1, 4])
    assert np.array_equal(frames[5], clips["natural"][0, 4])
    moves = [np.abs(np.diff(x.astype(int), axis=0)).max() for x in slices[:5]]
    assert moves[-1] == 0 and min(moves[:-1]) > 0


def test_units_that_a_page_has_no_room_for_are_counted(tmp_path):
    of = {"speeds": ("frozen",), "natural": False}
    ways = ["dynamic"] * 8 + ["static"] * 2
    rows = [row("s5", k, chosen_as=way, speeds=("frozen",)) for k, way in enumerate(ways)]
    found = read_maximised(write_maximised(tmp_path, rows=rows, size=8, frames=2, **of))
    figure = maximised_figure(found)
    shown = [text for text in words_of(figure) if text.startswith("s5, unit")]
    assert {"s5, unit 8", "s5, unit 0"} <= {*shown} and len(shown) < 10
    assert f"{len(shown)} of 10 units" in figure.get_supxlabel().replace("\n", " ")


def test_everything_is_drawn_beside_the_arrays_and_again_the_same(tmp_path):
    found = written(tmp_path, seeds=1, frames=2, size=8, speeds=("unconstrained", "frozen"))
    paths = draw_maximised(found.path)
    outputs = Outputs(str(tmp_path))
    assert paths[:2] == [outputs.maximised_figure, outputs.maximised_pairs]
    assert f"{outputs.maximised_folder}/class/unit_00007_frozen.webp" in paths
    assert all(Path(path).stat().st_size for path in paths)
    with Image.open(f"{outputs.maximised_folder}/s5/unit_00003_frozen.webp") as picture:
        assert picture.size == (8, 8)
    mine = [path for path in paths if "unit_00003" in path]
    same = [path for path in mine if not path.endswith(".mp4")]  # encoders do not promise it
    contents = [Path(path).read_bytes() for path in same]
    assert draw_unit(found, found.drawn[0]) == mine
    assert [Path(path).read_bytes() for path in same] == contents


def test_nothing_is_drawn_of_units_that_are_all_dead(tmp_path):
    rows = [row("s5", 3, dead=True, by_speed={}, file=None)]
    assert draw_maximised(write_maximised(tmp_path, rows=rows)) == []


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    rows = [row("s5", 3), row("s5", 4), row("s4", 4)]
    return write_maximised(folder, rows=rows, frames=2, size=8)


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ([], "a.pdf"),
        (["--units", "3"], "a.png"),
        (["--units", "4", "--layer", "s4"], "a.gif"),
        (["--units", "4", "3", "--layer", "s5"], "a.svg"),
    ],
)
def test_the_command_draws_from_files(small, tmp_path, capsys, flags, name):
    assert cli.main(["plot", "--maximised", small, *flags, "--out", str(tmp_path / name)]) == 0
    assert (tmp_path / name).stat().st_size > 100 and capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("flags", "name", "says"),
    [
        (["--units", "9"], "a.png", "a unit with clips in .* but got 9: it has s5 3, s5 4, s4 4"),
        (["--units", "4"], "a.png", "--layer, one of s5, s4: each has"),
        (["--layer", "s5"], "a.png", "--units with --layer"),
        (["--units", "3", "3", "3"], "a.png", "one unit or two"),
        ([], "a.gif", "a figure file that ends in"),
        (["--names", "x"], "a.png", "no --names with --maximised"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(small, tmp_path, capsys, flags, name, says):
    assert cli.main(["plot", "--maximised", small, *flags, "--out", str(tmp_path / name)]) == 2
    said = capsys.readouterr().err.strip()

    assert "\n" not in said and re.search(says, said), said
    assert not (tmp_path / name).exists()
