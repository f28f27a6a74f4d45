"""Table: how the files of one source are recognised, and renamed to the names of our networks."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

Weights = Mapping[str, torch.Tensor]
Rules = Sequence[tuple[str, str]]  # (pattern, replacement) of `re`


class NoPlaceError(ValueError):
    """Weights that no network of ours has a place for; it says why."""


@dataclass(frozen=True)
class Table:
    """One source of files.

    Attributes:
        name: what reports call it, such as "pytorchvideo".
        matches: whether the names in a file are those of this source. It is asked with the names
            as they are, then without each prefix that all have in common, such as `module.`;
            `rename` gets the names that matched.
        rename: the weights of a file, and the names of the network that takes them, to weights
            under these names; what has no place in the network keeps the name it has in the file,
            so that the error which follows names it.
        mean: what such networks had subtracted from each colour, in [0, 1]; None for SlowFast's.
        std: what each colour was then divided by; None for SlowFast's.
        prepare: changes what a file cannot hold, such as the eps of norms; called once the weights
            are in the network.
    """

    name: str
    matches: Callable[[Collection[str]], bool]
    rename: Callable[[Weights, Collection[str]], Weights]
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    prepare: Callable[[nn.Module], None] | None = None


def rename_by(rules: Rules, name: str) -> str:
    """Returns a name after every rule, one after the other."""
    for pattern, new in rules:
        name = re.sub(pattern, new, name)
    return name


def any_match(pattern: str, names: Iterable[str]) -> bool:
    """Returns whether a pattern is found in one of the names."""
    return any(re.search(pattern, name) for name in names)
