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
    if "model.head.proj" in modules:  # pytorchvideo's MViT
        return Head("model.head", "model.head.proj", "model.head.dropout", True)
    blocks = _ptv_blocks(model)
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
    children = dict(model.named_children())
    head = find_head(model)
    if "s1" in children:
        taps = [{"module": name} for name in ("s1", "s2", "s3", "s4", "s5") if name in children]
    elif "blocks" in children:
        taps = _token_taps("blocks", len(children["blocks"]), getattr(model, "cls_embed_on", False))
    elif head.path == "model.head":
        inner = model.get_submodule("model")
        encoding = getattr(inner, "cls_positional_encoding", None)
        has_class_token = getattr(encoding, "cls_embed_on", False)
        taps = _token_taps("model.blocks", len(inner.blocks), has_class_token)
    else:
        taps = [{"module": name} for name in _ptv_blocks(model)[:-1]]  # the last one is the head
    seen = {"module": head.projection, "of": "input", "channels_last": True, "name": "head"}
    return [*taps, seen]


def _token_taps(blocks: str, count: int, has_class_token: bool) -> list[dict[str, Any]]:
    """Blocks of a transformer, whose outputs are tokens (B, L, C), the class token first."""
    kind = {"channels_last": True, "skip_tokens": int(bool(has_class_token))}
    return [{"module": f"{blocks}.{i}", **kind} for i in range(count)]


def _ptv_blocks(model: nn.Module) -> list[str]:
    names = [name for name, _ in model.named_modules() if name.startswith("model.blocks.")]
    return [name for name in names if name.count(".") == 2]
