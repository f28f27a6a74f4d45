"""Floor 0: seeds from numbers, so that what is drawn depends on nothing else.

Batch size, number of workers and number of processes then change no draw.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
from collections.abc import Iterator

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
