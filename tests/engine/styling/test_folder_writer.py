"""Writing styled folders: what is written, whole or not at all, and taken up where it stopped."""

from __future__ import annotations

import csv
import errno
import json
import os
import shlex
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest
import torch
from support import ROOT, warm
from support import videos as make

from slowfast_bias.datasets.decoding.read_frames import probe, read_frames
from slowfast_bias.datasets.styles.bank import make_styles
from slowfast_bias.datasets.styles.folders import find_styles, find_videos
from slowfast_bias.engine.styling import video_writer as module
from slowfast_bias.engine.styling.folder_writer import Options, collect, stylize
from slowfast_bias.engine.styling.stylers import Recipe, make_styler
from slowfast_bias.errors import DataError, MissingPackageError, OutputError

TWO = Recipe("colour", 2, 0)
STYLIZE = ["-m", "slowfast_bias", "stylize"]


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    make.write_video(folder / "jump up.mp4", 24, fps=24)
    make.write_folder(folder / "class" / "tänze", range(5, 14))
    (folder / "broken.mp4").write_bytes(b"no film at all")
    return folder


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
    assert not list(tmp_path.rglob(".part"))


def test_a_stopped_run_is_taken_up_and_never_seen_half_written(films, tmp_path, monkeypatch):
    whole, part = tmp_path / "whole", tmp_path / "part"
    stylize([str(films)], str(whole), Options(TWO))

    write, count = module.write_picture, []

    def stop(stem, *rest):
        count.append(stem)
        if len(count) == 30:  # in the second video
            raise KeyboardInterrupt
        write(stem, *rest)

    monkeypatch.setattr(module, "write_picture", stop)
    with pytest.raises(KeyboardInterrupt):
        stylize([str(films)], str(part), Options(TWO))
    monkeypatch.undo()
    assert find_styles([str(part / f"style_{k}") for k in range(2)]).names == ("class/tänze",)
    stale = part / "style_0" / ".part" / "0123"  # as a killed process leaves it
    stale.mkdir(parents=True)
    (stale / "frame_00001.jpg").write_bytes(b"half")
    (part / "style_0" / "jump up").mkdir()  # killed between two renames, and emptied
    (part / "style_0" / "jump up").rmdir()
    outcome = stylize([str(films)], str(part), Options(TWO))
    assert (outcome.written, outcome.skipped) == (["jump up"], ["class/tänze"])
    assert not stale.exists()
    files = lambda root: {p.relative_to(root): p.read_bytes() for p in root.rglob("*.jpg")}  # noqa: E731
    assert files(whole) == files(part) and len(files(part)) == 2 * (24 + 9)


def test_a_folder_begun_with_other_settings_is_refused(films, tmp_path):
    stylize([str(films / "jump up.mp4")], str(tmp_path), Options(TWO, every=12))
    with pytest.raises(OutputError, match=r"every 1 \(there: 12\)"):
        stylize([str(films)], str(tmp_path), Options(TWO))
    with pytest.raises(OutputError, match="'seed': 5"):
        stylize([str(films)], str(tmp_path), Options(Recipe("colour", 2, 5), every=12))


def test_settings_that_cannot_be_read_are_named(films, tmp_path):
    (tmp_path / "stylize.json").write_text("half")
    with pytest.raises(OutputError, match=r"stylize\.json, but they cannot be read"):
        stylize([str(films)], str(tmp_path), Options(TWO))


def test_a_second_call_into_the_folder_waits_for_no_one_but_says_so(films, tmp_path):
    with module.alone_in(str(tmp_path)), pytest.raises(OutputError, match="another call writes"):
        stylize([str(films)], str(tmp_path), Options(TWO))
    assert stylize([str(films / "jump up.mp4")], str(tmp_path), Options(TWO, every=12)).written


def test_styles_are_not_written_among_their_originals(tmp_path):
    """The next call would take them for videos to be styled."""
    make.write_folder(tmp_path / "videos" / "a", [1, 2])
    (tmp_path / "link").symlink_to(tmp_path / "videos")
    for out in ("videos/styled", "videos", "link/styled", "videos/a/styled"):
        with pytest.raises(DataError, match="folder outside .*videos"):
            stylize([str(tmp_path / "videos")], str(tmp_path / out), Options(TWO))
    assert stylize([str(tmp_path / "videos")], str(tmp_path / "videos 2"), Options(TWO)).written
    assert sorted(p.name for p in (tmp_path / "videos").iterdir()) == ["a"]


def test_a_picture_beside_videos_does_not_make_them_one(films, tmp_path):
    (tmp_path / "jump.mp4").symlink_to(films / "jump up.mp4")
    (tmp_path / "cover.jpg").write_bytes(b"no frame")
    assert list(collect([str(tmp_path)])) == ["jump"]
    (tmp_path / "cover 1.jpg").write_bytes(b"a frame?")
    with pytest.raises(DataError, match=r"jump\.mp4 is there beside cover 1\.jpg"):
        collect([str(tmp_path)])


def test_a_video_is_never_written_into_the_frames_of_another(tmp_path):
    (tmp_path / "in" / "a").mkdir(parents=True)
    make.write_video(tmp_path / "in" / "a.mp4", 2)
    make.write_video(tmp_path / "in" / "a" / "b.mp4", 2)
    with pytest.raises(DataError, match=r"a/b\.mp4 would be written into that of .*in/a\.mp4"):
        collect([str(tmp_path / "in")])


def test_names_as_long_as_a_disk_allows_are_written(tmp_path):
    name = "ü" * 125  # 250 bytes, and 4 of the ending
    make.write_video(tmp_path / f"{name}.mp4", 2)
    outcome = stylize([str(tmp_path / f"{name}.mp4")], str(tmp_path / "out"), Options(TWO))
    assert outcome.written == [name] and not outcome.failed
    assert len(list((tmp_path / "out" / "style_1" / name).glob("*.jpg"))) == 2


def test_a_video_that_is_there_of_another_file_is_kept_and_told(films, tmp_path, caplog):
    stylize([str(films / "jump up.mp4")], str(tmp_path / "out"), Options(TWO, every=12))
    shutil.copy(films / "jump up.mp4", tmp_path / "jump up.mp4")
    caplog.clear()
    again = stylize([str(tmp_path / "jump up.mp4")], str(tmp_path / "out"), Options(TWO, every=12))
    assert again.skipped == ["jump up"] and "of other files" in caplog.text
    assert str(films / "jump up.mp4") in caplog.text
    caplog.clear()
    stylize([str(films / "jump up.mp4")], str(tmp_path / "out"), Options(TWO, every=12))
    assert not caplog.text


def test_a_full_disk_stops_the_run_and_leaves_nothing_half(films, tmp_path, monkeypatch):
    write, count = module.write_picture, []

    def full(stem, *rest):
        count.append(stem)
        if len(count) > 20:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), stem)
        write(stem, *rest)

    monkeypatch.setattr(module, "write_picture", full)
    with pytest.raises(OutputError, match=r"No space left.*started again, it goes on"):
        stylize([str(films)], str(tmp_path), Options(TWO))
    monkeypatch.undo()
    assert find_styles([str(tmp_path / f"style_{k}") for k in range(2)]).names == ("class/tänze",)
    assert not list(tmp_path.rglob(".part/*"))
    assert stylize([str(films)], str(tmp_path), Options(TWO)).written == ["jump up"]


def test_what_cannot_be_read_while_writing_is_the_videos_own_fault(films, tmp_path, monkeypatch):
    def refused(path, *_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(module, "read_frames", refused)
    outcome = stylize([str(films / "jump up.mp4")], str(tmp_path), Options(TWO))
    assert "Permission denied" in outcome.failed["jump up"]


def test_a_video_that_changes_its_size_is_left_out(tmp_path, monkeypatch):
    folder = tmp_path / "in" / "a"
    make.write_folder(folder, range(1, 11), "{:05d}.png")
    make.write_folder(folder, range(11, 21), "{:05d}.png", (48, 32))
    monkeypatch.setattr(module, "_PIXELS", 96 * 64 * 10)  # each part alone has one size
    outcome = stylize([str(folder)], str(tmp_path / "out"), Options(TWO))
    assert "from frame 10 on they are 48x32 px instead of 96x64" in outcome.failed["a"]
    assert not find_videos(str(tmp_path / "out" / "style_0"))


DIES = """
import os, signal, sys
from slowfast_bias.engine.styling import video_writer
from slowfast_bias.engine.styling.stylers import Recipe
from slowfast_bias.engine.styling.folder_writer import Options, stylize

read = video_writer.read_frames

def dies(path, *args, **kwargs):
    if "jump" in str(path):
        os.kill(os.getpid(), signal.SIGKILL)
    return read(path, *args, **kwargs)

video_writer.read_frames = dies
if __name__ == "__main__":
    done = stylize([sys.argv[1]], sys.argv[2], Options(Recipe(num=2), every=6), workers=2)
    print(done.written, list(done.failed), done.failed["jump up"])
"""


def test_a_process_that_dies_costs_one_video_which_is_named(films, tmp_path):
    (tmp_path / "dies.py").write_text(DIES)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = warm.run([tmp_path / "dies.py", films, tmp_path / "out"], env=env)
    assert done.returncode == 0, done.stderr
    assert "['class/tänze']" in done.stdout and "its process died" in done.stdout


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are listed in /proc")
def test_killed_with_its_processes_at_work_it_is_taken_up(films, tmp_path):
    """No process outlives the one that was killed: it would write beside the next call."""
    (tmp_path / "many").mkdir()
    for k in range(30):
        (tmp_path / "many" / f"{k:02d}.mp4").symlink_to(films / "jump up.mp4")
    words = [tmp_path / "many", "--num", 2, "--workers", 2]
    run = warm.start([*STYLIZE, *words, "--out", tmp_path / "out"], start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while not list((tmp_path / "out").glob("style_1/0*/frame_00001.jpg")):
            assert time.monotonic() < deadline and run.poll() is None
            time.sleep(0.01)
    finally:
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
    while left_of(run.pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    before = {path for path in (tmp_path / "out").rglob("*.jpg") if ".part" not in path.parts}
    again = stylize([str(tmp_path / "many")], str(tmp_path / "out"), Options(Recipe(num=2)))
    assert len(again.written) + len(again.skipped) == 30 and again.skipped
    files = set((tmp_path / "out").rglob("*.jpg"))
    assert before < files and len(files) == 30 * 2 * 24
    assert find_styles([str(tmp_path / "out" / f"style_{k}") for k in range(2)]).missing == {}


def left_of(session):
    """The processes of a session that are alive."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, its_session = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:  # it has just ended
            continue
        if int(its_session) == session and state != "Z":
            found.append(stat.parent.name)
    return found


def test_a_decoder_that_is_not_there_is_said_before_any_work(films, tmp_path, monkeypatch):
    from slowfast_bias.datasets.decoding import torchcodec_reader

    torchcodec_reader.torchcodec_module.cache_clear()
    for name in ("torchcodec", "torchcodec.decoders"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingPackageError, match="pip install torchcodec"):
        stylize([str(films)], str(tmp_path), Options(TWO, backend="torchcodec"))
    torchcodec_reader.torchcodec_module.cache_clear()
    assert not (tmp_path / "bad.csv").exists() and not (tmp_path / "stylize.json").exists()


def test_two_sources_of_one_name_and_none_at_all_are_refused(films, tmp_path):
    make.write_folder(tmp_path / "jump up", [1])
    with pytest.raises(DataError, match="written as jump up"):
        collect([str(films), str(tmp_path / "jump up")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="there are none"):
        collect([str(tmp_path / "empty")])


def test_processes_write_what_one_writes_and_the_command_says_how_to_go_on(films, tmp_path):
    out = tmp_path / "it's two"
    words = [films, "--num", 2, "--every", 6, "--out", out, "--workers", 2]
    done = warm.run([*STYLIZE, *words])
    assert done.returncode == 1, done.stderr  # one was left out
    assert "2 videos written" in done.stdout and "bad.csv" in done.stderr
    told = shlex.split(done.stdout.partition("measure with: ")[2])
    keys = dict(zip(told[::2], told[1::2], strict=True))
    assert json.loads(keys["BIAS.STYLES.DIRS"]) == [f"{out}/style_{k}" for k in range(2)]
    stylize([str(films)], str(tmp_path / "one"), Options(TWO, every=6))
    for file in (tmp_path / "one").rglob("*.jpg"):
        other = out / file.relative_to(tmp_path / "one")
        assert file.read_bytes() == other.read_bytes()
