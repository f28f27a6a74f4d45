"""Floor 0: seeds from numbers, so that what is drawn depends on nothing else.

Batch size, number of workers and number of processes then change no draw.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch


def seed_from(*numbers: int) -> int:
    """Returns one 63-bit seed from several numbers, the same on every machine."""
    plain = tuple(int(number) for number in numbers)  # numpy's integers print differently
    digest = hashlib.blake2b(repr(plain).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def seed_all(*numbers: int) -> None:
    """Seeds python, numpy and torch, GPUs too; SlowFast itself forgets python's generator."""
    seed = seed_from(*numbers)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def generator_states(device: torch.device) -> dict[str, Any]:
    """Returns the states of python's, numpy's, torch's and a GPU's generators, as plain values."""
    version, numbers, gauss = random.getstate()
    name, keys, *rest = np.random.get_state()
    return {
        "python": [version, list(numbers), gauss],
        "numpy": [name, torch.from_numpy(keys.astype(np.int64)), *rest],
        "torch": torch.get_rng_state(),
        "gpu": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
    }


def set_generator_states(states: Mapping[str, Any], device: torch.device) -> None:
    """Takes back what `generator_states` gave."""
    version, numbers, gauss = states["python"]
    random.setstate((version, tuple(numbers), gauss))
    name, keys, *rest = states["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))
    torch.set_rng_state(states["torch"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states["gpu"], device)


@contextlib.contextmanager
def seeded(*numbers: int) -> Iterator[None]:
    """Seeds python, numpy and torch (CPU) for a block and restores their states after it."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    seed = seed_from(*numbers)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    # not torch.manual_seed: that would reset the GPU's generator, which dropout draws from
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])
