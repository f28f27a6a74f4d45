"""Lists of videos: every published form is read, and what is wrong in one is named by its place."""

from __future__ import annotations

import json

import pytest

from slowfast_bias.datasets.lists.files import READERS, read_list
from slowfast_bias.errors import DataError


def put(folder, **files):
    """Writes files into a folder: text, or what becomes JSON; ``__`` stands for a dot."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return str(folder)


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return str(folder)


def rows(listed, root):
    return [(video.name.removeprefix(f"{root}/"), video.label) for video in listed.videos]


@pytest.mark.host
def test_the_config_knows_every_reader(tiny):
    from slowfast_bias.config import ConfigError

    for form in READERS:
        assert form == tiny("BIAS.DATA.FORMAT", form).BIAS.DATA.FORMAT
    with pytest.raises(ConfigError) as error:
        tiny("BIAS.DATA.FORMAT", "tsv")
    assert all(form in str(error.value) for form in READERS)


# -- csv -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "separator", "wanted"),
    [
        ("a.mp4 0\nb.mp4 1\n", None, [("a.mp4", 0), ("b.mp4", 1)]),
        ("a.mp4 0\r\nb.mp4\t1", " ", [("a.mp4", 0), ("b.mp4", 1)]),
        ("my video (1).mp4 1\n", None, [("my video (1).mp4", 1)]),
        ("ein Ändern/смотри 見.mp4 1\n", None, [("ein Ändern/смотри 見.mp4", 1)]),
        ("a,b.mp4,1\nc.mp4, 0\n", ",", [("a,b.mp4", 1), ("c.mp4", 0)]),
        ("\ufeffa.mp4 0\n", None, [("a.mp4", 0)]),
        ("a.mp4#t=1.5,3 0\na.mp4#t=3,4 0\n", None, [("a.mp4#t=1.5,3", 0), ("a.mp4#t=3,4", 0)]),
        ("a.mp4#frames=0,30 1\n", None, [("a.mp4#frames=0,30", 1)]),
        ("a/../b.mp4 0\n", None, [("b.mp4", 0)]),
    ],
)
def test_csv_rows_are_read(tmp_path, text, separator, wanted):
    put(tmp_path, train__csv=text)
    listed = read_list("csv", str(tmp_path), "train", separator=separator, num_classes=2)
    assert rows(listed, tmp_path) == wanted
    assert listed.file == f"{tmp_path}/train.csv" and listed.videos[0].row == "row 1"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a.mp4 0\nb.mp4\n", r"train\.csv, row 2: .*no label"),
        ("a.mp4 0\n\nb.mp4 1\n", "row 2: it is blank"),
        ("a.mp4 0\nb.mp4 two\n", "row 2: 'two' is not a whole number"),
        ("a.mp4 0\nb.mp4 2\n", r"row 2: the label 2 is not one of the 2 classes"),
        ("a.mp4 -1\n", "row 1: the label -1"),
        ("a.mp4 0\nb.mp4 1\n./a.mp4 1\n", r"row 3: .*a\.mp4 stands in row 1 already"),
        ("../../secret.mp4 0\n", r"row 1: the path '\.\./\.\./secret\.mp4' leads out of"),
        ("a/../../b.mp4 0\n", "row 1: .*leads out of"),
        ("a.mp4#t=3,1 0\n", "row 1: its part goes from 3 to 1"),
        ("a.mp4#frames=..,1 0\n", "row 1: the part"),
        ("", "zero videos"),
    ],
)
def test_a_wrong_csv_is_refused_by_file_and_row(tmp_path, text, says):
    put(tmp_path, train__csv=text)
    with pytest.raises(DataError, match=says) as error:
        read_list("csv", str(tmp_path), "train", num_classes=2)
    assert f"{tmp_path}/train.csv" in str(error.value)


def test_the_prefix_is_a_fence_for_absolute_paths_too(tmp_path):
    inside, outside = tmp_path / "videos" / "a.mp4", tmp_path / "other.mp4"
    put(tmp_path, train__csv=f"{inside} 0\n", val__csv=f"{outside} 0\n")
    options = {"prefix": str(tmp_path / "videos"), "num_classes": 1}
    listed = read_list("csv", str(tmp_path), "train", **options)
    assert listed.videos[0].path == str(inside)
    with pytest.raises(DataError, match="leads out of the folder"):
        read_list("csv", str(tmp_path), "val", **options)
    assert read_list("csv", str(tmp_path), "val", num_classes=1).videos[0].path == str(outside)


def test_missing_and_unreadable_lists_are_named(tmp_path):
    with pytest.raises(DataError, match=r"train\.csv, but there is no such file.*PATH_TO_DATA"):
        read_list("csv", str(tmp_path), "train", num_classes=1)
    (tmp_path / "train.csv").write_bytes(b"\xff\xfe\x00a 0\n")
    with pytest.raises(DataError, match="UTF-8"):
        read_list("csv", str(tmp_path), "train", num_classes=1)
    with pytest.raises(DataError, match=r"one of csv, .*'tsv'"):
        read_list("tsv", str(tmp_path), "train", num_classes=1)
    with pytest.raises(DataError, match=r"train, val and test.*\['a'\]"):
        read_list("csv", str(tmp_path), "train", names=["a"], num_classes=1)


def test_names_of_lists_can_be_given(tmp_path):
    put(tmp_path, mine__txt="a.mp4 0\n")
    listed = read_list("csv", str(tmp_path), "val", names=["x", "mine.txt", "x"], num_classes=1)
    assert rows(listed, tmp_path) == [("a.mp4", 0)]


# -- the publishers' own -------------------------------------------------------------------------

SOMETHING = [
    {"id": "7", "label": "holding a pot", "template": "Holding [something]", "placeholders": ["a"]},
    {"id": "8", "template": "Pushing [something] from left to right"},
]
LABELS = {"Holding something": "1", "Pushing something from left to right": "0"}


@pytest.mark.parametrize("form", ["ssv2", "something_else"])
def test_something_something_is_read_with_videos_or_folders_of_frames(tmp_path, form):
    touch(tmp_path / "videos", "7.webm", "8/img_00001.jpg")
    place = tmp_path / "compositional" if form == "something_else" else tmp_path
    put(place, train__json=SOMETHING)
    put(tmp_path, labels__json=LABELS)
    videos = str(tmp_path / "videos")
    listed = read_list(form, str(tmp_path), "train", prefix=videos, num_classes=2)
    assert rows(listed, videos) == [("7.webm", 1), ("8", 0)]
    assert listed.videos[1].row == "entry 2"


def test_something_something_knows_both_names_of_its_files(tmp_path):
    files = {f"something-something-v2-{n}.json": SOMETHING for n in ("train", "validation")}
    put(tmp_path, **files, **{"something-something-v2-labels.json": LABELS})
    for split in ("train", "val", "test"):
        listed = read_list("ssv2", str(tmp_path), split, num_classes=2)
        assert rows(listed, tmp_path) == [("7", 1), ("8", 0)]  # not there: reading will say so
        assert listed.file.endswith("train.json" if split == "train" else "validation.json")


def test_a_list_of_templates_is_numbered_by_the_alphabet(tmp_path):
    put(tmp_path, train__json=SOMETHING, labels__json=sorted(LABELS, reverse=True))
    listed = read_list("something_else", str(tmp_path), "train", num_classes=2)
    assert [video.label for video in listed.videos] == [0, 1]


@pytest.mark.parametrize(
    ("form", "content", "says"),
    [
        ("ssv2", {"a": 1}, r"Expected a list of .* in .*train\.json, but got an object"),
        ("ssv2", "[1, 2", r"Expected JSON in .*train\.json"),
        ("ssv2", [3], r"train\.json, entry 1: expected an object, but got '3'"),
        ("ssv2", [{"template": "Holding [something]"}], "entry 1: .*field `id`, but it is missing"),
        ("ssv2", [{"id": "1", "template": 5}], "entry 1: .*`template`, but got '5'"),
        ("ssv2", [{"id": "1", "template": "Eating [it]"}], "'Eating it' is not in .*labels"),
        ("ssv2", [{"id": "../7", "template": "Holding [something]"}], "leads out of"),
        ("ssv2", [SOMETHING[0], SOMETHING[0]], "entry 2: .*stands in entry 1 already"),
        ("ssv2", [], "zero videos"),
        ("diving48", [{"vid_name": "a", "label": "3"}], "entry 1: .*`label`, but got '3'"),
        ("diving48", [{"vid_name": "a", "label": 9}], "entry 1: the label 9 is not one of the 2"),
        (
            "diving48",
            [{"vid_name": "a", "label": 0, "start_frame": 5, "end_frame": 5}],
            "entry 1: its part goes from 5 to 5",
        ),
        ("activitynet", {"videos": []}, 'Expected an object "database"'),
        ("activitynet", {"database": {"v": {"subset": "training"}}}, "'v': .*`annotations`"),
        (
            "activitynet",
            {"database": {"v": {"annotations": [{"label": "a", "segment": [1]}]}}},
            r"video 'v': expected `segment` \[start, end\]",
        ),
    ],
)
def test_json_of_the_wrong_shape_is_refused_by_file_and_field(tmp_path, form, content, says):
    put(tmp_path, train__json=content, labels__json=LABELS)
    with pytest.raises(DataError, match=says):
        read_list(form, str(tmp_path), "train", names=["train.json"] * 3, num_classes=2)


def test_diving48_parts_are_frames_of_v1_and_v2(tmp_path):
    touch(tmp_path, "a_00001.mp4")
    dives = [{"vid_name": "a_00001", "label": 1, "start_frame": 0, "end_frame": 90}]
    put(tmp_path, Diving48_V2_train__json=dives, Diving48_V2_test__json=dives)
    for split in ("train", "val", "test"):
        listed = read_list("diving48", str(tmp_path), split, num_classes=2)
        assert rows(listed, tmp_path) == [("a_00001.mp4#frames=0,90", 1)]
    (tmp_path / "Diving48_V2_train.json").rename(tmp_path / "Diving48_train.json")
    assert read_list("diving48", str(tmp_path), "train", num_classes=2).file.endswith(
        "8_train.json"
    )


def test_activitynet_has_an_item_for_each_segment(tmp_path):
    part = [{"segment": [1.5, 4], "label": "Surfing"}, {"segment": [6, 7.5], "label": "Archery"}]
    base = {
        "aaa": {"subset": "training", "annotations": [*part, part[0]]},
        "bbb": {"subset": "validation", "annotations": part[:1]},
        "ccc": {"subset": "testing", "annotations": []},
    }
    put(tmp_path, **{"activity_net.v1-3.min.json": {"database": base}})
    touch(tmp_path / "videos", "v_aaa.mp4", "bbb.mkv")
    videos = str(tmp_path / "videos")

    def read(split):
        listed = read_list("activitynet", str(tmp_path), split, prefix=videos, num_classes=2)
        return rows(listed, videos)

    assert read("train") == [("v_aaa.mp4#t=1.5,4", 1), ("v_aaa.mp4#t=6,7.5", 0)]
    assert read("val") == read("test") == [("bbb.mkv#t=1.5,4", 1)]


def test_kinetics_annotations_find_their_files_and_are_numbered_by_the_alphabet(tmp_path):
    head = "label,youtube_id,time_start,time_end,split\n"
    put(tmp_path, train__csv=head + 'zumba,abc,1,11,train\n"air, drumming",d-f,20,30,train\n')
    put(tmp_path, val__csv=head + "zumba,ghi,0,10,validate\n")
    touch(tmp_path / "videos", "train/abc_000001_000011.mp4", "train/air drumming/d-f.mp4")
    options = {"prefix": str(tmp_path / "videos"), "num_classes": 2}
    train = read_list("kinetics", str(tmp_path), "train", **options)
    assert rows(train, options["prefix"]) == [
        ("train/abc_000001_000011.mp4", 1),
        ("train/air drumming/d-f.mp4", 0),
    ]
    val = read_list("kinetics", str(tmp_path), "val", **options)
    assert rows(val, options["prefix"]) == [("ghi_000000_000010", 1)]
    put(tmp_path, val__csv="a.mp4 0\n")
    with pytest.raises(DataError, match="row 1: expected the columns label.*BIAS.DATA.FORMAT csv"):
        read_list("kinetics", str(tmp_path), "val", **options)


def test_a_name_that_two_files_have_is_refused(tmp_path):
    put(tmp_path, train__json=SOMETHING, labels__json=LABELS)
    touch(tmp_path, "7.webm", "7.mp4")
    with pytest.raises(DataError, match=r"one video of the name 7 .*7\.mp4, 7\.webm"):
        read_list("ssv2", str(tmp_path), "train", num_classes=2)


def test_ucf101_split_files(tmp_path):
    put(
        tmp_path,
        classInd__txt="1 Apply\n2 Bowl\n",
        trainlist01__txt="Apply/a.avi 1\nBowl/b.avi 2\n",
        testlist01__txt="Bowl/c.avi\n",
    )
    train = read_list("ucf101", str(tmp_path), "train", num_classes=2)
    assert rows(train, tmp_path) == [("Apply/a.avi", 0), ("Bowl/b.avi", 1)]
    assert rows(read_list("ucf101", str(tmp_path), "test", num_classes=2), tmp_path) == [
        ("Bowl/c.avi", 1)
    ]
    put(tmp_path, trainlist01__txt="Apply/a.avi 2\n")
    with pytest.raises(DataError, match=r"trainlist01\.txt, row 1: the number is 2.*says 1"):
        read_list("ucf101", str(tmp_path), "train", num_classes=2)


def test_hmdb51_split_files(tmp_path):
    put(
        tmp_path,
        wave_test_split1__txt="a.avi 1 \nb.avi 2 \nc.avi 0 \n",
        kick_ball_test_split1__txt="d.avi 1 \n",
        kick_ball_test_split2__txt="d.avi 2 \n",
    )
    train = read_list("hmdb51", str(tmp_path), "train", num_classes=2)
    assert rows(train, tmp_path) == [("kick_ball/d.avi", 0), ("wave/a.avi", 1)]
    test = read_list("hmdb51", str(tmp_path), "test", num_classes=2)
    assert rows(test, tmp_path) == [("wave/b.avi", 1)]


def test_folders_are_classes(tmp_path):
    touch(tmp_path / "train", "b/1 é.mp4", "a/2.webm", "a/notes.txt", "a/frames/000001.jpg")
    touch(tmp_path / "val", "b/3.mp4")
    train = read_list("folders", str(tmp_path), "train", num_classes=2)
    root = tmp_path / "train"
    assert rows(train, root) == [("a/2.webm", 0), ("a/frames", 0), ("b/1 é.mp4", 1)]
    for split in ("val", "test"):  # there is no test folder
        listed = read_list("folders", str(tmp_path), split, num_classes=2)
        assert rows(listed, tmp_path / "val") == [("b/3.mp4", 1)]
    touch(tmp_path / "val", "c/3.mp4")
    with pytest.raises(DataError, match=r"val, folder 'c': .*train has no class"):
        read_list("folders", str(tmp_path), "val", num_classes=2)
    touch(tmp_path / "train", "a/loose.jpg")
    with pytest.raises(DataError, match="folder 'a': expected videos"):
        read_list("folders", str(tmp_path), "train", num_classes=2)
