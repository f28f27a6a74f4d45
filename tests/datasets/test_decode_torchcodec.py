"""The optional decoder gives the same frames, or says that it cannot be used."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from make_videos import cut, has_codec, read_numbers, write_video  # noqa: E402

from slowfast_bias.datasets.decode import (  # noqa: E402
    VideoError,
    backend_version,
    probe,
    read_frames,
)
from slowfast_bias.datasets.decoding import torchcodec_reader  # noqa: E402
from slowfast_bias.errors import MissingPackageError  # noqa: E402

usable = torchcodec_reader.is_usable()
needs_it = pytest.mark.skipif(not usable, reason="torchcodec does not decode here")

KINDS = {
    "a.mp4": {},
    "turned.mp4": {"rotation": 90},
    "uneven.mkv": {"stamps": [0, 40, 80, 1000, 1020, 1040, 5000, 5033, 5066, 5100], "frames": 10},
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
    # two builds of FFmpeg, with other ways to widen the colour planes
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
def test_broken_files_are_errors(tmp_path):
    path = write_video(tmp_path / "a.mp4", 30)
    cut(path, 0.5)
    with pytest.raises(VideoError, match=r"a\.mp4"):
        read_frames(path, [0], backend="torchcodec")


@needs_it
def test_another_count_of_frames_is_an_error(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mp4", 30)
    other = torchcodec_reader.decode_pyav.timeline(write_video(tmp_path / "b.mp4", 29))
    monkeypatch.setattr(torchcodec_reader.decode_pyav, "timeline", lambda path: other)
    with pytest.raises(VideoError, match="29 frames .* counts 30"):
        read_frames(path, [0], backend="torchcodec")


@needs_it
def test_the_version_is_named():
    assert backend_version("torchcodec").startswith("torchcodec 0.")


@pytest.mark.skipif(usable, reason="torchcodec decodes here")
def test_absence_is_said_with_the_remedy(tmp_path):
    path = write_video(tmp_path / "a.mp4", 3)
    with pytest.raises(MissingPackageError, match="torchcodec.*`pyav` needs neither"):
        read_frames(path, [0], backend="torchcodec")
