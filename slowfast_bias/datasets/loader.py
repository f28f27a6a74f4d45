"""From a data set to batches: the same clips in the same order for any number of workers.

Training sees one global order per epoch, cut into global batches that the processes share out;
evaluation reads disjoint strides without padding, so that no clip counts twice. Randomness inside
a data set (crops, clip positions) follows from (seed, epoch, index) alone.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate

from slowfast_bias import host, interrupts, preemption
from slowfast_bias.datasets.contract import Batch, Sample, VideoDataset
from slowfast_bias.errors import DataError
from slowfast_bias.seeding import seed_from, seeded


class DeterministicDataset(Dataset):
    """A data set whose random choices follow from (seed, epoch, index)."""

    def __init__(self, dataset: VideoDataset, seed: int) -> None:
        self.dataset, self.seed, self.epoch = dataset, seed, 0

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Sample:
        with seeded(self.seed, self.epoch, index):
            return self.dataset.sample(index)

    # A worker that starts afresh must meet our stand-ins before it unpickles a host's class.
    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "dataset": pickle.dumps(self.dataset)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        _ = host.name
        self.__dict__.update(state, dataset=pickle.loads(state["dataset"]))


class RankSampler(Sampler[int]):
    """The positions that one of `world` processes reads in an epoch."""

    def __init__(self, length: int, rank: int, world: int, seed: int, batch: int | None) -> None:
        self.length, self.rank, self.world, self.seed = length, rank, world, seed
        self.batch = batch  # clips of a global batch in training; None: evaluation
        self.epoch = self.first = 0

    def __iter__(self) -> Iterator[int]:
        first, self.first = self.first, 0
        return iter(self._positions()[first:])

    def _positions(self) -> Sequence[int]:
        if self.batch is None:
            return range(self.rank, self.length, self.world)
        generator = torch.Generator().manual_seed(seed_from(self.seed, self.epoch))
        order = torch.randperm(self.length, generator=generator)
        whole = self.length // self.batch * self.batch
        return order[self.rank : whole : self.world].tolist()

    def __len__(self) -> int:
        if self.batch is None:
            return len(range(self.rank, self.length, self.world))
        return self.length // self.batch * self.batch // self.world


class Loader:
    """Batches of a list; `set_epoch` before each pass of training.

    Attributes:
        dataset: whose clips they are.
        sampler: which of them this process reads.
        batch_size: clips of a batch of this process.
    """

    def __init__(
        self,
        dataset: VideoDataset,
        batch_size: int,
        *,
        training: bool,
        seed: int,
        rank: int = 0,
        world: int = 1,
        workers: int = 0,
        pin_memory: bool = False,
    ) -> None:
        self.dataset, self.batch_size = dataset, batch_size
        self._items = DeterministicDataset(dataset, seed)
        batch = batch_size * world if training else None
        self.sampler = RankSampler(len(dataset), rank, world, seed, batch)
        if training and len(self.sampler) == 0:
            raise DataError(
                f"Expected at least one whole batch, but the training list has {len(dataset)} "
                f"clips and a batch {batch}. Lower TRAIN.BATCH_SIZE."
            )
        self._loader = DataLoader(
            self._items,
            batch_size=batch_size,
            sampler=self.sampler,
            num_workers=workers,
            pin_memory=pin_memory and torch.cuda.is_available(),
            collate_fn=collate,
            worker_init_fn=_begin_worker,
            generator=torch.Generator().manual_seed(seed_from(seed, rank)),
        )

    def set_epoch(self, epoch: int) -> None:
        """Moves to the order and the augmentations of an epoch."""
        self._items.epoch = self.sampler.epoch = epoch

    def begin_at(self, batch: int) -> None:
        """Lets the next pass, and no other, begin with the batch of this number (from 0)."""
        self.sampler.first = batch * self.batch_size

    def __iter__(self) -> Iterator[Batch]:
        if self._loader.num_workers:
            # this process ends its workers; Ctrl-C need not reach them
            with interrupts.sigint_blocked():
                batches = iter(self._loader)
        else:
            batches = iter(self._loader)
        return (batch._replace(streams=self.dataset.streams) for batch in batches)

    def __len__(self) -> int:
        return len(self._loader)


def _begin_worker(_: int) -> None:
    interrupts.ignore_broken_pipes()
    preemption.leave_to_parent()


def collate(samples: list[Sample]) -> Batch:
    """Returns the clips that came as one batch, and what could not be read."""
    unreadable = {index: why for s in samples for index, why in s.unreadable.items()}
    came = [sample for sample in samples if sample.inputs]
    if not came:
        none = torch.empty(0, dtype=torch.long)
        return Batch([], none, none, unreadable)
    inputs, indices = default_collate([(sample.inputs, sample.index) for sample in came])
    targets = [sample.target for sample in came]
    own = getattr(type(targets[0]), "in_batch", default_collate)
    return Batch(list(inputs), own(targets), indices, unreadable)
