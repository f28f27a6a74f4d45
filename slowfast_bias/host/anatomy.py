"""Names inside the hosts' networks: stages, blocks, the classifier and its dropout slot.

Both generations give their networks the same names, so this is one table for both. A list of
pathways is one module's output (``s5`` of SlowFast); the report tells pathways apart by a suffix.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import nn


class Head(NamedTuple):
    """Where the classifier sits.

    ``dropout`` is the slot whose input has channels last (B, T, H, W, C) or is (B, C), except for
    detection heads (boxes, C, 1, 1) and pytorchvideo heads (B, C, T, H, W).
    """

    path: str  # the head module
    projection: str  # its linear classifier
    dropout: str  # its dropout slot; the attribute is absent where DROPOUT_RATE is 0
    dropout_channels_last: bool


def find_head(model: nn.Module) -> Head:
    """The classifier of a host's network, by the names both generations use."""
    modules = dict(model.named_modules())
    if "head.projection" in modules:
        roi = type(modules["head"]).__name__ == "ResNetRoIHead"
        return Head("head", "head.projection", "head.dropout", not roi)
    blocks = [name for name in modules if name.startswith("model.blocks.") and name.count(".") == 2]
    if blocks and f"{blocks[-1]}.proj" in modules:
        return Head(blocks[-1], f"{blocks[-1]}.proj", f"{blocks[-1]}.dropout", False)
    raise ValueError(
        f"Expected a network with a classifier `head.projection` (SlowFast's models) or "
        f"`model.blocks[-1].proj` (pytorchvideo's), but {type(model).__name__} has "
        f"{', '.join(name for name, _ in model.named_children())}."
    )


def auto_layers(model: nn.Module) -> list[dict[str, Any]]:
    """Every stage or block and what the classifier sees, as keyword arguments of ``bias.Tap``.

    SlowFast's stages are read before the fusion that follows them, as the paper reads them; the
    class token of a transformer is left out of its blocks.
    """
    names = dict(model.named_children())
    if "blocks" in names:
        skip = int(bool(getattr(model, "cls_embed_on", False)))
        count = len(names["blocks"])
        kind = {"channels_last": True, "skip_tokens": skip}  # tokens (B, L, C)
        taps = [{"module": f"blocks.{i}", **kind} for i in range(count)]
    elif "s1" in names:
        taps = [{"module": name} for name in ("s1", "s2", "s3", "s4", "s5") if name in names]
    else:
        inner = [name for name, _ in model.named_modules() if name.startswith("model.blocks.")]
        blocks = [name for name in inner if name.count(".") == 2]
        taps = [{"module": name} for name in blocks[:-1]]  # the last block is the head
    head = find_head(model)
    seen = {"module": head.projection, "of": "input", "channels_last": True, "name": "head"}
    return [*taps, seen]
