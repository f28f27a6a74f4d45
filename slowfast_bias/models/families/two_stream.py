"""Two-stream networks of masks: FusionSeg, MATNet with its variants, and RTNet of two sizes.

They are called with [image, flow], each (B, C, T, H, W), and give a `Segmentation` of logits. Rows
here differ in how a network is built and in what it was trained on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from slowfast_bias.bias.origin import TWO_STREAM
from slowfast_bias.bias.taps import Tap
from slowfast_bias.host.own_networks import OwnNetwork
from slowfast_bias.models.families.family import (
    SEGMENTATION,
    Family,
    Head,
    InputSpec,
    InputStream,
)
from slowfast_bias.models.segmentation import FusionSeg, MATNet, RTNet, Segmentation

FUSION, CROSSING = "BIAS.SEGMENTATION.FUSION", "BIAS.SEGMENTATION.CROSSING"
GATES, BOUNDARIES = "BIAS.SEGMENTATION.GATES", "BIAS.SEGMENTATION.BOUNDARIES"
TRUNK, WIDTH = "BIAS.SEGMENTATION.TRUNK", "BIAS.SEGMENTATION.WIDTH"
_VARIANT = {"fusion": FUSION, "crossing": CROSSING, "gates": GATES, "boundaries": BOUNDARIES}
_SIZE = {"trunk": TRUNK, "width": WIDTH}

_PICTURE, _FLOW = InputStream("rgb", 3), InputStream("flow", 3)
_TWO_FLOWS = InputStream("flow", 6)  # forward, then backward
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def _layers(model: nn.Module) -> list[Tap]:
    return [Tap(name, channels_last=False, skip_tokens=0) for name in model.layers]


def _no_head(model: nn.Module) -> Head | None:
    return None


def _logits(output: Segmentation) -> Tensor:
    return output.mask


def _scores(output: Segmentation) -> Tensor:
    """Returns the probability of foreground, (B, T, H, W)."""
    return output.mask.sigmoid()


def _call(model: nn.Module, inputs: Sequence[Tensor]) -> Segmentation:
    """Returns the masks of an image and its flow, or its flow forward and backward."""
    image, *flows = inputs
    return model([image, torch.cat(flows, 1) if len(flows) > 1 else flows[0]])


def _row(
    own: OwnNetwork,
    matches: Callable[[nn.Module], bool],
    spec: InputSpec,
    *described: str,
    decoder: str = "",
) -> Family:
    """Returns the row of a network; `described` are the arguments that reports name."""
    return Family(
        name=own.arch,
        matches=matches,
        layers=_layers,
        head=_no_head,
        call=_call,
        logits=_logits,
        scores=_scores,
        unread=lambda model: model.unread,
        task=SEGMENTATION,
        input_spec=spec,
        model_names={own.arch: own.model_name},
        designs={own.arch: TWO_STREAM},
        described_by={name: own.arguments[name] for name in described},
        sized_by=tuple(own.arguments.values()),
        own=own,
        decoder=decoder,
    )


def _rtnet(arch: str, name: str, trunk: str) -> Family:
    return _row(
        OwnNetwork(arch, name, functools.partial(RTNet, trunk), {"width": WIDTH}),
        lambda model: isinstance(model, RTNet) and model.has_bottlenecks == (trunk != "resnet34"),
        InputSpec((_PICTURE, _TWO_FLOWS), 2, (384, 672), _MEAN, _STD),
    )


FAMILIES = (
    _row(
        OwnNetwork("fusionseg", "FusionSeg", FusionSeg, _SIZE),
        lambda model: isinstance(model, FusionSeg),
        InputSpec((_PICTURE, _FLOW), None, (480, 854), _MEAN, _STD),
        decoder="classifier",
    ),
    _row(
        OwnNetwork("matnet", "MATNet", MATNet, _VARIANT | _SIZE),
        lambda model: isinstance(model, MATNet),
        InputSpec((_PICTURE, _FLOW), None, (473, 473), _MEAN, _STD),
        *_VARIANT,
        decoder="decoder",
    ),
    _rtnet("rtnet_r34", "RTNetR34", "resnet34"),
    _rtnet("rtnet_rx50", "RTNetRX50", "resnext50_32x4d"),
)
