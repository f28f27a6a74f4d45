"""Data sets in SlowFast's registry: ours, and with the frames of each clip in random order.

`Videos` and `Toyvideos` are registered by their own files. `Shuffled...` shuffles the train, val
and test lists alike, as its name stands in TRAIN.DATASET or TEST.DATASET; orders are new in each
epoch of training and follow from (RNG_SEED, epoch, index).
"""

from __future__ import annotations

from typing import Any

import torch
from fvcore.common.registry import Registry

from slowfast_bias import host
from slowfast_bias.datasets.contract import register_dataset
from slowfast_bias.datasets.host_items import epoch_seed
from slowfast_bias.datasets.pairs.frame_order import reorder, shuffled
from slowfast_bias.datasets.toy.dataset import Toyvideos
from slowfast_bias.datasets.videos import Videos
from slowfast_bias.errors import PluginError

_OF_SLOWFAST = ("Kinetics", "Ssv2")


class Shuffledvideos(Videos):
    """`Videos` with frames in random order in SlowFast's own loop; measured as they were filmed."""

    shuffles = True


class Shuffledtoyvideos(Toyvideos):
    """`Toyvideos` in the same way."""

    shuffles = True


def register_datasets(registry: Registry) -> None:
    """Adds the shuffled data sets to SlowFast's registry."""
    for cls in (Videos, Toyvideos):
        _check_ours(registry, cls)
    for cls in (Shuffledvideos, Shuffledtoyvideos):
        if cls.__name__ in registry:
            _check_ours(registry, cls)
        else:
            register_dataset(cls)
    for name in _OF_SLOWFAST:
        if name in registry and f"Shuffled{name.lower()}" not in registry:
            registry.register(shuffled_dataset(registry.get(name)))


def shuffled_dataset(base: type) -> type:
    """Returns a data set class of SlowFast or of a fork with the frames of its clips shuffled.

    Its name is `Shuffled` and that of `base` in lower case; it is not registered. Items of `base`
    are (pathways, label, index, ...), one sample each.
    """
    name = f"Shuffled{base.__name__.lower()}"
    members = {"__module__": __name__, "__doc__": f"`{base.__name__}`, frames in random order."}
    made = type(name, (_ShuffledItems, base), members)
    globals()[name] = made  # so that a worker which starts afresh finds it
    return made


class _ShuffledItems:
    """Brings the frames of a data set's items into random order; a base beside the data set."""

    cfg: Any
    mode: str  # "train", "val" or "test", as SlowFast's data sets call it
    bias_epoch: int | None = None

    def _set_epoch_num(self, epoch: int) -> None:
        self.bias_epoch = int(epoch)
        theirs = getattr(super(), "_set_epoch_num", None)
        if theirs is not None:
            theirs(epoch)

    def __getitem__(self, index: Any) -> Any:
        item = super().__getitem__(index)  # type: ignore[misc]
        if item is None:  # not readable: SlowFast ends with its own message
            return None
        pathways, label, came, *rest = item
        return self._shuffled(pathways, int(came)), label, came, *rest

    def _shuffled(self, pathways: list[torch.Tensor], index: int) -> list[torch.Tensor]:
        """Returns the pathways of the clip in another order, the same one for all of them."""
        whole = pathways[host.whole_pathways(self.cfg).index(True)]
        epoch = self.bias_epoch
        if self.mode == "train" and epoch is None:  # a fork that does not count epochs for it
            epoch = int(torch.randint(2**31, ()))
        seed = epoch_seed(self.cfg.RNG_SEED, epoch or 0, self.mode)
        orders = shuffled(whole.shape[1], seed, [index])
        packed = host.repack(self.cfg, reorder(whole[None], orders))
        return [pathway[0] for pathway in packed]


def _check_ours(registry: Registry, cls: type) -> None:
    held = registry.get(cls.__name__)
    if held is not cls:
        raise PluginError(
            f"Expected the name {cls.__name__} to be free in SlowFast's registry of data sets, but "
            f"{held.__module__} has registered one. If that is another copy of slowfast_bias, "
            "uninstall one of the two; else rename the class of the fork."
        )
