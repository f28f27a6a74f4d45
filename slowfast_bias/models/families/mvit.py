"""MViT, SlowFast main's or our own: blocks of tokens, the class token first where there is one."""

from __future__ import annotations

from torch import nn

from slowfast_bias.bias.origin import TRANSFORMER
from slowfast_bias.bias.taps import Tap
from slowfast_bias.host.own_networks import OwnNetwork
from slowfast_bias.models.families.family import Family, head_tap, token_taps
from slowfast_bias.models.families.heads import slowfast_head
from slowfast_bias.models.networks import mvit as network


def _matches(model: nn.Module) -> bool:
    return "blocks" in dict(model.named_children()) and slowfast_head(model) is not None


def _layers(model: nn.Module) -> list[Tap]:
    taps = token_taps("blocks", len(model.blocks), getattr(model, "cls_embed_on", False))
    return [*taps, head_tap(slowfast_head(model))]


FAMILY = Family(
    name="mvit",
    matches=_matches,
    layers=_layers,
    head=slowfast_head,
    model_names={"mvit": "MViT"},
    designs={"mvit": TRANSFORMER},
    described_by={"depth": "MVIT.DEPTH"},
    sized_by=("MVIT.DEPTH", "MVIT.EMBED_DIM", "MVIT.REL_POS_SPATIAL"),
    one_size=True,
    own=OwnNetwork("mvit", "MViT", network.MViT, network.ARGUMENTS, network.DEFAULTS, network.ONLY),
)
