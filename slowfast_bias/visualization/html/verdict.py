"""The verdict: three sentences, from numbers alone.

How much a network goes by looks, how much of its motion score is content, and what shuffling costs
it. Each says first what was found, then the numbers that it rests on:

    motion_sentence(Motion(dynamic=Score(0.87, 0.01), content=Score(0.02, 0.02), ...))

A claim of more or less needs a difference of two standard errors and of more than NEGLIGIBLE; what
was not measured is said to be so, with the way to measure it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from slowfast_bias.bias.comparison import SEEN
from slowfast_bias.visualization.html.grounds import (
    NEGLIGIBLE,
    Looks,
    Motion,
    Rate,
    Score,
    Shuffling,
)
from slowfast_bias.visualization.html.words import count, percent, score

CHEAP = 2.0  # percent of accuracy; a loss below it is next to nothing
NEAR = 10.0  # points above a guess, and at most twice a guess, that are still next to a guess
# from which S_static on: how much it goes by what order leaves alone, and what shuffling leaves
_LOOKS = (
    (0.9, "goes almost entirely by", "stays almost the same"),
    (0.6, "goes mostly by", "stays mostly the same"),
    (0.35, "goes partly by", "stays only partly the same"),
    (0.1, "goes little by", "changes for the most part"),
    (-0.1, "hardly goes by", "hardly agrees with itself any more"),
    (-math.inf, "does not go by", "agrees with itself less than by chance"),
)


class Sentence(NamedTuple):
    """A sentence of the verdict."""

    says: str
    because: str

    def __str__(self) -> str:
        return f"{self.says}: {self.because}."


def looks_sentence(looks: Looks | None) -> Sentence:
    """Returns how much a network goes by what things look like."""
    if looks is None or looks.static is None:
        lacks = "there is no measurement" if looks is None else "there are no static pairs"
        return Sentence("How much it looks was not measured", f"{lacks}; BIAS.ENABLE True measures")
    if math.isnan(looks.static.value):
        return Sentence("How much it looks is not known", f"all units of {looks.layer} are dead")
    where, units = _where(looks.layer), static_only_words(looks.units)
    if looks.frame_wise:
        return Sentence(
            "It sees frames one by one",
            f"shuffling them changes nothing in {where} (S_static {looks.static}, which clips "
            f"without motion would give as well){units}",
        )
    _, goes, stays = next(x for x in _LOOKS if looks.static.value >= x[0])
    noun, more = "looks", ""
    if looks.content and looks.content.value > max(looks.static.value, 0.35) / 2:
        noun, more = "content", f"; of this {looks.content} survives another look as well"
    return Sentence(
        f"It {goes} {noun}",
        f"with the frames of a clip shuffled, {where} {stays} (S_static {looks.static}, where 1 is "
        f"no change{more}){units}",
    )


def motion_sentence(motion: Motion | None) -> Sentence:
    """Returns how much of a network's motion score is content that survives shuffling too."""
    if motion is None or motion.dynamic is None:
        lacks = "there is no measurement" if motion is None else "there are no dynamic pairs"
        says = "How much it answers to motion was not measured"
        return Sentence(says, f"{lacks}; BIAS.ENABLE True measures")
    says = "How much of its motion score is content is not known"
    if math.isnan(motion.dynamic.value):
        return Sentence(says, "no unit of the layer is live")
    if motion.motion is None or motion.content is None:
        return Sentence(
            says,
            "the report was made before motion-only was measured, and its S_dynamic of "
            f"{motion.dynamic} may be either; measure again",
        )
    found = _shares(motion.dynamic, motion.content, motion.motion, motion.frame_wise)
    beside = motion.untrained
    if beside is not None and math.isfinite(beside.value):
        return Sentence(found.says, f"{found.because}; the same network untrained has {beside}")
    return found


def shuffling_sentence(shuffling: Shuffling | None) -> Sentence:
    """Returns what shuffled frames cost in accuracy."""
    if shuffling is None:
        return Sentence(
            "What shuffling costs was not tested",
            "BIAS.SHUFFLE.TEST True tests with frames in and out of order",
        )
    of = "" if shuffling.chance is None else f", where a guess has {percent(shuffling.chance)}"
    rates = f"in order {shuffling.ordered} of the videos are right, shuffled {shuffling.shuffled}"
    if _is_chance(shuffling.ordered, shuffling.chance):
        return Sentence("Shuffling has nothing to take", f"{rates}{of}")
    if _may_be_chance(shuffling.ordered, shuffling.chance):
        unseen = "which the accuracy in order is not seen to be above: test more videos"
        return Sentence("What shuffling costs cannot be told", f"{rates}{of}, {unseen}")
    drop = shuffling.drop
    loss = f"; the loss is {drop} of the accuracy" if math.isfinite(drop.value) else ""
    if loss and shuffling.by_points and math.isfinite(drop.low):
        loss += ", its interval that of the difference in points"
    return Sentence(_costs(shuffling), f"{rates}{of}{loss}")


def static_only_words(units: tuple[int, int] | None) -> str:
    """Returns how many live units are static-only, to follow a number; "" if it is not known."""
    if not units:
        return ""
    alive, only = units
    return f", and {only} of {count(alive, 'live unit')} {'is' if only == 1 else 'are'} static-only"


def _where(layer: str) -> str:
    return "what the classifier gets" if layer == "head" else f"what {layer} gives"


def _shares(dynamic: Score, content: Score, motion: Score, frame_wise: bool) -> Sentence:
    """Returns how S_dynamic divides into content and motion-only."""
    text = (
        f"of S_dynamic {dynamic}, content that survives shuffling has {content}, which leaves "
        f"motion-only {motion}"
    )
    if frame_wise:
        return Sentence("None of its motion score is motion", f"{text}, 0 by construction")
    if math.isnan(motion.error):
        says = "How much of its motion score is content cannot be told"
        return Sentence(says, f"{text}, without an error to judge it by")
    if motion.sign < 0:
        return Sentence("Its motion score is less than its content", text)
    if motion.sign == 0:
        small = abs(motion.value) + SEEN * motion.error < 2 * NEGLIGIBLE
        text += ", next to nothing" if small else ", which is not seen to differ from 0"
        says = "is content" if dynamic.sign > 0 else "is nothing to speak of"
        return Sentence(f"Its motion score {says}", text)
    if dynamic.sign <= 0:
        return Sentence("It has motion that its motion score does not show", text)
    share = content.value / dynamic.value
    if share < 0.1:
        return Sentence("Its motion score is motion", text)
    if content.sign <= 0:
        return Sentence("No content is seen in its motion score", text)
    return Sentence(f"{percent(100 * share, 0)} of its motion score is content", text)


def _may_be_chance(rate: Rate, chance: float | None) -> bool:
    """Returns whether an accuracy is not seen to be above that of a guess."""
    if chance is None:
        return False
    return (rate.low if math.isfinite(rate.low) else rate.value) <= chance


def _is_chance(rate: Rate, chance: float | None) -> bool:
    """Returns whether an accuracy is seen to be next to that of a guess, or below it.

    An interval that reaches from below a guess far above it says only that videos were few.
    """
    if chance is None or not _may_be_chance(rate, chance):
        return False
    high = rate.high if math.isfinite(rate.high) else rate.value
    return high <= chance + max(min(NEAR, chance), CHEAP)


def _costs(shuffling: Shuffling) -> str:
    drop = shuffling.drop
    if not math.isfinite(drop.value):
        return "What shuffling costs cannot be told"
    known = math.isfinite(drop.low)
    if known and drop.low <= 0 <= drop.high and max(-drop.low, drop.high) > 2 * CHEAP:
        return "No cost of shuffling is seen"
    if abs(drop.value) < CHEAP:
        none = score(drop.value, 1) == "0.0"
        return f"Shuffling costs {'nothing' if none else 'next to nothing'}"
    if drop.value < 0:
        return "Shuffling helps it" if known else "No cost of shuffling is seen"
    if _is_chance(shuffling.shuffled, shuffling.chance):
        return "Shuffling leaves it no more than a guess"
    return f"Shuffling costs {percent(drop.value, 0)} of its accuracy"
