"""Source clips of styled folders: one clip of each video, in the two styles of its pairs."""

from __future__ import annotations

import logging
from typing import Any

import torch
from fvcore.common.config import CfgNode

from slowfast_bias.config.lookup import lookup
from slowfast_bias.datasets.contract import Sample, Stream
from slowfast_bias.datasets.decoding.read_frames import (
    Timeline,
    VideoError,
    backend_version,
    read_frames,
)
from slowfast_bias.datasets.pairs.request import PairRequest, Views, register_pairs
from slowfast_bias.datasets.pairs.static_dynamic import draw_styles, three_views
from slowfast_bias.datasets.sampling.crops import Crop
from slowfast_bias.datasets.sampling.frame_picks import pick_frames, pick_segments
from slowfast_bias.datasets.source_clips import spread
from slowfast_bias.datasets.styles.aligned_frames import aligned
from slowfast_bias.datasets.styles.folders import find_styles

log = logging.getLogger(__name__)

_OTHER_SHAPE = 0.05  # sizes may differ and are resized; a different shape shows different parts
_SHOWN = 20  # names of videos that are missing in a style


class StyledClips:
    """The videos in BIAS.STYLES.DIRS, each in style a and in style b, uint8 (T, S, S, 3).

    The styles depend on (BIAS.SEED, video index), the frames only on the video: they are its
    middle.
    """

    streams, views = (Stream(), Stream()), 1

    def __init__(self, cfg: CfgNode, split: str, num_videos: int = 0) -> None:
        self.cfg = cfg
        size = cfg.DATA.TEST_CROP_SIZE if split == "test" else cfg.DATA.TRAIN_CROP_SIZE
        self.crop = Crop(max(cfg.DATA.TRAIN_JITTER_SCALES[0], size), size)  # as in `videos`
        self.bank = find_styles(cfg.BIAS.STYLES.DIRS, cfg.BIAS.STYLES.LIST)
        self.videos = spread(len(self.bank.names), num_videos)
        self._warn_of_missing()

    def __len__(self) -> int:
        return len(self.videos)

    def sample(self, position: int) -> Sample:
        """Returns a video in its two styles; none if one cannot be read or has other frames."""
        try:
            return Sample(self.pair(self.videos[position]), 0, position)
        except (VideoError, OSError) as error:
            return Sample((), None, position, {position: str(error)})

    def about(self) -> dict[str, Any]:
        """Returns what a report holds of the clips' source and of how they were read."""
        how = self.cfg.BIAS.DATA
        sampling = how.SAMPLING if how.SAMPLING == "segments" else f"window, {how.STRIDE} stride"
        return {
            "data": "styled folders",
            "decoder": backend_version(how.DECODER),
            "sampling": f"{sampling}, {how.SHORT}",
            "missing_videos": sorted(self.bank.missing),
        }

    def describe(self, position: int) -> tuple[str, str]:
        """Returns a video's path in the first style that has it, and the key of its folder."""
        name = self.bank.names[self.videos[position]]
        found = (style[name] for style in self.bank.paths if name in style)
        return next(found, name), "BIAS.STYLES.DIRS"

    def pair(self, video: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns one clip in style a and in style b, (T, S, S, 3) each; VideoError."""
        paths, how = self.bank.of(video), self.cfg.BIAS.DATA
        numbers = self._numbers(aligned(paths, how.FOLDER_FPS, how.DECODER))
        options = {"short_side": self.crop.scale, "backend": how.DECODER}
        chosen = [paths[k] for k in draw_styles(self.bank.num, self.cfg.BIAS.SEED, video)]
        first, second = (read_frames(path, numbers, **options) for path in chosen)
        (height, width), (h, w) = first.shape[1:3], second.shape[1:3]
        if abs(width / height - w / h) > _OTHER_SHAPE * width / height:
            raise VideoError(
                f"Expected the styles of a video in one shape, but {chosen[0]} is "
                f"{width}x{height} px and {chosen[1]} is {w}x{h}."
            )
        return self.crop.of(first).contiguous(), self.crop.of(second).contiguous()

    def _numbers(self, video: Timeline) -> list[int]:
        data, how = self.cfg.DATA, self.cfg.BIAS.DATA
        if how.SAMPLING == "segments":
            return pick_segments(video.frames, data.NUM_FRAMES, training=False)
        return pick_frames(
            video.frames,
            video.fps,
            data.NUM_FRAMES,
            data.SAMPLING_RATE,
            target_fps=lookup(self.cfg, "DATA.TARGET_FPS", 30),
            clip=0,
            use_offset=True,  # the only clip is the middle one
            stride=how.STRIDE,
            short=how.SHORT,
        )

    def _warn_of_missing(self) -> None:
        missing = self.bank.missing
        if missing:
            some = [*missing.items()][:_SHOWN]
            shown = "; ".join(f"{name} (not in {', '.join(lack)})" for name, lack in some)
            more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            log.warning(
                "%d videos are not in all styles and do not count: %s%s",
                len(missing), shown, more,
            )  # fmt: skip


@register_pairs(source=StyledClips)
def static_dynamic_folders(request: PairRequest) -> Views:
    """Returns the views of `static_dynamic`, for clips that come in style a and in style b."""
    (restyled,) = request.others
    return three_views(request, request.clips, restyled)
