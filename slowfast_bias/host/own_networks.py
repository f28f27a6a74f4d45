"""Networks of this project's own, offered to a host that has none of that name.

The package adds them (`add_networks`), as their classes live floors above; a host reads the list
when it is loaded. A network takes plain arguments; which config key each of them is, is data.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fvcore.common.config import CfgNode
from torch import nn


@dataclass(frozen=True)
class Description:
    """What a network's own files say of it.

    Attributes:
        source: the file that says so, for messages.
        values: {config key: value}, taken unless a config gives another one.
        fixed: keys among them that the network can have no other value of.
        notes: what a reader of reports must know of it, in sentences.
    """

    source: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    fixed: Collection[str] = ()
    notes: Collection[str] = ()


@dataclass(frozen=True)
class OwnNetwork:
    """How a network is built from a config.

    Attributes:
        arch: its MODEL.ARCH.
        model_name: its MODEL.MODEL_NAME.
        build: called with plain arguments, returns the network on the CPU.
        arguments: {argument of `build`: config key}.
        defaults: {config key: default} of SlowFast's own keys that a host may lack.
        only: {config key: the values that this implementation can do}.
        missing: says what has to be installed first, in a sentence; "" if nothing.
        describe: what files that a config names say of the network, from the config's values of
            `described_by`; raises UserError if they cannot be read.
        published: where the weights are that come with such files, from the same values; "" if
            there are none. They are measured and tested if a config names no other.
        described_by: {argument of `describe` and `published`: config key}.
    """

    arch: str
    model_name: str
    build: Callable[..., nn.Module]
    arguments: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    only: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    missing: Callable[[], str] = lambda: ""
    describe: Callable[..., Description] | None = None
    published: Callable[..., str] | None = None
    described_by: Mapping[str, str] = field(default_factory=dict)

    def build_from(self, cfg: CfgNode) -> nn.Module:
        """Returns the network that a config describes."""
        return self.build(**self.arguments_from(cfg))

    def arguments_from(self, cfg: CfgNode) -> dict[str, Any]:
        """Returns the arguments of `build` that a config describes."""
        return {name: _value(cfg, key) for name, key in self.arguments.items()}

    def description(self, cfg: CfgNode) -> Description:
        """Returns what files that a config names say of the network."""
        return self.describe(**self._files(cfg)) if self.describe is not None else Description()

    def weights(self, cfg: CfgNode) -> str:
        """Returns where the weights are that come with these files; "" if there are none."""
        return self.published(**self._files(cfg)) if self.published is not None else ""

    def _files(self, cfg: CfgNode) -> dict[str, Any]:
        return {name: _value(cfg, key) for name, key in self.described_by.items()}

    def problems(self, cfg: CfgNode) -> Iterator[str]:
        """Yields what this implementation cannot do of a config, one sentence each."""
        for key, values in self.only.items():
            if (value := _value(cfg, key)) not in values:
                yield (
                    f"{key} {value}: this project's {self.model_name} has only "
                    f"{' or '.join(map(str, values))}"
                )

    def complete(self, cfg: CfgNode) -> None:
        """Adds the keys that a host's defaults lack, in place."""
        for key, default in self.defaults.items():
            *sections, name = key.split(".")
            node = cfg
            for section in sections:
                node = node.setdefault(section, CfgNode())
            node.setdefault(name, copy.deepcopy(default))


_NETWORKS: dict[str, OwnNetwork] = {}


def add_networks(networks: Iterable[OwnNetwork]) -> None:
    """Adds networks by their MODEL.ARCH, before the host is used for the first time."""
    _NETWORKS.update((network.arch, network) for network in networks)


def lacking(capabilities: Collection[str]) -> dict[str, OwnNetwork]:
    """Returns {MODEL.ARCH: network} of those that a host with these capabilities lacks."""
    return {arch: own for arch, own in _NETWORKS.items() if arch not in capabilities}


def _value(cfg: CfgNode, key: str) -> Any:
    node: Any = cfg
    for part in key.split("."):
        node = node[part]
    return node
