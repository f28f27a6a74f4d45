"""Moving pictures, read back by other programs: all frames, their colours and their time."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing.moving_pictures import rate_of, save_moving

COLOURS = np.array([[200, 40, 40], [40, 200, 40], [40, 40, 200], [200, 200, 40], [90, 90, 90]])


def read_back(path):
    """Frames and seconds per frame."""
    if path.endswith(".mp4"):
        with av.open(path) as video:
            rate = float(video.streams.video[0].average_rate)
            return [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)], 1 / rate
    with Image.open(path) as picture:
        frames = [np.asarray(x.convert("RGB")) for x in ImageSequence.Iterator(picture)]
        return frames, picture.info["duration"] / 1000


@pytest.mark.parametrize("suffix", ["gif", "webp", "mp4"])
def test_frames_come_back_in_order_and_in_time(tmp_path, suffix):
    frames = [np.full((33, 47, 3), colour, np.uint8) for colour in COLOURS]
    path = str(tmp_path / f"a.{suffix}")
    save_moving(frames, path, rate=5)
    found, seconds = read_back(path)
    assert seconds == pytest.approx(0.2)
    assert len(found) == (30 if suffix == "mp4" else 5)  # some seconds of it
    for frame, colour in zip(found, np.tile(COLOURS, (6, 1)), strict=False):
        assert np.abs(frame.mean((0, 1)) - colour).max() < 8
        assert frame.shape[:2] == ((34, 48) if suffix == "mp4" else (33, 47))
    if suffix == "mp4":  # encoders do not promise it
        return
    again = str(tmp_path / f"b.{suffix}")
    save_moving(frames, again, rate=5)
    assert Path(path).read_bytes() == Path(again).read_bytes()


def test_a_long_clip_is_shown_in_time_and_a_gif_of_it_has_few_frames(tmp_path):
    assert [rate_of(n) for n in (2, 8, 16, 64)] == [4, 4, 8, 25]
    frames = [np.full((8, 8, 3), 3 * t, np.uint8) for t in range(64)]
    save_moving(frames, str(tmp_path / "a.gif"), rate=20)
    found, seconds = read_back(str(tmp_path / "a.gif"))
    assert len(found) * seconds == pytest.approx(64 / 20, rel=0.05) and len(found) <= 24
    assert [x.mean() for x in found] == sorted(x.mean() for x in found)


def test_another_suffix_is_an_error(tmp_path):
    with pytest.raises(RequestError, match=r"\.gif, \.webp, \.mp4, but got"):
        save_moving([np.zeros((4, 4, 3), np.uint8)], str(tmp_path / "a.avi"))
