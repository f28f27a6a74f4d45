"""What a static pair of image and flow changes, in words: other colours, or another sequence.

Both kinds are called "static", and mean different things: a page or a table that has scores of one
says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from slowfast_bias.bias.origin import FLOW_PAIRS, flow_pairs


@dataclass(frozen=True)
class FlowChange:
    """What a kind of pairs does to the flow.

    Attributes:
        name: as results name it.
        changed: the flow of the second view.
        caution: what a reader must know of S_static.
    """

    name: str
    changed: str
    caution: str


_CHANGES = {
    name: FlowChange(name, changed, caution)
    for name, changed, caution in zip(
        FLOW_PAIRS,
        ("flow in other colours", "the flow of another sequence"),
        (
            "other colours leave the outline of what moves, so that a network of flow alone has "
            "an S_static of .4 to .9 as well",
            "the flow of another sequence also shows another object, which is the harsher change",
        ),
        strict=True,
    )
}


def change_of(meta: Mapping[str, Any]) -> FlowChange | None:
    """Returns what the pairs of a report change in the flow; None for pairs of clips."""
    return _CHANGES.get(flow_pairs(meta))


def cautions(metas: Iterable[Mapping[str, Any]]) -> list[str]:
    """Returns what S_static means in each kind of pairs of image and flow that there is."""
    found = dict.fromkeys(filter(None, map(change_of, metas)))
    return [f"static pairs of {x.name} have {x.changed}: {x.caution}" for x in found]
