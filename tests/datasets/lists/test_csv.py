"""A csv as people write it: commas, a header, names of classes; SlowFast's own lists as ever."""

from __future__ import annotations

import logging
import random

import pytest
from support.videos import write_video

from slowfast_bias.datasets.lists.files import read_list
from slowfast_bias.datasets.preparing.prepare import prepare
from slowfast_bias.errors import DataError


def listed(folder, split="train", num_classes=3, separator=None, **files):
    """What is read of a list, [(path below the folder, label), ...], and the list itself."""
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8", newline="")
    found = read_list("csv", str(folder), split, separator=separator, num_classes=num_classes)
    return [(video.name.removeprefix(f"{folder}/"), video.label) for video in found.videos], found


@pytest.mark.parametrize("separator", [None, " "])
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("path,label\na.mp4,0\nb.mp4,1\n", [("a.mp4", 0), ("b.mp4", 1)]),
        ("a.mp4,0\r\nb.mp4,1", [("a.mp4", 0), ("b.mp4", 1)]),
        ("\ufeffFilename, Label\nmy video (1).mp4, 1\n", [("my video (1).mp4", 1)]),
        ("my video.mp4,0\nother, one.mp4,2\n", [("my video.mp4", 0), ("other, one.mp4", 2)]),
        ("a.mp4, 0\nb.mp4, 1\n", [("a.mp4", 0), ("b.mp4", 1)]),
        ('path,label\n"a, b.mp4",2\nc.mp4,0\n', [("a, b.mp4", 2), ("c.mp4", 0)]),
        ("label,video\n2,a b.mp4\n0,c.mp4\n", [("a b.mp4", 2), ("c.mp4", 0)]),
        (',path,label,seconds\n0,"a,b.mp4",1,3.5\n1,c.mp4,2,4\n', [("a,b.mp4", 1), ("c.mp4", 2)]),
        ("video class\na b.mp4 1\n", [("a b.mp4", 1)]),
        ("path,label\na.mp4#t=1.5,3,0\n", [("a.mp4#t=1.5,3", 0)]),
        ("frames one,1\nframes two,0\n", [("frames one", 1), ("frames two", 0)]),
    ],
)
def test_commas_and_headers_are_recognised(tmp_path, text, wanted, separator):
    assert listed(tmp_path, train__csv=text, separator=separator)[0] == wanted


def test_lists_of_slowfast_are_read_as_ever():
    draw = random.Random(0)
    words = ["a", "b,", ",c", "d e", "path", "label", "video", "x.mp4", "1", "0,1", '"q"', "é"]
    from slowfast_bias.datasets.lists.csv_table import read_table
    from slowfast_bias.datasets.lists.list_source import Source

    class Lines(Source):
        def lines(self, path):
            return text.split("\n")

    for _ in range(2000):
        names = [" ".join(draw.choices(words, k=draw.randint(1, 4))) for _ in range(3)]
        names.append("z.mp4")  # else every name may end with a comma
        text = "\n".join(f"{name} {draw.randint(0, 9)}" for name in names)
        rows = read_table(Lines("csv", "x", "train"), "x/train.csv").rows
        assert [(row.name, row.label) for row in rows] == [
            tuple(line.rsplit(None, 1)) for line in text.split("\n")
        ]


def test_what_is_not_slowfasts_own_form_is_in_the_log(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("slowfast_bias"), "propagate", True)
    with caplog.at_level(logging.INFO):
        listed(tmp_path, train__csv="a.mp4 0\n")
        assert not caplog.records
        listed(tmp_path, train__csv="path,label\na.mp4,walk\nb.mp4,fight\n")
    text = caplog.text
    assert "commas separate" in text and "row 1 is a header (path,label)" in text
    assert "0 fight, 1 walk" in text and f"{tmp_path}/train.csv" in text


# -- names of classes ----------------------------------------------------------------------------

NAMED = "path,label\na.mp4,walk\nb.mp4,fight\nc d.mp4,ride a bike\n"


@pytest.mark.parametrize("text", [NAMED, NAMED.partition("\n")[2], "x/a.mp4 walk\nb.mp4 fight\n"])
def test_names_are_numbered_by_the_alphabet(tmp_path, text):
    rows, found = listed(tmp_path, train__csv=text)
    names = sorted(found.classes)
    assert found.classes == {name: number for number, name in enumerate(names)}
    assert rows[0][1] == names.index("walk") and rows[1][1] == names.index("fight") == 0


def test_tabs_leave_spaces_to_names(tmp_path):
    for head in ("", "path\tlabel\n"):
        text = f"{head}my a.mp4\tride a bike\nb.mp4\twalk\n"
        assert listed(tmp_path, train__csv=text)[0] == [("my a.mp4", 0), ("b.mp4", 1)]


def test_val_and_test_have_the_numbers_of_train(tmp_path):
    val = "file,class\ne.mp4,walk\n"
    rows, found = listed(tmp_path, "val", train__csv=NAMED, val__csv=val)
    assert rows == [("e.mp4", 2)] and found.classes == {"walk": 2}
    rows, _ = listed(tmp_path, "test", test__csv="e.mp4 fight\n")
    assert rows == [("e.mp4", 0)]


@pytest.mark.parametrize("name", ["labels.txt", "classes.txt"])
@pytest.mark.parametrize(
    ("text", "walk"),
    [
        ("walk\nfight\nride a bike\n", 0),
        ("fight 2\nride a bike 0\nwalk 1\n", 1),
        ("fight,0\nwalk,2\nride a bike,1", 2),
    ],
)
def test_a_file_of_names_has_the_last_word(tmp_path, name, text, walk):
    (tmp_path / name).write_text(text)
    rows, found = listed(tmp_path, train__csv=NAMED)
    assert rows[0] == ("a.mp4", walk) and found.classes["walk"] == walk
    (tmp_path / "train.csv").unlink()
    assert listed(tmp_path, "val", val__csv="e.mp4,walk\n")[0] == [("e.mp4", walk)]


def test_names_that_end_in_numbers_are_names(tmp_path):
    text = "stage 1\nstage 2\n"
    rows, _ = listed(tmp_path, train__csv="a.mp4,stage 2\n", labels__txt=text)
    assert rows == [("a.mp4", 1)]


@pytest.mark.parametrize(
    ("train", "val", "says"),
    [
        (NAMED, "e.mp4,swim\n", r"val\.csv, row 1: .*'swim'.*fight, ride a bike, walk"),
        (NAMED, "e.mp4,walk\nf.mp4,3\n", r"val\.csv, row 2: .*one kind.*'3'.*row 1 has the name"),
        (NAMED, "e.mp4 0\n", r"val\.csv, row 1: .*one kind.*'0'.*train\.csv has the name 'walk'"),
        ("a.mp4 0\n", "e.mp4 walk\n", r"val\.csv, row 1: .*'walk'.*train\.csv has numbers"),
        ("a.mp4,0\n", "a.mp4,\n", r"val\.csv, row 1: .*no label"),
        ("a.mp4,0\n", "a.mp4,0\nb.mp4\n", r"val\.csv, row 2: .*separated by ','.*no label"),
        ("a.mp4,0\n", "path,label\na.mp4,0\n\n", r"row 3: it is blank"),
        ("a.mp4,0\n", "a.mp4,1.0\n", r"row 1: '1\.0' is not a whole number"),
        ("a.mp4,0\n", "id,path,label\n1,a.mp4\n", r"row 2: expected 3 fields as in row 1"),
        ("a.mp4,0\n", "label,youtube_id,time_start\nx,y,1\n", r"row 1: .*FORMAT kinetics"),
        ("a.mp4,0\n", "path,label\n", "zero videos"),
    ],
)
def test_what_is_wrong_is_named_by_its_row(tmp_path, train, val, says):
    with pytest.raises(DataError, match=says) as error:
        listed(tmp_path, "val", train__csv=train, val__csv=val)
    assert "\n" not in str(error.value)


def test_more_names_than_classes_name_the_class(tmp_path):
    with pytest.raises(DataError, match=r"row 2: the label 2 \(walk\) is not one of the 2 classes"):
        listed(tmp_path, num_classes=2, train__csv=NAMED)


def test_a_name_that_stands_twice_in_the_file_of_names_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"labels\.txt, row 1: the name 'walk' stands there twice"):
        listed(tmp_path, train__csv=NAMED, labels__txt="walk\nfight\nwalk\n")


def test_prepare_reads_and_writes_the_same_numbers(tmp_path):
    for name in ("a", "b", "c d"):
        write_video(tmp_path / f"{name}.mp4", 8)
    listed(tmp_path, train__csv=NAMED, val__csv="path,label\na.mp4,walk\n")
    out = tmp_path / "out"
    assert prepare("csv", str(tmp_path), "", str(out)).counts == {"train": 3, "val": 1}
    assert (out / "labels.txt").read_text() == "fight 0\nride a bike 1\nwalk 2\n"
    assert (out / "train.csv").read_text() == "a.mp4 2\nb.mp4 0\nc d.mp4 1\n"
    assert (out / "val.csv").read_text() == "a.mp4 2\n"


@pytest.mark.host
def test_a_data_set_says_which_number_is_which_class(tiny, tmp_path):
    from slowfast_bias.datasets.videos import Videos

    write_video(tmp_path / "a.mp4", 8)
    listed(tmp_path, train__csv=NAMED)
    cfg = tiny("TRAIN.DATASET", "videos", "DATA.PATH_TO_DATA_DIR", str(tmp_path),
               "DATA.TRAIN_JITTER_SCALES", [36, 40])  # fmt: skip
    data = Videos(cfg, "train")
    assert data.about()["class_names"] == {"fight": 0, "ride a bike": 1, "walk": 2}
    assert data.target(0) == 2


@pytest.mark.host
def test_check_and_a_run_follow_the_same_rules(tiny, tmp_path, capsys):
    from slowfast_bias.cli import main

    for name in ("a", "b", "c d"):
        write_video(tmp_path / f"{name}.mp4", 8)
    listed(tmp_path, train__csv=NAMED, val__csv="path,label\na.mp4,walk\n")
    (tmp_path / "empty.yaml").write_text("{}")
    words = [*tiny.words, "TRAIN.DATASET", "videos", "DATA.PATH_TO_DATA_DIR", tmp_path,
             "DATA.TRAIN_JITTER_SCALES", [36, 40], "OUTPUT_DIR", tmp_path / "run",
             "TEST.ENABLE", False]  # fmt: skip
    command = ["check", "--cfg", str(tmp_path / "empty.yaml"), "--workers", "1", "--quick"]
    assert main([*command, *map(str, words)]) == 0
    shown = capsys.readouterr().out
    assert "0 fight, 1 ride a bike, 2 walk" in shown and "names    2 walk" in shown
