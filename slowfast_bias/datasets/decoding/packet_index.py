"""A video file opened with its packets listed, before anything is decoded.

Listing a 10 s clip takes about 2 ms and shows which frames there are, when they are displayed,
where decoding can start and what can be left out. Positions count packets in the order of decoding.
"""

from __future__ import annotations

import contextlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import av
from av.video.stream import VideoStream

from slowfast_bias.datasets.decoding.packet_checks import check_whole, tells_order
from slowfast_bias.datasets.decoding.packet_roles import HIDDEN, role_reader
from slowfast_bias.datasets.decoding.timeline import VideoError

KEPT_BYTES = 256 * 2**20  # held in memory; the packets of a larger file are read a second time

# Containers of video. Others hold no video, or name further files and addresses (playlists), and
# FFmpeg would show a text file as a picture.
_FORMATS = (
    "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,gif,apng,ivf,nut,mxf,rm,3gp,dv,wtv,"
    "h264,hevc,m4v,av1,obu,mjpeg,yuv4mpegpipe"
)


@dataclass(frozen=True)
class Film:
    """An open file and its packets; valid inside `open_film`."""

    path: str
    stream: VideoStream
    shown: tuple[int, ...]  # position of each displayed frame; empty without usable time stamps
    stamps: list[int | None]  # time of display of each packet, in units of stream.time_base
    keys: list[int]  # positions where decoding can start
    roles: list[str]
    kept: list[av.Packet] | None

    def start(self, position: int) -> int:
        """Returns the last keyframe up to a position that is not displayed after its frame."""
        at = bisect_right(self.keys, position) - 1
        while at > 0 and self.stamps[self.keys[at]] > self.stamps[position]:
            at -= 1  # an open group: decoded after a keyframe, displayed before it
        return self.keys[max(at, 0)]

    def packets(self) -> Iterator[av.Packet]:
        """Yields all packets, from memory or else from the file."""
        if self.kept is not None:
            yield from self.kept
            return
        with _opened(self.path) as stream:
            yield from (p for p in _packets(stream) if p.stream_index == stream.index)


@contextlib.contextmanager
def open_film(path: str) -> Iterator[Film]:
    """Opens a file, lists its packets, closes it at the end; VideoError if it is not whole."""
    with _opened(path) as stream:
        try:
            film = _listed(path, stream)
        except av.FFmpegError as error:
            raise VideoError(
                f"Expected a whole video in {path}, but it breaks off: {reason(error)}."
            ) from error
        yield film


def reason(error: Exception) -> str:
    """Returns FFmpeg's message without the file's name, which our messages already hold."""
    return str(getattr(error, "strerror", "") or error)


@contextlib.contextmanager
def _opened(path: str) -> Iterator[VideoStream]:
    """Opens a file and yields its video stream, set to decode on one thread."""
    try:
        container = av.open(
            f"file:{path}",  # no part of a name is a protocol
            options={"protocol_whitelist": "file", "format_whitelist": _FORMATS},
            metadata_errors="replace",
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            f"Expected a video in {path}, but it cannot be opened as one: {reason(error)}. "
            "It may be truncated, or no video at all."
        ) from error
    with container:
        cover = av.stream.Disposition.attached_pic
        streams = [s for s in container.streams.video if not s.disposition & cover]
        if not streams or not streams[0].codec_context:
            kinds = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
            raise VideoError(
                f"Expected a video stream that can be decoded in {path}, but it holds: {kinds}."
            )
        streams[0].codec_context.thread_count = 1
        yield streams[0]


def _packets(stream: VideoStream) -> Iterator[av.Packet]:
    """Returns the packets with data; the last one of a demuxer is an empty mark."""
    packets = stream.container.demux(*_needed_streams(stream))
    return (packet for packet in packets if packet.size)


def _needed_streams(stream: VideoStream) -> list[VideoStream]:
    """Returns the streams to list; [] means all: Matroska is checked for holes between packets."""
    return [] if "matroska" in stream.container.format.name else [stream]


def _listed(path: str, stream: VideoStream) -> Film:
    role = role_reader(stream.codec_context.name, bytes(stream.codec_context.extradata or b""))
    stamps, keys, roles, kept, seen, places, size = [], [], [], [], [], [], 0
    for packet in _packets(stream):
        places.append((packet.pos or 0, packet.size))
        if packet.stream_index != stream.index:
            continue
        if packet.is_corrupt:  # FFmpeg's mark of lost parts
            raise VideoError(
                f"Expected a whole video in {path}, but after {len(stamps)} frames a part is "
                "missing: it is truncated, or was lost on the way."
            )
        role_here = role(packet)
        if packet.is_keyframe:
            keys.append(len(stamps))
        if not packet.is_discard and role_here != HIDDEN:  # discarded: cut off by an edit list
            seen.append(len(stamps))
        stamps.append(packet.pts)
        roles.append(role_here)
        size += packet.size
        if size <= KEPT_BYTES:
            kept.append(packet)
    check_whole(path, stream, stamps, places)
    keys = keys or [0]
    shown: tuple[int, ...] = ()
    if tells_order(stream, [stamps[i] for i in seen], [stamps[i] for i in keys], roles):
        shown = _displayed(stamps, keys[0], seen)
    return Film(path, stream, shown, stamps, keys, roles, kept if size <= KEPT_BYTES else None)


def _displayed(stamps: list[int], first: int, seen: list[int]) -> tuple[int, ...]:
    """Returns positions in the order of display.

    Packets before the first keyframe, in the file or in display, cannot be decoded and do not
    count.
    """
    decodable = [i for i in seen if i >= first and stamps[i] >= stamps[first]]
    return tuple(sorted(decodable, key=lambda position: stamps[position]))
