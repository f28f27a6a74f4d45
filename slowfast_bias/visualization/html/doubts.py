"""Words to doubt a verdict: what a reader should know before believing it, from numbers alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from slowfast_bias.visualization.html.grounds import Score
from slowfast_bias.visualization.html.words import count

FEW_RECORDINGS = 20  # below it an error is itself a rough guess
FEW_TESTED = 50  # below it an accuracy may be off by more than 14 points


@dataclass(frozen=True)
class Grounds:
    """What there may be to doubt.

    Attributes:
        measured: whether there is a report at all.
        warnings: of the report: few pairs, partial weights, dropped videos, lost recognition, ...
        recordings: the number of recordings that errors are over; None if not known.
        recognition: whether it is known how well the network recognises styled clips.
        is_untrained: whether this is the network of random weights itself.
        untrained: whether the same network untrained was measured beside it.
        gap: motion-only less that of the untrained network; None if not measured.
        bank: the bank of styles in words; "" if not known.
        seed: of the pairs, in words; "" if not known.
        other_weights: which results are of other weights than the rest; "" if none is.
        dropped_in_test: number of videos that the test could not read.
        tested: number of videos that were tested, and of their recordings; None if not known.
        pairs: what the kind of pairs means, if they are of image and flow; errors then are over
            sequences.
    """

    measured: bool = True
    warnings: Sequence[str] = ()
    recordings: int | None = None
    recognition: bool = True
    is_untrained: bool = False
    untrained: bool = False
    gap: Score | None = None
    bank: str = ""
    seed: str = ""
    other_weights: str = ""
    dropped_in_test: int = 0
    tested: tuple[int, int] | None = None
    pairs: Sequence[str] = ()


def doubts(grounds: Grounds) -> list[str]:
    """Returns the reasons to doubt a verdict, the report's own warnings first, as sentences."""
    found = [*grounds.warnings]
    recordings = grounds.recordings
    if recordings is not None and 1 < recordings < FEW_RECORDINGS:
        unit = "sequence" if grounds.pairs else "recording"
        found.append(f"errors come from {count(recordings, unit)} and are rough themselves")
    if grounds.measured and not (grounds.recognition or grounds.is_untrained):
        found.append("whether the network still recognises the styled clips was not measured")
    if grounds.dropped_in_test:
        videos = count(grounds.dropped_in_test, "video")
        found.append(f"{videos} of the test could not be read and do not count")
    if grounds.tested and min(grounds.tested) < FEW_TESTED:
        found.append(f"accuracies come from {_tested(*grounds.tested)} alone and are rough")
    if grounds.other_weights:
        found.append(f"not all results are of the same weights: {grounds.other_weights}")
    if grounds.measured:
        found += [*_beside(grounds), *grounds.pairs, *_one_bank(grounds)]
    return [f"{text[0].upper()}{text[1:].rstrip('.')}." for text in found if text]


def _tested(videos: int, recordings: int) -> str:
    of = f" of {count(recordings, 'recording')}" if recordings != videos else ""
    return f"{count(videos, 'tested video')}{of}"


def _beside(grounds: Grounds) -> list[str]:
    if grounds.is_untrained:
        return ["these are random weights: what they show is where a trained network starts from"]
    if not grounds.untrained:
        return [
            "no untrained network stands beside it, and random weights go by looks too; "
            "BIAS.BASELINE True adds one"
        ]
    gap = grounds.gap
    if gap is not None and gap.sign <= 0 and math.isfinite(gap.value):
        return [
            f"its motion-only is not seen to be above that of the same network untrained (by {gap})"
        ]
    return []


def _one_bank(grounds: Grounds) -> list[str]:
    if not grounds.bank:
        return []
    seed = f", pairs of seed {grounds.seed}" if grounds.seed else ""
    means = "" if grounds.pairs else "static is what these styles destroy, and "
    return [
        f"one bank of styles ({grounds.bank}{seed}) and one training: {means}other banks and seeds "
        "give other numbers"
    ]
