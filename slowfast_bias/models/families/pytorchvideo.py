"""pytorchvideo's networks inside SlowFast's wrappers: `model.blocks`, the last one the head."""

from __future__ import annotations

from torch import nn

from slowfast_bias.bias.taps import Tap
from slowfast_bias.models.families.family import Family, Head, head_tap, token_taps


def _blocks(model: nn.Module) -> list[str]:
    names = [name for name, _ in model.named_modules() if name.startswith("model.blocks.")]
    return [name for name in names if name.count(".") == 2]


def _head(model: nn.Module) -> Head | None:
    modules = dict(model.named_modules())
    if "model.head.proj" in modules:  # its MViT
        return Head("model.head", "model.head.proj", "model.head.dropout", True)
    blocks = _blocks(model)
    if blocks and f"{blocks[-1]}.proj" in modules:
        return Head(blocks[-1], f"{blocks[-1]}.proj", f"{blocks[-1]}.dropout", False)
    return None


def _layers(model: nn.Module) -> list[Tap]:
    head = _head(model)
    if head.path == "model.head":
        inner = model.get_submodule("model")
        encoding = getattr(inner, "cls_positional_encoding", None)
        has_class_token = getattr(encoding, "cls_embed_on", False)
        taps = token_taps("model.blocks", len(inner.blocks), has_class_token)
    else:
        taps = [Tap(name, channels_last=False, skip_tokens=0) for name in _blocks(model)[:-1]]
    return [*taps, head_tap(head)]


FAMILY = Family(
    name="pytorchvideo",
    matches=lambda model: _head(model) is not None,
    layers=_layers,
    head=_head,
    prefix="PTV",
    capability="ptv",
)
