"""Truth: what a segmentation of a frame is compared with, and several of them in a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

NO_BOX = (float("nan"),) * 4


class Truth(NamedTuple):
    """The truth of one frame.

    Attributes:
        mask: uint8 (H, W): 1 inside the object. In training of the network's size, else of the
            picture's own. Of no pixels if there is none. Toy worlds of cues in conflict: 2 inside
            the object that only its colour shows, 1 inside the one that only its motion shows.
        box: x, y of one corner and of the opposite one, in the picture's pixels; NaN if none.
        size: height and width of the picture in its file.
        sequence: its name.
        frame: the frame's position in it.
        length: the number of its frames.
        name: of the frame, that of its picture's file without the ending.
        others: uint8 (T - 1, H, W): in training the masks of the clip's other frames, as `mask`; of
            no pixels if there are none.
        weights: of the pixels in training, float32 (T, H, W); of no pixels if all weigh 1.
    """

    mask: torch.Tensor
    box: tuple[float, float, float, float]
    size: tuple[int, int]
    sequence: str
    frame: int
    length: int
    name: str
    others: torch.Tensor = torch.zeros(0, dtype=torch.uint8)  # noqa: RUF012
    weights: torch.Tensor = torch.zeros(0)  # noqa: RUF012

    @staticmethod
    def in_batch(truths: Sequence[Truth]) -> Truths:
        """Returns several in one, as the loader asks for."""
        masks, boxes, *others = zip(*truths, strict=True)
        return Truths(list(masks), torch.tensor(boxes), *map(list, others))


class Truths(NamedTuple):
    """The truths of a batch, each attribute a list; pictures of several sizes may be in it.

    Attributes:
        masks: B tensors (H, W).
        boxes: float32 (B, 4).
        sizes: (height, width) of each.
        sequences: names.
        frames: positions.
        lengths: numbers of frames.
        names: of the frames.
        others: the masks of the clips' other frames, tensors (T - 1, H, W).
        weights: of the pixels of all frames.
    """

    masks: list[torch.Tensor]
    boxes: torch.Tensor
    sizes: list[tuple[int, int]]
    sequences: list[str]
    frames: list[int]
    lengths: list[int]
    names: list[str]
    others: list[torch.Tensor]
    weights: list[torch.Tensor]

    def stacked(self) -> torch.Tensor:
        """Returns the masks as one tensor, uint8 (B, H, W); they must be of one size."""
        return torch.stack(self.masks)

    def clips(self) -> torch.Tensor:
        """Returns the masks of training as one tensor, uint8 (B, T, H, W)."""
        pairs = zip(self.masks, self.others, strict=True)
        return torch.stack(
            [torch.cat([x[None], more]) if len(more) else x[None] for x, more in pairs]
        )

    def stacked_weights(self) -> torch.Tensor | None:
        """Returns the weights of all pixels, float32 (B, T, H, W); None if all weigh 1."""
        if not any(x.numel() for x in self.weights):
            return None
        pairs = zip(self.weights, self.clips(), strict=True)
        return torch.stack([x if x.numel() else torch.ones(mask.shape) for x, mask in pairs])
