"""Files checked by decoding, copied smaller, and made into lists of good ones."""

from __future__ import annotations

import csv
import errno
import json
import os
import shlex
import shutil
import signal
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from support import ROOT, warm
from support.videos import (
    cut,
    has_codec,
    read_numbers,
    spoil,
    write_folder,
    write_video,
)

from slowfast_bias.datasets.decoding.read_frames import probe, read_frames
from slowfast_bias.datasets.lists.files import read_list
from slowfast_bias.datasets.preparing import reencode as copying
from slowfast_bias.datasets.preparing import scan as scanning
from slowfast_bias.datasets.preparing.parallel import in_parallel
from slowfast_bias.datasets.preparing.prepare import prepare
from slowfast_bias.datasets.preparing.reencode import reencode
from slowfast_bias.datasets.preparing.scan import Facts, scan, scan_all
from slowfast_bias.errors import DataError, OutputError
from slowfast_bias.files import alone_in


@pytest.fixture
def films(tmp_path):
    """A good video, one that is cut off, one that is damaged in the middle, and no video."""
    folder = tmp_path / "films"
    folder.mkdir()
    for name in ("good", "cut", "spoilt"):
        write_video(folder / f"{name}.mp4", 48, 25, gop=12)
    cut(folder / "cut.mp4", 0.6)
    spoil(folder / "spoilt.mp4", 0.45, 0.6)
    (folder / "text.mp4").write_text("not a video")
    write_folder(folder / "pictures", range(6))
    return folder


def test_every_frame_is_decoded(films):
    assert scan(str(films / "good.mp4")) == Facts(48, 25.0, 96, 64, "h264")
    assert scan(str(films / "pictures")) == Facts(6, 30.0, 96, 64, "jpeg")
    for name in ("cut", "spoilt", "text"):
        assert f"{name}.mp4" in scan(str(films / f"{name}.mp4")).reason
    (films / "pictures" / "img_00004.jpg").write_bytes(b"")
    assert "img_00004" in scan(str(films / "pictures")).reason
    assert not scan(str(films / "pictures"), quick=True).reason  # that looks at 0, 3 and 5


def test_several_processes_find_the_same(films):
    paths = [str(path) for path in sorted(films.iterdir())]
    alone = dict(scan_all(paths, processes=1))
    assert dict(scan_all(paths, processes=2)) == alone and len(alone) == 5


def test_what_was_scanned_before_is_not_scanned_again(films, tmp_path, monkeypatch):
    paths, kept = [str(path) for path in sorted(films.glob("*.mp4"))], str(tmp_path / "kept.csv")
    steps = scan_all(paths, processes=1, kept=kept)
    first = dict([next(steps), next(steps)])
    with open(kept, "a") as file:
        file.write(f'{paths[3]},"cut off')  # killed while it was writing
    seen = []
    monkeypatch.setattr(scanning, "scan", lambda path, quick: seen.append(path) or scan(path))
    every = dict(scan_all(paths, processes=1, kept=kept))
    assert seen == paths[2:] and every == {**every, **first} and len(every) == 4
    seen.clear()
    os.utime(paths[0], (1, 1))
    assert dict(scan_all(paths, processes=1, kept=kept)) == every
    assert paths[0] in seen and paths[1] not in seen


def crash(item):
    if item == "bad":
        os._exit(9)
    return item.upper()


def test_a_process_that_dies_is_one_bad_item_and_no_other_is_lost():
    items = ["a", "bad", *"cdefg"]
    done = dict(in_parallel(crash, items, 2))
    assert done == {item: None if item == "bad" else item.upper() for item in items}


@pytest.mark.parametrize(
    ("rate", "stamps"),
    [(25, None), (Fraction(30000, 1001), None), (30, [40 * n + 13 * (n % 3) for n in range(30)])],
)
def test_a_copy_has_the_same_frames_at_the_same_times(tmp_path, rate, stamps):
    path = write_video(tmp_path / "a.mp4", 30, rate, (192, 128), stamps=stamps)
    reencode(path, str(tmp_path / "out" / "a.mp4"), 64)
    before, after = probe(path), probe(tmp_path / "out" / "a.mp4")
    assert (after.width, after.height, after.frames) == (96, 64, 30)
    assert after.times == pytest.approx(before.times, abs=1e-3)
    assert read_numbers(read_frames(tmp_path / "out" / "a.mp4", range(30))) == list(range(30))
    assert os.listdir(tmp_path / "out") == ["a.mp4"]


PATCHES = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (220, 120, 60), (128, 128, 128), (16, 9, 4)]
# FFmpeg's numbers of matrix and range
TAGS = {
    "BT.601": ("libx264", "yuv420p", 6, 1),
    "not said": ("libx264", "yuv420p", 2, 0),
    "BT.709": ("libx264", "yuv420p", 1, 1),
    "full range": ("libx264", "yuvj420p", 6, 2),
    "BT.709, full range": ("libx264", "yuvj420p", 1, 2),
    "BT.2020": ("libx264", "yuv420p10le", 9, 1),
    "4:4:4": ("libx264", "yuv444p", 1, 1),
    "RGB": ("libx264rgb", "rgb24", 0, 0),
    "PNG": ("png", "rgb24", 2, 0),
    "Motion JPEG": ("mjpeg", "yuvj420p", 2, 2),
}


def write_patches(path, codec, pix_fmt, matrix, colour_range):
    image = np.repeat(np.repeat(np.array(PATCHES, np.uint8).reshape(2, 3, 3), 64, 0), 64, 1)
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 192, 128, pix_fmt
        context = stream.codec_context
        context.thread_count = 1
        context.colorspace, context.color_range = matrix, colour_range
        stream.options = {"crf": "4", "qmin": "2", "qmax": "2"}
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        colours = {} if pix_fmt == "rgb24" else {
            "dst_colorspace": 5 if matrix in (2, 6) else matrix,
            "dst_color_range": colour_range or 1, "src_color_range": 2,
        }  # fmt: skip
        for _ in range(3):
            out.mux(stream.encode(frame.reformat(format=pix_fmt, **colours)))
        out.mux(stream.encode())


@pytest.mark.parametrize("tags", TAGS)
@pytest.mark.parametrize("short_side", [64, 128])
def test_a_copy_has_the_colours_of_its_video(tmp_path, tags, short_side):
    if not has_codec(TAGS[tags][0]):
        pytest.skip("this FFmpeg cannot write it")
    path = tmp_path / ("a.mov" if tags == "PNG" else "a.mkv")
    copy = tmp_path / "b.mp4"
    write_patches(path, *TAGS[tags])
    reencode(str(path), str(copy), short_side)
    before, after = (
        read_frames(file, [0, 2], short_side=short_side).float().unflatten(1, (2, -1))
        .unflatten(3, (3, -1))[:, :, 8:-8, :, 8:-8].mean((0, 2, 4))
        for file in (path, copy)
    )  # fmt: skip
    assert np.abs(before.flatten(0, 1).numpy() - PATCHES).mean() < 4  # the source is what we meant
    assert (before - after).abs().mean() < 1 and (before - after).abs().max() < 2.5


@pytest.mark.parametrize("name", ["a.avi", "a.mp4", "a.webm", "a.mkv", "a.ts", "a.h264"])
def test_what_has_odd_time_stamps_is_copied(tmp_path, name):
    """B-frames in AVI, XviD in MP4, a stream without a container: FFmpeg gives them no times."""
    codec = {"a.webm": "libvpx-vp9", "a.mp4": "mpeg4"}.get(name, "libx264")
    path = write_video(tmp_path / name, 40, 25, codec=codec)
    if name == "a.mp4":  # some writers leave the times of display out
        path = _without_times(path, str(tmp_path / "b.mp4"))
    reencode(path, str(tmp_path / "copy.mp4"), 48)
    before, after = probe(path), probe(tmp_path / "copy.mp4")
    assert read_numbers(read_frames(tmp_path / "copy.mp4", range(40))) == list(range(40))
    assert after.times == pytest.approx(before.times, abs=1e-6)
    assert after.fps == pytest.approx(before.fps)


def _without_times(path, target):
    """The same packets, numbered as they come."""
    with av.open(path) as source, av.open(target, "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(p for p in source.demux(video=0) if p.size):
            packet.time_base, packet.stream = Fraction(1, 25), stream
            packet.pts = packet.dts = number
            packet.duration = 1
            out.mux(packet)
    return target


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm"])
def test_a_declared_rate_does_not_bend_the_times_of_a_copy(tmp_path, name):
    stamps = [66 * n + 20 * (n % 2) for n in range(60)]  # declared 30, shown 15 a second
    codec = "libvpx-vp9" if name == "a.webm" else "libx264"
    path = write_video(tmp_path / name, 60, 30, stamps=stamps, codec=codec)
    reencode(path, str(tmp_path / "copy.mp4"), 32)
    after = probe(tmp_path / "copy.mp4")
    assert after.times == tuple(stamp / 1000 for stamp in stamps)
    assert after.fps == pytest.approx(59 / after.times[-1], rel=0.01)


@pytest.mark.parametrize("size", [(97, 65), (301, 67), (64, 2)])
def test_sides_become_even_without_stretching(tmp_path, size):
    path = write_video(tmp_path / "a.mkv", 3, size=size, pix_fmt="yuv444p")
    reencode(path, str(tmp_path / "b.mp4"), 66)
    before = read_frames(path, [1], short_side=66).float()
    after = read_frames(tmp_path / "b.mp4", [1]).float()
    height, width = (side // 2 * 2 for side in before.shape[1:3])
    assert after.shape[1:3] == (height, width)
    assert (before[:, :height, :width] - after).abs().mean() < 8


def test_a_turned_video_stays_upright(tmp_path):
    path = write_video(tmp_path / "a.mp4", 5, size=(96, 64), rotation=90)
    reencode(path, str(tmp_path / "b.mp4"), 32)
    before, after = probe(path), probe(tmp_path / "b.mp4")
    assert (before.width, before.height) == (64, 96) and (after.width, after.height) == (32, 48)
    shown, copied = (read_frames(tmp_path / f"{n}.mp4", [2], short_side=32) for n in "ab")
    assert (shown.float() - copied.float()).abs().mean() < 12


# -- what a disk and a terminal do ----------------------------------------------------------------


def test_a_full_disk_stops_the_copying_and_is_no_fault_of_a_video(films, tmp_path, monkeypatch):
    (films / "train.csv").write_text("good.mp4 0\npictures 0\n".replace("pictures", "more.mp4"))
    write_video(films / "more.mp4", 30)
    out = tmp_path / "out"
    room = [10_000]

    def write(noted, data):
        room[0] -= len(data)
        if room[0] < 0:
            noted.error = OSError(errno.ENOSPC, "No space left on device")
            raise noted.error
        return noted.file.write(data)

    monkeypatch.setattr(copying.Noted, "write", write)
    with pytest.raises(OutputError, match=r"Expected to write .*No space left.*Free some space"):
        prepare("csv", str(films), str(films), str(out), short_side=32)
    assert not list(out.glob("**/*part*")) and not (out / "train.csv").exists()
    assert len(list(out.glob("videos/*.mp4"))) < 2
    monkeypatch.undo()
    assert prepare("csv", str(films), str(films), str(out), short_side=32).counts == {"train": 2}


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_what_the_disk_says_late_stops_it_too(films, tmp_path, monkeypatch, failing):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(copying.os, failing, refuse)
    with pytest.raises(OutputError, match="No space left"):
        reencode(str(films / "good.mp4"), str(tmp_path / "a.mp4"), 32)
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def ask(name, *words, **options):
    """A process of its own that runs a command of this package."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = ["-m", "slowfast_bias", name, *words]
    return warm.start(words, cwd=os.getcwd(), env=env, start_new_session=True, **options)


def test_a_folder_that_cannot_be_written_to_is_one_line(films):
    (films / "train.csv").write_text("good.mp4 0\n")
    asked = ask("prepare", "csv", "--lists", films, "--out", films / "good.mp4" / "out")
    _, said = asked.communicate()
    assert asked.returncode == 2 and said.startswith("error: Expected to write into ")
    assert said.count("\n") == 1 and "Give another folder" in said


def test_what_was_found_out_is_kept_where_the_disk_fills_up(films, tmp_path):
    kept = tmp_path / "kept.csv"
    kept.mkdir()
    with pytest.raises(OutputError, match="Expected to write"):
        dict(scan_all([str(films / "good.mp4")], processes=1, kept=str(kept)))


def test_a_row_that_was_cut_off_spoils_none_behind_it(films, tmp_path):
    kept = tmp_path / "kept.csv"
    paths = [str(films / f"{name}.mp4") for name in ("good", "cut")]
    dict(scan_all(paths[:1], processes=1, kept=str(kept)))
    whole = kept.read_bytes()
    kept.write_bytes(whole + f'{paths[1]},"12'.encode())
    dict(scan_all(paths, processes=1, kept=str(kept)))
    assert kept.read_bytes().startswith(whole) and kept.read_bytes().count(b",.\r\n") == 2


def test_what_a_killed_call_left_is_taken_away_and_two_do_not_meet(films, tmp_path):
    (films / "train.csv").write_text("good.mp4 0\n")
    out = tmp_path / "out"
    for name in ("videos/.part/123.part", "train.csv.123.tmp"):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("half")
    with alone_in(str(out)), pytest.raises(OutputError, match="another call writes"):
        prepare("csv", str(films), str(films), str(out), short_side=32)
    assert (out / "videos" / ".part").exists()
    prepare("csv", str(films), str(films), str(out), short_side=32)
    assert os.listdir(out / "videos") == ["good.mp4"] and not list(out.glob("*.tmp"))


def test_copies_of_another_size_are_made_anew(films, tmp_path):
    (films / "train.csv").write_text("good.mp4 0\n")
    for short_side in (32, 48):
        prepare("csv", str(films), str(films), str(tmp_path / "out"), short_side=short_side)
        assert probe(tmp_path / "out" / "videos" / "good.mp4").height == short_side


def test_ctrl_c_is_one_line_and_leaves_no_process(tmp_path):
    folder = tmp_path / "films"
    folder.mkdir()
    film = write_video(tmp_path / "film.mp4", 60, size=(320, 240))
    for number in range(20):
        shutil.copy(film, folder / f"{number}.mp4")
    (folder / "train.csv").write_text("".join(f"{n}.mp4 0\n" for n in range(20)))
    out = tmp_path / "out"
    words = ("csv", "--lists", folder, "--out", out, "--short-side", 64, "--workers", 2)
    asked = ask("prepare", *words)
    until = time.monotonic() + 60
    while not list(out.glob("videos/*.mp4")) and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(asked.pid, signal.SIGINT)  # as a terminal does
    _, said = asked.communicate(timeout=30)  # the pipes close with the last process
    assert asked.returncode == 130 and "Traceback" not in said
    assert said.splitlines()[-1].startswith("stopped: ")
    assert 0 < len(list(out.glob("videos/*"))) < 20
    asked = ask("prepare", *words)
    said, _ = asked.communicate(timeout=120)
    assert asked.returncode == 0 and "train 20 videos" in said


def test_the_words_for_a_run_can_be_pasted(films, tmp_path):
    (films / "train.csv").write_text("good.mp4 0\n")
    out = f"{tmp_path}/my 'data'"
    asked = ask("prepare", "csv", "--lists", films, "--out", out, "--short-side", 32)
    said, _ = asked.communicate()
    words = shlex.split(said.partition("a run takes them with:")[2])
    assert words[:4] == ["DATA.PATH_TO_DATA_DIR", out, "DATA.PATH_PREFIX", f"{out}/videos"]


def test_check_asks_for_no_keys():
    asked = ask("check")
    _, said = asked.communicate()
    assert asked.returncode == 2 and said.endswith("arguments are required: --cfg\n")


def test_names_may_be_any_bytes(tmp_path):
    folder = os.path.join(os.fsencode(tmp_path), b"mine/train/a")
    try:
        os.makedirs(folder)
        for name in (b"caf\xe9.mp4", b"bad\xe9.mp4", b"\xc3\xa9.mp4"):
            write_video(os.fsdecode(os.path.join(folder, name)), 5)
    except OSError:
        pytest.skip("this disk takes text only")
    Path(os.fsdecode(os.path.join(folder, b"bad\xe9.mp4"))).write_bytes(b"no video")
    (tmp_path / "mine" / "val").symlink_to(tmp_path / "mine" / "train")
    out = tmp_path / "out"
    for short_side in (0, 32):
        made = prepare("folders", str(tmp_path / "mine"), "", str(out), short_side=short_side)
        assert made.counts["train"] == 2 and len(made.bad) == 2
        assert b"/caf\xe9.mp4 0\n" in (out / "train.csv").read_bytes()
        assert b"/bad\xe9.mp4," in (out / "bad.csv").read_bytes()
        root = made.keys["DATA.PATH_PREFIX"]
        back = read_list("csv", str(out), "train", prefix=root, num_classes=1)
        assert [probe(video.path).frames for video in back.videos] == [5, 5]
    made = ask("prepare", "csv", "--lists", out, "--videos", root, "--out", tmp_path / "again")
    said, _ = made.communicate()
    assert made.returncode == 0 and "train 2 videos" in said


def test_lists_of_good_videos_and_a_list_of_bad_ones(films, tmp_path):
    rows = "good.mp4 0\nspoilt.mp4 1\ngood.mp4#t=0,1 1\n"
    (films / "train.csv").write_text(rows)
    (films / "test.csv").write_text("text.mp4 0\npictures 1\n")
    out = tmp_path / "out"
    made = prepare("csv", str(films), "", str(out))
    assert made.counts == {"train": 2, "test": 1}  # there is no list val
    assert (out / "train.csv").read_text() == "good.mp4 0\ngood.mp4#t=0,1 1\n"
    with open(out / "bad.csv") as file:
        bad = list(csv.DictReader(file))
    assert [(Path(row["path"]).name, row["split"]) for row in bad] == [
        ("spoilt.mp4", "train"),
        ("text.mp4", "test"),
    ]
    assert bad[0]["row"] == f"{films}/train.csv, row 2" and "damaged" in bad[0]["reason"]
    assert made.keys["DATA.PATH_PREFIX"] == str(films)
    assert prepare("csv", str(films), "", str(out)) == made


def test_copies_are_listed_in_place_of_the_videos(films, tmp_path):
    (films / "train.csv").write_text("good.mp4 0\ntext.mp4 0\n")
    made = prepare("csv", str(films), str(films), str(tmp_path / "out"), short_side=32)
    copy = tmp_path / "out" / "videos" / "good.mp4"
    assert made.counts == {"train": 1} and probe(copy).height == 32
    assert made.keys["DATA.PATH_PREFIX"] == str(copy.parent)
    stamp = copy.stat().st_mtime_ns
    prepare("csv", str(films), str(films), str(tmp_path / "out"), short_side=32)
    assert copy.stat().st_mtime_ns == stamp
    with pytest.raises(DataError, match="outside"):
        prepare("csv", str(films), str(films), str(films / "out"), short_side=32)


KINETICS = (
    'label,youtube_id,time_start,time_end,split\nzumba,-_a,1,11,x\n"air drumming",b-c,2,12,x\n'
)
SOMETHING = [
    {"id": "7", "label": "a", "template": "Holding [something]", "placeholders": ["a pot"]},
    {"id": "8", "label": "b", "template": "[Something] falling", "placeholders": ["a leaf"]},
]
LABELS = {"Holding something": "0", "Something falling": "1"}
DIVES = [
    {"vid_name": n, "label": 7, "start_frame": 0, "end_frame": e}
    for n, e in (("a_1", 9), ("b_2", 8))
]
SEGMENTS = [
    {"label": "Surfing", "segment": span} for span in ([0.08, 0.2], [0, 0], [0.1, 99], [50, 60])
]
ANNOTATED = {
    "-x": {"subset": "training", "annotations": SEGMENTS},
    "y": {"subset": "validation", "annotations": SEGMENTS[:1]},
    "z": {"subset": "testing", "annotations": []},
}
ODD = "#20_Goal_#2_(x)_[y]&z;-)!_med_1.avi"

# format: (lists, videos of 12 frames at 25, what is written by split), each as it is downloaded
LAYOUTS = {
    "kinetics": (
        {"train.csv": KINETICS, "val.csv": KINETICS,
         "test.csv": "youtube_id,time_start,time_end,split\nq,1,11,test\n"},
        ["train/air drumming/b-c_000002_000012.mp4", "train/zumba/-_a_000001_000011.mp4"],
        dict.fromkeys(("train", "val", "test"), [
            ("train/zumba/-_a_000001_000011.mp4", 1),
            ("train/air drumming/b-c_000002_000012.mp4", 0),
        ]),
    ),
    "ssv2": (
        {"train.json": SOMETHING, "validation.json": SOMETHING[1:], "labels.json": LABELS,
         "test.json": [{"id": "9"}]},
        ["7.webm", "8.webm"],
        {"train": [("7.webm", 0), ("8.webm", 1)], "val": [("8.webm", 1)], "test": [("8.webm", 1)]},
    ),
    "something_else": (
        {"compositional/train.json": SOMETHING, "compositional/validation.json": SOMETHING[1:],
         "compositional/labels.json": {"Something falling": 0, "Holding something": 1}},
        ["7.webm", "8.webm"],
        {"train": [("7.webm", 0), ("8.webm", 1)], "val": [("8.webm", 1)], "test": [("8.webm", 1)]},
    ),
    "diving48": (
        {"Diving48_V2_train.json": DIVES, "Diving48_V2_test.json": DIVES[:1]},
        ["a_1.mp4", "b_2.mp4"],
        {"train": [("a_1.mp4#frames=0,9", 7), ("b_2.mp4#frames=0,8", 7)],
         "val": [("a_1.mp4#frames=0,9", 7)], "test": [("a_1.mp4#frames=0,9", 7)]},
    ),
    "activitynet": (
        {"activity_net.v1-3.min.json": {"version": "VERSION 1.3", "database": ANNOTATED}},
        ["v1-2/train/v_-x.mp4", "v1-3/train_val/v_y.mkv"],
        {"train": [("v1-2/train/v_-x.mp4#t=0.08,0.2", 0), ("v1-2/train/v_-x.mp4#t=0.1,99", 0)],
         "val": [("v1-3/train_val/v_y.mkv#t=0.08,0.2", 0)],
         "test": [("v1-3/train_val/v_y.mkv#t=0.08,0.2", 0)]},
    ),
    "ucf101": (
        {"classInd.txt": "1 Archery\r\n2 HandstandPushups\r\n",
         "trainlist01.txt": "HandstandPushups/v_HandStandPushups_g08_c01.avi 2\r\n",
         "testlist01.txt": "Archery/v_Archery_g01_c01.avi\r\n"},
        ["Archery/v_Archery_g01_c01.avi", "HandstandPushups/v_HandStandPushups_g08_c01.avi"],
        {"train": [("HandstandPushups/v_HandStandPushups_g08_c01.avi", 1)],
         "val": [("Archery/v_Archery_g01_c01.avi", 0)],
         "test": [("Archery/v_Archery_g01_c01.avi", 0)]},
    ),
    "hmdb51": (
        {"climb_stairs_test_split1.txt": "b.avi 1 \nc.avi 0 \n",
         "climb_test_split1.txt": f"{ODD} 2 \n"},
        ["climb_stairs/b.avi", f"climb/{ODD}"],
        {"train": [("climb_stairs/b.avi", 1)], "val": [(f"climb/{ODD}", 0)],
         "test": [(f"climb/{ODD}", 0)]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", LAYOUTS)
@pytest.mark.parametrize("short_side", [0, 32])
def test_every_published_layout_becomes_lists_that_are_read_back(tmp_path, form, short_side):
    lists, films, wanted = LAYOUTS[form]
    for name, content in lists.items():
        (tmp_path / "lists" / name).parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / "lists" / name).write_text(text, newline="")
    for name in films:
        (tmp_path / "videos" / name).parent.mkdir(parents=True, exist_ok=True)
        codec = {"webm": "libvpx-vp9", ".avi": "mpeg4"}.get(name[-4:], "libx264")
        write_video(tmp_path / "videos" / name, 12, 25, codec=codec)
    made = prepare(
        form, str(tmp_path / "lists"), str(tmp_path / "videos"), str(tmp_path / "out"),
        short_side=short_side,
    )  # fmt: skip
    assert made.counts == {split: len(rows) for split, rows in wanted.items()} and not made.bad
    root = made.keys["DATA.PATH_PREFIX"]
    for split, rows in wanted.items():
        back = read_list("csv", str(tmp_path / "out"), split, prefix=root, num_classes=48)
        found = [(video.name.removeprefix(f"{root}/"), video.label) for video in back.videos]
        assert [(_as_copied(n) if short_side else n, label) for n, label in rows] == found
        assert all(probe(video.path).frames == 12 for video in back.videos)
    if form == "activitynet":  # of no length, and behind the end of the video
        with open(tmp_path / "out" / "bad.csv") as file:
            reasons = [row["path"] + row["reason"] for row in csv.DictReader(file)]
        assert "v_-x.mp4#t=50,60Expected the part" in reasons[0] and "12 frames" in reasons[0]
        assert reasons[1] == "v_-x#t=0,0Expected a video, but its segment is under 0.02 s."


def _as_copied(name):
    path, mark, part = name.partition("#frames") if "#frames" in name else name.partition("#t=")
    return (path if path.endswith(".mp4") else f"{path}.mp4") + mark + part


def test_a_name_of_two_lines_is_not_written_into_a_list(tmp_path):
    folder = tmp_path / "mine" / "train" / "a"
    folder.mkdir(parents=True)
    for name in ("two\nlines.mp4", "one line.mp4"):
        write_video(folder / name, 3)
    (tmp_path / "mine" / "val").symlink_to(tmp_path / "mine" / "train")
    made = prepare("folders", str(tmp_path / "mine"), "", str(tmp_path / "out"))
    assert (tmp_path / "out" / "train.csv").read_text() == "train/a/one line.mp4 0\n"
    assert made.counts == {"train": 1, "val": 1, "test": 1}
    assert all("two lines" in reason for reason in made.bad.values()) and len(made.bad) == 2
