"""Checks that a listed video is whole, and whether its time stamps give the order of display."""

from __future__ import annotations

from av.video.stream import VideoStream

from slowfast_bias.datasets.decoding.packet_roles import DISPOSABLE
from slowfast_bias.datasets.decoding.timeline import VideoError

# Matroska puts some 20 bytes between two blocks and about 60 between clusters.
_HOLE = 256


def check_whole(
    path: str, stream: VideoStream, stamps: list[int | None], places: list[tuple[int, int]]
) -> None:
    """Raises VideoError if frames are missing: all later ones would get a wrong number.

    Args:
        path: for the message.
        stream: its video stream, read to the end.
        stamps: time stamp of each of its packets.
        places: offset and size of each packet; in Matroska those of all streams.
    """
    if not stamps:
        raise VideoError(f"Expected frames in the video stream of {path}, but it has none.")
    announced = len(getattr(stream, "index_entries", ()))  # older PyAV has none
    if len(stamps) < announced:
        raise VideoError(
            f"Expected the {announced} frames that the header of {path} announces, but the file "
            f"ends after {len(stamps)}: it is truncated."
        )
    if "matroska" not in stream.container.format.name:
        return
    # FFmpeg silently skips what it cannot read in these
    hole = _largest_hole(places)
    if hole > _HOLE and "alpha_mode" not in stream.metadata:  # transparency is in between
        raise VideoError(
            f"Expected a whole video in {path}, but {hole} bytes between its frames are damaged."
        )
    known = sorted(stamp for stamp in stamps if stamp is not None)
    end, step = known[-1] * stream.time_base, _longest_step(known) * stream.time_base
    if end + max(2 * step, 0.5) < _announced_seconds(stream):
        raise VideoError(
            f"Expected {_announced_seconds(stream):.1f} s of video in {path}, as in its header, "
            f"but the last frame is at {float(end):.1f} s: it is truncated."
        )


def tells_order(
    stream: VideoStream, stamps: list[int | None], keys: list[int | None], roles: list[str]
) -> bool:
    """Returns whether the stamps of all packets can be trusted to be the times of display.

    Not if some are missing, repeated or start again. AVI holds none, and some writers leave them
    out of other containers: FFmpeg then numbers the packets in file order, which is wrong if there
    are B-frames.
    """
    if None in stamps or None in keys or len(set(stamps)) < len(stamps) or keys != sorted(keys):
        return False
    if not stream.codec_context.has_b_frames or stamps != sorted(stamps):
        return True
    return "avi" not in stream.container.format.name and DISPOSABLE not in roles


def _largest_hole(places: list[tuple[int, int]]) -> int:
    places = sorted(places)
    return max(
        (after - at - size for (at, size), (after, _) in zip(places, places[1:], strict=False)),
        default=0,
    )


def _longest_step(stamps: list[int]) -> int:
    return max((b - a for a, b in zip(stamps, stamps[1:], strict=False)), default=0)


def _announced_seconds(stream: VideoStream) -> float:
    """Returns the length of the video by its header; 0 if the header has none."""
    tag = stream.metadata.get("DURATION", "")  # 00:00:04.000000000
    try:
        hours, minutes, seconds = tag.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        alone = len(stream.container.streams) == 1
        return (stream.container.duration or 0) / 1e6 if alone else 0.0
