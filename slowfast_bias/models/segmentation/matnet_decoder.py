"""MATNet's decoder: from the fused stages, coarse to fine, to one mask; boundaries first.

Each stage's boundary map is one more channel of what the mask is made of. Names are those of the
authors' file; some modules of it are never run.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slowfast_bias.models.segmentation.maps import enlarge
from slowfast_bias.models.segmentation.two_stream import STAGES, Segmentation, freeze

_BOUNDARY_WIDTH = 64
_LONG = 7
_DILATIONS = (3, 5, 7)  # only the first is run, three times over


class Decoder(nn.Module):
    """Masks of the fused stages.

    Args:
        fused: channels of the stages 2 to 5.
        width: channels inside.
        boundaries: whether to find boundaries.
    """

    def __init__(self, fused: Sequence[int], width: int, boundaries: bool = True) -> None:
        super().__init__()
        inside = [channels + boundaries for channels in fused]
        self.boundaries = boundaries
        self.GC = Cross(inside[3], width)
        self.convG1, self.convG2 = _conv(width, width), _conv(width, width)
        for stage in (4, 3, 2):
            self.add_module(f"RF{stage}", Refine(inside[stage - 2], width))
        for stage in STAGES:
            self.add_module(f"pred{stage}", _conv(width, 1))
        freeze(self.pred5, self.pred4, self.pred3)
        if boundaries:
            self.concat = _conv(len(STAGES), 1)
            for stage, channels in zip(STAGES, fused, strict=True):
                self.add_module(f"bdry{stage}", Boundary(channels))
        self.apply(_start)

    def forward(self, fused: Sequence[Tensor], size: Sequence[int]) -> Segmentation:
        """Returns logits (N, 1, H, W) and, in training, of boundaries (N, 5, H, W).

        The boundaries are those of all stages together, then of the stages 2 to 5.

        Args:
            fused: the stages 2 to 5.
            size: H and W.
        """
        found = None
        if self.boundaries:
            maps = [self.get_submodule(f"bdry{s}")(x) for s, x in zip(STAGES, fused, strict=True)]
            fused = [torch.cat(pair, 1) for pair in zip(fused, maps, strict=True)]
            if self.training:
                large = torch.cat([enlarge(x, size) for x in maps], 1)
                found = torch.cat([self.concat(large), large], 1)
        return Segmentation(enlarge(self._mask(*fused), size), found)

    def _mask(self, two: Tensor, three: Tensor, four: Tensor, five: Tensor) -> Tensor:
        x = self.GC(five)
        x = x + self.convG2(F.relu(self.convG1(F.relu(x))))
        x = self.RF2(two, self.RF3(three, self.RF4(four, x)))
        return self.pred2(F.relu(x))

    def unread(self) -> Iterator[str]:
        """Yields the names of the weights that no forward reads and some files lack."""
        for stage in (4, 3, 2):
            refine: Refine = self.get_submodule(f"RF{stage}")
            yield from (f"RF{stage}.{name}" for name in refine.unread())


class Cross(nn.Module):
    """Long thin kernels, tall then wide and wide then tall, added."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        tall, wide = ((_LONG, 1), (1, _LONG))
        self.conv_l1, self.conv_l2 = _conv(inside, outside, tall), _conv(outside, outside, wide)
        self.conv_r1, self.conv_r2 = _conv(inside, outside, wide), _conv(outside, outside, tall)

    def forward(self, x: Tensor) -> Tensor:
        """Returns (N, C', H, W)."""
        return self.conv_l2(self.conv_l1(x)) + self.conv_r2(self.conv_r1(x))


class Refine(nn.Module):
    """What is known so far, enlarged, and a stage of the encoder."""

    def __init__(self, inside: int, width: int) -> None:
        super().__init__()
        self.pdc = Pyramid(inside, width // 4)
        self.convFS1 = _conv(inside, width)
        self.convFS2, self.convFS3 = _conv(width, width), _conv(width, width)
        self.convMM1, self.convMM2 = _conv(width, width), _conv(width, width)
        freeze(self.convFS1)

    def forward(self, stage: Tensor, known: Tensor) -> Tensor:
        """Returns (N, width, h, w) of a stage (N, C, h, w)."""
        x = self.pdc(stage)
        x = x + self.convFS3(F.relu(self.convFS2(F.relu(x))))
        x = x + enlarge(known, x.shape[2:])
        return x + self.convMM2(F.relu(self.convMM1(F.relu(x))))

    def unread(self) -> Iterator[str]:
        """Yields the names of the weights that no forward reads."""
        for part in ("convFS1", "pdc.block2.conv", "pdc.block3.conv"):
            yield from (f"{part}.weight", f"{part}.bias")


class Pyramid(nn.Module):
    """One convolution of a pixel, and one with holes, side by side: the latter three times.

    The authors meant three dilations; their networks were trained with the first in all places.
    """

    def __init__(self, inside: int, width: int) -> None:
        super().__init__()
        self.block0 = _conv(inside, width, (1, 1))
        for number, dilation in enumerate(_DILATIONS, start=1):
            conv = _conv(inside, width, dilation=dilation)
            self.add_module(f"block{number}", nn.Sequential(OrderedDict(conv=conv)))
        self.bn = nn.BatchNorm2d(4 * width)
        freeze(self.block2, self.block3)

    def forward(self, x: Tensor) -> Tensor:
        """Returns (N, 4 * width, h, w)."""
        holes = self.block1(x)
        return self.bn(torch.cat([self.block0(x), holes, holes, holes], 1))


class Boundary(nn.Module):
    """One boundary map of a stage."""

    def __init__(self, inside: int, width: int = _BOUNDARY_WIDTH) -> None:
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inside), _conv(inside, width)
        self.bn2, self.conv2 = nn.BatchNorm2d(width), _conv(width, width)
        self.conv3 = _conv(width, 1, (1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits (N, 1, h, w)."""
        x = F.relu(self.conv1(self.bn1(x)))
        return self.conv3(F.relu(self.conv2(self.bn2(x))))


def _conv(
    inside: int, outside: int, kernel: tuple[int, int] = (3, 3), dilation: int = 1
) -> nn.Conv2d:
    padding = tuple(dilation * (k // 2) for k in kernel)
    return nn.Conv2d(inside, outside, kernel, padding=padding, dilation=dilation)


def _start(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, std=0.001)
        nn.init.zeros_(module.bias)
