"""Kinds of networks: one frozen row each, asked for by a network or by a config's names.

family = family_of(model)
output = family.call(model, inputs)
family.layers(model); family.head(model)
"""

from __future__ import annotations

from torch import Tensor, nn

from slowfast_bias.models.families import (
    huggingface,
    inception_i3d,
    mvit,
    plain,
    pytorchvideo,
    slowfast,
    two_stream,
    x3d,
)
from slowfast_bias.models.families.family import Family, Head, head_tap
from slowfast_bias.models.families.heads import find_classifier, has_channels_last

__all__ = [
    "FAMILIES",
    "Family",
    "Head",
    "OneArgument",
    "canonical_names",
    "classifier_of",
    "classifier_weight",
    "design_named",
    "family_named",
    "family_of",
    "find_classifier",
    "has_channels_last",
    "head_tap",
]

# In the order in which a network is compared with them; the last one takes any.
FAMILIES: list[Family] = [
    huggingface.FAMILY,
    slowfast.FAMILY,
    x3d.FAMILY,
    mvit.FAMILY,
    pytorchvideo.FAMILY,
    inception_i3d.FAMILY,
    *two_stream.FAMILIES,
    plain.FAMILY,
]

# What a config calls a network -> the name that both hosts build it by here. The release's names,
# and one of a class that main no longer has: networks without pooling over time.
_ARCH_NAMES = {"slowonly": "slow", "c2d_nopool": "slow_c2d", "i3d_nopool": "slow_i3d"}
_WITHOUT_POOLING = {"c2d": "slow_c2d", "i3d": "slow_i3d"}


def family_of(model: nn.Module) -> Family:
    """Returns the kind of a network, which must not be wrapped for several processes."""
    return next(family for family in FAMILIES if family.matches(model))


def classifier_of(model: nn.Module) -> Head:
    """Returns where the classifier of a network is; ValueError if it has none that is known."""
    head = family_of(model).head(model)
    if head is None:
        raise ValueError(
            f"Expected a network with a classifier `head.projection` (SlowFast's models) or "
            f"`model.blocks[-1].proj` (pytorchvideo's), but {type(model).__name__} has "
            f"{', '.join(name for name, _ in model.named_children())}."
        )
    return head


def classifier_weight(model: nn.Module) -> Tensor | None:
    """Returns the weights (classes, C) of a network's classifier; None without a linear one."""
    head = family_of(model).head(model)
    found = head and find_classifier(model.get_submodule(head.path))
    return found[1].weight.detach() if found else None


def family_named(model_name: str) -> Family | None:
    """Returns the kind of network that MODEL.MODEL_NAME stands for; None if no kind has it."""
    for family in FAMILIES:
        if family.prefix and model_name.startswith(family.prefix):
            return family
        if model_name in family.model_names.values():
            return family
    return None


def design_named(arch: str, model_name: str) -> str:
    """Returns the design of the network that a config names, one of DESIGNS; "" if not known."""
    named = family_named(model_name)
    families = FAMILIES if named is None else [named, *FAMILIES]  # PTV ones by their ARCH alone
    return next((x.designs[arch] for x in families if arch in x.designs), "")


def canonical_names(arch: str, model_name: str, is_given: bool) -> tuple[str, str]:
    """Returns one ARCH and MODEL_NAME for what either host generation calls a network.

    Args:
        arch: MODEL.ARCH of a config.
        model_name: its MODEL.MODEL_NAME.
        is_given: whether the config says so; else the name follows from the architecture.
    """
    arch = _ARCH_NAMES.get(arch, arch)
    if model_name == "ResNet_nopool":
        return _WITHOUT_POOLING.get(arch, arch), "ResNet"
    if not is_given:
        known = (family.model_names[arch] for family in FAMILIES if arch in family.model_names)
        return arch, next(known, "ResNet")
    family = family_named(model_name)
    if family is not None and len(family.model_names) == 1:
        return next(iter(family.model_names)), model_name  # some files of main have another ARCH
    return arch, model_name


class OneArgument(nn.Module):
    """A network as a module of one argument, its inputs, for code that calls it that way."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model, self._family = model, family_of(model)

    def forward(self, inputs: list) -> object:
        """Returns what the network makes of `inputs`."""
        return self._family.call(self.model, inputs)
