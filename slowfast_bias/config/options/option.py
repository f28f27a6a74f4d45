"""Option: one config key with its default, its meaning and what it may be, declared once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Option:
    """A config key.

    Attributes:
        key: its dotted name.
        default: its value if it is not set; None for keys of the host, which has its own.
        doc: what it means, with its unit.
        choices: the values it may have, if they can be listed.
        low: the lowest number it may be.
        high: the highest number it may be.
        texts: whether it is a list of texts.
    """

    key: str
    default: Any = None
    doc: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    texts: bool = False

    def wrong(self, value: Any) -> str | None:
        """Returns what is wrong with a value, in one sentence; None if nothing is."""
        if self.choices:
            if value in self.choices:
                return None
            return f"{self.key}: expected one of {', '.join(self.choices)}, but got {value!r}"
        if self.texts and not all(isinstance(text, str) for text in value):
            return f"{self.key}: expected a list of texts, but got {value!r}"
        if (self.low is None and self.high is None) or value is None:
            return None
        if not isinstance(value, (int, float)):
            return f"{self.key}: expected a number, but got {value!r}"
        # not the other way round: every comparison with nan is false
        if (self.low is None or value >= self.low) and (self.high is None or value <= self.high):
            return None
        return f"{self.key}: expected {self.allowed()}, but got {value}"

    def allowed(self) -> str:
        """Returns what the key may be, in words; "" if anything."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.low is None and self.high is None:
            return ""
        if self.high is None:
            return f"at least {self.low}"
        return f"a value from {self.low} to {self.high}"
