"""Top clips as a figure: the clips that the file names, in its order, and errors in one line."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from slowfast_bias import cli
from slowfast_bias.outputs import strip_name
from slowfast_bias.results import ResultError, write_result
from slowfast_bias.visualization.drawing.film_strip import make_strip
from slowfast_bias.visualization.drawing.style import COLORS
from slowfast_bias.visualization.figures.top_clips import top_clips_figure
from slowfast_bias.visualization.reading.top_clips import read_frames_of, read_top_clips

KINDS = ("static", "dynamic", "joint", "residual")


def unit(layer, number, kind, clips):
    lists = {
        end: [
            {"video": v, "path": f"v{v}", "row": "", "value": 1.0 - v / 7, "strip": strip_name(v)}
            for v in range(first, first + clips)
        ]
        for end, first in (("most", 0), ("least", 9))
    }
    scores = {"static": 0.51, "motion": -0.2, "content": None}
    head = {"classes": [{"class": 3, "name": "cost $5 <or> $6", "evidence": 0.4}]}
    about = {"layer": layer, "unit": number, "kind": kind, "scores": scores}
    return {**about, **lists, **(head if layer == "head" else {})}


def written(folder, clips=3, frames=8, shape=(24, 32), units=1):
    """A file of top clips: the brightness of video v is v / 20, in every frame."""
    for video in range(20):
        strip = make_strip(torch.full((3, frames, *shape), video / 20))
        path = folder / "bias" / strip_name(video)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(strip.webp)
    data = {"view": "styled", "frames": frames, "size": list(shape)}
    data["units"] = [
        unit(layer, 7 * i, kind, clips)
        for layer in ("s5", "head") for kind in KINDS for i in range(units)
    ]  # fmt: skip
    path = folder / "bias" / "top_clips.json"
    meta = {"styles": {"family": "grade", "num": 4, "seed": 0}, "seed": 0, "videos": 20}
    write_result(path, "top_clips", meta, data)
    return str(path)


def figure_of(path, layer=None):
    content = read_top_clips(path)
    return top_clips_figure(content, functools.partial(read_frames_of, path, content), layer)


def words_of(figure):
    return " ".join(text.get_text() for text in figure.findobj(Text))


def pictures(figure):
    """The pictures, row by row from the left."""
    axes = [ax for ax in figure.axes if ax.images]
    axes.sort(key=lambda ax: (-round(ax.get_position().y0, 3), ax.get_position().x0))
    return [np.asarray(ax.images[0].get_array()).astype(float) for ax in axes]


@pytest.mark.parametrize("layer", ["s5", None])
def test_a_row_shows_the_most_then_the_least_of_a_unit(tmp_path, layer):
    figure = figure_of(written(tmp_path), layer)
    found = [255 * video / 20 for video in (0, 1, 2, 9, 10, 11)] * len(KINDS)
    assert [x.mean() for x in pictures(figure)] == pytest.approx(found, abs=4)
    words = words_of(figure)
    assert (layer or "head") in words and (r"for cost \$5 <or> \$6" in words) == (layer != "s5")
    for kind in KINDS:  # by word and by colour
        assert f"unit 0: {kind}" in words
        colours = [p.get_facecolor() for p in figure.artists if isinstance(p, Rectangle)]
        assert to_rgba(COLORS[kind]) in colours


@pytest.mark.parametrize(
    ("clips", "frames", "shape", "units"),
    [(4, 8, (60, 112), 1), (9, 3, (112, 63), 1), (1, 1, (20, 90), 4)],
)
def test_its_words_are_clear_and_it_keeps_a_page(tmp_path, check_text, clips, frames, shape, units):
    figure = figure_of(written(tmp_path, clips, frames, shape, units))
    check_text(figure)
    assert figure.get_size_inches()[1] < 10.5
    shown, every = len(pictures(figure)) // (2 * min(clips, 8)), len(KINDS) * units
    assert shown == every or f"{shown} of {every} units" in figure.get_supxlabel()
    assert shown >= min(every, 12)
    kinds = re.findall("unit [0-9]+: ([a-z]+)", words_of(figure))
    assert max(map(kinds.count, KINDS)) - min(map(kinds.count, KINDS)) <= 1  # none is left out


def plot(*arguments):
    return cli.main(["plot", "--top-clips", *map(str, arguments)])


def test_a_file_without_the_size_of_its_strips_is_drawn(tmp_path):
    path = Path(written(tmp_path, clips=1))
    content = json.loads(path.read_text())
    del content["data"]["size"]
    path.write_text(json.dumps(content))
    assert len(pictures(figure_of(str(path), "s5"))) == 8


def test_the_command_writes_it(tmp_path, capsys):
    path = written(tmp_path)
    assert plot(path, "--layer", "s5", "--out", tmp_path / "a.pdf") == 0
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert capsys.readouterr() == ("", "")


def changed(path, change):
    content = json.loads(Path(path).read_text())
    change(content["data"])
    Path(path).write_text(json.dumps(content))


CHANGES = {
    "layer with clips, but got 's9': the file has s5, head": (None, ["--layer", "s9"]),
    "no --names": (None, ["--names", "x"]),
    "no --kind with --top-clips": (None, ["--kind", "page"]),
    "units with clips, but the file has none": (lambda d: d.update(units=[]), []),
    "`units` of .* cut short": (lambda d: d["units"][0].pop("most"), []),
    "number of `frames`": (lambda d: d.update(frames=0), []),
    "frames side by side": (lambda d: d.update(frames=7), []),
    "strips in the folder": (
        lambda d: d["units"][-1]["most"][0].update(strip="../../../secret.webp"),
        [],
    ),
    "Expected a film strip in .*none.webp": (
        lambda d: d["units"][-1]["most"][0].update(strip="none.webp"),
        [],
    ),
}


@pytest.mark.parametrize("wanted", CHANGES)
def test_what_cannot_be_drawn_is_said_in_one_line(tmp_path, capsys, wanted):
    path, (change, flags) = written(tmp_path), CHANGES[wanted]
    if change:
        changed(path, change)
    assert plot(path, *flags, "--out", tmp_path / "a.png") == 2
    said = capsys.readouterr().err.strip()
    assert "\n" not in said and re.search(wanted, said)
    assert not (tmp_path / "a.png").exists()


def test_a_file_of_another_kind_is_an_error(tmp_path):
    path = tmp_path / "a.json"
    write_result(path, "silencing", {}, {"units": []})
    with pytest.raises(ResultError, match=r"top_clips file \(bias/top_clips\.json of a run\)"):
        read_top_clips(str(path))
