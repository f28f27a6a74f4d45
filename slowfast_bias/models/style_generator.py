"""The image generator of Few-Shot-Patch-Based Training: turns a frame into a painting of it.

Texler et al., "Interactive Video Stylization Using Few-Shot Patch-Based Training" (SIGGRAPH 2020),
https://ondrejtexler.github.io/patch-based_training. Names and shapes of the weights are those of
the authors' network, so that a state_dict of theirs loads; nothing else comes from there.

    net = PatchGenerator.of(torch.load("style.pth", weights_only=True)).eval()
    styled = net.stylize(frames)        # (B, 3, H, W) in [0, 1], any H and W

Legend: B batch, C channels, H W space.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

NORMS = ("batch", "instance", "none")
_FIRST = "conv0.conv.weight"
_HOLDERS = ("state_dict", "model_state", "model_state_dict", "generator", "model", "params")


@dataclass(frozen=True)
class Shape:
    """What differs between such networks.

    Attributes:
        inputs: channels of a frame, 3; more if it was trained with guides beside the frame.
        stem: channels at full size.
        half: channels at half size.
        quarter: channels at a quarter, where the residual blocks are.
        up: channels on the way up.
        last: channels before the output.
        blocks: residual blocks.
        norm: "batch", "instance" or "none".
        bias: whether convolutions have biases (on the way up they never have).
        smooth: whether there are two more convolutions before the output.
        tanh: whether a tanh brings the output into [-1, 1], instead of clamping.
    """

    inputs: int = 3
    stem: int = 32
    half: int = 64
    quarter: int = 128
    up: int = 128
    last: int = 64
    blocks: int = 7
    norm: str = "batch"
    bias: bool = True
    smooth: bool = True
    tanh: bool = True

    @classmethod
    def of(cls, weights: Mapping[str, torch.Tensor], norm: str | None = None) -> Shape:
        """Returns the shape of the network with these weights.

        Args:
            weights: its state_dict.
            norm: "instance" or "none" if no normalisation has weights: the weights do not show it.
        """
        names = ("conv0.conv", "conv1.conv", "conv2.conv", "upconv2.1", "conv_11.0")
        try:
            stem, half, quarter, up, last = (weights[f"{name}.weight"].shape for name in names)
        except KeyError as error:
            raise ValueError(
                "Expected the weights of a generator of Few-Shot-Patch-Based Training, but there "
                f"is no {error} among {', '.join(list(weights)[:4])}, ..."
            ) from error
        for name, shape in zip(names, (stem, half, quarter, up, last), strict=True):
            if len(shape) != 4:
                raise ValueError(
                    f"Expected `{name}.weight` to be a convolution's, (out, in, H, W), but got "
                    f"{tuple(shape)}."
                )
        learnt = "conv0.normalization.weight" in weights
        if learnt == (norm in ("instance", "none")) or norm not in (None, *NORMS):
            raise ValueError(
                f"Expected `norm` to be {'batch, or not given' if learnt else 'instance or none'}, "
                f"as these weights have {'' if learnt else 'no '}learnt normalisation, but got "
                f"{norm!r}."
            )
        blocks = {m[1] for name in weights if (m := re.match(r"resnets\.(\d+)\.", name))}
        return cls(
            inputs=stem[1], stem=stem[0], half=half[0], quarter=quarter[0], up=up[0], last=last[0],
            blocks=len(blocks), norm=norm or "batch", bias="conv0.conv.bias" in weights,
            smooth="conv_11_a.0.weight" in weights, tanh="conv_12.0.weight" in weights,
        )  # fmt: skip


class PatchGenerator(nn.Module):
    """Two steps down, residual blocks, two steps up, with skip connections at every size."""

    def __init__(self, shape: Shape = Shape()) -> None:  # noqa: B008  frozen
        super().__init__()
        s = self.shape = shape
        leaky, bias, norm = nn.LeakyReLU(0.2), s.bias, s.norm
        self.conv0 = _down(s.inputs, s.stem, 7, 1, bias, norm, leaky)
        self.conv1 = _down(s.stem, s.half, 3, 2, bias, norm, leaky)
        self.conv2 = _down(s.half, s.quarter, 3, 2, bias, norm, leaky)
        self.resnets = nn.ModuleList(_residual(s.quarter, bias, norm) for _ in range(s.blocks))
        self.upconv2 = _up(2 * s.quarter, s.up, norm)
        self.upconv1 = _up(s.up + s.half, s.up, norm)
        everything = s.up + s.stem + s.inputs
        self.conv_11 = nn.Sequential(nn.Conv2d(everything, s.last, 7, 1, 3, bias=bias), nn.ReLU())
        if s.smooth:
            self.conv_11_a = nn.Sequential(
                nn.Conv2d(s.last, s.last, 3, 1, 1, bias=bias),
                nn.ReLU(),
                nn.BatchNorm2d(s.last),  # for every `norm`
                nn.Conv2d(s.last, s.last, 3, 1, 1, bias=bias),
                nn.ReLU(),
            )
        out = nn.Conv2d(s.last, 3, 1)
        self.conv_12 = nn.Sequential(out, nn.Tanh()) if s.tanh else out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns images (B, 3, H, W), about in [-1, 1].

        Args:
            x: (B, inputs, H, W) in [-1, 1]; H and W are multiples of 4.
        """
        full = self.conv0(x)
        half = self.conv1(full)
        quarter = deep = self.conv2(half)
        for block in self.resnets:
            deep = deep + block(deep)
        up = self.upconv2(torch.cat((deep, quarter), 1))
        up = self.upconv1(torch.cat((up, half), 1))
        up = self.conv_11(torch.cat((up, full, x), 1))
        if self.shape.smooth:
            up = self.conv_11_a(up)
        return self.conv_12(up)

    @torch.no_grad()
    def stylize(self, frames: torch.Tensor) -> torch.Tensor:
        """Returns styled frames for frames (B, 3, H, W), both in [0, 1] and of any size."""
        height, width = frames.shape[-2:]
        room = (0, -width % 4, 0, -height % 4)
        padded = F.pad(frames * 2 - 1, room, mode="replicate")
        return (self(padded).clamp(-1, 1)[..., :height, :width] + 1) / 2

    @classmethod
    def of(cls, checkpoint: Mapping[str, object], norm: str | None = None) -> PatchGenerator:
        """Returns the network with the weights of a state_dict, or of a dict that holds one.

        Args:
            checkpoint: as `torch.load` returned it.
            norm: "instance" or "none" if no normalisation has weights.
        """
        weights = find_weights(checkpoint)
        network = cls(Shape.of(weights, norm))
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(
                f"Expected the weights of a network of {network.shape}, but: {error}"
            ) from error
        return network


def find_weights(checkpoint: object) -> dict[str, torch.Tensor]:
    """Returns the state_dict that a checkpoint is or holds, without a prefix of all its names.

    Such as `module.` of DataParallel, or `generator.` if a whole trainer was saved: then weights
    with another prefix are left out.
    """
    if isinstance(checkpoint, Mapping):
        weights = {str(k): x for k, x in checkpoint.items() if isinstance(x, torch.Tensor)}
        first = next((name for name in weights if name.endswith(_FIRST)), None)
        if first is not None:
            prefix = first.removesuffix(_FIRST)
            return {k.removeprefix(prefix): x for k, x in weights.items() if k.startswith(prefix)}
        for key in _HOLDERS:
            if isinstance(checkpoint.get(key), Mapping):
                return find_weights(checkpoint[key])
        if weights:
            return weights
    what = list(checkpoint)[:6] if isinstance(checkpoint, Mapping) else type(checkpoint).__name__
    raise ValueError(
        f"Expected a state_dict, or a dict that holds one under {', '.join(_HOLDERS)}, but got "
        f"{what}."
    )


def _norm(kind: str, channels: int) -> dict[str, nn.Module]:
    kinds = {"batch": nn.BatchNorm2d, "instance": nn.InstanceNorm2d}
    return {"normalization": kinds[kind](channels)} if kind in kinds else {}


def _down(
    inside: int, out: int, size: int, stride: int, bias: bool, norm: str, act: nn.Module
) -> nn.Sequential:
    conv = nn.Conv2d(inside, out, size, stride, size // 2, bias=bias)
    return nn.Sequential(OrderedDict(conv=conv, **_norm(norm, out), nonlinearity=act))


def _residual(channels: int, bias: bool, norm: str) -> nn.Sequential:
    first, second = (nn.Conv2d(channels, channels, 3, 1, 1, bias=bias) for _ in range(2))
    parts = {"nonlinearity_0": nn.ReLU(), "conv_0": first, **_norm(norm, channels)}
    return nn.Sequential(OrderedDict(**parts, nonlinearity_1=nn.ReLU(), conv_1=second))


def _up(inside: int, out: int, norm: str) -> nn.Sequential:
    conv = nn.Conv2d(inside, out, 3, 1, 1, bias=False)
    return nn.Sequential(nn.Upsample(scale_factor=2), conv, *_norm(norm, out).values(), nn.ReLU())
