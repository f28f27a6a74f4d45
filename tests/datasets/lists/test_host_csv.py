"""List files: the first wrong row is named with its file, before anything is decoded."""

from __future__ import annotations

import pytest

from slowfast_bias.datasets.lists.host_csv import check_list
from slowfast_bias.errors import DataError


def refusal(path, separator=" ", classes=4):
    with pytest.raises(DataError) as caught:
        check_list(path, separator, classes)
    assert str(path) in str(caught.value) and isinstance(caught.value, ValueError)
    return str(caught.value)


@pytest.mark.parametrize(("separator", "text"), [(" ", "a.mp4 0\nb.mp4 3\n"), (None, "a\t0\nb  3"),
                                                 (",", "a b.mp4,0\nc.mp4,3")])  # fmt: skip
def test_a_good_list_is_counted(tmp_path, separator, text):
    (tmp_path / "a.csv").write_text(text)
    assert check_list(tmp_path / "a.csv", separator, 4) == 2


def test_a_missing_list(tmp_path):
    assert "no such file" in refusal(tmp_path / "train.csv")
    assert "DATA.PATH_TO_DATA_DIR" in refusal(tmp_path)  # a folder is no list


def test_zero_videos(tmp_path):
    (tmp_path / "a.csv").write_text("")
    assert "zero videos" in refusal(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("b.mp4", "it has no label"),
        ("", "it is blank"),
        ("my b.mp4 1", "it has 3 fields"),
        ("b.mp4 jumping", "'jumping' is not a whole number"),
        ("b.mp4 1.0", "not a whole number"),
        ("b.mp4 4", "the label 4 is not one of the 4 classes (MODEL.NUM_CLASSES)"),
        ("b.mp4 -1", "the label -1"),
    ],
)
def test_a_bad_row_is_named(tmp_path, row, says):
    (tmp_path / "a.csv").write_text(f"a.mp4 0\n{row}\nc.mp4 1\nd.mp4\n")
    message = refusal(tmp_path / "a.csv")
    assert f"in row 2 of {tmp_path}/a.csv" in message and says in message and repr(row) in message
