"""The original videos from which styled ones were made: finds them, and reads their frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.decoding.read_frames import VideoError, is_folder, probe, read_frames
from slowfast_bias.datasets.styles.aligned_frames import about_video


class Originals:
    """Finds the original of a styled video: by its name, or by the file beside its frames."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self.given = dict(given)
        self._last: dict[str, list[str]] = {}  # by the last part of the name: class folders differ
        for name, path in self.given.items():
            self._last.setdefault(name.rpartition("/")[2], []).append(path)

    def find(self, name: str, styled: str) -> str:
        """Returns the path of the original of the video `name`, styled in `styled`; "" if none."""
        if name in self.given:
            return self.given[name]
        alike = self._last.get(name.rpartition("/")[2], [])
        if len(alike) == 1:
            return alike[0]
        source = about_video(styled).source if is_folder(styled) else ""
        return source if source and g_pathmgr.exists(source) else ""


def original_frames(
    original: str, styled: str, frames: int, picks: Sequence[int]
) -> tuple[torch.Tensor | None, str]:
    """Returns the original frames (T, H, W, 3) of styled ones, and ""; or None, and the reason.

    Args:
        original: its path; "" if there is none: then the reason is "" too.
        styled: a style of it.
        frames: number of frames of the styled video.
        picks: the wanted frame numbers of the styled video.
    """
    if not original:
        return None, ""
    try:
        every = about_video(styled).every if is_folder(styled) else 1
        there = probe(original).frames
        if -(-there // every) != frames:
            return None, (
                f"Expected {frames} frames in {original}, as in {styled}, but got "
                f"{-(-there // every)}."
            )
        return read_frames(original, [pick * every for pick in picks]), ""
    except (VideoError, OSError) as error:
        return None, str(error)
