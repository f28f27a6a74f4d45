"""Source clips of styled folders: of each video one clip, in the two styles of its pairs."""

from __future__ import annotations

import torch
from fvcore.common.config import CfgNode
from torch.utils.data import Dataset

from slowfast_bias.config.allowed import lookup
from slowfast_bias.datasets.decoding.read_frames import (
    Timeline,
    VideoError,
    backend_version,
    read_frames,
)
from slowfast_bias.datasets.pairs.static_dynamic import (
    PAIR_REGISTRY,
    Pack,
    Views,
    draw_styles,
    three_views,
)
from slowfast_bias.datasets.sampling.crops import Crop
from slowfast_bias.datasets.sampling.frame_picks import pick_frames, pick_segments
from slowfast_bias.datasets.source_clips import spread
from slowfast_bias.datasets.styles.aligned_frames import aligned
from slowfast_bias.datasets.styles.folders import StyleFolders, find_styles

_OTHER_SHAPE = 0.05  # sizes may differ and are resized; another shape shows other parts


class StyledClips(Dataset):
    """Clips (2, 3, T, S, S), uint8, of the videos in BIAS.STYLES.DIRS: in style a and in style b.

    The styles follow from (BIAS.SEED, video index), the frames from the video alone: those of the
    middle. An item is ([clip], 0, position), or None where a style cannot be read or has other
    frames than the others; ``failures`` then tells the reason.
    """

    def __init__(self, cfg: CfgNode, split: str, num_videos: int = 0) -> None:
        self.cfg = cfg
        size = cfg.DATA.TEST_CROP_SIZE if split == "test" else cfg.DATA.TRAIN_CROP_SIZE
        self.crop = Crop(max(cfg.DATA.TRAIN_JITTER_SCALES[0], size), size)  # as of `videos`
        self.bank = find_styles(cfg.BIAS.STYLES.DIRS, cfg.BIAS.STYLES.LIST)
        self.videos = spread(len(self.bank.names), num_videos)
        self.failures: dict[int, str] = {}  # what could not be read last, and why; the loader asks

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, position: int) -> tuple[list[torch.Tensor], int, int] | None:
        self.failures.clear()
        try:
            return [self.pair(self.videos[position])], 0, position
        except (VideoError, OSError) as error:
            self.failures[position] = str(error)
            return None

    @property
    def about(self) -> dict[str, object]:
        """What a report says of where its clips are from and how they were read."""
        how = self.cfg.BIAS.DATA
        sampling = how.SAMPLING if how.SAMPLING == "segments" else f"window, {how.STRIDE} stride"
        return {
            "data": "styled folders",
            "decoder": backend_version(how.DECODER),
            "sampling": f"{sampling}, {how.SHORT}",
            "missing_videos": sorted(self.bank.missing),
        }

    def describe(self, position: int) -> tuple[str, str]:
        """The path of a video in the first style that has it, and what names its folder."""
        name = self.bank.names[self.videos[position]]
        found = (style[name] for style in self.bank.paths if name in style)
        return next(found, name), "BIAS.STYLES.DIRS"

    def pair(self, video: int) -> torch.Tensor:
        """One clip in style a and in style b, (2, 3, T, S, S); VideoError where it cannot be."""
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
        both = torch.stack([self.crop.of(first), self.crop.of(second)])
        return both.permute(0, 4, 1, 2, 3).contiguous()

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


@PAIR_REGISTRY.register()
def static_dynamic_folders(
    clips: torch.Tensor,
    videos: list[int],
    pack: Pack,
    bank: StyleFolders | None = None,
    seed: int = 0,
    order: str = "clip",
) -> Views:
    """As `static_dynamic`, of clips (B, 2, 3, T, H, W) that come in style a and in style b."""
    return three_views(pack, clips[:, 0], clips[:, 1], videos, seed, order)
