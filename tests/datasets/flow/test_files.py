"""Files of flow: what is wrong with one is told with its name, and layouts are told apart."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest
from support.segments import flow_of, write_flows

from slowfast_bias.datasets.decoding.timeline import VideoError
from slowfast_bias.datasets.flow.files import (
    read_flo,
    read_flow_picture,
    write_flo,
    write_flow_picture,
)
from slowfast_bias.datasets.flow.layouts import LAYOUTS, find_flow
from slowfast_bias.datasets.flow.wheel import coded
from slowfast_bias.errors import DataError

LENGTHS = {"bear": 4, "cows/left": 3}
FRAMES = {name: [f"{k:05d}" for k in range(n)] for name, n in LENGTHS.items()}


def test_raw_flow_is_read_as_it_was_written(tmp_path):
    flow = np.random.default_rng(0).normal(size=(5, 7, 2)).astype(np.float32)
    path = str(tmp_path / "a.flo")
    write_flo(path, flow)
    data = (tmp_path / "a.flo").read_bytes()
    assert struct.unpack("<fii2f", data[:20]) == pytest.approx((202021.25, 7, 5, *flow[0, 0]))
    assert np.array_equal(read_flo(path), flow)
    assert np.array_equal(read_flow_picture(path), coded(flow))


def test_pictures_of_flow_keep_their_colours(tmp_path):
    picture, path = coded(flow_of(0, 0)), str(tmp_path / "a.png")
    write_flow_picture(path, picture)
    assert np.array_equal(read_flow_picture(path), picture)


def flo(values, magic=202021.25, width=2, height=1):
    return struct.pack("<fii", magic, width, height) + np.array(values, "<f4").tobytes()


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.flo", flo([0] * 4, magic=1.0), "202021.25"),
        ("a.flo", flo([0] * 4)[::-1], "202021.25"),
        ("a.flo", b"PIEH", "begins with None"),
        ("a.flo", flo([0] * 3), "not whole"),
        ("a.flo", flo([0] * 4, width=-2, height=-1), "not whole"),
        ("a.flo", flo([0, np.nan, 0, 0]), "1 of its 2 pixels are NaN"),
        ("a.flo", flo([0, 0, 0, 1e10]), "1 of its 2 pixels are NaN or unknown"),
        ("a.flo", b"", "is empty"),
        ("a.png", b"\x89PNG nothing", "not a whole picture"),
        ("a.png", cv2.imencode(".png", np.zeros((4, 5), np.uint8))[1].tobytes(), "1 channel of"),
        ("a.png", cv2.imencode(".png", np.zeros((4, 5, 3), np.uint16))[1].tobytes(), "uint16"),
    ],
)
def test_a_bad_file_is_named(tmp_path, name, data, says):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(VideoError, match=says) as caught:
        read_flow_picture(str(path))
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(VideoError, match=r"nowhere\.flo"):
        read_flow_picture(f"{tmp_path}/nowhere.flo")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("raw", [False, True])
def test_every_layout_is_found_in_both_directions(tmp_path, layout, raw):
    lengths = {
        name.replace("/", "-") if "one" in layout else name: n for name, n in LENGTHS.items()
    }
    frames = {name: [f"{k:05d}" for k in range(n)] for name, n in lengths.items()}
    write_flows(tmp_path, lengths, layout, raw)
    folder = "FlowImages_gap1" if layout == "motiongrouping" else "flow"
    for backward in (False, True):
        flow = find_flow(f"{tmp_path}/{folder}", frames, backward)
        assert (flow.layout, flow.ending) == (layout, ".flo" if raw else ".png")
        for number, (name, length) in enumerate(lengths.items()):
            for time in range(length - 1):
                path = flow.path(name, frames[name], time + backward)
                wanted = coded(flow_of(number, time + 20 * backward))
                assert np.array_equal(read_flow_picture(path), wanted)


def test_missing_flow_is_counted_and_the_command_named(tmp_path):
    write_flows(tmp_path, LENGTHS)
    advice = "Compute it: slowfast_bias flow a --out b"
    with pytest.raises(DataError, match=f"at {tmp_path}/none, but it is not there. {advice}"):
        find_flow(f"{tmp_path}/none", FRAMES, advice=advice)
    for frame in ("bear/00001", "cows/left/00000"):
        (tmp_path / "FlowImages_gap1" / f"{frame}.png").unlink()
    with pytest.raises(DataError, match="of 5 frames in .* 2 have none.*bear/00001.png. Compute"):
        find_flow(f"{tmp_path}/FlowImages_gap1", FRAMES, advice=advice)


@pytest.mark.parametrize(("backward", "frame"), [(False, "00003"), (True, "00000")])
def test_as_many_flows_as_frames_are_refused(tmp_path, backward, frame):
    write_flows(tmp_path, LENGTHS)
    folder = f"FlowImages_gap{'-' if backward else ''}1"
    write_flow_picture(f"{tmp_path}/{folder}/bear/{frame}.png", coded(flow_of(0, 0)))
    with pytest.raises(DataError, match=f"3 flows for the 4 frames of bear.*{frame}.png is there"):
        find_flow(f"{tmp_path}/FlowImages_gap1", FRAMES, backward)
