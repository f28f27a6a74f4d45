"""Parameterisation: the numbers that are optimised, and the scene that they stand for.

`fourier`: 3D Fourier coefficients, scaled by 1 / spatial frequency, so that large patterns come
first; frequencies in time are all alike, as a prior on them would make every unit slow. `pixels`:
the values themselves. Both pass through a sigmoid, so that colours are in [0, 1]; flow is kept
inside the wheel's disc. A row that is frozen has one frame, repeated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

KINDS = ("fourier", "pixels")
_NOISE = 0.01  # deviation of what is optimised at the start: near grey
_NO_GRADIENT = 1e-30
_IMAGE, _FLOW = 0, 2  # tell the draws of one seed apart


@dataclass(frozen=True)
class Canvas:
    """The size of a scene.

    Attributes:
        frames: T.
        height: H.
        width: W.
        flow: whether it has a flow beside its clip.
    """

    frames: int
    height: int
    width: int
    flow: bool = False


class Variables:
    """What is optimised for B rows.

    Attributes:
        tensors: the leaves with gradients, one per stream of the scene.
    """

    def __init__(
        self,
        canvas: Canvas,
        seeds: Sequence[int],
        frozen: Sequence[bool],
        kind: str = "fourier",
        device: torch.device | str = "cpu",
    ) -> None:
        """Draws the start.

        Args:
            canvas: the size.
            seeds: (B,) each row's start follows from its seed alone.
            frozen: (B,) whether nothing moves in a row.
            kind: one of KINDS.
            device: where the scene shall be.
        """
        self.canvas, self.kind = canvas, kind
        self._still = torch.tensor(list(frozen), device=device).view(-1, 1, 1, 1, 1)
        self._scale = _decay(canvas).to(device)
        # one coefficient a place is left: it must move a frame as far as all of them together do
        self._gain = math.sqrt(canvas.frames) if kind == "fourier" else 1.0
        streams = [(_IMAGE, 3), *([(_FLOW, 2)] if canvas.flow else [])]
        self.tensors = [
            self._start(seeds, stream, channels).to(device).requires_grad_()
            for stream, channels in streams
        ]

    def scene(self) -> list[Tensor]:
        """Returns the scene that the numbers stand for, with its gradient."""
        image, *flow = (self._field(x) for x in self.tensors)
        frozen = self._gain * image.mean(2, keepdim=True).expand_as(image)
        clips = torch.sigmoid(torch.where(self._still, frozen, image))
        return [clips, *(torch.where(self._still, 0.0, inside_disc(x)) for x in flow)]

    def copy(self) -> list[Tensor]:
        """Returns the numbers as they are now."""
        return [x.detach().clone() for x in self.tensors]

    def restore(self, numbers: Sequence[Tensor]) -> None:
        """Sets the numbers to those of an earlier `copy`."""
        with torch.no_grad():
            for mine, kept in zip(self.tensors, numbers, strict=True):
                mine.copy_(kept)

    def balance_gradients(self) -> None:
        """Divides the gradients of each row by their root mean square, over all streams alike.

        Numbers without any gradient do not count: of a frozen row those of frequencies in time.
        """
        found = torch.cat([x.grad.flatten(1) for x in self.tensors if x.grad is not None], 1)
        count = found.count_nonzero(1).clamp(min=1)
        sizes = (found.square().sum(1) / count).sqrt().clamp(min=_NO_GRADIENT)
        for x in self.tensors:
            if x.grad is not None:
                x.grad.div_(sizes.view(-1, *[1] * (x.ndim - 1)))

    def _start(self, seeds: Sequence[int], stream: int, channels: int) -> Tensor:
        size = (channels, self.canvas.frames, self.canvas.height, self.canvas.width)
        if self.kind == "fourier":
            size = (*size[:-1], self.canvas.width // 2 + 1, 2)
        drawn = [torch.randn(size, generator=generator_of(seed, stream)) for seed in seeds]
        return _NOISE * torch.stack(drawn)

    def _field(self, numbers: Tensor) -> Tensor:
        if self.kind == "pixels":
            return numbers
        size = (self.canvas.frames, self.canvas.height, self.canvas.width)
        spectrum = torch.view_as_complex(numbers) * self._scale
        return torch.fft.irfftn(spectrum, s=size, dim=(-3, -2, -1), norm="ortho")


def generator_of(seed: int, stream: int) -> torch.Generator:
    """Returns the random stream of a seed, on the CPU, so that every device draws the same."""
    return torch.Generator().manual_seed(seed * 8 + stream)


def inside_disc(field: Tensor) -> Tensor:
    """Returns vectors (B, 2, ...) of any length as vectors shorter than 1."""
    return field / (1 + field.square().sum(1, keepdim=True)).sqrt()


def _decay(canvas: Canvas) -> Tensor:
    """Returns 1 / spatial frequency, (H, W // 2 + 1), at most the longer side; 1 on average.

    So a step of Adam moves the pixels of a field of any size by about its rate.
    """
    across, down = torch.fft.rfftfreq(canvas.width), torch.fft.fftfreq(canvas.height)
    frequency = (across[None] ** 2 + down[:, None] ** 2).sqrt()
    decay = 1 / frequency.clamp(min=1 / max(canvas.height, canvas.width))
    return decay / decay.square().mean().sqrt()
