"""Roles of packets, read from their first bytes: a frame that no other refers to can be left out.

A few bits of the codec's own header show it. A packet that cannot be parsed counts as a reference,
which only costs time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

REFERENCE, DISPOSABLE, HIDDEN = "reference", "disposable", "hidden"

_NOT_UNDERSTOOD = 0x21  # the first byte of a reference picture in both H.264 and HEVC


def role_reader(codec: str, extradata: bytes) -> Callable[[bytes | memoryview], str]:
    """Returns the function that reads the role of a packet from its bytes.

    REFERENCE: other frames may need it; DISPOSABLE: none does; HIDDEN: needed but never shown.

    Args:
        codec: FFmpeg's name, such as h264.
        extradata: the decoder's configuration from the container, empty if there is none.
    """
    if codec == "h264":
        return _role_of_units(extradata, 4, _h264_refers)
    # hvcC counts temporal layers; with several, a layer above may refer to a picture
    single_layer = len(extradata) > 21 and extradata[0] == 1 and extradata[21] >> 3 & 7 == 1
    if codec == "hevc" and single_layer:
        return _role_of_units(extradata, 21, _hevc_refers)
    return {"mpeg4": _mpeg4, "vp8": _vp8}.get(codec, lambda data: REFERENCE)


def _role_of_units(
    extradata: bytes, place: int, refers: Callable[[int], bool | None]
) -> Callable[[bytes | memoryview], str]:
    """Returns a reader of H.264 or HEVC: disposable if all picture units of the packet are.

    `refers` reads the first byte of a unit: True if others refer to this picture; None: no picture.
    """
    length = (extradata[place] & 3) + 1 if len(extradata) > place and extradata[0] == 1 else 0

    def role(data: bytes | memoryview) -> str:
        heads = _unit_heads(memoryview(data), length) if length else _marked_heads(bytes(data))
        said = {refers(head) for head in heads} - {None}
        return DISPOSABLE if said == {False} else REFERENCE

    return role


def _h264_refers(head: int) -> bool | None:
    kind = head & 31
    if kind == 0 or kind > 23:  # no such unit is valid here
        return True
    return bool(head >> 5 & 3) if kind <= 5 else None


def _hevc_refers(head: int) -> bool | None:
    kind = head >> 1 & 63
    return None if kind >= 32 else kind > 14 or kind % 2 == 1


def _unit_heads(data: memoryview, length: int) -> Iterator[int]:
    """Yields the first byte of each unit, in data whose units start with their length."""
    at, end = 0, len(data)
    while at + length < end:
        head = data[at + length]
        at += length + int.from_bytes(data[at : at + length], "big")
        yield head
    if at != end:
        yield _NOT_UNDERSTOOD


def _marked_heads(data: bytes) -> Iterator[int]:
    """Yields the first byte of each unit, in data whose units start with the bytes 0, 0, 1."""
    at = data.find(b"\0\0\1")
    while 0 <= at < len(data) - 3:
        yield data[at + 3]
        at = data.find(b"\0\0\1", at + 3)


def _mpeg4(data: bytes | memoryview) -> str:
    pictures = bytes(data).split(b"\0\0\1\xb6")[1:]
    # two pictures in one packet: a packed bitstream, whose second one belongs to a later packet
    alone = len(pictures) == 1 and pictures[0]
    return DISPOSABLE if alone and pictures[0][0] >> 6 == 2 else REFERENCE


def _vp8(data: bytes | memoryview) -> str:
    return REFERENCE if memoryview(data)[0] >> 4 & 1 else HIDDEN
