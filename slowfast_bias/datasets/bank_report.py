"""How strong the styles of a bank are and whether they flicker, seen on real videos.

A generated bank is tried on the videos. Of folders, what is on disk is measured: the strength
always, the flicker where the originals are there, as only they tell what stands still.
Legend: T frames, H W space, S styles.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import torch
import torch.nn.functional as F
from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.clips import spread
from slowfast_bias.datasets.decode import VideoError, probe, read_frames
from slowfast_bias.datasets.style_report import StyleReport, style_report
from slowfast_bias.datasets.styled_folders import ABOUT, StyleFolders, aligned
from slowfast_bias.datasets.styles import StyleBank
from slowfast_bias.datasets.views import resize
from slowfast_bias.errors import DataError

_STILL = 2 / 255  # change of an original pixel that decoding alone may bring
_REACH = 3  # pixels around one that must stand still, too


def report_on_videos(
    bank: StyleBank, paths: Iterable[str], videos: int = 8, frames: int = 16
) -> StyleReport:
    """What a generated bank does to the middle frames of some of the videos."""

    def one(path: str) -> StyleReport:
        clip = read_frames(path, _middle(probe(path).frames, frames)).float() / 255
        return style_report(bank, clip.permute(3, 0, 1, 2)[None])

    return _mean(one, list(paths), videos)


def report_on_folders(
    bank: StyleFolders,
    originals: Mapping[str, str] | None = None,
    videos: int = 8,
    frames: int = 16,
) -> StyleReport:
    """What the styles on disk look like, in the middle frames of some of their videos.

    Args:
        bank: as `find_styles` gives it.
        originals: {name: path} of the videos before they were styled; without them the flicker is
            NaN, as is that of videos in which nothing stands still.
        videos: how many are looked at.
        frames: of each.
    """

    def one(name: str) -> StyleReport:
        paths = [style[name] for style in bank.paths]
        picks = _middle(aligned(paths).frames, frames)
        styled = [read_frames(path, picks).float() / 255 for path in paths]
        styled = torch.stack([resize(clip, tuple(styled[0].shape[1:3])) for clip in styled])
        apart = (styled[:, None] - styled[None]).abs().mean((2, 3, 4, 5))
        flicker = math.nan
        if originals and name in originals:
            every = _every(paths[0])
            before = read_frames(originals[name], [pick * every for pick in picks]).float() / 255
            flicker = _flicker(styled, resize(before, tuple(styled.shape[2:4])))
        pairs = tuple(tuple(row) for row in apart.tolist())
        return StyleReport(
            float(apart.sum()) / (bank.num * (bank.num - 1)), pairs, flicker, math.nan
        )

    return _mean(one, [name for name in bank.names if name not in bank.missing], videos)


def _flicker(styled: torch.Tensor, before: torch.Tensor) -> float:
    """Mean change from frame to frame of styled (S, T, H, W, 3) where ``before`` stands still."""
    moved = before.diff(dim=0).abs().amax(-1)
    near = F.max_pool2d(moved, 2 * _REACH + 1, 1, _REACH)  # styles look at what is around a pixel
    return float(styled.diff(dim=1).abs().mean(-1)[:, near <= _STILL].mean())


def _mean(one: Callable[[str], StyleReport], names: list[str], videos: int) -> StyleReport:
    reports, problems = [], []
    for place in spread(len(names), videos):
        try:
            reports.append(one(names[place]))
        except VideoError as error:
            problems.append(str(error))
    if not reports:
        raise DataError(
            f"Expected a readable video, but got none. {' '.join(problems[:1])}".strip()
        )
    pairs = np.mean([report.pairs for report in reports], axis=0)
    flicker = [report.flicker for report in reports if not math.isnan(report.flicker)]
    return StyleReport(
        strength=float(np.mean([report.strength for report in reports])),
        pairs=tuple(tuple(row) for row in pairs.tolist()),
        flicker=float(np.mean(flicker)) if flicker else math.nan,
        commutes=max(report.commutes for report in reports),
    )


def _middle(frames: int, wanted: int) -> list[int]:
    if frames < 2:
        raise VideoError(f"Expected a video of two frames or more, but got {frames}.")
    first = max(0, (frames - wanted) // 2)
    return list(range(first, min(first + wanted, frames)))


def _every(path: str) -> int:
    """Which frames of the original were styled: 2 for every second one."""
    about = f"{path}/{ABOUT}"
    if not g_pathmgr.isfile(about):
        return 1
    with g_pathmgr.open(about, "r") as file:
        return int(json.load(file).get("every", 1))
