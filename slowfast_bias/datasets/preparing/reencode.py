"""Smaller copies of videos: the same frames at the same times, without sound, fast to seek in.

Frames are read and shrunk as a run reads them. A copy's colours are in BT.601 and limited range,
and tagged so, for every video: read back, they are the same apart from the compression.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.decoding import pyav_reader
from slowfast_bias.datasets.decoding.exact_decoding import collect, in_order
from slowfast_bias.datasets.decoding.packet_index import Film, open_film
from slowfast_bias.datasets.decoding.read_frames import VideoError, probe
from slowfast_bias.datasets.preparing.mp4 import Encoder, Noted
from slowfast_bias.errors import OutputError

_TIME_BASE = Fraction(1, 720000)  # if a video has none; common rates are whole numbers in it
_MADE = "slowfast_bias 2"  # in the files; with another number old copies are made again


def reencode(path: str, target: str, short_side: int, part: str = "") -> None:
    """Writes an mp4 with the short side at `short_side`, or unchanged if it is smaller.

    The copy is checked to hold as many frames, and appears only when it is whole. VideoError if
    the video cannot be read, OutputError if the copy cannot be written.

    Args:
        path: of the video.
        target: of the copy.
        short_side: in pixels. Odd sides lose a row or a column: the codec needs even sides.
        part: the folder of copies that are being written; by default that of `target`.
    """
    folder = os.path.dirname(target) or "."
    temporary = f"{part or folder}/{os.getpid()}.part"
    local = g_pathmgr.get_local_path(path)
    try:
        os.makedirs(folder, exist_ok=True)
        os.makedirs(part or folder, exist_ok=True)
        with open_film(local) as film, open(temporary, "w+b") as file:
            frames = _Copy(film, path, Noted(file), short_side).write()
            file.flush()
            os.fsync(file.fileno())
        copied = probe(temporary)
        if copied.frames != frames:
            raise VideoError(
                f"Expected {frames} frames in the copy of {path}, but got {copied.frames}."
            )
        os.replace(temporary, target)
    except av.FFmpegError as error:
        raise VideoError(f"Expected to copy {path}, but FFmpeg reports: {error}.") from error
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        if error.errno == errno.ENAMETOOLONG:
            raise VideoError(f"Expected to copy {path} to {target}, but: {error}.") from error
        raise OutputError(
            f"Expected to write a copy of {path} into {folder}, but: {error}. Free some space, or "
            "give another folder. Finished copies stay there; the same command goes on from there."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            os.remove(temporary)


def is_copy(path: str, target: str, short_side: int) -> bool:
    """Returns whether the copy is there, not older than the video, and of the same short side."""
    if not os.path.isfile(target) or os.path.getmtime(target) < os.path.getmtime(path):
        return False
    try:
        with av.open(f"file:{target}") as container:
            return container.metadata.get("comment") == _comment(short_side)
    except (av.FFmpegError, OSError, ValueError):
        return False


def _comment(short_side: int) -> str:
    return f"{_MADE}, short side {short_side}"


class _Copy:
    """The frames of a video, encoded as soon as they are decoded."""

    def __init__(self, film: Film, path: str, file: Noted, short_side: int) -> None:
        self.film, self.path, self.file = film, path, file
        self.numbers = {film.stamps[position]: n for n, position in enumerate(film.shown)}
        self.times, self.time_base = _times(film)
        self.rate = _rate(self.times, self.time_base)
        self.comment = _comment(short_side)
        self.paint = pyav_reader.painter(short_side)
        self.encoder: Encoder | None = None
        self.next = 0

    def write(self) -> int:
        """Writes all frames; returns their number."""
        try:
            if self.film.shown:
                collect(self.film, range(len(self.times)), self._take)
            else:
                in_order(self.film, range(len(self.times)), self._take)
            if self.next != len(self.times) or self.encoder is None:
                raise VideoError(
                    f"Expected {len(self.times)} frames of {self.path} in order, but after frame "
                    f"{self.next} another one came."
                )
            self.encoder.close()
            if self.file.error:
                raise self.file.error
        except (av.FFmpegError, OSError) as error:
            raise (self.file.error or error) from None
        finally:
            if self.encoder:
                self.encoder.discard()
        return self.next

    def _take(self, frame: av.VideoFrame) -> None:
        """Encodes the frame if it is the next; the first one begins the copy, perhaps again."""
        number = self.numbers[frame.pts] if self.film.shown else self.next
        if number == 0:  # perhaps decoded from the start again, because something was odd
            self._begin(frame)
        if number != self.next:
            return
        last = self.times[-1] - self.times[0]
        step = round(last / (len(self.times) - 1)) if len(self.times) > 1 else 0
        after = [*self.times[number + 1 : number + 2], self.times[number] + step][0]
        image = _even(self.paint(frame))
        if image.shape[1::-1] != self.encoder.size:
            (w, h), (height, width) = self.encoder.size, image.shape[:2]
            raise VideoError(
                f"Expected frames of one size in {self.path}, but got {w}x{h} and {width}x{height} "
                f"px from frame {number} on."
            )
        self.encoder.add(image, self.times[number], after - self.times[number])
        self.next += 1

    def _begin(self, frame: av.VideoFrame) -> None:
        if self.encoder:
            self.encoder.discard()
        self.file.seek(0)
        self.file.truncate()
        size = _even(self.paint(frame)).shape[1::-1]
        self.encoder = Encoder(self.file, size, self.rate, self.time_base, frame, self.comment)
        self.next = 0


def _times(film: Film) -> tuple[Sequence[int], Fraction]:
    """Returns when each frame is shown, from 0 on, in whole units, and the unit in seconds."""
    if film.shown:
        unit, first = film.stream.time_base, film.stamps[film.shown[0]]
        ticks = [(film.stamps[i] - first) * unit.numerator for i in film.shown]
        fine = Fraction(1, unit.denominator)
    else:
        line = pyav_reader.timeline_of(film)
        seconds = line.times if line.fps else [n / 30 for n in range(line.frames)]
        fine = _TIME_BASE
        ticks = [round(second / fine) for second in seconds]
    if fine < Fraction(1, 2**30) or ticks[-1] >= 2**62:
        ticks, fine = [round(tick * fine / _TIME_BASE) for tick in ticks], _TIME_BASE
    return ticks, fine


def _rate(times: Sequence[int], unit: Fraction) -> Fraction:
    """Returns the average frames per second, for the encoder; the exact times are kept anyway."""
    if len(times) < 2:
        return Fraction(30)
    return Fraction(len(times) - 1, max(times[-1], 1) * unit).limit_denominator(1001)


def _even(image: np.ndarray) -> np.ndarray:
    """Returns an image without the last row or column of an odd number; doubles a single one."""
    height, width = (side // 2 * 2 for side in image.shape[:2])
    if not height or not width:
        image = np.pad(image, ((0, not height), (0, not width), (0, 0)), mode="edge")
        height, width = (side // 2 * 2 for side in image.shape[:2])
    return image[:height, :width]
