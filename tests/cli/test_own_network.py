"""slowfast_bias measure --model FILE.py:BUILD: no YAML, no list, no labels."""

from __future__ import annotations

import pytest
import torch
from support.videos import write_video

from slowfast_bias import cli
from slowfast_bias.bias import BiasReport

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("draft_figures")]

SOURCE = """
import beside
from torch import nn

def build():
    return nn.Sequential(nn.Conv3d(3, beside.WIDTH, 3, 2), nn.ReLU(), nn.Conv3d(4, 6, 3),
                         nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(6, 5))

def needs(width):
    return build()

def text():
    return "a network"

def fails():
    raise OSError("no such disk")
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "net.py").write_text(SOURCE)
    (folder / "beside.py").write_text("WIDTH = 4\n")
    (folder / "broken.py").write_text("import no_such_package\n")
    for k in range(3):
        (folder / "videos").mkdir(exist_ok=True)
        write_video(folder / "videos" / f"v{k}.mp4", frames=20, size=(48, 40))
    net = torch.nn.Sequential(
        torch.nn.Conv3d(3, 4, 3, 2), torch.nn.ReLU(), torch.nn.Conv3d(4, 6, 3),
        torch.nn.AdaptiveAvgPool3d(1), torch.nn.Flatten(), torch.nn.Linear(6, 5),
    )  # fmt: skip
    torch.save({"state_dict": net.state_dict(), "step": 3}, folder / "w.pth")
    torch.save({"0.weight": torch.zeros(4, 3, 3, 3, 3)}, folder / "part.pth")
    return folder


def run(place, *words, model="net.py:build"):
    small = ["--frames", "8", "--size", "32", "--rate", "1"]
    return cli.main(
        ["measure", "--model", f"{place}/{model}", "--videos", f"{place}/videos", *small, *words]
    )


def test_a_network_and_its_untrained_twin(place, tmp_path, capsys):
    out = str(tmp_path / "out")
    assert run(place, "--weights", f"{place}/w.pth", "--layers", "?", "--out", out) == 2
    words = ["--weights", f"{place}/w.pth", "--out", out, "--clips-per-video", "2"]
    assert run(place, *words, "--layers", "2", "5") == 0
    report, twin = (BiasReport.load(f"{out}/bias/{x}.json") for x in ("report", "untrained"))
    assert list(report.layers) == list(twin.layers) == ["2", "5"]
    assert report.meta["videos"] == 6 and report.meta["recordings"] == 3
    assert report["5"].score("static") != twin["5"].score("static")
    assert "motion-only" in capsys.readouterr().out


def test_without_weights_there_is_no_twin(place, tmp_path, capsys):
    assert run(place, "--out", str(tmp_path / "out")) == 0
    assert not (tmp_path / "out" / "bias" / "untrained.json").exists()
    assert "has no untrained twin" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "model", "says"),
    [
        ([], "net.py:needs", "to take no arguments, but it needs width"),
        ([], "net.py:text", "to return a torch.nn.Module, but it returns str"),
        ([], "net.py:biuld", "but it has build, needs, text, fails"),
        ([], "nowhere.py:build", "Expected a Python file at"),
        ([], "broken.py:build", "raises ModuleNotFoundError: No module named 'no_such_package'"),
        (["--mean", "0.5"], "net.py:build", "3 numbers in `mean`"),
        (["--weights", "{}/part.pth"], "net.py:build", "part.pth"),
        (["DATA.NUM_FRAMES", "8"], "net.py:build", "no KEY VALUE"),
        (["--workers", "2"], "net.py:build", "Expected no --workers"),
        (["--top-clips", "2"], "net.py:build", "Expected no --top-clips"),
        (["--twin", "a.pyth"], "net.py:build", "Expected no --twin"),
        (["--frames", "1"], "net.py:build", "frames of at least 2, but got 1"),
        (["--layers", "blocks.*"], "net.py:build", "Expected a module of Sequential"),
        (["--styles", "sepia"], "net.py:build", "sepia"),
    ],
)
def test_bad_input_is_one_line_and_status_2(place, tmp_path, capsys, words, model, says):
    words = [word.format(place) for word in words]
    assert run(place, "--out", str(tmp_path / "out"), *words, model=model) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1 and says in shown, shown


def test_an_error_of_the_users_own_function_keeps_its_traceback(place, tmp_path):
    with pytest.raises(OSError, match="no such disk"):
        run(place, "--out", str(tmp_path / "out"), model="net.py:fails")


def test_flags_of_an_own_network_are_refused_with_a_known_one(place, capsys):
    words = ["--weights", f"{place}/w.pth", "--videos", f"{place}/videos", "--frames", "8"]
    assert cli.main(["measure", "--model", "slow_r50", *words]) == 2
    assert "DATA.NUM_FRAMES 16" in capsys.readouterr().err
