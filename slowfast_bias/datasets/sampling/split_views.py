"""The frames and pixels of a video that a config chooses, split by split.

Training draws a window, a scale and a crop, and mirrors half of the clips; the val list shows the
centre (BIAS.DATA.VAL_CENTRAL); the test list shows all its views. Frames stay uint8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.config.lookup import lookup
from slowfast_bias.datasets.decoding.read_frames import Picks, Timeline, VideoError, read_frames
from slowfast_bias.datasets.decoding.time_limit import within
from slowfast_bias.datasets.lists.files import Video
from slowfast_bias.datasets.sampling.crops import Crop, Region, random_crop, random_region
from slowfast_bias.datasets.sampling.frame_picks import RANDOM, pick_frames, pick_segments
from slowfast_bias.errors import DataError

# Augmentations of GitHub main that this data set lacks; without the check they would be ignored.
_NOT_HERE = (
    "AUG.ENABLE", "DATA.SSL_COLOR_JITTER", "DATA.TRAIN_JITTER_MOTION_SHIFT", "DATA.TIME_DIFF_PROB",
)  # fmt: skip


class SplitViews:
    """The views of videos that a split shows.

    Attributes:
        count: number of views of one video.
    """

    def __init__(self, cfg: CfgNode, split: str) -> None:
        _check(cfg)
        self.cfg, self.split = cfg, split
        self.crops = cfg.TEST.NUM_SPATIAL_CROPS if split == "test" else 1
        self.count = cfg.TEST.NUM_ENSEMBLE_VIEWS * self.crops if split == "test" else 1

    def central(self, video: Video) -> torch.Tensor:
        """Returns the middle of a video in time and space, uint8 (T, H, W, 3); VideoError."""
        return self._read(video, self._middle(), clip=0, num_clips=1, use_offset=True)

    def view(self, video: Video, number: int) -> torch.Tensor:
        """Returns one of the `count` views of a video, uint8 (T, H, W, 3); VideoError."""
        cfg = self.cfg
        if self.split == "test":
            clip, spot = divmod(number, self.crops)
            crop = self._middle() if self.crops == 1 else Crop(
                cfg.DATA.TEST_CROP_SIZE, cfg.DATA.TEST_CROP_SIZE, spot / (self.crops - 1)
            )  # fmt: skip
            offset = bool(lookup(cfg, "DATA.USE_OFFSET_SAMPLING", False))
            clips = cfg.TEST.NUM_ENSEMBLE_VIEWS
            return self._read(video, crop, clip=clip, num_clips=clips, use_offset=offset)
        if self.split == "val" and cfg.BIAS.DATA.VAL_CENTRAL:
            return self.central(video)
        return self._read(video, self._drawn(), clip=RANDOM)

    def _middle(self) -> Crop:
        """Returns the middle crop; its scale is that of a single test crop on GitHub main."""
        data = self.cfg.DATA
        size = data.TEST_CROP_SIZE if self.split == "test" else data.TRAIN_CROP_SIZE
        return Crop(max(data.TRAIN_JITTER_SCALES[0], size), size)

    def _drawn(self) -> Crop | Region:
        data, flip = self.cfg.DATA, self.cfg.DATA.RANDOM_FLIP
        areas = lookup(self.cfg, "DATA.TRAIN_JITTER_SCALES_RELATIVE", ())
        ratios = lookup(self.cfg, "DATA.TRAIN_JITTER_ASPECT_RELATIVE", ())
        if self.split == "train" and areas:
            return random_region(areas, ratios, data.TRAIN_CROP_SIZE, flip)
        inverse = bool(lookup(self.cfg, "DATA.INV_UNIFORM_SAMPLE", False))
        return random_crop(data.TRAIN_JITTER_SCALES, data.TRAIN_CROP_SIZE, flip, inverse=inverse)

    def frames(self, video: Video, picks: Picks, short_side: int) -> torch.Tensor:
        """Returns frames of a video, uint8 (T, H, W, 3), as `read_frames`; VideoError.

        What makes a clip of several files overrides this.
        """
        how = self.cfg.BIAS.DATA
        options = {"backend": how.DECODER, "folder_fps": how.FOLDER_FPS}
        return read_frames(video.path, picks, short_side=short_side, **options)

    def _read(self, video: Video, crop: Crop | Region, **sampling: Any) -> torch.Tensor:
        short_side = crop.scale if isinstance(crop, Crop) else 0

        def read(picks: Picks) -> torch.Tensor:
            return self.frames(video, picks, short_side)

        picks = self._picks(video, **sampling)
        return crop.of(within(self.cfg.BIAS.DATA.TIMEOUT, video.path, read, picks))

    def _picks(self, video: Video, **sampling: Any) -> Callable[[Timeline], list[int]]:
        """Returns a function: timeline -> the clip's frames, only of the listed part."""
        data, options = self.cfg.DATA, self.cfg.BIAS.DATA
        training = self.split == "train"  # the host's val list has the middle of each segment
        jitter = lookup(self.cfg, "DATA.TRAIN_JITTER_FPS", 0.0) if self.split == "train" else 0.0
        target = lookup(self.cfg, "DATA.TARGET_FPS", 30)

        def picks(timeline: Timeline) -> list[int]:
            part = part_of(video, timeline)
            if options.SAMPLING == "segments":
                chosen = pick_segments(len(part), data.NUM_FRAMES, training=training)
            else:
                chosen = pick_frames(
                    len(part),
                    timeline.fps,
                    data.NUM_FRAMES,
                    data.SAMPLING_RATE,
                    target_fps=target + (jitter * float(torch.rand(())) if jitter else 0.0),
                    stride=options.STRIDE,
                    short=options.SHORT,
                    **sampling,
                )
            return [part[i] for i in chosen]

        return picks


def part_of(video: Video, timeline: Timeline) -> range:
    """Returns the frames of a listed part; VideoError if the video ends before it."""
    if video.unit == "t":
        part = timeline.between(video.start, video.end)
        # a part between two frames shows the one that is on screen
        part = part or range(timeline.at(video.start), timeline.at(video.start) + 1)
        beyond = video.start >= timeline.duration
    elif video.frames:
        part, beyond = range(video.frames), False
        if video.frames > timeline.frames:
            raise VideoError(
                f"Expected {video.frames} frames in {video.path}, as its list says, but it has "
                f"{timeline.frames}."
            )
    elif video.unit:
        part = range(int(video.start), min(int(video.end), timeline.frames))
        beyond = not part
    else:
        return range(timeline.frames)
    if beyond:
        raise VideoError(
            f"Expected the part {video.name} ({video.row} of its list), but the video ends before "
            f"it: {timeline.frames} frames, {timeline.duration:.3f} s."
        )
    return part


def _check(cfg: CfgNode) -> None:
    """Raises DataError if keys that only this data set reads are wrong."""
    on = [key for key in _NOT_HERE if lookup(cfg, key, False)]
    if on:
        raise DataError(f"Expected {', '.join(on)} to be off: the dataset `videos` lacks this.")
    low, high = cfg.DATA.TRAIN_JITTER_SCALES
    if not cfg.DATA.TRAIN_CROP_SIZE <= low <= high:
        raise DataError(
            f"Expected DATA.TRAIN_JITTER_SCALES [low, high] of at least DATA.TRAIN_CROP_SIZE "
            f"{cfg.DATA.TRAIN_CROP_SIZE}, but got {[low, high]}."
        )
    areas = lookup(cfg, "DATA.TRAIN_JITTER_SCALES_RELATIVE", ())
    ratios = lookup(cfg, "DATA.TRAIN_JITTER_ASPECT_RELATIVE", ())
    if bool(areas) != bool(ratios):
        raise DataError(
            "Expected DATA.TRAIN_JITTER_SCALES_RELATIVE and DATA.TRAIN_JITTER_ASPECT_RELATIVE to "
            f"be set together, but got {areas} and {ratios}."
        )
