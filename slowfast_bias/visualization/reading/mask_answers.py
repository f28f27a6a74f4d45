"""What a battery of masks says, in plain words: does the network follow flow, or the image?

Each sentence rests on an interval over sequences: what is not seen in it is said not to be known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from slowfast_bias.visualization.reading.result_files import number, span

Content = Mapping[str, Any]
TASK = "segmentation"  # `task` of such a result
SAID = {
    "own": "its own image and flow",
    "swapped_flow": "the flow of another sequence",
    "frozen_flow": "flow of a scene at rest",
    "swapped_image": "the image of another sequence",
    "grey_image": "a grey image",
    "styled": "other looks, their mean",
}
SWAPS = ("swapped_flow", "swapped_image")
_TAKEN = {"frozen_flow": "the flow", "grey_image": "the image"}
CUES = {"flow": "flow", "image": "the image"}
_FOUND = 10.0  # percent; masks below it have hardly anything of the object
_LEAST, _LITTLE = 2.0, 5.0  # points; a loss below the first is next to nothing


def is_of_masks(data: Content | None) -> bool:
    """Returns whether the data of a battery are of masks."""
    return bool(data) and data.get("task") == TASK


def said(variant: str) -> str:
    """Returns what a variant shows, in words."""
    return SAID.get(variant, variant.replace("look", "look "))


def finds_nothing(data: Content) -> bool:
    """Returns whether masks are so bad that there is nothing to lose."""
    return number(data["variants"].get("own") or {}, "mean") < _FOUND


def leaning(data: Content) -> str:
    """Returns "flow" or "image", whichever masks follow when both are exchanged; "" if neither.

    Most sequences must follow it, as their intervals show, with either of both exchanged.
    """
    if finds_nothing(data):
        return ""
    found = _leaders(data)
    return found[0] if len(set(found)) == 1 else ""


def short_answer(data: Content) -> str:
    """Returns what masks follow, in a word or two; "" if that cannot be told."""
    if finds_nothing(data):
        return ""
    return leaning(data) or ("not seen" if "" in _leaders(data) else "neither")


def answers(data: Content) -> list[str]:
    """Returns the sentences, the one on what it follows first."""
    found = [headline(data)]
    if finds_nothing(data):
        return found
    for variant in SWAPS:
        if follows := _follows(data)(variant):
            found.append(f"With {SAID[variant]}, {_shares(follows)}.")
    found += [text for variant in _TAKEN if (text := _taken(data, variant))]
    if conflict := _follows(data)("own"):
        found.append(
            "In scenes with one object of each kind, of which the flow shows one and the image "
            f"the other, {_shares(conflict)}; of the mask's pixels inside one of the two alone "
            f"{_percent(conflict, 'flow_pixels')} are in the flow's."
        )
    return found


def headline(data: Content) -> str:
    """Returns what the network follows, in one sentence."""
    if finds_nothing(data):
        measure, value = data.get("measure", "J"), number(data["variants"]["own"], "mean")
        return (
            f"It finds too little to tell what it follows, {measure} {value:.1f} % of its own "
            "frames."
        )
    cue = leaning(data)
    if cue:
        return f"It follows {CUES[cue]}."
    if not any(map(_follows(data), SWAPS)):
        return "Whether it follows flow or the image was not tested."
    if "" in _leaders(data):
        return "It is not seen to follow flow or the image throughout."
    return "It follows neither flow nor the image throughout."


def _leaders(data: Content) -> list[str]:
    """Returns what most sequences are seen to follow under each exchange; "" if neither."""
    found = [x for x in map(_follows(data), SWAPS) if x]
    return [
        next((cue for cue in CUES if span(x, f"{cue}_share_interval")[0] > 50), "") for x in found
    ]


def _follows(data: Content) -> Any:
    def get(variant: str) -> Content | None:
        return (data["variants"].get(variant) or {}).get("follows")

    return get


def _shares(follows: Content) -> str:
    count = follows.get("sequences")
    return (
        f"{_percent(follows, 'flow_share')} of {count} sequences follow the flow and "
        f"{_percent(follows, 'image_share')} the image"
    )


def _taken(data: Content, variant: str) -> str:
    """Returns whether the network needs its flow, or its image: what it loses without."""
    found = data["variants"].get(variant) or {}
    against = found.get("against_own") or {}
    change, (low, high) = number(against, "difference"), span(against)
    if not math.isfinite(change):
        return ""
    measure, what = data.get("measure", "J"), _TAKEN[variant]
    ends = f" [{_signed(low)}, {_signed(high)}]" if math.isfinite(low) else ""
    rest = f"{measure} is {number(found, 'mean'):.1f}, a change of {_signed(change)} points{ends}"
    if not math.isfinite(low):
        return f"Whether it needs {what} is not known: with {SAID[variant]} {rest}."
    if high < -_LITTLE:
        return f"It needs {what}: with {SAID[variant]} {rest}."
    if low > -_LEAST:
        return f"It does not need {what}: with {SAID[variant]} {rest}."
    if low > -_LITTLE:
        return f"It hardly needs {what}: with {SAID[variant]} {rest}."
    return f"Whether it needs {what} is not seen: with {SAID[variant]} {rest}."


def _percent(follows: Content, key: str) -> str:
    value, (low, high) = number(follows, key), span(follows, f"{key}_interval")
    if not math.isfinite(value):
        return "an unknown share"
    return f"{value:.1f} %" + (f" [{low:.1f}, {high:.1f}]" if math.isfinite(low) else "")


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")
