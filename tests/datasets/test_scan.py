"""Files checked by decoding, copied smaller, and made into lists of good ones."""

from __future__ import annotations

import csv
import os
import sys
from fractions import Fraction
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from make_videos import cut, read_numbers, spoil, write_folder, write_video  # noqa: E402

from slowfast_bias.datasets.decode import probe, read_frames  # noqa: E402
from slowfast_bias.datasets.preparing import scan as scanning  # noqa: E402
from slowfast_bias.datasets.preparing.prepare import prepare  # noqa: E402
from slowfast_bias.datasets.preparing.reencode import reencode  # noqa: E402
from slowfast_bias.datasets.preparing.scan import Facts, in_parallel, scan, scan_all  # noqa: E402
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
