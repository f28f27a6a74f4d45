"""Networks for SlowFast's registry: this project's own, and every kind with StaticDropout in it.

MODEL.MODEL_NAME `StaticDropoutResNet` is the host's own `ResNet` with BIAS.STATIC_DROPOUT in the
dropout slot of its classifier; with BIAS.STATIC_DROPOUT.ENABLE False it is that `ResNet`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fvcore.common.config import CfgNode
from fvcore.common.registry import Registry
from torch import nn

from slowfast_bias.config import ConfigError
from slowfast_bias.config.lookup import lookup
from slowfast_bias.errors import PluginError
from slowfast_bias.host.own_networks import Description, OwnNetwork
from slowfast_bias.models.families import FAMILIES
from slowfast_bias.plugin.names import STATIC_DROPOUT
from slowfast_bias.plugin.self_debiasing import SelfDebiasing

_COLOURS = ("DATA.MEAN", "DATA.STD")  # other values are possible, but never meant


def register_networks(registry: Registry) -> None:
    """Adds to MODEL_REGISTRY what it lacks: each own network, and StaticDropout in each kind."""
    for name, own in _kinds():
        if name not in registry and own is not None:
            _add(registry, name, _from_config(own))
        if name not in registry:
            continue  # a fork without this kind
        network = own.build if own is not None and _is_ours(registry, name) else registry.get(name)
        if isinstance(network, type):
            _add(registry, STATIC_DROPOUT + name, _with_static_dropout(network, own))


def _kinds() -> Iterator[tuple[str, OwnNetwork | None]]:
    """Yields every MODEL.MODEL_NAME that a kind of network has, and our own network of it."""
    for family in FAMILIES:
        for name in dict.fromkeys(family.model_names.values()):
            yield name, family.own


def _add(registry: Registry, name: str, network: Callable[[CfgNode], nn.Module]) -> None:
    """Registers what `name` stands for, once; PluginError if something else has the name."""
    if name not in registry:
        network.__name__ = network.__qualname__ = name  # what a registry goes by
        registry.register(network)
    elif not _is_ours(registry, name):
        raise PluginError(
            f"Expected no network {name} of another make in SlowFast's MODEL_REGISTRY, but it has "
            f"{registry.get(name)!r}. Give that network another name."
        )


def _is_ours(registry: Registry, name: str) -> bool:
    return getattr(registry.get(name), "__module__", "") in (__name__, SelfDebiasing.__module__)


def _from_config(own: OwnNetwork) -> Callable[[CfgNode], nn.Module]:
    """Returns a function from a config to a network of this project."""

    def build(cfg: CfgNode) -> nn.Module:
        check_own(own, cfg)
        return own.build_from(cfg)

    return build


def _with_static_dropout(network: type, own: OwnNetwork | None) -> type:
    """Returns the class of a network that keeps its own static scores."""

    def init(self: Any, cfg: CfgNode) -> None:
        if own is not None and network is own.build:
            check_own(own, cfg)
            network.__init__(self, **own.arguments_from(cfg))
        else:
            network.__init__(self, cfg)
        self.attach_static_dropout(cfg)

    members = {"__init__": init, "__module__": __name__, "__doc__": network.__doc__}
    return type(STATIC_DROPOUT + network.__name__, (SelfDebiasing, network), members)


def check_own(own: OwnNetwork, cfg: CfgNode) -> None:
    """Raises ConfigError if SlowFast's config does not describe the network as its files do.

    Our own command takes over what they say; SlowFast's loop reads its config alone.
    """
    problems = list(own.problems(cfg))
    if missing := own.missing():
        problems.append(f"MODEL.MODEL_NAME {own.model_name}: {missing}")
    else:
        problems += _against_files(own.description(cfg), cfg)
    if problems:
        raise ConfigError(problems)


def _against_files(description: Description, cfg: CfgNode) -> Iterator[str]:
    for key in (*description.fixed, *_COLOURS):
        said, given = description.values.get(key), lookup(cfg, key)
        if said is not None and not _is_same(given, said):
            yield (
                f"{key}: expected {said}, which {description.source} says, but got {given}; "
                f"SlowFast's loop reads its config alone, so set {key}"
            )


def _is_same(given: Any, said: Any) -> bool:
    many = isinstance(given, (list, tuple)) and isinstance(said, (list, tuple))
    return list(given) == list(said) if many else given == said
