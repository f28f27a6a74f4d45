"""Parts of a test list and partners: classes by name, videos by id, and what is not there."""

from __future__ import annotations

import json

import pytest

from slowfast_bias.datasets.lists.chosen_videos import ListFacts, read_chosen
from slowfast_bias.datasets.lists.class_index import ClassIndex, plain_name, read_class_names
from slowfast_bias.datasets.lists.files import read_list
from slowfast_bias.datasets.lists.partner_file import read_partners
from slowfast_bias.datasets.lists.temporal_classes import SHIPPED
from slowfast_bias.datasets.lists.video_index import VideoIndex
from slowfast_bias.errors import DataError

NAMES = {0: "opening [something]", 1: "closing something", 2: "pushing up, then down", 3: "yoga"}
VIDEOS = ["/v/a.mp4", "/v/sub/b.webm", "/v/abc_def-1234_000017_000027.mp4", "/v/c.avi#t=0,2",
          "/v/c.avi#t=2,4", "toy video 7"]  # fmt: skip
LABELS = [0, 1, 2, 0, 1, 0]


@pytest.fixture
def write(tmp_path):
    def written(name, text):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return written


def classes(names=NAMES):
    return ClassIndex(names, 4)


def listed(lenient=False, names=NAMES):
    return ListFacts(classes(names), VideoIndex(VIDEOS), LABELS, lenient)


# -- classes ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "number"),
    [("opening [something]", 0), ("Opening something", 0), ("opening_something", 0), ("3", 3),
     ("pushing up then down", 2), (" YOGA ", 3), ('"yoga"', 3)],
)  # fmt: skip
def test_a_class_is_found_however_its_name_is_written(text, number):
    assert classes().number(text, "f", "row 1") == number


def test_an_unknown_class_is_named_with_its_row_and_near_names():
    with pytest.raises(DataError, match=r"f, row 2: .*'closing somthing'; near ones are 'closing"):
        classes().number("closing somthing", "f", "row 2")
    with pytest.raises(DataError, match="0 to 3, but got '4'"):
        classes().number("4", "f", "row 1")
    with pytest.raises(DataError, match="no names of classes.*BIAS.BEHAVIOUR.CLASS_NAMES"):
        classes({}).number("yoga", "f", "row 1")
    with pytest.raises(DataError, match="0 is 'a b' and 1 is 'A_b'"):
        ClassIndex({0: "a b", 1: "A_b"}, 2)


@pytest.mark.parametrize(
    ("name", "text"),
    [("names.txt", "b c\na\n"), ("names.txt", "a 1\nb c 0\n"), ("names.json", '["b c", "a"]'),
     ("names.json", '{"b c": "0", "a": 1}')],
)  # fmt: skip
def test_names_come_from_rows_or_json(write, name, text):
    assert read_class_names(write(name, text), 2) == {0: "b c", 1: "a"}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [("a.txt", "a 1\nb 2\n", "'b' 2 is none"), ("a.txt", "", "it has none"),
     ("a.txt", f"x 0\ny {'9' * 5000}\n", "is none"),
     ("a.json", "{", "as JSON"), ("a.json", '{"a": "x"}', "as JSON"), ("a.json", "3", "as JSON")],
)  # fmt: skip
def test_names_that_do_not_fit_are_refused(write, name, text, says):
    with pytest.raises(DataError, match=says):
        read_class_names(write(name, text), 2)


def test_lists_of_published_formats_name_all_classes(tmp_path):
    (tmp_path / "classInd.txt").write_text("1 Lunges\n2 PullUps\n")
    (tmp_path / "testlist01.txt").write_text("Lunges/v_Lunges_g01_c01.avi\n")
    assert read_list("ucf101", str(tmp_path), "test", num_classes=2).names == {
        "Lunges": 0, "PullUps": 1,
    }  # fmt: skip
    (tmp_path / "labels.json").write_text('{"Holding [something]": "1", "Folding something": "0"}')
    (tmp_path / "validation.json").write_text('[{"id": 7, "template": "Holding [something]"}]')
    listed = read_list("ssv2", str(tmp_path), "test", num_classes=2)
    assert listed.names == {"Holding something": 1, "Folding something": 0} and not listed.classes
    rows = "label,youtube_id,time_start,time_end\nyoga,a,0,10\nabseiling,b,0,10\n"
    (tmp_path / "train.csv").write_text(rows)
    (tmp_path / "val.csv").write_text(rows[: rows.index("abs")])
    listed = read_list("kinetics", str(tmp_path), "val", num_classes=2)
    assert listed.names == {"abseiling": 0, "yoga": 1}


# -- partners --------------------------------------------------------------------------------------
def test_partners_count_both_ways_from_tabs_commas_and_quotes(write):
    text = '# pairs\nopening something\tclosing something\n\n"pushing up, then down", yoga # odd\n'
    found = read_partners(write("p.tsv", text), classes())
    assert found.of == {0: 1, 1: 0, 2: 3, 3: 2} and found.pairs == [(0, 1), (2, 3)]
    twice = read_partners(write("p.csv", "0,1\n1,0\n"), classes({}))
    assert twice.of == {0: 1, 1: 0} and twice.pairs == [(0, 1)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0,1\n\nclosing smthing,yoga\n", "row 3: .*'closing smthing'; near ones are 'closing som"),
        ("0,1\n0,2\n", r"row 2: .*one partner.*'opening \[something\]' has 'closing something'"),
        ("2,2\n", "row 1: 'pushing up, then down' is no partner of itself"),
        ("0\n", "row 1: expected two classes, separated by a tab or a comma, but got '0'"),
        ("0,1,2\n", "expected two classes"), ("0,\n", "expected two classes"),
        ("# none\n", "Expected entries in .*p.csv"),
    ],
)  # fmt: skip
def test_wrong_partners_name_the_row(write, text, says):
    with pytest.raises(DataError, match=says):
        read_partners(write("p.csv", text), classes())


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path):
    with pytest.raises(DataError, match="BIAS.BEHAVIOUR.PARTNERS to name a file, but .*'none.csv'"):
        read_partners("none.csv", classes())
    (tmp_path / "p.csv").write_bytes(b"0,\xff\n")
    with pytest.raises(DataError, match="UTF-8"):
        read_partners(str(tmp_path / "p.csv"), classes())


# -- parts of the list -----------------------------------------------------------------------------
def test_a_file_of_classes_is_one_list(write):
    (found,) = read_chosen([write("mine.txt", "yoga # by name\n0\n0\n")], listed(lenient=True))
    assert (found.name, found.classes, found.videos) == ("mine", (0, 3), ())
    assert found.note == "1 of 2 classes are not in the test list, the first is 'yoga'"


def test_a_json_is_a_list_for_each_split_and_ids_may_be_written_in_many_ways(write):
    splits = {
        "full": ["a.mp4", "b", "/v/abc_def-1234_000017_000027.mp4", "c", "toy video 7"],
        "part": ["a", "abc_def-1234", "a"],
        "clip": ["abc_def-1234_17_27", "c.avi#t=2,4"],
    }
    found = read_chosen([write("utd.json", json.dumps(splits))], listed())
    assert [x.name for x in found] == ["utd/full", "utd/part", "utd/clip"]
    assert [x.videos for x in found] == [(0, 1, 2, 3, 4, 5), (0, 2), (2, 4)]
    assert all(x.classes is None and x.note == "" for x in found)


def test_a_clip_is_not_taken_for_another_one_of_its_recording(write):
    text = '{"x": ["abc_def-1234_000050_000060", "a"]}'
    with pytest.raises(
        DataError, match="1 of 2 videos .*the first is 'abc_def-1234_000050_000060'"
    ):
        read_chosen([write("a.json", text)], listed())


HEAD = "label,youtube_id,time_start,time_end\n"


def test_an_annotation_in_the_form_of_kinetics_is_a_list(write):
    path = write("mimetics_v1.0.csv", f"{HEAD}pushing up then down,abc_def-1234,17,27.0\n")
    (found,) = read_chosen([path], listed())
    assert (found.name, found.videos) == ("mimetics_v1.0", (2,))
    path = write("b.csv", f"{HEAD}yoga,abc_def-1234,17,27\n")
    with pytest.raises(DataError, match="row 2: .*'pushing up, then down', the label .*'yoga'"):
        read_chosen([path], listed())
    with pytest.raises(DataError, match="row 2: expected seconds"):
        read_chosen([write("c.csv", f"{HEAD}yoga,abc,x,27\n")], listed())


def test_a_row_with_seconds_is_not_another_clip_of_its_recording(write):
    names = [
        "/v/vid05_000010_000020.mp4", "/v/whole.mp4", "/v/cut.mp4#t=3.5,13.5", "/v/cut.mp4#t=20,30",
        "/v/framed.mp4#frames=0,90",
    ]  # fmt: skip
    test = ListFacts(classes(), VideoIndex(names), [3] * len(names), lenient=True)
    rows = ["vid05,10,20", "vid05,777,787", "whole,5,15", "cut,20.0,30.0", "cut,4,14"]
    rows += ["framed,0,3", "vid05,10,21"]
    path = write("m.csv", HEAD + "".join(f"yoga,{row}\n" for row in rows))
    (found,) = read_chosen([path], test)
    assert found.videos == (0, 1, 3)
    assert found.note.startswith("4 of 7 videos") and "'vid05_777_787'" in found.note
    strict = ListFacts(test.classes, test.videos, test.labels)
    with pytest.raises(DataError, match="4 of 7 videos .*the first is 'vid05_777_787'"):
        read_chosen([path], strict)


def test_missing_videos_are_refused_or_counted_as_is_asked(write):
    path = write("l.json", '{"some": ["a", "q", "r"]}')
    with pytest.raises(DataError, match="2 of 3 videos .*'q'.*ALLOW_MISSING True .* with the 1 "):
        read_chosen([path], listed())
    (found,) = read_chosen([path], listed(lenient=True))
    assert found.videos == (0,) and "2 of 3 videos" in found.note and "'q'" in found.note
    none = write("n.json", '{"some": ["q", "r"]}')
    with pytest.raises(DataError, match="none is there; the first is 'q'"):
        read_chosen([none], listed(lenient=True))


def test_a_name_of_two_files_is_refused(write):
    test = ListFacts(classes(), VideoIndex(["/v/a/x.mp4", "/v/b/x.mp4"]), [0, 0])
    with pytest.raises(DataError, match=r"'x' names /v/a/x.mp4 and /v/b/x.mp4; write the path"):
        read_chosen([write("l.json", '{"s": ["x"]}')], test)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.json", "[", "Expected JSON"), ("a.json", "[1]", "split: "),
        ("a.json", '{"s": []}', "videos in each split"), ("a.json", '{"s": [null]}', "split: "),
        ("a.txt", "\n# nothing\n", "Expected entries"), ("a.txt", "9\n", "row 1: "),
    ],
)  # fmt: skip
def test_lists_that_are_none_are_named(write, name, text, says):
    with pytest.raises(DataError, match=says):
        read_chosen([write(name, text)], listed())


def test_names_of_lists_are_checked(write, tmp_path):
    with pytest.raises(DataError, match="one of k400_temporal, .*but got 'k600_temporal'"):
        read_chosen(["k600_temporal"], listed())
    with pytest.raises(DataError, match="'none.txt'"):
        read_chosen(["none.txt"], listed())
    (tmp_path / "b").mkdir()
    twins = [write("a.txt", "0\n"), write("b/a.txt", "1\n")]
    with pytest.raises(DataError, match="'a' twice"):
        read_chosen(twins, listed())
    with pytest.raises(DataError, match="names its videos .*TEST.DATASET to videos"):
        read_chosen([write("l.json", '{"s": ["a"]}')], ListFacts(classes(), None, None))


def test_shipped_lists_are_disjoint_and_found_by_name():
    sizes = {name: len({plain_name(x) for x in names}) for name, names in SHIPPED.items()}
    assert sizes == {"k400_temporal": 32, "k400_static": 32, "ssv1_temporal": 17, "ssv1_static": 17}
    for world in ("k400", "ssv1"):
        temporal, static = SHIPPED[f"{world}_temporal"], SHIPPED[f"{world}_static"]
        assert not set(temporal) & set(static)
        every = sorted([*temporal, *static, "another class"])
        index = ClassIndex(dict(enumerate(every)), len(every))
        (found,) = read_chosen([f"{world}_temporal"], ListFacts(index, None, None))
        assert [every[number] for number in found.classes] == sorted(temporal)
    with pytest.raises(DataError, match="k400_static, class 1: .*'belly dancing'"):
        read_chosen(["k400_static"], listed())
