"""The optional decoder gives the same frames or says that it cannot; absent, it blames no video."""

from __future__ import annotations

import json
import math
import sys
from types import SimpleNamespace

import av
import pytest
import torch
from support.videos import (
    cut,
    has_codec,
    numbered,
    read_numbers,
    write_audio,
    write_folder,
    write_video,
)

from slowfast_bias.datasets.decoding import torchcodec_reader
from slowfast_bias.datasets.decoding.read_frames import (
    VideoError,
    backend_version,
    probe,
    read_frames,
)
from slowfast_bias.errors import MissingPackageError

usable = torchcodec_reader.is_usable()
needs_it = pytest.mark.skipif(not usable, reason="torchcodec does not decode here")

KINDS = {
    "a.mp4": {},
    "turned.mp4": {"rotation": 90},
    "uneven.mkv": {"stamps": [0, 40, 80, 1000, 1020, 1040, 5000, 5033, 5066, 5100], "frames": 10},
    "late.mkv": {"stamps": [5000 + 40 * i for i in range(10)], "frames": 10},
    "sound.mp4": {"audio": True},
    "plain.avi": {"codec": "mpeg4", "bf": 0},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "old.mp4": {"codec": "mpeg4"},
    "ünï 1:2 %03d.mp4": {},
}


@needs_it
@pytest.mark.parametrize("name", KINDS)
def test_frames_are_those_of_pyav(tmp_path, name):
    how = {"frames": 30, "gop": 12, **KINDS[name]}
    if not has_codec(how.get("codec", "libx264")):
        pytest.skip("not in this build of FFmpeg")
    path = write_video(tmp_path / name, **how)
    picks = [9, 3, 3, 0, 7]
    theirs, ours = (read_frames(path, picks, backend=b) for b in ("torchcodec", "pyav"))
    assert theirs.shape == ours.shape
    # two builds of FFmpeg may widen the colour planes in other ways; 0 seen for 8 bits, even sizes
    assert (theirs.float() - ours.float()).abs().mean() < 4
    if "rotation" not in how:
        assert read_numbers(theirs) == picks
    assert probe(path, backend="torchcodec") == probe(path)


@needs_it
def test_a_short_side_shrinks_alike(tmp_path):
    path = write_video(tmp_path / "a.mp4", 5, size=(340, 256))
    small = read_frames(path, [4], short_side=128, backend="torchcodec")
    assert small.shape == (1, 128, 170, 3)
    assert read_numbers(small) == [4]


@needs_it
@pytest.mark.parametrize("name", ["b.ts", "hevc.ts", "b.avi", "xvid.avi", "b.mpg"])
def test_frames_that_torchcodec_would_mistake_are_errors(tmp_path, name):
    """Files with B-frames: of b.ts all came late by as many, of hevc.ts in part grey."""
    codecs = {"xvid.avi": "mpeg4", "b.mpg": "mpeg2video", "hevc.ts": "libx265"}
    codec = codecs.get(name, "libx264")
    if not has_codec(codec):
        pytest.skip("not in this build of FFmpeg")
    path = write_video(tmp_path / name, 40, codec=codec, bf=2)
    for frame in range(0, 40, 3):
        assert read_numbers(read_frames(path, [frame])) == [frame]
        with pytest.raises(VideoError, match=f"{name}.*`pyav`"):
            read_frames(path, [frame], backend="torchcodec")


@needs_it
def test_of_several_streams_it_is_the_first_as_with_pyav(tmp_path):
    path = str(tmp_path / "two.mkv")
    with av.open(path, "w") as out:
        streams = [out.add_stream("mpeg4", rate=30) for _ in range(2)]
        for stream, default in zip(streams, (0, 1), strict=True):
            stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
            stream.disposition = av.stream.Disposition(default)
        for number in range(10):
            for stream, start in zip(streams, (0, 1000), strict=True):
                image = numbered(start + number)
                out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux([packet for stream in streams for packet in stream.encode()])
    for backend in ("pyav", "torchcodec"):
        assert read_numbers(read_frames(path, [0, 5], backend=backend)) == [0, 5]


@needs_it
@pytest.mark.parametrize(
    "damage",
    [
        lambda p: cut(p, 0.5),
        lambda p: p.write_bytes(b""),
        lambda p: p.write_text("no film\n" * 99),
        write_audio,
        lambda p: p.unlink(),
    ],
    ids=["cut", "empty", "text", "sound alone", "not there"],
)
def test_broken_files_are_errors_that_name_them(tmp_path, damage):
    path = tmp_path / "a.mp4"
    write_video(path, 30)
    damage(path)
    for work in (probe, lambda p, **how: read_frames(p, [0], **how)):
        with pytest.raises(VideoError, match=r"a\.mp4") as caught:
            work(path, backend="torchcodec")
        assert len(str(caught.value)) < 500  # torchcodec's own pages of traces are left out


@needs_it
def test_another_count_of_frames_is_an_error(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mp4", 30)
    other = torchcodec_reader.listed_frames(write_video(tmp_path / "b.mp4", 29))
    monkeypatch.setattr(torchcodec_reader, "listed_frames", lambda path: other)
    with pytest.raises(VideoError, match="29 frames .* counts 30"):
        read_frames(path, [0], backend="torchcodec")


@needs_it
def test_the_versions_of_torchcodec_and_of_its_ffmpeg_are_named():
    name, decoders = backend_version("torchcodec").split(" (")
    assert name.startswith("torchcodec 0.") and decoders.startswith("libavcodec ")
    assert decoders[11].isdigit()


@needs_it
@pytest.mark.host
def test_a_whole_study_gives_what_pyav_gives_however_it_is_read(tiny, tmp_path):
    from slowfast_bias import engine
    from slowfast_bias.run import main

    for split in ("train", "val"):
        for name, start in (("a", 0), ("b", 2000)):
            for k in range(4):
                (tmp_path / split / name).mkdir(parents=True, exist_ok=True)
                numbers = range(start + 100 * k, start + 100 * k + 24)
                write_video(tmp_path / split / name / f"{k}.mp4", list(numbers))
    words = [
        *tiny.words, "TRAIN.DATASET", "videos", "TEST.DATASET", "videos", "MODEL.NUM_CLASSES", 2,
        "BIAS.DATA.FORMAT", "folders", "DATA.PATH_TO_DATA_DIR", str(tmp_path), "BIAS.ENABLE", True,
        "DATA.TRAIN_JITTER_SCALES", [36, 40], "SOLVER.MAX_EPOCH", 1,
    ]  # fmt: skip
    (tmp_path / "empty.yaml").write_text("{}")
    reports = {}
    for decoder in ("pyav", "torchcodec"):
        out = tmp_path / "run" / decoder
        more = ["BIAS.DATA.DECODER", decoder, "OUTPUT_DIR", str(out)]
        assert main(["--cfg", str(tmp_path / "empty.yaml"), *map(str, [*words, *more])]) == 0
        reports[decoder] = json.loads((out / "bias" / "report.json").read_text())
        assert reports[decoder]["meta"]["decoder"] == backend_version(decoder)
        assert reports[decoder]["meta"]["videos"] == 8
    assert reports["pyav"]["layers"].keys() == reports["torchcodec"]["layers"].keys()
    units = reports["torchcodec"]["layers"]["s5"]["correlation"]["static"]
    first = torch.tensor([math.nan if unit is None else unit for unit in units])
    before = torch.multiprocessing.get_start_method()
    for start, workers in (("fork", 2), ("spawn", 1)):
        torch.multiprocessing.set_start_method(start, force=True)
        try:
            cfg = engine.load_cfg((), [*words, *more, "DATA_LOADER.NUM_WORKERS", workers])
            again = engine.measure(cfg)["s5"].correlation["static"]
        finally:
            torch.multiprocessing.set_start_method(before, force=True)
        assert torch.allclose(again.float(), first, equal_nan=True, atol=1e-6)


# -- where it is not, or does not work ---------------------------------------------------------


@pytest.fixture(params=["not installed", "without FFmpeg", "of no use"])
def absent(request, monkeypatch):
    """Torchcodec in a state in which it cannot decode, and what the error says of it."""

    def fail(*_, **__):
        raise RuntimeError("Could not load libtorchcodec. Likely causes:\n  1. FFmpeg ...\n" * 9)

    def grey(*_, **__):
        return [torch.zeros(3, 1, 1)]

    torchcodec_reader.torchcodec_module.cache_clear()
    if request.param == "not installed":
        for name in ("torchcodec", "torchcodec.decoders"):
            monkeypatch.setitem(sys.modules, name, None)
    else:
        decoder = fail if request.param == "without FFmpeg" else grey
        fake = SimpleNamespace(VideoDecoder=decoder, __version__="0.0")
        monkeypatch.setitem(sys.modules, "torchcodec", fake)
        monkeypatch.setitem(sys.modules, "torchcodec.decoders", fake)
    yield {
        "not installed": "not installed.*`pip install torchcodec`",
        "without FFmpeg": "Could not load libtorchcodec. It needs FFmpeg's libraries",
        "of no use": r"32x32 px it makes \(3, 1, 1\). It needs FFmpeg's libraries",
    }[request.param]
    torchcodec_reader.torchcodec_module.cache_clear()


def test_absence_is_said_with_the_remedy_and_is_no_fault_of_a_video(tmp_path, absent):
    good, text = write_video(tmp_path / "a.mp4", 3), tmp_path / "b.mp4"
    text.write_text("no film")
    for work in (
        lambda: backend_version("torchcodec"),
        lambda: probe(good, backend="torchcodec"),
        lambda: probe(text, backend="torchcodec"),
        lambda: read_frames(good, [0], backend="torchcodec"),
        lambda: read_frames(text, [0], backend="torchcodec"),
    ):
        with pytest.raises(MissingPackageError, match=absent) as caught:
            work()
        said = str(caught.value)
        assert "`pyav` needs neither" in said and "\n" not in said and "Likely" not in said
    assert not torchcodec_reader.is_usable()


def test_without_it_folders_of_pictures_can_be_read(tmp_path, absent):
    folder = write_folder(tmp_path / "frames", range(1, 4))
    assert read_numbers(read_frames(folder, [2, 0], backend="torchcodec")) == [3, 1]
