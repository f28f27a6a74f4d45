"""Zips of pictures are read as the folder of the same pictures."""

from __future__ import annotations

import zipfile

import pytest
import torch
from support.videos import spoil, write_folder

from slowfast_bias.datasets.decoding.read_frames import VideoError, probe, read_frames


def write_zip(folder, path, inside=""):
    with zipfile.ZipFile(path, "w") as archive:
        for picture in sorted(folder.iterdir()):
            archive.write(picture, f"{inside}{picture.name}")
    return str(path)


@pytest.mark.parametrize("inside", ["", "video/frames/"])
def test_a_zip_is_read_as_its_folder(tmp_path, inside):
    folder = write_folder(tmp_path / "a", range(1, 8), "{:06d}.jpg")
    path = write_zip(tmp_path / "a", tmp_path / "a.ZIP", inside)
    assert probe(path) == probe(folder)
    picks = [0, 6, 6, 3]
    assert torch.equal(read_frames(path, picks), read_frames(folder, picks))


def test_a_damaged_zip_is_named(tmp_path):
    write_folder(tmp_path / "a", range(1, 8), "{:06d}.jpg")
    path = write_zip(tmp_path / "a", tmp_path / "a.zip")
    spoil(path, 0.1, 0.6)
    with pytest.raises(VideoError, match=r"a\.zip"):
        read_frames(path, range(7))
    (tmp_path / "b.zip").write_bytes(b"PK no zip")
    with pytest.raises(VideoError, match=r"Expected a zip of pictures at .*b\.zip"):
        probe(tmp_path / "b.zip")


def test_pictures_of_two_videos_in_one_zip_are_refused(tmp_path):
    write_folder(tmp_path / "a", range(1, 3))
    path = tmp_path / "a.zip"
    write_zip(tmp_path / "a", path, "one/")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("two/img_00001.jpg", b"x")
    with pytest.raises(VideoError, match="some of its 3 files have the same name"):
        read_frames(path, [0])


def test_a_single_picture_is_a_video_of_one_frame(tmp_path, monkeypatch):
    folder = write_folder(tmp_path / "a", [7], "{:06d}.jpg")
    assert torch.equal(read_frames(f"{folder}/000007.jpg", [0, 0]), read_frames(folder, [0, 0]))
    monkeypatch.chdir(folder)
    assert probe("000007.jpg").frames == 1
    with pytest.raises(VideoError, match="Expected frames 0 to 0"):
        read_frames("000007.jpg", [1])
