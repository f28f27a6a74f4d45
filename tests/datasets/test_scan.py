"""Files checked by decoding, copied smaller, and made into lists of good ones."""

from __future__ import annotations

import csv
import json
import os
import sys
from fractions import Fraction
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from make_videos import cut, read_numbers, spoil, write_folder, write_video  # noqa: E402

from slowfast_bias.datasets.decode import probe, read_frames  # noqa: E402
from slowfast_bias.datasets.lists.files import read_list  # noqa: E402
from slowfast_bias.datasets.preparing import scan as scanning  # noqa: E402
from slowfast_bias.datasets.preparing.parallel import in_parallel  # noqa: E402
from slowfast_bias.datasets.preparing.prepare import prepare  # noqa: E402
from slowfast_bias.datasets.preparing.reencode import reencode  # noqa: E402
from slowfast_bias.datasets.preparing.scan import Facts, scan, scan_all  # noqa: E402
from slowfast_bias.errors import DataError  # noqa: E402


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


def test_a_turned_video_stays_upright(tmp_path):
    path = write_video(tmp_path / "a.mp4", 5, size=(96, 64), rotation=90)
    reencode(path, str(tmp_path / "b.mp4"), 32)
    before, after = probe(path), probe(tmp_path / "b.mp4")
    assert (before.width, before.height) == (64, 96) and (after.width, after.height) == (32, 48)


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
