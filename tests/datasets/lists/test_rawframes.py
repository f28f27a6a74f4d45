"""Lists of folders of pictures: split from the right, and what is wrong named by its row."""

from __future__ import annotations

import pytest

from slowfast_bias.datasets.decoding.timeline import Timeline, VideoError, even_times
from slowfast_bias.datasets.lists.files import read_list
from slowfast_bias.datasets.sampling.split_views import part_of
from slowfast_bias.errors import DataError


def listed(folder, text, **options):
    (folder / "test.txt").write_text(text)
    return read_list("rawframes", str(folder), "test", num_classes=8, **options)


def test_rows_are_folder_frames_and_label(tmp_path):
    text = "a__0 12 3\nbending back/05m_7 300 2\ntab here\t4\t0\n x/y  z 5  1 \n"
    found = listed(tmp_path, text, prefix="/frames")
    rows = [(v.path, v.frames, v.label, v.row) for v in found.videos]
    assert rows == [
        ("/frames/a__0", 12, 3, "row 1"),
        ("/frames/bending back/05m_7", 300, 2, "row 2"),
        ("/frames/tab here", 4, 0, "row 3"),
        ("/frames/x/y  z", 5, 1, "row 4"),
    ]


def test_without_a_prefix_rows_begin_in_the_folder_of_the_list(tmp_path):
    (video,) = listed(tmp_path, "a 1 0\n").videos
    assert video.path == f"{tmp_path}/a"


def test_copies_of_a_video_are_one_recording(tmp_path):
    text = "a__0 9 1\na__1 9 1\nb__0.zip 9 1\nb__11.zip 9 1\nk_000001_000011 9 1\n"
    found = [video.recording for video in listed(tmp_path, text).videos]
    assert found[:4] == ["a", "a", "b", "b"]
    assert found[4] == f"{tmp_path}/k_000001_000011"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a 9\n", "row 1: expected `folder num_frames label`, but got 'a 9'"),
        ("a 9 1\nb\n", "row 2: expected `folder num_frames label`"),
        ("a 9 1\n\nb 9 1\n", "row 2: expected `folder num_frames label`"),
        ("class b/video.mp4 1\n", "row 1: 'b/video.mp4' is not a whole number"),
        ("a 9 one\n", "row 1: 'one' is not a whole number"),
        ("a 0 1\n", "row 1: expected at least one frame in a, but got 0"),
        ("a 9 8\n", r"row 1: the label 8 is not one of the 8 classes \(MODEL.NUM_CLASSES\)"),
        ("a 9 -1\n", "row 1: the label -1 is not one of the 8 classes"),
        ("a 9 1\nb 9 1\na 9 2\n", "row 3: .*a stands in row 1 already"),
        ("../a 9 1\n", "row 1: .*leads out of the folder"),
        ("", "it lists none"),
    ],
)
def test_bad_rows_are_named(tmp_path, text, says):
    with pytest.raises(DataError, match=says):
        listed(tmp_path, text)


def test_the_listed_frames_count_and_a_folder_of_fewer_is_not_read(tmp_path):
    (video,) = listed(tmp_path, "a 6 0\n").videos
    assert part_of(video, Timeline(9, 30, even_times(9, 30))) == range(6)
    with pytest.raises(VideoError, match="Expected 6 frames in .*a, as its list says.* has 5"):
        part_of(video, Timeline(5, 30, even_times(5, 30)))
