"""Real videos, written with PyAV, whose frames carry their own number in black and white blocks."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import torch

BITS = 12  # blocks along the upper quarter of a frame, highest bit first
CODECS = ("libx264", "libx265", "libvpx-vp9", "libsvtav1", "mpeg4", "mjpeg")


def has_codec(name):
    """Can this build of FFmpeg write it?"""
    return name in av.codecs_available


def numbered(number, width=96, height=64):
    """A frame, uint8 (H, W, 3): its number above, a moving texture below."""
    x, y = int(150 + 140 * np.sin(number / 20)), int(100 + 80 * np.cos(number / 33))
    frame = _texture(width, height)[y : y + height, x : x + width].copy()
    noise = np.random.default_rng(number).integers(-6, 7, frame.shape)
    frame = np.clip(frame.astype(int) + noise, 0, 255).astype(np.uint8)
    for bit in range(BITS):
        left, right = width * bit // BITS, width * (bit + 1) // BITS
        frame[: height // 4, left:right] = 230 if number >> (BITS - 1 - bit) & 1 else 20
    return frame


def read_numbers(frames):
    """The numbers that frames (T, H, W, 3) of any size carry."""
    height, width = frames.shape[1:3]
    top = np.asarray(frames)[:, height // 16 : max(height // 5, 1)].astype(float)
    numbers = np.zeros(len(top), int)
    for bit in range(BITS):
        left, right = width * bit / BITS, width * (bit + 1) / BITS
        middle = top[:, :, round(left + (right - left) / 4) : round(right - (right - left) / 4)]
        grey = middle.mean((1, 2, 3))
        assert ((grey < 90) | (grey > 165)).all(), f"Expected black or white, got {grey}."
        numbers = numbers * 2 + (grey > 127)
    return numbers.tolist()


def write_video(
    path,
    frames=60,
    fps=30,
    size=(96, 64),
    codec="libx264",
    gop=12,
    stamps=None,
    rotation=0,
    audio=False,
    container=None,
    pix_fmt="yuv420p",
    container_options=None,
    **options,
):
    """Writes frames 0, 1, ... and returns the path.

    Args:
        path: Where to; the name's ending tells the container.
        frames: How many, or the list of their numbers.
        fps: Int or Fraction.
        size: Width and height.
        codec: FFmpeg's encoder.
        gop: Frames from one keyframe to the next.
        stamps: When each frame is shown, in units of 1 / 1000 s; None: evenly.
        rotation: Written as the angle of the display matrix.
        audio: Adds a second of sound.
        container: FFmpeg's name of the format, where the ending does not tell.
        pix_fmt: FFmpeg's name of the pixel format.
        container_options: Of the muxer.
        options: Of the encoder.
    """
    numbers = range(frames) if isinstance(frames, int) else frames
    with av.open(str(path), "w", format=container, options=container_options or {}) as out:
        stream = out.add_stream(codec, rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.options = {"g": str(gop), **_quiet(codec), **{k: str(v) for k, v in options.items()}}
        stream.codec_context.thread_count = 1
        if rotation:
            stream.set_display_rotation(rotation)
        sound = out.add_stream("aac", rate=16000, layout="mono") if audio else None
        if stamps is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for place, number in enumerate(numbers):
            frame = av.VideoFrame.from_ndarray(numbered(number, *size), format="rgb24")
            if stamps is not None:
                frame.pts, frame.time_base = stamps[place], Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
        if sound:
            _write_sound(out, sound)
    return str(path)


def write_audio(path):
    """A file that holds a second of sound and no picture."""
    with av.open(str(path), "w") as out:
        _write_sound(out, out.add_stream("aac", rate=16000, layout="mono"))
    return str(path)


def write_folder(folder, numbers, name="img_{:05d}.jpg", size=(96, 64)):
    """A folder of numbered pictures, each carrying the number of its name."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        width, height = size
        ok, data = cv2.imencode(name[-4:], numbered(number, width, height)[..., ::-1])
        assert ok
        (folder / name.format(number)).write_bytes(data.tobytes())
    return str(folder)


def decode_all(path):
    """Every frame as FFmpeg shows it, uint8 (T, H, W, 3)."""
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return torch.from_numpy(np.stack(frames))


def spoil(path, start, end, seed=0):
    """Overwrites a part of a file, given in shares of its length, with noise."""
    with open(path, "r+b") as file:
        size = file.seek(0, 2)
        first, last = int(size * start), int(size * end)
        file.seek(first)
        file.write(np.random.default_rng(seed).bytes(last - first))


def cut(path, share):
    """Keeps the first part of a file."""
    with open(path, "r+b") as file:
        file.truncate(int(file.seek(0, 2) * share))


_TEXTURES = {}


def _texture(width, height):
    """A smooth random picture, larger than the frame by the way it moves."""
    if (width, height) not in _TEXTURES:
        rough = np.random.default_rng(7).integers(0, 255, (24, 40, 3)).astype(np.uint8)
        size = (width + 300, height + 200)
        _TEXTURES[width, height] = cv2.resize(rough, size, interpolation=cv2.INTER_CUBIC)
    return _TEXTURES[width, height]


def _quiet(codec):
    """Options that make an encoder fast and silent."""
    return {
        "libx264": {"preset": "veryfast", "bf": "3", "b_strategy": "0"},
        "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:bframes=3:pools=none"},
        "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
        "libsvtav1": {"preset": "12", "svtav1-params": "lp=1"},
        "mpeg4": {"bf": "2"},
    }.get(codec, {})


def _write_sound(out, stream):
    samples = np.zeros((1, 16000), np.float32)
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
    frame.sample_rate = 16000
    out.mux(stream.encode(frame))
    out.mux(stream.encode())
