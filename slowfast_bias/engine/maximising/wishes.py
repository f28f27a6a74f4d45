"""Wishes: what BIAS.MAXIMISE.UNITS asks for, in its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slowfast_bias.bias.top_units import SHOWN
from slowfast_bias.config import ConfigError

KEY = "BIAS.MAXIMISE.UNITS"
LIST, CLASS, PAIR = "list", "class", "pair"  # how a unit may be chosen beside the kinds


@dataclass(frozen=True)
class Wish:
    """One word of the list.

    Attributes:
        by: a kind of units, "list", "class" or "pair".
        number: how many units or pairs, or which unit.
        name: which class, by name or number; "" if it is not one.
    """

    by: str
    number: int = 0
    name: str = ""


def read_wishes(words: Sequence[str]) -> list[Wish]:
    """Returns what the words ask for; ConfigError names those that ask for nothing."""
    wishes = [_read(str(word).strip()) for word in words]
    wrong = [word for word, wish in zip(words, wishes, strict=True) if wish is None]
    if wrong or not wishes:
        raise ConfigError(
            [
                f"{KEY}: expected {', '.join(f'{kind}:N' for kind in SHOWN)}, numbers of units, "
                f"class:NAME or pairs:N, but got {', '.join(map(repr, wrong)) or 'nothing'}"
            ]
        )
    return [wish for wish in wishes if wish is not None]


def _read(word: str) -> Wish | None:
    if word.isdecimal():
        return Wish(LIST, int(word))
    kind, colon, rest = word.partition(":")
    if kind == CLASS and rest.strip():
        return Wish(CLASS, name=rest.strip())
    if not colon or not rest.isdecimal() or int(rest) < 1:
        return None
    if kind == "pairs":
        return Wish(PAIR, int(rest))
    return Wish(kind, int(rest)) if kind in SHOWN else None


def need_report(wishes: Sequence[Wish]) -> bool:
    """Returns whether a report must say which units there are of a kind."""
    return any(wish.by in SHOWN for wish in wishes)


def need_channels(wishes: Sequence[Wish]) -> bool:
    """Returns whether units of a layer are asked for, not classes alone."""
    return any(wish.by in (*SHOWN, LIST) for wish in wishes)


def need_classes(wishes: Sequence[Wish]) -> bool:
    """Returns whether classes are asked for."""
    return any(wish.by in (CLASS, PAIR) for wish in wishes)
