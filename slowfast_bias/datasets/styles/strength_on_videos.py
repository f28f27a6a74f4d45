"""How strong the styles of a bank are and whether they flicker, measured on real videos.

A generated bank is applied to the videos. Folders are measured as they are: the flicker of a style
is its change where the originals stand still. Without originals, another style shows what stands
still, because all have the same motion. This is an estimate: if all styles flicker together, it
finds nothing, and the report notes that.
Legend: T frames, H W space, S styles.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from slowfast_bias.datasets.decoding.read_frames import VideoError, probe, read_frames
from slowfast_bias.datasets.sampling.crops import resize
from slowfast_bias.datasets.source_clips import spread
from slowfast_bias.datasets.styles.aligned_frames import aligned
from slowfast_bias.datasets.styles.bank import StyleBank
from slowfast_bias.datasets.styles.folders import StyleFolders
from slowfast_bias.datasets.styles.originals import Originals, original_frames
from slowfast_bias.datasets.styles.strength import StyleReport, style_report
from slowfast_bias.errors import DataError

_STILL = 2 / 255  # change of a pixel that decoding alone may cause
_REACH = 3  # neighbours up to this many pixels away must stand still, too
_SHOWN = 3  # reasons in a note


def report_on_videos(
    bank: StyleBank, paths: Iterable[str], videos: int = 8, frames: int = 16
) -> StyleReport:
    """Returns a generated bank's effect on the middle frames of some of the videos."""

    def one(path: str) -> StyleReport:
        clip = read_frames(path, _middle(probe(path).frames, frames)).float() / 255
        return style_report(bank, clip.permute(3, 0, 1, 2)[None])

    reports, notes = _each(one, list(paths), videos)
    flickers = np.mean([report.flickers for report in reports], axis=0)
    return StyleReport(
        strength=float(np.mean([report.strength for report in reports])),
        pairs=_means([report.pairs for report in reports]),
        flicker=float(np.mean(flickers)),
        commutes=max(report.commutes for report in reports),
        flickers=tuple(flickers.tolist()),
        notes=notes,
    )


def report_on_folders(
    bank: StyleFolders,
    originals: Mapping[str, str] | None = None,
    videos: int = 8,
    frames: int = 16,
) -> StyleReport:
    """Returns how styles on disk differ and flicker, in middle frames of some of their videos.

    Args:
        bank: as `find_styles` returns it.
        originals: {name: path} of the videos before they were styled. Missing ones are searched
            where `slowfast_bias stylize` recorded them.
        videos: number of videos to measure.
        frames: number of frames of each.
    """
    known = Originals(originals or {})

    def one(name: str) -> _Seen:
        paths = [style[name] for style in bank.paths]
        number = aligned(paths).frames
        picks = _middle(number, frames)
        clips = [read_frames(path, picks) for path in paths]
        clips = [resize(clip, tuple(clips[0].shape[1:3])) for clip in clips]
        before, why = original_frames(known.find(name, paths[0]), paths[0], number, picks)
        still = [_still(clip) for clip in clips]
        others = [
            torch.stack([s for b, s in enumerate(still) if b != a]).any(0)
            for a in range(len(still))
        ]
        measured = [math.nan] * bank.num
        if before is not None:
            there = _still(resize(before, tuple(clips[0].shape[1:3])))
            measured = [_change(clip, there) for clip in clips]
        estimated = [_change(clip, there) for clip, there in zip(clips, others, strict=True)]
        return _Seen(_apart(clips), measured, estimated, why)

    names = [name for name in bank.names if name not in bank.missing]
    seen, notes = _each(one, names, videos)
    pairs = _means([video.pairs for video in seen])
    flickers, how = _flickers(seen)
    found = [value for value in flickers if not math.isnan(value)]
    return StyleReport(
        strength=float(np.sum(pairs)) / (bank.num * (bank.num - 1)),
        pairs=pairs,
        flicker=float(np.mean(found)) if found else math.nan,
        commutes=math.nan,  # styles on disk cannot be tested for it
        flickers=tuple(flickers),
        notes=(*_alike(pairs), *how, *notes),
    )


class _Seen(NamedTuple):
    """What one video shows of S styles."""

    pairs: tuple[tuple[float, ...], ...]
    measured: list[float]  # change where the original stands still; NaN if there is none
    estimated: list[float]  # change where another style stands still
    why: str  # why the original could not be used, "" if it was or there is none


def _flickers(seen: Sequence[_Seen]) -> tuple[list[float], list[str]]:
    """Returns the flicker of each style, and notes on how it was measured."""
    problems = [video.why for video in seen if video.why]
    unused = f"the originals of {len(problems)} videos were not used: {_some(problems)}"
    notes = [unused] if problems else []
    measured = [video.measured for video in seen if not np.isnan(video.measured).all()]
    if measured:
        how = f"flicker: where the originals stand still, in {len(measured)} of {len(seen)} videos"
        return _nan_means(measured), [how, *notes]
    estimated = [video.estimated for video in seen if not np.isnan(video.estimated).all()]
    if estimated:
        how = (
            "flicker: an estimate, where another style stands still, in "
            f"{len(estimated)} of {len(seen)} videos; give the original videos to measure it"
        )
        return _nan_means(estimated), [how, *notes]
    how = (
        "flicker: not known, because nothing stands still in any style: the camera moves, or all "
        "styles flicker; give the original videos to find out which"
    )
    return [math.nan] * len(seen[0].estimated), [how, *notes]


def _alike(pairs: Sequence[Sequence[float]]) -> Iterator[str]:
    """Yields a note for each pair of styles that look the same."""
    for a, b in combinations(range(len(pairs)), 2):
        if pairs[a][b] <= _STILL:
            yield f"styles {a} and {b} hardly differ: their dynamic pairs show one look twice"


def _apart(clips: Sequence[torch.Tensor]) -> tuple[tuple[float, ...], ...]:
    """Returns the mean difference in [0, 1] of every two of the clips (T, H, W, 3) in uint8."""
    apart = np.zeros((len(clips), len(clips)))
    for a, b in combinations(range(len(clips)), 2):
        changes = [_difference(x, y).mean().item() for x, y in zip(clips[a], clips[b], strict=True)]
        apart[a, b] = apart[b, a] = np.mean(changes)
    return tuple(tuple(row) for row in apart.tolist())


def _still(clip: torch.Tensor) -> torch.Tensor:
    """Returns where a clip (T, H, W, 3) stays the same in the next frame, bool (T - 1, H, W)."""
    moved = torch.stack([_difference(x, y).amax(-1) for x, y in pairwise(clip)])
    # a style of a pixel depends on its neighbours
    return F.max_pool2d(moved, 2 * _REACH + 1, 1, _REACH) <= _STILL


def _change(clip: torch.Tensor, where: torch.Tensor) -> float:
    """Returns the mean change of a clip (T, H, W, 3) per frame at `where`; NaN if nowhere."""
    found = [
        _difference(x, y).mean(-1)[at] for (x, y), at in zip(pairwise(clip), where, strict=True)
    ]
    return float(torch.cat(found).mean())


def _difference(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return (x.float() - y.float()).abs() / 255


def _each(
    one: Callable[[str], NamedTuple], names: Sequence[str], videos: int
) -> tuple[list, tuple[str, ...]]:
    """Returns `one(name)` for some of the videos, and a note of those that cannot be read."""
    found, problems = [], []
    chosen = spread(len(names), videos)
    for place in chosen:
        try:
            found.append(one(names[place]))
        except VideoError as error:
            problems.append(str(error))
    if not found:
        raise DataError(
            f"Expected a readable video, but got none. {' '.join(problems[:1])}".strip()
        )
    left_out = f"{len(problems)} of {len(chosen)} videos were left out: {_some(problems)}"
    return found, (left_out,) if problems else ()


def _some(problems: Sequence[str]) -> str:
    return " ".join(problems[:_SHOWN]) + " ..." * (len(problems) > _SHOWN)


def _means(tables: Sequence[tuple[tuple[float, ...], ...]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in np.mean(tables, axis=0).tolist())


def _nan_means(rows: Sequence[Sequence[float]]) -> list[float]:
    """Returns the mean of each column without its NaNs; NaN if there is nothing else."""
    columns = ([x for x in column if not math.isnan(x)] for column in zip(*rows, strict=True))
    return [float(np.mean(column)) if column else math.nan for column in columns]


def _middle(frames: int, wanted: int) -> list[int]:
    if frames < 2:
        raise VideoError(f"Expected a video of two frames or more, but got {frames}.")
    first = max(0, (frames - wanted) // 2)
    return list(range(first, min(first + wanted, frames)))
