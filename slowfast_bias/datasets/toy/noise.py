"""Renders noise-coded motion: every frame is pure noise, and only where it wanders is the class.

A clip has one field of 8 x 8 cells in random colours. Each frame shows it shifted round, by one
column for each phase. Cells are independent and uniform, and stay so when they are shifted: a frame
of one class is a frame of every class with the same probability. The frames of a clip are the same
8 pictures in every class, so without their order they tell nothing, either.
"""

from __future__ import annotations

import numpy as np

from slowfast_bias.datasets.toy.motions import PHASES

COLOURS = 3


def paint_noise(grain: int, size: int) -> np.ndarray:
    """Returns the frames of the 8 phases in order, uint8 (8, H, W, 3), of the noise of a seed."""
    bits = np.random.Philox(key=np.array([grain, 0], dtype=np.uint64))
    count = PHASES * PHASES * COLOURS
    field = bits.random_raw(count // 8).astype("<u8").view(np.uint8)
    field = field.reshape(PHASES, PHASES, COLOURS)
    cells = np.arange(size) * PHASES // size
    whole = [np.roll(field, phase, axis=1)[cells][:, cells] for phase in range(PHASES)]
    return np.stack(whole)
