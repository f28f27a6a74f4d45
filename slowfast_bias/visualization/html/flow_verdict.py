"""The verdict on a network of image and flow: what another flow changes, and what its masks follow.

As in `verdict`, each sentence says first what was found, then the numbers that it rests on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from slowfast_bias.bias.comparison import SEEN
from slowfast_bias.visualization.html.grounds import NEGLIGIBLE, Looks, Motion
from slowfast_bias.visualization.html.verdict import Sentence, static_only_words
from slowfast_bias.visualization.html.words import percent
from slowfast_bias.visualization.reading.flow_words import FlowChange
from slowfast_bias.visualization.reading.mask_answers import answers, headline
from slowfast_bias.visualization.reading.mask_results import Overall

_CHANGES = (  # from which S_static on: what another flow does
    (0.9, "hardly changes what it gives"),
    (0.6, "changes little of what it gives"),
    (0.35, "changes part of what it gives"),
    (0.1, "changes most of what it gives"),
    (-0.1, "changes all of what it gives"),
    (-math.inf, "turns round what it gives"),
)
_NOTHING = "masks with image and flow exchanged say nothing then"
_TEST = "BIAS.BEHAVIOUR.ENABLE True tests it with both exchanged"


def flow_sentence(looks: Looks | None, change: FlowChange | None) -> Sentence:
    """Returns how much of what the last layer gives another flow changes."""
    if looks is None or change is None or looks.static is None:
        says = "How much depends on the flow was not measured"
        return Sentence(says, "there is no measurement; BIAS.ENABLE True measures")
    if math.isnan(looks.static.value):
        return Sentence("How much depends on the flow is not known", _dead(looks.layer))
    units = static_only_words(looks.units)
    if looks.frame_wise:
        text = f"{change.changed} changes nothing in {looks.layer} (S_static {looks.static}){units}"
        return Sentence("It does not see the flow", text)
    does = next(words for least, words in _CHANGES if looks.static.value >= least)
    text = f"S_static of {looks.layer} is {looks.static}, where 1 is no change{units}"
    return Sentence(f"{change.changed[0].upper()}{change.changed[1:]} {does}", text)


def share_sentence(motion: Motion | None, change: FlowChange | None) -> Sentence:
    """Returns how much of a network's motion score survives another flow."""
    if motion is None or change is None or motion.dynamic is None:
        says = "How much it answers to motion was not measured"
        return Sentence(says, "there is no measurement; BIAS.ENABLE True measures")
    if math.isnan(motion.dynamic.value) or motion.motion is None or motion.content is None:
        says = "How much of its motion score depends on the flow is not known"
        return Sentence(says, "no unit of the layer is live, or the third pair was not measured")
    text = (
        f"frames of one flow in two looks have S_dynamic {motion.dynamic}; with {change.changed} "
        f"{motion.content} of it is left, so that motion-only is {motion.motion}"
    )
    beside = motion.untrained
    if beside is not None and math.isfinite(beside.value):
        text += f"; the same network untrained has {beside}"
    return Sentence(_share(motion, change), text)


def masks_sentence(battery: Mapping[str, Any] | None, masks: Overall | None) -> Sentence:
    """Returns which of image and flow masks follow, or how good they are."""
    good = f"; its masks have {masks}" if masks else ""
    if battery is None:
        return Sentence("Whether it follows flow or the image was not tested", f"{_TEST}{good}")
    texts = [text.rstrip(".") for text in answers(battery)[1:3]]
    because = "; ".join(text[0].lower() + text[1:] for text in texts) + good
    return Sentence(headline(battery).rstrip("."), because.removeprefix("; ") or _NOTHING)


def _share(motion: Motion, change: FlowChange) -> str:
    dynamic, content, rest = motion.dynamic, motion.content, motion.motion
    if motion.frame_wise:
        return "None of its motion score is of the flow"
    if math.isnan(rest.error):
        return "How much of its motion score depends on the flow cannot be told"
    if rest.sign < 0:
        return f"Its motion score is less than what {change.changed} leaves"
    if rest.sign == 0:
        small = abs(rest.value) + SEEN * rest.error < 2 * NEGLIGIBLE
        if dynamic.sign <= 0:
            return "Its motion score is nothing to speak of"
        seen = "is" if small else "is seen to be"
        return f"None of its motion score {seen} of the flow"
    if dynamic.sign <= 0:
        return "It has motion that its motion score does not show"
    share = content.value / dynamic.value
    if share < 0.1:
        return f"Its motion score is lost with {change.changed}"
    if content.sign <= 0:
        return f"Nothing of its motion score is seen to survive {change.changed}"
    return f"{percent(100 * share, 0)} of its motion score survives {change.changed}"


def _dead(layer: str) -> str:
    return f"all units of {layer} are dead"
