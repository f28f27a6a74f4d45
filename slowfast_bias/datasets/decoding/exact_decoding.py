"""Decodes the wanted frames of a video and no others: few packets are decoded, damage is found.

A wanted frame is decoded from the last keyframe before it, without the frames that no other refers
to; frames are identified by their time stamps. If anything is odd on this short path, everything is
decoded from the start of the file, and damage found then is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain, islice
from typing import TypeVar

import av

from slowfast_bias.datasets.decoding.packet_index import Film, reason
from slowfast_bias.datasets.decoding.packet_roles import DISPOSABLE
from slowfast_bias.datasets.decoding.timeline import VideoError

Taken = TypeVar("Taken")
Take = Callable[[av.VideoFrame], Taken]
Span = tuple[int, int]  # first and last position of consecutive packets


def collect(film: Film, indices: Collection[int], take: Take[Taken]) -> dict[int, Taken]:
    """Returns {number: `take(frame)`} of the wanted frames; VideoError if one is damaged."""
    if not film.shown:
        return in_order(film, indices, take)[0]
    wanted = {film.shown[i]: i for i in indices}
    spans = _joined((film.start(position), position) for position in wanted)
    taken, odd = decode_spans(film, wanted, spans, take, spare=True)
    if odd:
        taken, odd = decode_spans(film, wanted, [(film.keys[0], max(wanted))], take, spare=False)
        for position, i in wanted.items():
            first = film.start(position)
            if position not in taken or any(first <= bad <= position for bad in odd):
                raise VideoError(
                    f"Expected frame {i} of {film.path} (of {len(film.shown)}) to decode cleanly, "
                    "but it or a frame that it refers to is damaged."
                )
    return {i: taken[position] for position, i in wanted.items()}


def in_order(
    film: Film, indices: Collection[int] | None, take: Take[Taken]
) -> tuple[dict[int, Taken], int]:
    """Decodes from the start and counts; for files whose time stamps cannot be used.

    Stops after the last of `indices` (None: at the end). Returns what was taken and the count.
    """
    decoder, taken, count = film.stream.codec_context, {}, 0
    decoder.flush_buffers()
    for packet in chain(film.packets(), [None]):
        try:
            frames, wrong = decoder.decode(packet), ""
        except av.FFmpegError as error:
            frames, wrong = [], reason(error)
        if wrong or any(frame.is_corrupt for frame in frames):
            raise VideoError(
                f"Expected frame {count} of {film.path} to decode cleanly, but it is damaged "
                f"({wrong or 'bad data'}). Without time stamps the rest cannot be numbered."
            )
        for frame in frames:
            if indices is not None and count in indices:
                taken[count] = take(frame)
            count += 1
        if indices is not None and count > max(indices):
            break
    return taken, count


def _joined(needs: Iterable[Span]) -> list[Span]:
    """Returns the spans in order; those that touch are joined."""
    spans: list[Span] = []
    for first, last in sorted(needs):
        if spans and first <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(spans[-1][1], last))
        else:
            spans.append((first, last))
    return spans


def decode_spans(
    film: Film, wanted: Collection[int], spans: list[Span], take: Take[Taken], *, spare: bool
) -> tuple[dict[int, Taken], set[int]]:
    """Returns {position: `take(frame)`} of the wanted positions, and the odd positions.

    `spare` leaves out packets that no wanted frame needs; a decoded packet that shows no frame is
    then odd.
    """
    decoder, shown = film.stream.codec_context, set(film.shown)
    taken: dict[int, Taken] = {}
    odd: set[int] = set()
    packets, at = film.packets(), 0
    for first, last in spans:
        stretch = enumerate(islice(packets, first - at, last + 1 - at), first)
        at = last + 1
        decoder.flush_buffers()
        awaited: dict[int, int] = {}  # time stamp -> position
        latest = None
        for position, packet in feed(film, first, stretch, wanted if spare else None):
            if packet is not None and position in shown:
                awaited[packet.pts] = position
            try:
                frames = decoder.decode(packet)
            except av.FFmpegError:
                odd.add(position)
                continue
            for frame in frames:
                place = awaited.pop(frame.pts, None)
                if place is None:
                    continue
                if frame.is_corrupt or (latest is not None and frame.pts < latest):
                    odd.add(place)  # damaged, or the time stamps are not those of display
                latest = frame.pts
                if place in wanted:
                    taken[place] = take(frame)
        if spare:
            odd.update(awaited.values())
    return taken, odd


def feed(
    film: Film,
    first: int,
    stretch: Iterable[tuple[int, av.Packet]],
    wanted: Collection[int] | None,
) -> Iterator[tuple[int, av.Packet | None]]:
    """Yields the packets to decode, with their positions; at the end None, to flush the decoder.

    If `wanted` is not None, packets that none of these frames needs are left out.
    """
    last = first
    for last, packet in stretch:
        idle = wanted is not None and last not in wanted and film.roles[last] == DISPOSABLE
        # frames displayed before the first keyframe refer to frames before it
        if not idle and (packet.pts is None or packet.pts >= film.stamps[first]):
            yield last, packet
    yield last, None
