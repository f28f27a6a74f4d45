"""Computes the flow of all sequences of a folder and writes it, in the motiongrouping layout.

    OUT/FlowImages_gap1/bear/00003.png     from frame 3 to 4
    OUT/FlowImages_gap-1/bear/00004.png    from frame 4 to 3
    OUT/Flows_gap1/bear/00003.flo          raw, if it is wanted
    OUT/flow.json                          how it was made

It can be stopped and started again: a file is whole or not there, and those there are kept.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass

import cv2
import numpy as np

from slowfast_bias.datasets.decoding.timeline import VideoError
from slowfast_bias.datasets.flow.dis import dis_flow
from slowfast_bias.datasets.flow.files import write_flo, write_flow_picture
from slowfast_bias.datasets.flow.side_file import remember
from slowfast_bias.datasets.flow.wheel import coded
from slowfast_bias.datasets.preparing.parallel import in_parallel
from slowfast_bias.datasets.segments.frames import FrameSequence, find_sequences
from slowfast_bias.errors import DataError
from slowfast_bias.files import alone_in, cannot_write

Progress = Callable[[Iterable, int, str], Iterable]


@dataclass(frozen=True)
class FlowSettings:
    """How flow is made.

    Attributes:
        preset: of DIS, see `datasets.flow.dis`.
        gap: frames from one to the other.
        pictures: whether coded pictures are written.
        raw: whether .flo files are written.
    """

    preset: str = "medium"
    gap: int = 1
    pictures: bool = True
    raw: bool = False

    def files(self, out: str, sequence: str, frame: str, backward: bool) -> dict[str, str]:
        """Returns {"png" or "flo": path} of what is written of one flow."""
        gap = f"gap{'-' if backward else ''}{self.gap}"
        kinds = {"png": f"FlowImages_{gap}"} if self.pictures else {}
        kinds |= {"flo": f"Flows_{gap}"} if self.raw else {}
        return {kind: f"{out}/{name}/{sequence}/{frame}.{kind}" for kind, name in kinds.items()}


@dataclass(frozen=True)
class FlowMade:
    """The result: how many flows each sequence has, and why some sequences have none."""

    counts: dict[str, int]
    bad: dict[str, str]


def make_flow(
    images: str,
    out: str,
    settings: FlowSettings,
    processes: int,
    progress: Progress = lambda steps, total, title: steps,
) -> FlowMade:
    """Computes what is not there yet, in both directions.

    Args:
        images: a folder with a folder of pictures for each sequence.
        out: the folder to write into, usually that of JPEGImages.
        settings: how. DataError if what is there was made in another way.
        processes: sequences at a time.
        progress: called with (steps, total, title); yields the steps again.
    """
    sequences = list(find_sequences(images).values())
    if not sequences:
        raise DataError(
            f"Expected a folder of pictures for each sequence in {images}, as bear/00000.jpg, but "
            "there is none."
        )
    about = {**asdict(settings), "images": os.path.abspath(images)}
    with alone_in(out):
        remember(out, settings.preset, about)
        work = functools.partial(_sequence, out=out, settings=settings)
        steps = progress(in_parallel(work, sequences, processes), len(sequences), "flow")
        results = {s.name: "the process that read it crashed" if r is None else r for s, r in steps}
        counts = {name: r for name, r in sorted(results.items()) if isinstance(r, int)}
        bad = {name: r for name, r in sorted(results.items()) if isinstance(r, str)}
        remember(out, settings.preset, about, counts)
    return FlowMade(counts, bad)


def _sequence(sequence: FrameSequence, out: str, settings: FlowSettings) -> int | str:
    """Returns how many flows a sequence now has, or why it has none."""
    if len(sequence) <= settings.gap:
        return f"it has {len(sequence)} frame(s), and flow takes {settings.gap + 1}"
    try:
        for first, second, frames in _pairs(sequence, settings.gap):
            for backward in (False, True):
                frame = sequence.frames[second if backward else first]
                files = settings.files(out, sequence.name, frame, backward)
                if not all(map(os.path.isfile, files.values())):
                    pair = frames()
                    _write(files, dis_flow(*(pair[::-1] if backward else pair), settings.preset))
    except (VideoError, ValueError) as error:
        return str(error)
    except OSError as error:
        raise cannot_write(f"{out} ({sequence.name})", error) from error
    return len(sequence) - settings.gap


def _pairs(
    sequence: FrameSequence, gap: int
) -> Iterator[tuple[int, int, Callable[[], tuple[np.ndarray, np.ndarray]]]]:
    """Yields two frames' numbers, and what reads them, so that those of finished flow are not."""
    grey = functools.lru_cache(maxsize=gap + 1)(
        lambda frame: cv2.cvtColor(sequence.picture(frame), cv2.COLOR_RGB2GRAY)
    )
    for first in range(len(sequence) - gap):
        yield first, first + gap, lambda k=first: (grey(k), grey(k + gap))


def _write(files: dict[str, str], flow: np.ndarray) -> None:
    if "flo" in files:
        write_flo(files["flo"], flow)
    if "png" in files:
        write_flow_picture(files["png"], coded(flow))
