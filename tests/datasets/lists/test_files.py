"""Lists of videos: every published form is read, and what is wrong in one is named by its place."""

from __future__ import annotations

import json
import logging
import os
import random

import pytest

from slowfast_bias.datasets.lists.files import READERS, read_list
from slowfast_bias.datasets.lists.video_parts import split_part, with_part
from slowfast_bias.errors import DataError


def put(folder, **files):
    """Writes files into a folder: text, or what becomes JSON; ``__`` stands for a dot.

    Text is written as it is, so that a test says what ends its lines.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8", newline="")
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
        ("#20_Rhythm.avi 0\nGoal_#2_[x];-).avi 1\n", None,
         [("#20_Rhythm.avi", 0), ("Goal_#2_[x];-).avi", 1)]),
        ("-_id_000001_000011.mp4 0\n", None, [("-_id_000001_000011.mp4", 0)]),
        ("a\x0bb\x85c\u2028d.mp4 0\n", None, [("a\x0bb\x85c\u2028d.mp4", 0)]),
    ],
)  # fmt: skip
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
        (f"a.mp4#t=0,1{'0' * 400} 0\n", "row 1: its part goes from 0 to inf"),
        (f"a.mp4 1{'0' * 5000}\n", "row 1: '10000*' is not a whole number"),
        ("b.mp4 0\na/.. 0\n", r"row 2: expected the name of a video, but got 'a/\.\.'"),
        ("", "zero videos"),
    ],
)
def test_a_wrong_csv_is_refused_by_file_and_row(tmp_path, text, says):
    put(tmp_path, train__csv=text)
    with pytest.raises(DataError, match=says) as error:
        read_list("csv", str(tmp_path), "train", num_classes=2)
    assert f"{tmp_path}/train.csv" in str(error.value)


def test_a_part_is_read_as_it_was_written():
    draw = random.Random(0)
    spans = [sorted(draw.uniform(0, 10.0**n) for _ in "ab") for n in range(-5, 6) for _ in range(9)]
    for start, end in [*spans, (1e-6, 69.98034321372855), (0, 123456789)]:
        name, unit, first, last = split_part(with_part("a #t=1,2.mp4", "t", start, end))
        assert (name, unit) == ("a #t=1,2.mp4", "t")
        assert (first, last) == pytest.approx((start, end), abs=1e-9) and first < last
    assert (
        split_part("a#1.mp4")
        == ("a#1.mp4", "", 0.0, 0.0)
        == split_part(with_part("a#1.mp4", "", 0, 0))
    )


def test_the_prefix_is_a_fence_for_absolute_paths_too(tmp_path):
    inside, outside = tmp_path / "videos" / "a.mp4", tmp_path / "other.mp4"
    put(tmp_path, train__csv=f"{inside} 0\n", val__csv=f"{outside} 0\n")
    options = {"prefix": str(tmp_path / "videos"), "num_classes": 1}
    listed = read_list("csv", str(tmp_path), "train", **options)
    assert listed.videos[0].path == str(inside)
    with pytest.raises(DataError, match="leads out of the folder"):
        read_list("csv", str(tmp_path), "val", **options)
    assert read_list("csv", str(tmp_path), "val", num_classes=1).videos[0].path == str(outside)


def test_the_prefix_may_be_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path, train__csv=f"{tmp_path}/videos/a.mp4 0\nb.mp4 0\n")
    listed = read_list("csv", ".", "train", prefix="videos", num_classes=1)
    assert [video.path for video in listed.videos] == [f"{tmp_path}/videos/a.mp4", "videos/b.mp4"]


LISTS_OF_ONE = {
    "csv": lambda name: {"train__csv": f"a.mp4 0\n{name} 0\n"},
    "kinetics": lambda name: {
        "train__csv": f"label,youtube_id,time_start,time_end\nx,{name},1,11\n"
    },
    "ssv2": lambda name: {
        "train__json": [{"id": name, "template": "x"}], "labels__json": {"x": "0"},
    },
    "diving48": lambda name: {"Diving48_V2_train__json": [{"vid_name": name, "label": 0}]},
    "activitynet": lambda name: {
        "activity_net.v1-3.min__json": {"database": {name: {
            "subset": "training", "annotations": [{"label": "x", "segment": [0, 1]}],
        }}},
    },
    "ucf101": lambda name: {"trainlist01__txt": f"x/{name} 1\n", "classInd__txt": "1 x\n"},
    "hmdb51": lambda name: {"x_test_split1__txt": f"{name} 1 \n"},
}  # fmt: skip


@pytest.mark.parametrize("form", LISTS_OF_ONE)
@pytest.mark.parametrize("name", ["../../../../x", "a/../../../../x", "a\0b"])
def test_no_list_leads_out_of_the_folder(tmp_path, form, name):
    place = tmp_path / "lists"
    put(place, **LISTS_OF_ONE[form](name))
    says = r"lists/.*(row|entry) \d: .*(leads out of the folder of the videos, .*/videos |NUL)"
    with pytest.raises(DataError, match=says):
        read_list(form, str(place), "train", prefix=str(tmp_path / "videos"), num_classes=1)


@pytest.mark.parametrize("form", ["csv", "kinetics", "ssv2", "diving48"])
def test_an_absolute_path_must_lie_in_the_folder(tmp_path, form):
    put(tmp_path, **LISTS_OF_ONE[form]("/etc/x"))
    with pytest.raises(DataError, match=r"(row|entry) \d: the path '/etc/x.*leads out") as error:
        read_list(form, str(tmp_path), "train", prefix=str(tmp_path / "videos"), num_classes=1)
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize("form", LISTS_OF_ONE)
def test_a_link_in_the_folder_is_followed(tmp_path, form):
    """A link was put there by the owner of the folder, not by the list."""
    tmp_path, disk = tmp_path / "data", touch(tmp_path / "disk", "vid.mp4", "v_vid.mp4")
    name = "vid.mp4" if form in ("csv", "ucf101", "hmdb51") else "vid"
    put(tmp_path / "lists", **LISTS_OF_ONE[form](name))
    (tmp_path / "x").symlink_to(disk, target_is_directory=True)
    prefix = tmp_path / "x" if form in ("csv", "ssv2", "diving48") else tmp_path
    listed = read_list(form, str(tmp_path / "lists"), "train", prefix=str(prefix), num_classes=1)
    assert listed.videos[-1].path.startswith(f"{tmp_path}/x/")
    with open(listed.videos[-1].path, "rb") as file:
        assert file.read() == b"x"


def test_a_csv_holds_the_bytes_of_a_name_that_is_no_text(tmp_path):
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.mp4")).write_bytes(b"x")
    except OSError:
        pytest.skip("this disk takes text only")
    (tmp_path / "train.csv").write_bytes(b"a.mp4 0\ncaf\xe9.mp4 0\n")
    listed = read_list("csv", str(tmp_path), "train", num_classes=1)
    assert os.path.isfile(listed.videos[1].path)
    (tmp_path / "train.csv").write_bytes(b"a.mp4 0\nSm\xf8rrebr\xf8d.mp4 0\n")  # Latin-1
    with pytest.raises(DataError, match=r"train\.csv, row 2: expected text in UTF-8"):
        read_list("csv", str(tmp_path), "train", num_classes=1)


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
    holding, pushing = (1, 0) if form == "ssv2" else (0, 1)  # the file's numbers, the alphabet's
    assert rows(listed, videos) == [("7.webm", holding), ("8", pushing)]
    assert listed.videos[1].row == "entry 2"


def test_other_splits_of_something_else_have_labels_of_their_own(tmp_path):
    """Of the few-shot splits the files have names of their own, too."""
    put(
        tmp_path / "fewshot",
        base_training_set__json=SOMETHING[:1],
        finetune_5shot_training__json=SOMETHING[1:],
        base_labels__json={"Holding something": 40},
        finetune_labels__json={"Pushing something from left to right": 30, "Aiming something": 31},
    )
    for name, label in (("base_training_set", 0), ("finetune_5shot_training", 1)):
        names = [f"fewshot/{name}.json"] * 3
        listed = read_list("something_else", str(tmp_path), "train", names=names, num_classes=2)
        assert [video.label for video in listed.videos] == [label]


def test_a_template_may_start_with_its_placeholder(tmp_path):
    put(
        tmp_path,
        train__json=[{"id": "36585", "template": "[Something] falling like a feather"}],
        labels__json={"Something falling like a feather": "0"},
    )
    assert read_list("ssv2", str(tmp_path), "train", num_classes=1).videos[0].label == 0


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
        ("ssv2", "[" * 100_000, r"Expected JSON in .*train\.json"),
        ("ssv2", [{"id": "1420"}], r"train\.json, entry 1: .*`template`, but it is missing"),
        ("ssv2", [3], r"train\.json, entry 1: expected an object, but got '3'"),
        ("ssv2", [{"template": "Holding [something]"}], "entry 1: .*field `id`, but it is missing"),
        ("ssv2", [{"id": "1", "template": 5}], "entry 1: .*`template`, but got '5'"),
        ("ssv2", [{"id": "1", "template": "Eating [it]"}], "'Eating it' is not in .*labels"),
        ("ssv2", [{"id": "../7", "template": "Holding [something]"}], "leads out of"),
        ("ssv2", [SOMETHING[0], SOMETHING[0]], "entry 2: .*stands in entry 1 already"),
        ("ssv2", [], "zero videos"),
        ("ssv2", [{"id": "", "template": "Holding [something]"}], "entry 1: .*name of a video.*''"),
        ("ssv2", [{"id": ".", "template": "Holding [something]"}], "entry 1: .*name of a video"),
        ("diving48", [{"vid_name": "a/..", "label": 0}], "entry 1: expected the name of a video"),
        (
            "diving48",
            '[{"vid_name": "a", "label": 1' + "0" * 5000 + "}]",
            r"train\.json, entry 1: expected a whole number in the field `label`, but got '1000",
        ),
        ("ssv2", "1" * 5000, r"Expected a list of .* in .*train\.json, but got '111"),
        (
            "diving48",
            '[{"vid_name": "a", "label": 1, "start_frame": 0, "end_frame": 1' + "0" * 400 + "}]",
            "entry 1: its part goes from 0 to inf",
        ),
        (
            "activitynet",
            '{"database": {"v": {"annotations": [{"label": "a", "segment": [0, 1'
            + "0" * 400
            + "]}]}}}",
            r"train\.json, video 'v': expected `segment`",
        ),
        (
            "activitynet",
            '{"database": {"v": {"annotations": [{"label": "a", "segment": [0, ' + "Infinity]}]}}}",
            r"video 'v': expected `segment` .*\[0, inf\]",
        ),
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
        (
            "activitynet",
            {
                "database": {
                    "v": {
                        "subset": "training",
                        "annotations": [{"label": "a", "segment": [float("nan"), 3]}],
                    }
                }
            },
            r"video 'v': expected `segment` \[start, end\], but got \[nan, 3\]",
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


def test_the_flaws_of_the_published_activitynet_do_not_cost_the_others(tmp_path, caplog):
    """Twice the same, but for the last digits; no length; after the end of the video."""
    spans = [
        (31.82320001, 71.64600003), (31.82320002, 71.64600004), (0, 0), (0.01, 0.02), (4.1, 4.1),
        (5, 3), (0.2, 0.2336), (23.2, 142.99),
    ]  # fmt: skip
    parts = [{"segment": list(span), "label": "Surfing"} for span in spans]
    base = {"-aa": {"subset": "training", "duration": 142.988, "annotations": parts}}
    put(tmp_path, **{"activity_net.v1-3.min.json": {"version": "VERSION 1.3", "database": base}})
    listed = read_list("activitynet", str(tmp_path), "train", num_classes=1)
    wanted = [spans[1], spans[6], spans[7]]
    assert [(video.start, video.end) for video in listed.videos] == wanted
    assert [out.name for out in listed.left_out] == [
        "v_-aa#t=0,0", "v_-aa#t=0.01,0.02", "v_-aa#t=4.1,4.1", "v_-aa#t=5,3",
    ]  # fmt: skip
    assert {out.row for out in listed.left_out} == {"entry 1"}
    assert "4 left out" in caplog.text and "v_-aa#t=0.01,0.02 (entry 1)" in caplog.text


def test_activitynet_finds_videos_where_its_archives_put_them(tmp_path):
    part = {"annotations": [{"segment": [0, 4], "label": "Surfing"}], "subset": "training"}
    put(tmp_path, **{"activity_net.v1-3.min.json": {"database": {"a": part, "b": part, "c": part}}})
    videos = touch(tmp_path / "all", "v1-2/train/v_a.mp4", "v1-3/train_val/v_b.mkv", "v_c.webm")
    listed = read_list("activitynet", str(tmp_path), "train", prefix=videos, num_classes=1)
    found = [video.path.removeprefix(f"{videos}/") for video in listed.videos]
    assert found == ["v1-2/train/v_a.mp4", "v1-3/train_val/v_b.mkv", "v_c.webm"]


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


HEAD = "label,youtube_id,time_start,time_end,split,is_cc\r\n"


def test_kinetics_as_its_scripts_leave_it(tmp_path):
    """A copy that replaces a damaged video lies in a folder of its own; so do macOS's shadows."""
    rows_of = (
        'massaging person\'s head,-_a,1.0,11.0,train,0\r\n"air drumming",--b,20,30,train,0\r\n'
    )
    put(tmp_path / "annotations", train__csv=HEAD + rows_of)
    videos = touch(
        tmp_path,
        "train/-_a_000001_000011.mp4", "train/--b_000020_000030.mp4",
        "train/._-_a_000001_000011.mp4",
        "replacement/replacement_for_corrupted_k400/--b_000020_000030.mp4",
    )  # fmt: skip
    lists = str(tmp_path / "annotations")
    listed = read_list("kinetics", lists, "train", prefix=videos, num_classes=2)
    assert rows(listed, videos) == [
        ("train/-_a_000001_000011.mp4", 1),
        ("replacement/replacement_for_corrupted_k400/--b_000020_000030.mp4", 0),
    ]


def test_kinetics_takes_the_validation_list_where_the_test_list_has_no_labels(tmp_path):
    row = "zumba,{0},1,11,{0},0\n"
    put(tmp_path, train__csv=HEAD + row.format("train"), validate__csv=HEAD + row.format("val"))
    put(tmp_path, test__csv="youtube_id,time_start,time_end,split\ntest,1,11,test\n")
    listed = read_list("kinetics", str(tmp_path), "test", num_classes=1)
    assert rows(listed, tmp_path) == [("val_000001_000011", 0)]
    assert listed.file.endswith("validate.csv")
    names = ["train.csv", "validate.csv", "test.csv"]  # asked for by its name it is wrong
    with pytest.raises(DataError, match=r"test\.csv, row 1: expected the columns label"):
        read_list("kinetics", str(tmp_path), "test", names=names, num_classes=1)
    put(tmp_path, test__csv=HEAD + row.format("test"))
    listed = read_list("kinetics", str(tmp_path), "test", num_classes=1)
    assert rows(listed, tmp_path) == [("test_000001_000011", 0)]


def test_two_clips_of_one_video_are_not_the_file_of_its_id(tmp_path):
    """Kinetics-600 has several: whose file would it be?"""
    text = HEAD + "spinning,abc,0,10,val,0\nweaving,abc,1,11,val,0\nweaving,def,1,11,val,0\n"
    put(tmp_path, train__csv=text)
    touch(tmp_path, "abc.mp4", "def.mp4")
    listed = read_list("kinetics", str(tmp_path), "train", num_classes=2)
    assert [name for name, _ in rows(listed, tmp_path)] == [
        "abc_000000_000010", "abc_000001_000011", "def.mp4",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("zumba,,1,11,train,0", r"row 2: a column is empty: \['zumba', '', '1', '11'\]"),
        ("zumba,abc,1,11.5,train,0", "row 2: '11.5' is not a whole number"),
        ('"zumba,abc,1,11\n' + "x" * 200_000, "row 3: expected a row of a csv: field larger"),
        ('"zumba,abc,1,11\nzumba,def,1,11', "row 3: a column is empty"),
    ],
)
def test_a_wrong_row_of_kinetics_is_named(tmp_path, row, says):
    put(tmp_path, train__csv=f"{HEAD}{row}\n")
    with pytest.raises(DataError, match=rf"train\.csv, {says}"):
        read_list("kinetics", str(tmp_path), "train", num_classes=1)


def test_a_name_that_two_files_have_is_refused(tmp_path):
    put(tmp_path, train__json=SOMETHING, labels__json=LABELS)
    touch(tmp_path, "7.webm", "7.mp4")
    with pytest.raises(DataError, match=r"one video of the name 7 .*7\.mp4, 7\.webm"):
        read_list("ssv2", str(tmp_path), "train", num_classes=2)
    (tmp_path / "7.mp4").unlink()
    (tmp_path / "7.mp4").symlink_to(tmp_path / "7.webm")  # that is one file, not two
    assert read_list("ssv2", str(tmp_path), "train", num_classes=2).videos[0].path.endswith("7.mp4")


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


def test_the_clips_of_a_ucf101_group_are_of_one_recording(tmp_path):
    names = ["v_A_g01_c01.avi", "v_A_g01_c02.avi", "v_A_g02_c01.avi", "own.avi", "v_A_g3_x.avi"]
    lines = "".join(f"A/{name}\n" for name in names) + "B/v_B_g01_c01.avi\n"
    put(tmp_path, classInd__txt="1 A\n2 B\n", testlist01__txt=lines)
    videos = read_list("ucf101", str(tmp_path), "test", num_classes=2).videos
    first, second, *others = [video.recording for video in videos]
    assert first == second and len({first, *others}) == 5
    (tmp_path / "test.csv").write_text("A/v_A_g01_c01.avi 0\nA/v_A_g01_c02.avi 0\n")
    videos = read_list("csv", str(tmp_path), "test", num_classes=2).videos
    assert [video.recording for video in videos] == [video.path for video in videos]


def test_a_file_is_listed_once_however_its_row_is_written(tmp_path):
    put(tmp_path, classInd__txt="1 A\n", testlist01__txt="A/v_A_g1_c1.avi\nA//v_A_g1_c1.avi\n")
    with pytest.raises(DataError, match="stands in row 1 already"):
        read_list("ucf101", str(tmp_path), "test", num_classes=1)


def test_ucf101_lists_end_their_lines_as_on_windows(tmp_path):
    """The published files do; and one class is spelt otherwise in the names of its videos."""
    put(
        tmp_path,
        classInd__txt="1 HammerThrow\r\n2 HandstandPushups\r\n",
        trainlist01__txt="HandstandPushups/v_HandStandPushups_g01_c01.avi 2\r\n",
        testlist01__txt="HammerThrow/v_HammerThrow_g01_c01.avi\r\n",
    )
    train = read_list("ucf101", str(tmp_path), "train", num_classes=2)
    assert rows(train, tmp_path) == [("HandstandPushups/v_HandStandPushups_g01_c01.avi", 1)]
    val = read_list("ucf101", str(tmp_path), "val", num_classes=2)
    assert rows(val, tmp_path) == [("HammerThrow/v_HammerThrow_g01_c01.avi", 0)]


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


def test_hmdb51_numbers_its_classes_by_the_alphabet_and_names_the_file_of_a_row(tmp_path):
    """Of the files that of climb_stairs comes first; `._` files are macOS's."""
    odd = "#20_Goal_#2_(x)_[y]&z;-)!.avi"
    put(
        tmp_path,
        climb_stairs_test_split1__txt="b.avi 1 \n",
        climb_test_split1__txt=f"{odd} 1 \n",
        **{"._climb_test_split1__txt": "\x00\x05"},
    )
    train = read_list("hmdb51", str(tmp_path), "train", num_classes=2)
    assert sorted(rows(train, tmp_path)) == [(f"climb/{odd}", 0), ("climb_stairs/b.avi", 1)]
    where = {video.path.rpartition("/")[2]: video.row for video in train.videos}
    assert where["b.avi"] == "climb_stairs_test_split1.txt, row 1"
    assert train.file == f"{tmp_path}/*_test_split1.txt"
    put(tmp_path, climb_test_split1__txt="b.avi 3 \n")
    with pytest.raises(
        DataError, match=r"/climb_test_split1\.txt, row 1: expected `video 0\|1\|2`"
    ):
        read_list("hmdb51", str(tmp_path), "train", num_classes=2)


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


def test_no_video_of_a_class_folder_is_passed_over_in_silence(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    videos = [f"a/{n}" for n in ("b.MTS", "c.m2ts", "d.3gp", "e.gif", "f.ogv", "g.mjpeg", "h.f4v",
                                 "i.vob", "j.mxf", "k.MOV")]  # fmt: skip
    others = ("a/no ending", "a/m.heic", "loose.mp4")
    junk = ("a/Thumbs.db", "a/.DS_Store", "a/notes.txt", "a/n.json", "a/._x.jpg", "list.csv")
    touch(tmp_path / "train", *videos, *others, *junk)
    listed = read_list("folders", str(tmp_path), "train", num_classes=1)
    root = tmp_path / "train"
    assert rows(listed, root) == [(name, 0) for name in videos]
    assert {out.name.removeprefix(f"{root}/") for out in listed.left_out} == set(others)
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert any("2 left out" in text and "m.heic" in text for text in warned)
    assert any("1 left out (it lies in no folder of a class)" in text for text in warned)
    assert "6 files beside the videos" in caplog.text and "notes" not in "".join(warned)


def test_only_files_of_other_endings_are_named_too(tmp_path):
    touch(tmp_path / "train", "a/x.heic", "a/y")
    with pytest.raises(DataError, match="zero videos, and 2 files or rows that are left out"):
        read_list("folders", str(tmp_path), "train", num_classes=1)


def test_a_preview_is_no_second_video(tmp_path):
    put(tmp_path, train__json=SOMETHING[:1], labels__json=LABELS)
    touch(tmp_path, "7.webm", "7.gif")
    listed = read_list("ssv2", str(tmp_path), "train", num_classes=2)
    assert rows(listed, tmp_path) == [("7.webm", 1)]
