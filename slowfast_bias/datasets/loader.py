"""From a dataset to batches: the same clips in the same order for any number of workers.

Training sees one global order per epoch, cut into global batches that the processes share out;
evaluation reads disjoint strides without padding, so that no clip counts twice. Randomness inside
a dataset (crops, clip positions) follows from (seed, epoch, index) alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import pickle
import random
from collections.abc import Iterator, Sized
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate

from slowfast_bias import host, interrupts
from slowfast_bias.errors import DataError


class Batch(NamedTuple):
    """Clips that could be read, and the positions of those that could not."""

    # one (B, C, T, H, W) tensor per pathway; or [(B, T, H, W, 3)] in uint8, for `setup.loaders`
    inputs: list[torch.Tensor]
    labels: torch.Tensor  # (B,)
    indices: torch.Tensor  # (B,) positions in the dataset
    dropped: list[int]
    replaced: list[int] = []  # noqa: RUF012  # training: positions in whose place others came
    reasons: dict[int, str] = {}  # noqa: RUF012  # why, by position, where the dataset says so


class Clips(Dataset):
    """A host's dataset with its randomness pinned down and its silent replacements found out.

    SlowFast puts a random other video in place of one it cannot read. For evaluation such a clip
    is dropped and its position reported; in training the replacement is kept and reported.

    A dataset that has ``as_uint8(index)`` is asked for uint8: a quarter of the bytes to hand over
    from the workers to the GPU.
    """

    def __init__(self, dataset: Dataset, seed: int, training: bool) -> None:
        self.dataset, self.seed, self.training, self.epoch = dataset, seed, training, 0

    def __len__(self) -> int:
        return len(self.dataset) if isinstance(self.dataset, Sized) else 0

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        with seeded(self.seed, self.epoch, index):
            read = getattr(self.dataset, "as_uint8", self.dataset.__getitem__)
            sample = host.unpack_sample(read(index))
        failures = dict(getattr(self.dataset, "failures", {}))
        if not self.training and sample is not None and sample.index != index:
            return index, None
        return (index, sample, failures) if failures else (index, sample)

    # A worker that starts afresh must meet our stand-ins before it unpickles a host's class.
    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "dataset": pickle.dumps(self.dataset)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        _ = host.name
        self.__dict__.update(state, dataset=pickle.loads(state["dataset"]))


class Share(Sampler[int]):
    """The positions that one of ``world`` processes reads in an epoch."""

    def __init__(self, length: int, rank: int, world: int, seed: int, batch: int | None) -> None:
        self.length, self.rank, self.world, self.seed = length, rank, world, seed
        self.batch = batch  # clips of a global batch in training; None: evaluation
        self.epoch = 0

    def __iter__(self) -> Iterator[int]:
        if self.batch is None:
            return iter(range(self.rank, self.length, self.world))
        generator = torch.Generator().manual_seed(fold(self.seed, self.epoch))
        order = torch.randperm(self.length, generator=generator)
        whole = self.length // self.batch * self.batch
        return iter(order[self.rank : whole : self.world].tolist())

    def __len__(self) -> int:
        if self.batch is None:
            return len(range(self.rank, self.length, self.world))
        return self.length // self.batch * self.batch // self.world


class Loader:
    """Batches of a split; ``set_epoch`` before each pass of training."""

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int,
        *,
        training: bool,
        seed: int,
        rank: int = 0,
        world: int = 1,
        workers: int = 0,
        pin_memory: bool = False,
    ) -> None:
        self.dataset = Clips(dataset, seed, training)
        self.reported: set[int] = set()  # positions that could not be read and were named already
        self.told: dict[str, tuple[str, str]] = {}  # path -> place and reason, likewise
        self.settled = 0  # how many of them all processes know of
        batch = batch_size * world if training else None
        self.share = Share(len(self.dataset), rank, world, seed, batch)
        if training and len(self.share) == 0:
            raise DataError(
                f"Expected at least one whole batch, but the training list has {len(self.dataset)} "
                f"clips and a batch {batch}. Lower TRAIN.BATCH_SIZE."
            )
        self._loader = DataLoader(
            self.dataset,
            batch_size=batch_size,
            sampler=self.share,
            num_workers=workers,
            pin_memory=pin_memory and torch.cuda.is_available(),
            collate_fn=_collate,
            worker_init_fn=interrupts.ignore_broken_pipes,
            generator=torch.Generator().manual_seed(fold(seed, rank)),
        )

    def set_epoch(self, epoch: int) -> None:
        """Moves to the order and the augmentations of an epoch."""
        self.dataset.epoch = self.share.epoch = epoch

    def __iter__(self) -> Iterator[Batch]:
        if not self._loader.num_workers:
            return iter(self._loader)
        with interrupts.held_back():  # this process ends its workers; they need not hear Ctrl-C
            return iter(self._loader)

    def __len__(self) -> int:
        return len(self._loader)


def fold(*numbers: int) -> int:
    """One 63-bit seed from several numbers, the same on every machine."""
    plain = tuple(int(number) for number in numbers)  # numpy's integers print differently
    digest = hashlib.blake2b(repr(plain).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


@contextlib.contextmanager
def seeded(*numbers: int) -> Iterator[None]:
    """Seeds python, numpy and torch (CPU) for a block and puts their states back after it."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    seed = fold(*numbers)
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


def _collate(items: list[tuple[Any, ...]]) -> Batch:
    reasons = {index: why for item in items for told in item[2:] for index, why in told.items()}
    dropped = [index for index, sample, *_ in items if sample is None]
    samples = [tuple(sample) for _, sample, *_ in items if sample is not None]
    replaced = [
        index for index, sample, *_ in items if sample is not None and sample.index != index
    ]
    if not samples:
        none = torch.empty(0, dtype=torch.long)
        return Batch([], none, none, dropped, replaced, reasons)
    inputs, labels, indices = default_collate(samples)
    return Batch(inputs, labels, indices, dropped, replaced, reasons)
