"""Reports of networks x banks: which network and which bank of styles each report is of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from slowfast_bias.bias.report import BiasReport
from slowfast_bias.errors import RequestError

Grid = dict[str, dict[str, BiasReport]]  # {network: {bank: report}}

_NETWORK = ("name", "model", "checkpoint")  # of a report's meta: what tells networks apart


def grid_of(reports: Sequence[BiasReport], names: Sequence[str] | None = None) -> Grid:
    """Returns the reports by network and bank; RequestError if two are of the same.

    Args:
        reports: their `meta` says of which network (name, model, checkpoint) and bank (styles).
        names: of the networks, one per report; None: from `meta`.
    """
    if names and len(names) != len(reports):
        raise RequestError(
            f"Expected as many names as reports, but got {len(names)} names for {len(reports)} "
            "reports: give the network of each report, in the same order."
        )
    keys = [tuple(str(r.meta.get(key) or "") for key in _NETWORK) for r in reports]
    called = list(names) if names else _network_names(keys)
    grid: Grid = {}
    banks = _bank_names([report.meta.get("styles") for report in reports])
    for network, bank, report in zip(called, banks, reports, strict=True):
        if bank in grid.setdefault(network, {}):
            raise RequestError(
                f"Expected one report of a network with a bank, but two are of {network!r} with "
                f"{bank}: give each once; --names tells networks apart."
            )
        grid[network][bank] = report
    return grid


def _network_names(keys: Sequence[tuple[str, ...]]) -> list[str]:
    """Returns for each report the shortest of its entries that tells all networks apart."""
    choices: list[list[str]] = [
        [" ".join(key[i] for i in places if key[i]) or "the network" for key in keys]
        for places in ((0,), (1,), (0, 1), (2,), (0, 2), (0, 1, 2))
    ]
    wanted = len(set(keys))
    return next((names for names in choices if len(set(names)) == wanted), choices[-1])


def _bank_names(styles: Sequence[object]) -> list[str]:
    """Returns a short name for each bank; the whole of it where two short ones are equal."""
    whole = [json.dumps(style, sort_keys=True, default=str) for style in styles]
    short = [_short(style) for style in styles]
    alike = len(set(short)) < len(set(whole))
    return whole if alike else short


def _short(style: object) -> str:
    if not isinstance(style, Mapping):
        return "a bank that is not known" if style is None else str(style)
    if "dirs" in style:
        first = str((style["dirs"] or [""])[0])
        return f"folders {first} and {len(style['dirs']) - 1} more"
    words = {"family": "{}", "num": "{}", "seed": "seed {}"}
    known = [form.format(style[key]) for key, form in words.items() if key in style]
    return " ".join(known) or str(dict(style))
