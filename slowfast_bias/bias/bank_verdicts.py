"""What turns round between banks: the order of two networks, the sign of motion-only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slowfast_bias.bias.comparison import SEEN, Difference
from slowfast_bias.bias.report import BiasReport


@dataclass(frozen=True)
class OrderOfTwo:
    """Which of two networks has more of a score, bank by bank.

    Attributes:
        a: the name of the first.
        b: the name of the second.
        by_bank: {bank: the score of `a` minus that of `b`}.
    """

    a: str
    b: str
    by_bank: Mapping[str, Difference]

    @property
    def same(self) -> bool:
        """Whether the same network has more in every bank, by however little."""
        return len({math.copysign(1, x.value) for x in self.by_bank.values()}) == 1

    @property
    def flips(self) -> bool:
        """Whether each of the two has more in some bank, by two standard errors or more."""
        return {math.copysign(1, x.value) for x in self.by_bank.values() if x.seen} == {1, -1}

    @property
    def sure(self) -> bool:
        """Whether the difference is seen in every bank."""
        return all(x.seen for x in self.by_bank.values())

    def cells(self, banks: Sequence[str]) -> list[str]:
        """Returns the difference in standard errors under each bank, and the verdict."""
        sizes = [_errors(self.by_bank[bank]) if bank in self.by_bank else "-" for bank in banks]
        return [f"{self.a} - {self.b}", *sizes, self.verdict()]

    def verdict(self) -> str:
        """Returns whether the order is the same in all banks, in words."""
        found = list(self.by_bank.values())
        more, less = (self.a, self.b) if found[0].value > 0 else (self.b, self.a)
        if any(math.isnan(x.errors) and x.value != 0 for x in found):
            return "not known, a score has no error"
        if self.flips:
            return "FLIPS"
        if not any(x.seen for x in found):
            return "no difference seen"
        if not self.same:
            return "changes, but not by 2 errors both ways"
        return f"{more} > {less}" + ("" if self.sure else ", but not by 2 errors in every bank")


def motion_flips(network: str, reports: Mapping[str, BiasReport]) -> list[str]:
    """Returns the layers whose motion-only is above 0 in one bank and below it in another.

    Each by two standard errors or more.

    Args:
        network: its name.
        reports: {bank: its report}.
    """
    found = []
    for name in next(iter(reports.values())).layers:
        layers = {bank: x.layers[name] for bank, x in reports.items() if name in x.layers}
        sizes = {
            bank: (layer.score("motion"), layer.score_error("motion"))
            for bank, layer in layers.items()
            if "motion" in layer.measured
        }
        seen = {bank: x for bank, (x, error) in sizes.items() if abs(x) >= max(SEEN * error, 5e-4)}
        if {math.copysign(1, x) for x in seen.values()} == {1, -1}:
            said = "; ".join(
                f"{bank} {sizes[bank][0]:+.3f} ± {sizes[bank][1]:.3f}" for bank in seen
            )
            found.append(f"{network}, {name} FLIPS: {said}")
    return found


def _errors(found: Difference) -> str:
    if math.isnan(found.errors):
        return "-"
    if math.isinf(found.errors):
        return "exact"
    return f"{found.errors:+.1f}" + ("" if found.paired else " unpaired")
