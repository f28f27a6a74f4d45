"""Batches that memory has no room for: shown in halves, to the same numbers.

What a video adds to a measurement does not depend on those beside it. A network that ran out of
memory has added nothing yet; if it has, the error stands.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import torch

from slowfast_bias.engine.measuring.probe import Probe
from slowfast_bias.engine.runtime.crashes import is_out_of_memory

log = logging.getLogger(__name__)

Inputs = list[torch.Tensor]
# (inputs, positions of their clips) -> what shows those clips to a probe
Prepare = Callable[[Inputs, list[int]], Callable[[Probe], None]]


class Portions:
    """Shows batches to probes, whole as long as there is room for them."""

    def __init__(self, prepare: Prepare, probes: Iterable[Probe]) -> None:
        self.prepare, self.probes = prepare, list(probes)
        self.size = 0  # clips at a time; 0: a whole batch
        self.shown = dict.fromkeys(range(len(self.probes)), 0)  # clips, by probe

    def show(self, inputs: Inputs, positions: list[int]) -> None:
        """Shows clips (B, ...) to all probes, each clip once."""
        self._show(inputs, positions, list(range(len(self.probes))))

    def _show(self, inputs: Inputs, positions: list[int], left: list[int]) -> None:
        at = 0
        while at < len(positions):
            size = self.size or len(positions)
            part = [x[at : at + size] for x in inputs], positions[at : at + size]
            at += size
            rest = self._shown_to(*part, left)
            if rest:  # out of memory; the size is smaller now
                self._show(*part, rest)

    def _shown_to(self, inputs: Inputs, positions: list[int], left: list[int]) -> list[int]:
        """Returns the probes that there was no room for."""
        left, before = list(left), None
        try:
            show = self.prepare(inputs, positions)
            while left:
                probe = self.probes[left[0]]
                before = probe.recognition
                show(probe)
                self.shown[left.pop(0)] += len(positions)
            return []
        except Exception as error:
            if len(positions) == 1 or not is_out_of_memory(error) or not self._untouched(left[0]):
                raise
            if before is not None:
                self.probes[left[0]].recognition = before
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self.size = (len(positions) + 1) // 2
        log.warning(
            "out of memory with %d videos at once: going on with %d, to the same numbers; "
            "BIAS.BATCH_SIZE %d does it from the start", len(positions), self.size, self.size,
        )  # fmt: skip
        return left

    def _untouched(self, k: int) -> bool:
        """Returns whether a probe holds what it was shown before, and no more."""
        return set(self.probes[k].meter.pairs().values()) <= {self.shown[k]}
