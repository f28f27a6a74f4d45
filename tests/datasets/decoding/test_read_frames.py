"""Reading videos: the wanted frames, exactly, whatever the file is like."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
import torch
from av.video.stream import VideoStream
from support.videos import (
    decode_all,
    has_codec,
    numbered,
    read_numbers,
    write_audio,
    write_video,
)
from torch.nn import functional as F

from slowfast_bias.datasets.decoding import exact_decoding, packet_index
from slowfast_bias.datasets.decoding.read_frames import (
    VideoError,
    backend_version,
    probe,
    read_frames,
)

KINDS = {  # name of the file: how it is written
    "24fps.mp4": {"fps": 24, "gop": 12},
    "25fps.mp4": {"fps": 25, "gop": 250},
    "ntsc.mp4": {"fps": Fraction(30000, 1001), "gop": 12},
    "60fps.mkv": {"fps": 60, "gop": 250},
    "no_b_frames.mp4": {"bf": 0},
    "pyramid.mp4": {"bf": 5, "b_pyramid": "normal", "gop": 40},
    "open_group.mp4": {"x264-params": "open-gop=1:keyint=8:min-keyint=8:bframes=3:scenecut=0"},
    "open_group.ts": {"x264-params": "open-gop=1:keyint=8:min-keyint=8:bframes=3:scenecut=0"},
    "refresh.mp4": {"x264-params": "intra-refresh=1:keyint=12", "gop": 12},
    "slices.mp4": {"x264-params": "slices=4"},
    "keys_only.mp4": {"gop": 1},
    "fragments.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "stream.ts": {"gop": 15},
    "raw.h264": {"gop": 10},
    "odd.mp4": {"size": (97, 63), "pix_fmt": "yuv444p"},
    "one.mp4": {"frames": 1},
    "two.mp4": {"frames": 2},
    "wide.mp4": {"size": (10000, 16), "frames": 12},
    "old.avi": {"codec": "mpeg4", "gop": 20},
    "old.mp4": {"codec": "mpeg4", "gop": 20},
    "h264.avi": {},
    "no_b.avi": {"codec": "mpeg4", "bf": 0},
    "pictures.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "hevc.mp4": {"codec": "libx265", "gop": 20},
    "hevc_open.mp4": {
        "codec": "libx265",
        "x265-params": "log-level=none:pools=none:open-gop=1:keyint=8:min-keyint=8:bframes=3",
    },
    "vp8.webm": {"codec": "libvpx", "auto-alt-ref": 1, "lag-in-frames": 16, "deadline": "good"},
    "vp9.webm": {"codec": "libvpx-vp9", "gop": 20},
    "vp9_hidden.webm": {
        "codec": "libvpx-vp9", "auto-alt-ref": 1, "lag-in-frames": 16, "deadline": "good",
    },
    "av1.mp4": {"codec": "libsvtav1", "gop": 20},
    "sound.mp4": {"audio": True},
    "ünï cödé, 1:2 %03d.mp4": {},
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("videos")


def written(folder, name, **changes):
    how = {"frames": 45, **KINDS.get(name, {}), **changes}
    if not has_codec(how.get("codec", "libx264")):
        pytest.skip(f"no {how.get('codec', 'libx264')} in this build of FFmpeg")
    return write_video(folder / name, **how)


@pytest.mark.parametrize("name", KINDS)
def test_any_frames_in_any_order_are_those_of_decoding_all(folder, name):
    path = written(folder, name)
    whole = decode_all(path)
    info = probe(path)
    assert info.frames == len(whole) == len(info.times)
    assert (info.height, info.width) == whole.shape[1:3]
    assert read_numbers(whole) == list(range(len(whole)))
    generator = torch.Generator().manual_seed(len(name))
    for count in (1, 1, 3, 8, 20):
        picks = torch.randint(info.frames, (count,), generator=generator).tolist()
        assert torch.equal(read_frames(path, picks), whole[picks]), picks
    assert torch.equal(read_frames(path, range(info.frames)), whole)


@pytest.mark.parametrize("name", ["pyramid.mp4", "old.mp4", "hevc.mp4", "60fps.mkv", "stream.ts"])
def test_frames_that_none_refers_to_are_left_out_without_a_second_try(folder, name, monkeypatch):
    path = written(folder, name)
    runs, sent = [], []
    decode_once, fed = exact_decoding.decode_spans, exact_decoding.feed

    def counted(*args):
        for item in fed(*args):
            sent.append(item)
            yield item

    monkeypatch.setattr(exact_decoding, "feed", counted)
    monkeypatch.setattr(
        exact_decoding, "decode_spans", lambda *a, **k: runs.append(k) or decode_once(*a, **k)
    )
    assert read_numbers(read_frames(path, [17])) == [17]
    assert len(runs) == 1
    assert len(sent) <= 14  # of 18 frames and more; the last entry empties the decoder


def test_odd_files_of_known_kinds_need_no_second_try(folder, monkeypatch):
    names = [name for name in KINDS if not name.startswith(("refresh", "raw", "vp8", "vp9_hidden"))]
    paths = [str(folder / name) for name in names if (folder / name).exists()]
    decode_once = exact_decoding.decode_spans

    def only_once(*args, spare, **others):
        assert spare, args[0].path
        return decode_once(*args, spare=spare, **others)

    monkeypatch.setattr(exact_decoding, "decode_spans", only_once)
    for path in paths:
        read_frames(path, [0])
        read_frames(path, lambda video: [video.frames // 2, video.frames - 1])


def test_a_file_too_large_for_memory_is_read_twice(folder, monkeypatch):
    path = written(folder, "large.mp4")
    monkeypatch.setattr(packet_index, "KEPT_BYTES", 1000)
    assert read_numbers(read_frames(path, [40, 3, 22, 3])) == [40, 3, 22, 3]


def test_picks_may_be_a_function_of_the_timeline(folder):
    path = written(folder, "picks.mp4", fps=25)
    frames = read_frames(
        path, lambda video: [video.frames - 1, video.at(1.0), *video.between(0.2, 0.3)]
    )
    assert read_numbers(frames) == [44, 25, 5, 6, 7]


def test_uneven_time_stamps_count_frames_in_order_and_find_them_by_time(folder):
    stamps = [0, 40, 80, 1000, 1020, 1040, 5000, 5033, 5066, 5100]
    path = written(folder, "uneven.mkv", frames=10, stamps=stamps, gop=4)
    info = probe(path)
    assert info.times == pytest.approx([stamp / 1000 for stamp in stamps], abs=1e-3)
    assert [info.at(t) for t in (-1, 0.5, 1.0, 4.9, 5.05, 99)] == [0, 2, 3, 5, 7, 9]
    assert read_numbers(read_frames(path, [9, 3, 6])) == [9, 3, 6]


def test_frames_without_time_stamps_are_counted_by_decoding(folder):
    for name in ("raw.h264", "h264.avi"):  # the second has stamps, but not those of display
        path = written(folder, name)
        with packet_index.open_film(path) as opened:
            assert not opened.shown
        info = probe(path)
        assert info.frames == 45
        assert info.times[:3] == pytest.approx((0, 1 / info.fps, 2 / info.fps))


def test_an_edit_list_cuts_frames_off(folder):
    """Starting a copy between keyframes writes an edit list: earlier frames are there, unseen."""
    source, path = written(folder, "uncut.mp4", gop=15), str(folder / "cut.mp4")
    with av.open(source) as old, av.open(path, "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        tick = int(old.streams.video[0].duration / 45)
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.pts, packet.dts = packet.pts - 20 * tick, packet.dts - 20 * tick
                packet.stream = stream
                new.mux(packet)
    whole = decode_all(path)
    assert read_numbers(whole) == list(range(20, 45))
    assert probe(path).frames == 25
    assert torch.equal(read_frames(path, [0, 24, 7]), whole[[0, 24, 7]])


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_rotated_frames_are_turned_upright_as_opencv_does(folder, angle):
    if not hasattr(VideoStream, "set_display_rotation"):
        pytest.skip("this PyAV cannot write a rotation")
    path = written(folder, f"turned{angle}.mp4", rotation=angle)
    frame = read_frames(path, [5])[0]
    info = probe(path)
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    for _ in range(6):
        shown = capture.read()[1]
    assert frame.shape == shown.shape == (info.height, info.width, 3)
    assert info.rotation in (angle, 360 - angle)
    # OpenCV rounds colours its own way
    assert np.abs(frame.numpy().astype(int) - shown[..., ::-1]).mean() < 4


def test_a_short_side_shrinks_while_converting_as_smoothing_would_afterwards(folder):
    path = written(folder, "shrunk.mp4", size=(340, 256), frames=10)
    small, full = read_frames(path, [4, 7], short_side=112), read_frames(path, [4, 7])
    assert small.shape == (2, 112, 340 * 112 // 256, 3)
    assert small.dtype == torch.uint8
    planes = full.permute(0, 3, 1, 2).float()
    after = F.interpolate(planes, small.shape[1:3], mode="bilinear", antialias=True)
    # colour planes are half as large as the picture and are widened in another order
    assert (small - after.permute(0, 2, 3, 1)).abs().mean() < 1.5
    assert read_numbers(small) == [4, 7]


def test_small_frames_are_not_enlarged(folder):
    path = written(folder, "small.mp4")
    assert torch.equal(read_frames(path, [3], short_side=256), read_frames(path, [3]))


def test_one_thread_decodes(folder):
    with packet_index.open_film(written(folder, "thread.mp4")) as opened:
        assert opened.stream.codec_context.thread_count == 1


def test_the_version_names_the_decoder():
    assert backend_version().startswith(f"pyav {av.__version__} (libavcodec ")


@pytest.mark.parametrize("picks", [[45], [-1], [0, 99]])
def test_a_number_that_is_not_there_is_named(folder, picks):
    path = written(folder, "short.mp4")
    with pytest.raises(VideoError, match=f"frames 0 to 44 of .*short.mp4.* got {picks[-1]}"):
        read_frames(path, picks)


def test_no_picks_and_unknown_decoders_are_errors(folder):
    path = written(folder, "short.mp4")
    with pytest.raises(VideoError, match="at least one frame"):
        read_frames(path, [])
    with pytest.raises(ValueError, match="torchcodec.*'decord'"):
        read_frames(path, [0], backend="decord")


def test_sound_alone_is_no_video(folder):
    path = write_audio(folder / "sound only.mp4")
    for read in (probe, lambda path: read_frames(path, [0])):
        with pytest.raises(VideoError, match=r"video stream.*sound only\.mp4.*audio"):
            read(path)


def test_numbers_survive_compression():
    for number in (0, 1, 1365, 2730, 4095):
        assert read_numbers(numbered(number)[None]) == [number]
