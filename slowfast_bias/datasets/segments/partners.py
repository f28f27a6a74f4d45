"""Partners: for each frame of a list one of another sequence, whose image or flow it is given."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from slowfast_bias.seeding import seed_from

_PARTNER = 6  # tells these draws from others of one seed


class Partners:
    """The partner of every frame; (seed, frame) alone decides it.

    Args:
        sequences: the number of each frame's sequence, from 0; two or more.
        seed: of the draws.
    """

    def __init__(self, sequences: Sequence[int], seed: int) -> None:
        self._sequences, self._seed = list(sequences), seed
        self._frames: dict[int, list[int]] = {}  # sequence -> its frames
        for frame, sequence in enumerate(self._sequences):
            self._frames.setdefault(sequence, []).append(frame)

    def sequences(self) -> int:
        """Returns the number of sequences."""
        return len(self._frames)

    def of(self, frame: int) -> int:
        """Returns the partner of a frame: a sequence is drawn, and then one of its frames."""
        generator = torch.Generator().manual_seed(seed_from(self._seed, frame, _PARTNER))
        own = self._sequences[frame]
        chosen = int(torch.randint(len(self._frames) - 1, (), generator=generator))
        frames = self._frames[chosen + (chosen >= own)]  # sequences count from 0
        return frames[int(torch.randint(len(frames), (), generator=generator))]
