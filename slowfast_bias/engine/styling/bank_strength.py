"""Strength and flicker of any bank, generated or on disk, from a command's arguments."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from slowfast_bias.datasets.decoding.read_frames import VideoError, read_frames
from slowfast_bias.datasets.styles.bank import make_styles
from slowfast_bias.datasets.styles.folders import find_styles
from slowfast_bias.datasets.styles.strength import StyleReport, save_preview
from slowfast_bias.datasets.styles.strength_on_videos import report_on_folders, report_on_videos
from slowfast_bias.engine.styling.folder_writer import collect
from slowfast_bias.errors import DataError


def bank_report(
    sources: Sequence[str],
    dirs: Sequence[str] = (),
    bank: tuple[str, int, int] = ("colour", 4, 0),
    videos: int = 8,
    frames: int = 16,
    preview: str = "",
) -> StyleReport:
    """Returns the strength and flicker of a bank on some videos.

    Args:
        sources: videos, or folders of them; with `dirs` the originals. If there are none, they are
            searched where `slowfast_bias stylize` recorded them.
        dirs: the folders of a bank on disk; () for a generated one.
        bank: family, number and seed of a generated one.
        videos: number of videos to measure.
        frames: number of frames of each, from its middle.
        preview: path for a picture of the first video in every style of a generated bank.
    """
    originals = collect(sources) if sources else {}
    if dirs:
        return report_on_folders(find_styles(dirs), originals, videos, frames)
    styles, paths = make_styles(*bank), list(originals.values())
    report = report_on_videos(styles, paths, videos, frames)
    if preview:
        save_preview(styles, _first_readable(paths, frames), preview)
    return report


def _first_readable(paths: Sequence[str], frames: int) -> torch.Tensor:
    """Returns the first frames (3, T, H, W), in [0, 1], of the first video that can be read."""
    for position, path in enumerate(paths, 1):
        try:
            clip = read_frames(path, lambda video: range(min(video.frames, frames)))
        except VideoError:
            if position == len(paths):
                raise
        else:
            return clip.permute(3, 0, 1, 2).float() / 255
    raise DataError("Expected videos for a preview, but there are none.")
