"""From the names in a file to those of a network: prefixes, then the table of its source.

Nothing is done if the names are the network's already.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from slowfast_bias.models.weights.tables import Table, Weights, find_table

# What wrappers put before every name of a network that they hold.
_PREFIXES = ("module.", "_orig_mod.", "model.", "backbone.", "encoder.", "network.", "net.", "ema.")
_COUNTER = "num_batches_tracked"  # of batch norm; nothing depends on it


class Named(NamedTuple):
    """Weights under the names of a network, and the table that renamed them; None if none did."""

    weights: Weights
    table: Table | None


def rename(weights: Weights, own: Collection[str]) -> Named:
    """Returns weights under the names that have most in common with those of a network.

    A prefix is taken off, or put before, all names or none. A table is asked only if no such
    change makes the names fit. Raises NoPlaceError if such weights have no place in a network of
    ours.
    """
    plain = list(_without_prefixes(weights, own))
    best = max(plain, key=lambda names: _common(names, own))
    if covers(best, own):
        return Named(best, None)
    table, found = find_table_of(weights)
    if table is None:
        return Named(best, None)
    renamed = table.rename(found, own)
    if _common(renamed, own) > _common(best, own):
        return Named(renamed, table)
    return Named(best, None)


def find_table_of(weights: Weights) -> tuple[Table | None, Weights]:
    """Returns the table of the source of a file, and its weights as that table knows them."""
    for found in _without_prefixes(weights, ()):
        table = find_table(found)
        if table is not None:
            return table, found
    return None, weights


def covers(names: Collection[str], own: Collection[str]) -> bool:
    """Returns whether names are those of a network, no more and no fewer."""
    known = set(own)
    missing = known.difference(names)
    return known.issuperset(names) and all(name.endswith(_COUNTER) for name in missing)


def _common(names: Collection[str], own: Collection[str]) -> int:
    return len(set(own).intersection(names))


def _without_prefixes(weights: Weights, own: Collection[str]) -> Iterator[Weights]:
    """Yields the weights as they are, and with each prefix that all names have taken off."""
    yield weights
    prefix = next((p for p in _PREFIXES if all(name.startswith(p) for name in weights)), None)
    if prefix is not None and weights:
        yield from _without_prefixes({k.removeprefix(prefix): v for k, v in weights.items()}, own)
    elif own and all(name.startswith("model.") for name in own):
        yield {f"model.{name}": value for name, value in weights.items()}
