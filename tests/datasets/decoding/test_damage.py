"""Broken files: an error that names the file, or the very frames; never others, never a wait."""

from __future__ import annotations

import os
import pickle
import shutil

import av
import numpy as np
import pytest
import torch
from support.videos import cut, decode_all, has_codec, spoil, write_video

from slowfast_bias.datasets.decoding.packet_index import open_film
from slowfast_bias.datasets.decoding.read_frames import VideoError, probe, read_frames


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A sound file of 120 frames, of which tests take copies."""
    return write_video(tmp_path_factory.mktemp("whole") / "whole.mp4", 120, gop=12)


def copied(whole, folder, name="broken.mp4"):
    return shutil.copy(whole, folder / name)


def refused(path, words):
    for read in (probe, lambda path: read_frames(path, [0])):
        with pytest.raises(VideoError, match=words) as caught:
            read(path)
        assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    refused(f"{tmp_path}/gone.mp4", "no such file")


def test_an_empty_file_is_named(tmp_path):
    (tmp_path / "empty.mp4").touch()
    refused(f"{tmp_path}/empty.mp4", "0 bytes")


@pytest.mark.parametrize(
    "text",
    [
        "This is no video.\n" * 100,
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile whole.mp4\n",
        "\x1b[2J\x1b[31m ansi art \x1b[0m" * 50,
    ],
    ids=["text", "playlist", "list of files", "screen"],
)
@pytest.mark.parametrize("name", ["text.mp4", "text.txt", "text.m3u8", "text.ans"])
def test_a_text_is_no_video_whatever_it_is_called(tmp_path, whole, text, name):
    copied(whole, tmp_path, "whole.mp4")
    (tmp_path / name).write_text(text)
    refused(f"{tmp_path}/{name}", "cannot be opened as one")


def test_a_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    refused(f"{tmp_path}/pipe.mp4", "not a plain file")


def test_noise_is_no_video(tmp_path):
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(50_000))
    refused(f"{tmp_path}/noise.mp4", "Expected")


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_a_cut_file_whose_index_was_at_the_end_cannot_be_opened(tmp_path, whole, share):
    path = copied(whole, tmp_path)
    cut(path, share)
    refused(path, "truncated")


@pytest.mark.parametrize("share", [0.3, 0.7, 0.97])
def test_a_cut_file_whose_index_comes_first_is_found_out(tmp_path, share):
    options = {"movflags": "faststart"}
    path = write_video(tmp_path / "fast.mp4", 120, container_options=options)
    cut(path, share)
    refused(path, "truncated|breaks off")


@pytest.mark.parametrize("name", ["cut.webm", "cut.mkv", "sound.mkv", "cut.avi"])
def test_a_cut_file_of_another_kind_is_found_out(tmp_path, name):
    codec = "libvpx-vp9" if name.endswith("webm") else "libx264"
    path = written(tmp_path / name, codec, audio=name.startswith("sound"))
    cut(path, 0.6)
    refused(path, "truncated|damaged")


@pytest.mark.parametrize(
    ("codec", "container"),
    [("libx264", kind) for kind in ("mp4", "mkv", "ts", "avi")]
    + [("mpeg4", kind) for kind in ("mp4", "mkv", "avi")],
)
def test_damage_in_the_middle_is_an_error_and_every_other_frame_exact(tmp_path, codec, container):
    if container == "avi" and not hasattr(av.stream.Stream, "index_entries"):
        pytest.skip("this PyAV does not tell what the index of a file announces")
    path, reference = damaged(tmp_path, codec, container)
    right, wrong, refusals = sorted_out(path, reference)
    assert not wrong
    assert refusals
    assert container in ("ts", "mkv", "avi") or len(right) > 80  # those are refused as a whole


@pytest.mark.parametrize("codec", ["libx265", "libvpx-vp9", "libsvtav1"])
def test_damage_that_a_decoder_cannot_see_stays_in_its_group(tmp_path, codec):
    """These take nearly any bits for a picture. What they show belongs to the damaged group."""
    path, reference = damaged(tmp_path, codec, "mp4")
    right, wrong, _ = sorted_out(path, reference)
    assert set(range(120)) - set(range(36, 72)) <= set(right)
    assert len(wrong) <= 12


def test_frames_before_and_behind_a_damaged_group_are_read(tmp_path, whole):
    path = copied(whole, tmp_path)
    reference = decode_all(whole)
    with open_film(whole) as film:
        packet = film.kept[62]  # in the sixth group, of frames 60 to 71
        with open(path, "r+b") as file:
            file.seek(packet.pos)
            file.write(b"\xff" * packet.size)
    picks = [*range(60), *range(72, 120)]
    assert torch.equal(read_frames(path, picks), reference[picks])
    with pytest.raises(VideoError, match=r"broken\.mp4 \(of 120\) to decode cleanly"):
        read_frames(path, [5, 71, 90])


def test_a_lost_reference_is_found_out_by_what_is_built_on_it(tmp_path):
    """The frame is gone as if it had never been there; every later one of its group is wrong."""
    path = write_video(tmp_path / "lost.mp4", 24, gop=24, bf=0)
    with open_film(path) as film:
        packet = film.kept[6]
    with open(path, "r+b") as file:
        file.seek(packet.pos)
        file.write(packet.size.to_bytes(4, "big")[:3] + b"\0")
    with pytest.raises(VideoError, match="damaged"):
        read_frames(path, [20])


def test_errors_travel_between_processes():
    error = pickle.loads(pickle.dumps(VideoError("Expected a video.")))
    assert isinstance(error, ValueError)
    assert str(error) == "Expected a video."


def written(path, codec, **how):
    if not has_codec(codec):
        pytest.skip(f"no {codec} in this build of FFmpeg")
    return write_video(path, 120, codec=codec, gop=12, size=(160, 96), **how)


def damaged(folder, codec, container):
    """A file with 3 % noise in the middle, and the frames it had before."""
    path = written(folder / f"spoilt.{container}", codec)
    reference = decode_all(path)
    spoil(path, 0.45, 0.48)
    return path, reference


def sorted_out(path, reference):
    """The numbers that come exact when read one by one, those that come otherwise, and refusals."""
    right, wrong, refusals = [], [], 0
    for number in range(len(reference)):
        try:
            frame = read_frames(path, [number])[0]
        except VideoError as error:
            assert str(path) in str(error)
            refusals += 1
        else:
            (right if torch.equal(frame, reference[number]) else wrong).append(number)
    return right, wrong, refusals
