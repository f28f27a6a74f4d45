"""The ten-minute example of docs/DATA.md, run as it is printed, on videos that the test makes."""

from __future__ import annotations

import json
import os
import re
import shlex
from fractions import Fraction

import av
import numpy as np
import pytest
from support import ROOT, warm

from slowfast_bias.bias import BiasReport
from slowfast_bias.cli import main

pytestmark = pytest.mark.host

DOC = (ROOT / "docs" / "DATA.md").read_text()
RATES = (24, 25, Fraction(30000, 1001), 60)


def block(mark):
    """What stands in the fenced block behind a mark of the page."""
    return re.search(rf"<!-- own data: {mark} -->\n```\w*\n(.*?)```", DOC, re.DOTALL)[1]


def film(path, towards, number):
    """Two seconds of a bright bar that moves to the left or to the right over a grey of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rate = RATES[number % 4]
    codec = "libx264" if number % 2 and "libx264" in av.codecs_available else "mpeg4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 96, 72, "yuv420p"
        stream.options = {"preset": "ultrafast"} if codec == "libx264" else {}
        stream.codec_context.thread_count = 1
        for step in range(int(2 * rate)):
            image = np.full((72, 96, 3), 60 + 8 * number, np.uint8)
            place = int(step * 60 / rate * (1 if towards == "right" else -1)) % 96
            image[:, np.arange(place, place + 14) % 96] = 250
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode())


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder as the page describes it."""
    folder = tmp_path_factory.mktemp("own")
    for split, count in (("train", 6), ("val", 4)):
        for towards in ("left", "right"):
            for number in range(count):
                film(folder / "mine" / split / towards / f"clip {number}.mp4", towards, number)
    (folder / "mine.yaml").write_text(block("yaml"))
    return folder


def say(command, folder):
    """Runs a command of the page in a folder, with this python and checkout."""
    words = shlex.split(command)
    assert words[0] == "slowfast_bias"
    return warm.run(["-m", *words], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_the_example_does_what_the_page_says(place):
    check, train = block("commands").strip().splitlines()
    done = say(check, place)
    assert done.returncode == 0, done.stderr
    assert "train: 12 videos, 0 unreadable" in done.stdout
    assert all(f"{rate} (" in done.stdout for rate in ("24", "25", "29.97", "60"))
    done = say(f"{train} SOLVER.MAX_EPOCH 2", place)  # the page's ten epochs take a minute
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    report = BiasReport.load(str(place / "runs" / "mine" / "bias" / "report.json"))
    assert report.meta["videos"] == 8 and report.meta["dropped_videos"] == []
    for name in ("report.png", "report.md", "report.csv"):
        assert (place / "runs" / "mine" / "bias" / name).stat().st_size
    with open(place / "runs" / "mine" / "json_stats.log") as file:
        kinds = {line["_type"]: line for line in map(json.loads, file)}
    assert kinds["test_final"]["videos"] == 8 and kinds["val_epoch"]["dropped"] == 0


def test_check_data_tells_by_its_status(place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(place)
    cfg = ["check", "--cfg", "mine.yaml", "--workers", "1", "--quick"]
    assert main(cfg) == 0
    bad = place / "mine" / "val" / "left" / "clip 9.mp4"
    bad.write_bytes(b"")
    try:
        assert main(cfg) == 1
    finally:
        bad.unlink()
    assert "clip 9.mp4" in capsys.readouterr().out
    other = place / "mine" / "val" / "left" / "clip.xyz"
    other.write_text("no video")
    try:
        assert main(cfg) == 0
    finally:
        other.unlink()
    said = capsys.readouterr().out
    assert "left out" in said and "left/clip.xyz (" in said
    assert main([*cfg, "BIAS.DATA.FORMAT", "ssv2"]) == 2
    assert "error: Expected the list" in capsys.readouterr().err


def test_prepare_prints_the_words_with_which_a_run_takes_its_lists(
    place, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(place)
    words = ["folders", "--lists", "mine", "--out", str(tmp_path), "--workers", "1", "--quick"]
    assert main(["prepare", *words]) == 0
    said = capsys.readouterr().out
    assert "train 12 videos" in said and "0 bad files" in said
    keys = said.strip().splitlines()[-1].partition(": ")[2].split()
    assert main(["check", "--cfg", "mine.yaml", "--workers", "1", "--quick", *keys]) == 0
    assert main(["prepare", "csv", "--lists", "mine", "--out", str(tmp_path)]) == 2
