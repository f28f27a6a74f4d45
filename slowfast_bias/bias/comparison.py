"""Compares two networks measured on the same videos: a difference of scores with its own error.

    found = difference(a, b, "static", ("s5", "s5"))
    found.value, found.error, found.paired
    found.sentence("A", "B")       # A is more static than B by 0.270 ± 0.050 (s5)

What the two networks share, easy and hard videos, cancels in the difference. Its error is the
jackknife of the difference, from the replicates of both reports without the same fold of the
recordings; that needs the same recordings in every fold, and nothing else: networks that take
other frames or another seed of styles were still shown the same videos.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from slowfast_bias.bias.jackknife import jackknife_error
from slowfast_bias.bias.layer import LayerBias
from slowfast_bias.bias.report import BiasReport

SEEN = 2.0  # standard errors from which on a difference is called one
_DIGITS = 5e-4  # smaller ones print as 0.000, and are rounding where both networks are exact
# of a report's meta, what says which recordings are in its folds
_VIDEOS = ("data", "list", "videos", "recordings", "dropped_videos", "missing_videos")
# the words between two names, by score
_MORE = {
    "static": "is more static than",
    "dynamic": "is more dynamic than",
    "motion": "has more motion-only than",
    "look": "has more look-only than",
    "content": "has more content than",
    "order_share": "has a larger order share than",
    "order_agreement": "has a larger order agreement than",
}


@dataclass(frozen=True)
class Difference:
    """How much larger a score is in one network than in another.

    Attributes:
        score: its name, of `LayerBias.measured`.
        layers: the layer of the first and of the second network.
        value: the score of the first minus that of the second.
        error: its standard error; NaN if there are too few recordings for one.
        unpaired: why `error` is that of two independent measurements; "" if it is paired.
    """

    score: str
    layers: tuple[str, str]
    value: float
    error: float
    unpaired: str = ""

    @property
    def paired(self) -> bool:
        """Whether the error is that of the difference itself."""
        return not self.unpaired

    @property
    def errors(self) -> float:
        """The difference in standard errors: its sign says which network has more."""
        if self.error > 0:
            return self.value / self.error
        return math.copysign(math.inf, self.value) if self.error == 0 and self.value else math.nan

    @property
    def seen(self) -> bool:
        """Whether it is at least two standard errors, and not only rounding."""
        return abs(self.value) >= max(SEEN * self.error, _DIGITS) and not math.isnan(self.error)

    def sentence(self, a: str, b: str) -> str:
        """Returns which network has more, in words; `a` and `b` are their names."""
        where = " and ".join(dict.fromkeys(self.layers))
        where += f"; unpaired: {self.unpaired}" if self.unpaired else ""
        signed = f"{self.value:+.3f}".replace("-0.000", "+0.000")
        if math.isnan(self.value):
            return f"{self.score}: {a} and {b} cannot be compared, a score is not known ({where})"
        if math.isnan(self.error):
            return f"{self.score}: {a} minus {b} is {signed}, and no error can be given ({where})"
        if not self.seen:
            between = f"no difference seen between {a} and {b}"
            return f"{self.score}: {between}: {signed} ± {self.error:.3f} ({where})"
        first, second = (a, b) if self.value > 0 else (b, a)
        size = f"{abs(self.value):.3f} ± {self.error:.3f}"
        return f"{first} {_MORE[self.score]} {second} by {size} ({where})"


def difference(
    a: BiasReport, b: BiasReport, score: str, layers: tuple[str, str], statistic: str | None = None
) -> Difference:
    """Returns how much larger a score of `a` is than that of `b`.

    Args:
        a: a report.
        b: another one.
        score: one that both layers have, of `LayerBias.measured`.
        layers: the layer in `a` and the one in `b`.
        statistic: "pearson" or "pooled"; None: that of `a`, for both.
    """
    x, y = a[layers[0]], b[layers[1]]
    statistic = statistic or x.statistic
    value = x.score(score, statistic) - y.score(score, statistic)
    unpaired = why_unpaired(a, b) or _other_folds(x, y, statistic, score)
    if unpaired:
        error = math.hypot(x.score_error(score, statistic), y.score_error(score, statistic))
    else:
        first, second = (layer.replicates[statistic][score] for layer in (x, y))
        error = jackknife_error(first - second)
    return Difference(score, layers, value, error, unpaired)


def why_unpaired(a: BiasReport, b: BiasReport) -> str:
    """Returns in what the videos of two reports differ; "" if nothing says that they do.

    Lists of which nothing is known are taken for the same: if they are not, the error of the pairs
    is that of two independent measurements anyhow.
    """
    differ = [key for key in _VIDEOS if (a.meta.get(key) or None) != (b.meta.get(key) or None)]
    names = ", ".join(key.replace("_", " ") for key in differ)
    return names and f"other {names}"


def scores_to_compare(a: LayerBias, b: LayerBias) -> list[str]:
    """Returns static, motion-only and content; without the third pair static and dynamic."""
    both = [score for score in a.measured if score in b.measured]
    wanted: Sequence[str] = ("static", "motion", "content")
    if "motion" not in both:
        wanted = ("static", "dynamic", "content")
    return [score for score in wanted if score in both]


def _other_folds(a: LayerBias, b: LayerBias, statistic: str, score: str) -> str:
    """Returns why the folds of two layers do not match; "" if they do."""
    folds = [len(x.replicates.get(statistic, {}).get(score, ())) for x in (a, b)]
    if not all(folds):
        return "a report has no replicates, measure again"
    if folds[0] != folds[1]:
        return f"{folds[0]} and {folds[1]} folds"
    return "" if a.pairs.get("static") == b.pairs.get("static") else "other numbers of pairs"
