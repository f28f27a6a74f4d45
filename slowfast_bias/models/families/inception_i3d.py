"""Inception I3D: three convolutions, nine stages of four branches each, then `head`."""

from __future__ import annotations

from torch import nn

from slowfast_bias.bias.origin import CNN
from slowfast_bias.bias.taps import Tap
from slowfast_bias.host.own_networks import OwnNetwork
from slowfast_bias.models.families.family import Family, head_tap
from slowfast_bias.models.families.heads import slowfast_head
from slowfast_bias.models.networks.inception_i3d import WIDTHS, InceptionI3D, Unit

_LAYERS = ("Conv3d_1a_7x7", "Conv3d_2c_3x3", *(f"Mixed_{stage}" for stage in WIDTHS))


def _layers(model: nn.Module) -> list[Tap]:
    taps = [Tap(name, channels_last=False, skip_tokens=0) for name in _LAYERS]
    return [*taps, head_tap(slowfast_head(model))]


def _folds(module: nn.Module) -> list[tuple[str, str]]:
    return [("conv3d", "bn")] if isinstance(module, Unit) else []


# No plumbing: the first kernel covers seven frames, so there is no prefix of single frames, and the
# branches of a stage do not run one after the other.
FAMILY = Family(
    name="inception_i3d",
    matches=lambda model: isinstance(model, InceptionI3D),
    layers=_layers,
    head=slowfast_head,
    folds=_folds,
    model_names={"inception_i3d": "InceptionI3D"},
    designs={"inception_i3d": CNN},
    own=OwnNetwork(
        arch="inception_i3d",
        model_name="InceptionI3D",
        build=InceptionI3D,
        arguments={"num_classes": "MODEL.NUM_CLASSES", "dropout": "MODEL.DROPOUT_RATE"},
        only={
            "DATA.INPUT_CHANNEL_NUM": ([3],),
            "MODEL.HEAD_ACT": ("softmax",),
            "BN.NORM_TYPE": ("batchnorm", "sync_batchnorm"),
        },
    ),
)
