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
    """

    mask: torch.Tensor
    box: tuple[float, float, float, float]
    size: tuple[int, int]
    sequence: str
    frame: int
    length: int
    name: str

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
    """

    masks: list[torch.Tensor]
    boxes: torch.Tensor
    sizes: list[tuple[int, int]]
    sequences: list[str]
    frames: list[int]
    lengths: list[int]
    names: list[str]

    def stacked(self) -> torch.Tensor:
        """Returns the masks as one tensor, uint8 (B, H, W); they must be of one size."""
        return torch.stack(self.masks)
