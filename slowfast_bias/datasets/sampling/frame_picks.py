"""The frame numbers of a clip: SlowFast's sampling.

The window of a clip is `num_frames * sampling_rate / target_fps * fps` frames long and its frames
are spread from its first to its last: 8 frames at rate 8 are 9 apart, not 8. The model zoos were
trained in this way, so it is the default; `stride="exact"` takes them `sampling_rate` apart.
"""

from __future__ import annotations

import math

import torch

RANDOM = -1  # as clip number: anywhere in the video


def pick_frames(
    frames: int,
    fps: float,
    num_frames: int,
    sampling_rate: float,
    *,
    target_fps: float = 30.0,
    clip: int = RANDOM,
    num_clips: int = 1,
    use_offset: bool = False,
    stride: str = "host",
    short: str = "clamp",
    generator: torch.Generator | None = None,
) -> list[int]:
    """Returns the `num_frames` frame numbers of a clip.

    Args:
        frames: number of frames in the video.
        fps: its rate; 0 if it is not known, which counts as `target_fps`.
        num_frames: number of frames in the clip.
        sampling_rate: distance of two frames of the clip, at `target_fps`.
        target_fps: the rate at which `sampling_rate` counts.
        clip: which of `num_clips` even positions, or RANDOM.
        num_clips: number of positions. They start at `clip / num_clips` of the range in which the
            window can move, so that the last one does not reach the end.
        use_offset: as DATA.USE_OFFSET_SAMPLING: the last position reaches the end, and a single one
            is central.
        stride: "host" or "exact".
        short: for a clip that is longer than the video: "clamp" repeats the last frame, as
            SlowFast; "loop" starts again.
        generator: draws the RANDOM position; None: torch's own.
    """
    _check(frames, clip, num_clips, stride, short)
    pace = (fps or target_fps) / target_fps
    window = num_frames * sampling_rate * pace
    if stride == "exact":
        offsets = (torch.arange(num_frames, dtype=torch.float64) * sampling_rate * pace).long()
        window = float(offsets[-1]) + 1
    else:
        offsets = torch.linspace(0, window - 1, num_frames).long()
    start = _start(max(frames - window, 0.0), clip, num_clips, use_offset, generator)
    # The host decodes from the first frame at or after the start. Rounding corrects 58.99999999.
    numbers = math.ceil(round(start, 6)) + offsets
    numbers = numbers % frames if short == "loop" else numbers.clamp(0, frames - 1)
    return numbers.tolist()


def pick_segments(
    frames: int, num_frames: int, *, training: bool, generator: torch.Generator | None = None
) -> list[int]:
    """Returns one frame number of each of `num_frames` even parts, as SlowFast's ssv2.py.

    Args:
        frames: number of frames in the video.
        num_frames: number of frames in the clip.
        training: takes a random frame of each part, not the middle one.
        generator: draws the random ones; None: torch's own.
    """
    _check(frames, RANDOM, 1, "host", "clamp")
    size = (frames - 1) / num_frames
    edges = [round(size * i) for i in range(num_frames + 1)]  # to even, as numpy's
    if not training:
        return [(start + end) // 2 for start, end in zip(edges, edges[1:], strict=False)]
    return [
        int(torch.randint(start, end + 1, (), generator=generator))
        for start, end in zip(edges, edges[1:], strict=False)
    ]


def _start(
    room: float, clip: int, num_clips: int, use_offset: bool, generator: torch.Generator | None
) -> float:
    if clip == RANDOM:
        return room * float(torch.rand((), dtype=torch.float64, generator=generator))
    if not use_offset:
        return room * clip / num_clips
    return float(room // 2 if num_clips == 1 else clip * (room // (num_clips - 1)))


def _check(frames: int, clip: int, num_clips: int, stride: str, short: str) -> None:
    if frames < 1:
        raise ValueError(f"Expected a video of at least one frame, but got {frames}.")
    if clip != RANDOM and not 0 <= clip < num_clips:
        raise ValueError(f"Expected a clip from 0 to {num_clips - 1}, or -1, but got {clip}.")
    if stride not in ("host", "exact"):
        raise ValueError(f"Expected `stride` host or exact, but got {stride!r}.")
    if short not in ("clamp", "loop"):
        raise ValueError(f"Expected `short` clamp or loop, but got {short!r}.")
