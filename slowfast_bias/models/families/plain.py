"""Any other torch network: it is called with its inputs, and its layers have to be named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from slowfast_bias.bias.taps import Tap
from slowfast_bias.models.families.family import Family, Head
from slowfast_bias.models.families.heads import find_classifier, has_channels_last
from slowfast_bias.models.families.slowfast import PLUMBING


def _call(model: nn.Module, inputs: Sequence[Tensor]) -> Any:
    return model(*inputs)


def _head(model: nn.Module) -> Head | None:
    head = dict(model.named_children()).get("head")
    found = find_classifier(head) if head is not None else None
    if found is None:
        return None
    return Head("head", f"head.{found[0]}", "head.dropout", has_channels_last(head))


def _layers(model: nn.Module) -> list[Tap]:
    parts = ", ".join(name for name, _ in model.named_children()) or "no modules"
    raise ValueError(
        f"Expected a network whose layers are known, or their names in BIAS.LAYERS: "
        f"{type(model).__name__} is of no kind that is known here. It has {parts}."
    )


FAMILY = Family(
    name="plain",
    matches=lambda model: True,
    layers=_layers,
    head=_head,
    call=_call,
    plumbing=PLUMBING,
)
