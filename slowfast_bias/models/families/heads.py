"""Classifier heads: where their linear layer is, and how their dropout slot is shaped."""

from __future__ import annotations

from torch import nn

from slowfast_bias.models.families.family import Head

_CHANNELS_FIRST = ("ResNetRoIHead",)  # detection heads: (boxes, C, 1, 1)


# Patterns of what the bias of a classifier is called in a checkpoint, the surest first. A bare
# `proj` is one in pytorchvideo's list of blocks alone: others call their patches so.
CLASSIFIER_BIASES = (r"head\.projection\.bias", r"head\.proj\.bias", r"blocks\.\d+\.proj\.bias")


def find_classifier(head: nn.Module) -> tuple[str, nn.Linear] | None:
    """Returns (child name, its first linear layer) of a classifier head; None if it has none."""
    for name in ("projection", "proj"):  # SlowFast's heads, pytorchvideo's heads
        child = getattr(head, name, None)
        for module in child.modules() if isinstance(child, nn.Module) else ():
            if isinstance(module, nn.Linear):  # the first one of an MLP gets the features
                return name, module
    return None


def has_channels_last(head: nn.Module) -> bool:
    """Returns whether the dropout slot of a head gets (B, ..., C) instead of (B, C, ...)."""
    found = find_classifier(head)
    first = any(kind.__name__ in _CHANNELS_FIRST for kind in type(head).__mro__)
    return found is not None and found[0] == "projection" and not first


def slowfast_head(model: nn.Module) -> Head | None:
    """Returns the classifier of a network of SlowFast's own: `head.projection`."""
    head = dict(model.named_children()).get("head")
    if head is None or "projection" not in dict(head.named_children()):
        return None
    return Head("head", "head.projection", "head.dropout", has_channels_last(head))
