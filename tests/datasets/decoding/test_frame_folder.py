"""Folders of pictures: only the wanted files, in the order of their numbers, and no hole."""

from __future__ import annotations

import os
import struct
import zlib

import cv2
import numpy as np
import pytest
import torch
from support.videos import cut, numbered, read_numbers, write_folder

from slowfast_bias.datasets.decoding.read_frames import VideoError, probe, read_frames

NAMES = [
    "img_{:05d}.jpg",
    "frame_{:05d}.jpg",
    "{:06d}.jpg",
    "image_{:04d}.png",
    "{}.jpg",
    "çé {}.PNG",
]


@pytest.mark.parametrize("name", NAMES)
def test_numbers_give_the_order_whatever_the_names(tmp_path, name):
    folder = write_folder(tmp_path / "a folder", range(1, 14), name)
    assert read_numbers(read_frames(folder, [0, 12, 8, 8, 9])) == [1, 13, 9, 9, 10]
    info = probe(folder, folder_fps=12)
    assert (info.frames, info.fps, info.width, info.height) == (13, 12, 96, 64)
    assert info.at(0.5) == 6


def test_colours_are_red_green_blue(tmp_path):
    folder = write_folder(tmp_path, [5], "{:06d}.png")
    assert torch.equal(read_frames(folder, [0])[0], torch.from_numpy(numbered(5)))


def test_only_wanted_files_are_opened(tmp_path):
    folder = write_folder(tmp_path, range(5))
    (tmp_path / "img_00003.jpg").write_bytes(b"")
    assert read_numbers(read_frames(folder, [4, 2])) == [4, 2]
    with pytest.raises(VideoError, match=r"img_00003\.jpg.* 0 bytes"):
        read_frames(folder, [3])


@pytest.mark.parametrize("name", ["img_{:05d}.jpg", "{:06d}.png"])
def test_a_hole_is_named(tmp_path, name):
    folder = write_folder(tmp_path, [1, 2, 4], name)
    for read in (probe, lambda path: read_frames(path, [0])):
        with pytest.raises(VideoError, match=f"{name.format(3)} is missing"):
            read(folder)


@pytest.mark.parametrize("name", ["img_{:05d}.jpg", "{:06d}.png"])
def test_a_cut_picture_is_an_error_though_opencv_would_show_it(tmp_path, name):
    folder = write_folder(tmp_path, range(3), name)
    cut(tmp_path / name.format(1), 0.6)
    with pytest.raises(VideoError, match=name.format(1)):
        read_frames(folder, [1])
    assert read_numbers(read_frames(folder, [2])) == [2]


def test_sizes_must_agree(tmp_path):
    write_folder(tmp_path, [0])
    folder = write_folder(tmp_path, [1], size=(100, 64))
    with pytest.raises(VideoError, match="96x64 and 100x64"):
        read_frames(folder, [0, 1])


def test_other_series_beside_the_frames_are_left_alone(tmp_path):
    write_folder(tmp_path, range(1, 3), "flow_x_{:05d}.jpg")
    folder = write_folder(tmp_path, range(1, 5), "img_{:05d}.jpg")
    (tmp_path / "notes.txt").touch()
    assert probe(folder).frames == 4
    write_folder(tmp_path, range(1, 5), "frame_{:05d}.jpg")
    with pytest.raises(VideoError, match="one series.*'flow_x_', 'frame_', 'img_'"):
        probe(folder)


def test_one_number_twice_is_an_error(tmp_path):
    write_folder(tmp_path, [7], "{:06d}.jpg")
    folder = write_folder(tmp_path, [7], "{}.jpg")
    with pytest.raises(VideoError, match="one picture of each number"):
        probe(folder)


def test_a_folder_without_pictures_is_an_error(tmp_path):
    (tmp_path / "readme.jpg.txt").touch()
    with pytest.raises(VideoError, match="numbered pictures"):
        probe(tmp_path)


def test_numbers_out_of_range_are_named(tmp_path):
    folder = write_folder(tmp_path, range(3))
    with pytest.raises(VideoError, match="0 to 2.*got 3"):
        read_frames(folder, [3])


def test_a_short_side_shrinks_as_for_videos(tmp_path):
    folder = write_folder(tmp_path, [9], "{:06d}.png", size=(340, 256))
    small = read_frames(folder, [0], short_side=128)
    assert small.shape == (1, 128, 170, 3)
    assert read_numbers(small) == [9]


def test_grey_pictures_have_three_channels(tmp_path):
    cv2.imwrite(str(tmp_path / "000001.png"), np.full((8, 8), 77, np.uint8))
    assert read_frames(tmp_path, [0]).tolist() == [[[[77] * 3] * 8] * 8]


def _broken_link(path):
    path.symlink_to("nowhere.jpg")


def _folder(path):
    path.mkdir()


def _pipe(path):
    os.mkfifo(path)


def _announces_a_million_square(path):
    cv2.imwrite(str(path), np.zeros((8, 8, 3), np.uint8))
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", 10**6, 10**6)  # width and height, behind the chunk's name
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [_broken_link, _folder, _pipe, _announces_a_million_square])
def test_what_is_no_picture_is_named_and_nothing_else_raised(tmp_path, damage):
    folder = write_folder(tmp_path, range(3), "{:06d}.png")
    (tmp_path / "000001.png").unlink()
    damage(tmp_path / "000001.png")
    with pytest.raises(VideoError, match=r"picture in .*000001\.png"):
        read_frames(folder, [0, 1])
    assert read_numbers(read_frames(folder, [0, 2])) == [0, 2]
