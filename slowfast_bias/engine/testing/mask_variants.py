"""What the battery shows a network of masks: image and flow exchanged, taken away, or restyled.

    variant         image                  flow
    own             of the frame           of the frame
    swapped_flow    of the frame           of another sequence
    frozen_flow     of the frame           of a scene at rest: white, as in a frozen clip
    swapped_image   of another sequence    of the frame
    grey_image      grey: DATA.MEAN        of the frame
    look0, look1    in a look of the bank  of the frame

Orders of frames are no variants: a mask is made of one frame and its flow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from slowfast_bias.datasets.contract import Batch
from slowfast_bias.datasets.flow.wheel import coded
from slowfast_bias.datasets.styles.bank import StyleBank
from slowfast_bias.engine.tasks import Task
from slowfast_bias.models.families import family_of

OWN = "own"
CHANGES = ("swapped_flow", "frozen_flow", "swapped_image", "grey_image")
SWAPS = {"swapped_flow": "flow", "swapped_image": "image"}  # which is of the other sequence
STYLED = "styled"  # the mean over looks

Inputs = list[torch.Tensor]


class ExchangedStreams:
    """A network shown changed images or flows; the variants of the vote.

    Args:
        task: what is scored.
        model: the network.
        bank: other looks of the image; None: they are not shown.
        mirror: whether a mask is the mean of the frame's and of its mirror image's.
    """

    def __init__(self, task: Task, model: nn.Module, bank: StyleBank | None, mirror: bool) -> None:
        self.task, self.model, self.bank, self.mirror = task, model, bank, mirror
        self.looks = [f"look{k}" for k in range(bank.num if bank else 0)]
        self.names, self._family = [OWN, *CHANGES, *self.looks], family_of(model)

    def outputs(self, batch: Batch, device: torch.device) -> list[Any]:
        """Returns the soft masks (B, T, H, W) of each variant."""
        plain = self._masks(batch, device)
        if not self.mirror:
            return plain
        turned = self._masks(self.task.mirrored(batch), device)
        return [(one + two.flip(-1)) / 2 for one, two in zip(plain, turned, strict=True)]

    def _masks(self, batch: Batch, device: torch.device) -> list[torch.Tensor]:
        half = len(batch.inputs) // 2
        streams = self.task.inputs(batch, device)
        image, *flows = streams[:half]
        other, *others = streams[half:]
        rest = self._at_rest(batch, device)
        grey = torch.zeros_like(image)  # of normalised images
        shown = [[image, *flows], [image, *others], [image, *(rest for _ in flows)]]
        shown += [[other, *flows], [grey, *flows]]
        shown += [[look, *flows] for look in self._in_looks(batch, device)]
        return [self._family.scores(self._family.call(self.model, x)) for x in shown]

    def _at_rest(self, batch: Batch, device: torch.device) -> torch.Tensor:
        """Returns the flow of a scene in which nothing moves, as the network is given it."""
        image, stream = batch.inputs[0], batch.streams[0]
        white = torch.from_numpy(coded(np.zeros((*image.shape[2:4], 2), np.float32)))
        one = batch._replace(inputs=[white.expand_as(image)], streams=(stream,))
        return self.task.inputs(one, device)[0]

    def _in_looks(self, batch: Batch, device: torch.device) -> list[torch.Tensor]:
        """Returns the normalised images in every look of the bank."""
        if self.bank is None:
            return []
        images = batch.inputs[0].to(device).permute(0, 4, 1, 2, 3).float() / 255
        with torch.autocast(device.type, enabled=False):  # looks are those of the measurement
            return [self.task.pack(self.bank(images, k))[0] for k in range(self.bank.num)]
