"""X3D: SlowFast's stages with channel-wise convolutions; the head has a convolution of its own."""

from __future__ import annotations

from slowfast_bias.bias.origin import CNN
from slowfast_bias.host.own_networks import OwnNetwork
from slowfast_bias.models.families.family import Family
from slowfast_bias.models.families.heads import slowfast_head
from slowfast_bias.models.families.slowfast import (
    PLUMBING,
    conv_and_norm,
    has_stages,
    is_called,
    stage_taps,
)
from slowfast_bias.models.networks import x3d as network

FAMILY = Family(
    name="x3d",
    matches=lambda model: has_stages(model) and is_called(model, "X3D"),
    layers=stage_taps,
    head=slowfast_head,
    plumbing=PLUMBING,
    folds=conv_and_norm,
    model_names={"x3d": "X3D"},
    designs={"x3d": CNN},
    described_by={"width": "X3D.WIDTH_FACTOR", "depth": "X3D.DEPTH_FACTOR"},
    sized_by=("X3D.WIDTH_FACTOR", "X3D.DEPTH_FACTOR"),
    own=OwnNetwork("x3d", "X3D", network.X3D, network.ARGUMENTS, network.DEFAULTS, network.ONLY),
)
