"""Items of a data set as SlowFast's own loops take them, made from the samples of our contract.

Our loops read `sample` and bring frames into another order themselves; SlowFast's read items, so
that BIAS.SHUFFLE.TRAIN and VAL act here. Random choices follow from (RNG_SEED, epoch, index), as in
our own loader: the same clips in the same orders.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import torch
from fvcore.common.config import CfgNode

from slowfast_bias import host
from slowfast_bias.datasets.contract import Sample
from slowfast_bias.datasets.pairs.frame_order import reorder, shuffled
from slowfast_bias.datasets.sampling.crops import normalised_planes
from slowfast_bias.errors import DataError
from slowfast_bias.seeding import seed_from, seeded

log = logging.getLogger(__name__)


class HostItems:
    """What SlowFast's own loops ask of a data set, by its `sample`.

    Attributes:
        shuffles: whether frames come in random order, whatever BIAS.SHUFFLE says.
        epoch: the number that SlowFast's training loop gives; None if it never does, as in older
            forks: then each item draws what stands for it.
    """

    shuffles = False
    epoch: int | None = None
    cfg: CfgNode
    split: str

    @property
    def num_videos(self) -> int:
        """The number of clips, by the name that SlowFast's test asks for it."""
        return len(self)  # type: ignore[arg-type]

    def _set_epoch_num(self, epoch: int) -> None:
        """Moves to the random choices of an epoch; SlowFast's loop calls it by this name."""
        self.epoch = int(epoch)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Returns pathways [(C, T, H, W), ...], label, index and what else the host expects.

        SlowFast counts every item: in training and validation another clip comes in place of one
        that cannot be read, and is logged; in the test it is a DataError.
        """
        epoch = self._current_epoch()
        sample = self._readable(index, epoch)
        frames = sample.inputs[0]
        if self._shuffles_here():
            seed = epoch_seed(self.cfg.RNG_SEED, epoch, self.split)
            orders = shuffled(len(frames), seed, [sample.index])
            frames = reorder(frames[None], orders, time=1)[0]
        planes = normalised_planes(frames, self.cfg.DATA.MEAN, self.cfg.DATA.STD)
        pathways = host.pack_pathways(self.cfg, planes)
        return host.pack_sample(pathways, sample.target, sample.index)

    def _shuffles_here(self) -> bool:
        keys = {"train": "TRAIN", "val": "VAL"}  # BIAS.SHUFFLE.TEST is another test than SlowFast's
        key = keys.get(self.split)
        return self.shuffles or (key is not None and self.cfg.BIAS.SHUFFLE[key])

    def _current_epoch(self) -> int:
        """Returns the epoch of training; lists that are evaluated are the same in every one."""
        if self.split != "train":
            return 0
        return int(torch.randint(2**31, ())) if self.epoch is None else self.epoch

    def _readable(self, index: int, epoch: int) -> Sample:
        unreadable: dict[int, str] = {}
        for candidate in self._places(index):
            with seeded(self.cfg.RNG_SEED, epoch, candidate):
                sample: Sample = self.sample(candidate)  # type: ignore[attr-defined]
            unreadable |= sample.unreadable
            if sample.inputs:
                if unreadable:
                    log.warning("clip %d stands in for others: %s", sample.index, unreadable)
                return sample
        name, row = self.describe(index)  # type: ignore[attr-defined]
        raise DataError(
            f"Expected clips of the {self.split} list that can be read, as SlowFast's own loop "
            f"counts every one, but {name} ({row}) cannot: {unreadable}. Take it off the list "
            "(`slowfast_bias check --cfg ...` names all), or use `slowfast_bias run`, which leaves "
            "such clips out and counts them."
        )

    def _places(self, index: int) -> Iterator[int]:
        """Yields positions to try: of the val list also the later ones, then from its start."""
        yield index
        if self.split == "val":
            yield from (*range(index + 1, self.num_videos), *range(index))


def epoch_seed(seed: int, epoch: int, split: str) -> int:
    """Returns the seed of the frame orders of an epoch, as our own loop has it."""
    return seed_from(seed, epoch) if split == "train" else seed
