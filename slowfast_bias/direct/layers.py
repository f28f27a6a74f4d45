"""The layers of a network that nothing is known of: by name, by pattern, or its steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import nn

from slowfast_bias.bias.taps import Tap, match_modules, modules_run
from slowfast_bias.errors import RequestError
from slowfast_bias.models.families import family_of

_MOST = 0.9  # of the weights: a module with more is entered, its own steps are the layers


def find_taps(
    model: nn.Module, layers: str | Tap | Iterable[str | Tap], forward: Callable[[], Any]
) -> list[Tap]:
    """Returns the taps of names, patterns ("Mixed_*"), taps, or "auto".

    Args:
        model: the network.
        layers: one or several; "auto" stands for the stages or blocks of a known kind of network,
            else for the steps of the forward that have weights, each block of a list of blocks.
        forward: runs the network on a clip.
    """
    wanted = [layers] if isinstance(layers, (str, Tap)) else list(layers)
    runs: dict[str, int] | None = None
    taps: dict[str, Tap] = {}
    for layer in wanted:
        if isinstance(layer, Tap):
            taps[layer.label] = layer
            continue
        if layer == "auto" and family_of(model).name != "plain":
            taps |= {tap.label: tap for tap in family_of(model).layers(model)}
            continue
        if layer != "auto" and "*" not in layer:
            taps[layer] = Tap(*match_modules(model, layer))
            continue
        runs = modules_run(model, forward) if runs is None else runs
        names = _steps(model, runs) if layer == "auto" else match_modules(model, layer)
        found = [name for name in names if runs.get(name) == 1]
        if not found:
            raise RequestError(
                f"Expected layers of {type(model).__name__} that run once and return features, "
                f"but none of {', '.join(names[:8]) or 'its modules'} does; name `layers`."
            )
        taps |= {name: Tap(name) for name in found}
    return list(taps.values())


def _steps(model: nn.Module, runs: Mapping[str, int], prefix: str = "") -> list[str]:
    """Returns the modules with weights that a forward likely runs one after the other.

    Those that return no features, or hold a list of blocks or most weights, are entered.
    """
    total, names = _weights(model), []
    for name, child in model.named_children():
        full = f"{prefix}{name}"
        if not _weights(child):
            continue
        listed = isinstance(child, nn.ModuleList)
        holds = any(isinstance(part, nn.ModuleList) for part in child.children())
        most = _weights(child) >= _MOST * total
        inner = any(True for _ in child.children())
        if listed or (inner and (most or holds or runs.get(full) != 1)):
            names += _steps(child, runs, f"{full}.")
        else:
            names.append(full)
    return names


def _weights(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())
