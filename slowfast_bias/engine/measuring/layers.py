"""The layers that a config names: those to measure, and those whose units are silenced."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias.bias import Tap
from slowfast_bias.bias.taps import find_module, match_modules
from slowfast_bias.config import ConfigError
from slowfast_bias.models.families import family_of

SILENCED = "BIAS.ABLATION.LAYER"


def make_taps(model: nn.Module, layers: Iterable[str]) -> list[Tap]:
    """Returns taps for BIAS.LAYERS: "auto" for those of the network's kind, else by name."""
    family, layers = family_of(model), list(layers)
    head = family.head(model)
    auto = family.layers(model) if head is not None or "auto" in layers else []
    known = {tap.label: tap for tap in auto} | {tap.module: tap for tap in auto}
    if head is not None:
        known[head.dropout] = Tap(head.dropout, channels_last=head.dropout_channels_last)
    taps: dict[str, Tap] = {}
    for layer in layers:
        for tap in auto if layer == "auto" else _named(model, layer, known):
            taps[tap.label] = tap
    return list(taps.values())


def _named(model: nn.Module, layer: str, known: dict[str, Tap]) -> list[Tap]:
    """Returns the taps of a name, or of a pattern such as "s*" or "blocks.*"."""
    if "*" not in layer or layer in known:
        return [known.get(layer, Tap(layer))]
    names = [name for name in known if fnmatch.fnmatchcase(name, layer)]
    return [known.get(name, Tap(name)) for name in names or match_modules(model, layer)]


def configured_taps(cfg: CfgNode, model: nn.Module) -> list[Tap]:
    """Returns the taps of BIAS.LAYERS; ConfigError if the network lacks one of them."""
    try:
        taps = make_taps(model, cfg.BIAS.LAYERS)
    except ValueError as error:
        if not any("*" in layer for layer in cfg.BIAS.LAYERS):
            raise
        raise ConfigError([f"BIAS.LAYERS: {error}"]) from error
    for tap in taps:
        _check_module(model, tap.module, "BIAS.LAYERS")
    return taps


def without_head(taps: list[Tap], model: nn.Module, layers: Iterable[str]) -> list[Tap]:
    """Returns the taps but those of the head, whose weights a file lacks.

    ConfigError if BIAS.LAYERS names it, or if nothing is left.
    """
    head = family_of(model).head(model)
    inside = [tap for tap in taps if head and f"{tap.module}.".startswith(f"{head.path}.")]
    rest = [tap for tap in taps if tap not in inside]
    named = [tap.label for tap in inside if {tap.label, tap.module} & set(layers)]
    if named or not rest:
        raise ConfigError(
            [
                f"BIAS.LAYERS: expected layers before the classifier, as the file of weights has "
                f"none that fits, but got {', '.join(named or map(str, layers))}"
            ]
        )
    return rest


def find_layer(model: nn.Module, layer: str, key: str = SILENCED) -> Tap:
    """Returns the tap of `layer` ("s5", "s5/1" for a pathway, "head", any module) in reports.

    ConfigError about `key` if there is no such layer.
    """
    modules = dict(model.named_modules())
    auto = {tap.label for tap in family_of(model).layers(model)}
    base, _, pathway = layer.rpartition("/")
    name = base if base and pathway.isdecimal() and layer not in modules else layer
    if name not in auto:
        _check_module(model, name, key)
    (tap,) = make_taps(model, [name])
    return tap


def silenced_layers(cfg: CfgNode, model: nn.Module) -> dict[str, Tap]:
    """Returns {layer: its tap} of BIAS.ABLATION, in the order of the config; ConfigError."""
    found: dict[str, Tap] = {}
    auto = [tap.label for tap in family_of(model).layers(model)]
    key = f"{SILENCED}S" if cfg.BIAS.ABLATION.LAYERS else SILENCED
    for word in cfg.BIAS.ABLATION.LAYERS or [cfg.BIAS.ABLATION.LAYER]:
        names = fnmatch.filter(auto, word) if "*" in word else [word]
        if not names:
            raise ConfigError([f"{key}: expected a pattern of {', '.join(auto)}, but got {word!r}"])
        found |= {name: find_layer(model, name, key) for name in names}
    return found


def check_layers(cfg: CfgNode, model: nn.Module) -> None:
    """Raises before training what a measurement or silencing after it would raise of its layers."""
    if cfg.BIAS.ENABLE:
        configured_taps(cfg, model)
    if cfg.BIAS.ABLATION.ENABLE:
        silenced_layers(cfg, model)


def _check_module(model: nn.Module, name: str, key: str) -> None:
    try:
        find_module(model, name)
    except ValueError as error:
        raise ConfigError([f"{key}: {error}"]) from error
