"""Bookmarks: how far a process has come in a pass over a list, and what it has found so far.

    mark = Bookmark(cfg, "measurement", weights_digest(model), list_digest(source))
    for batch in mark.batches(loader, kept): ...
    clear(cfg.OUTPUT_DIR)                              # when the results are written

Each process has a file of its own, written between two batches every BIAS.CHECKPOINT_MINUTES and
when the machine is wanted back. It holds the accumulators as they are, not sums of parts, so that a
pass which goes on from it adds the same numbers in the same order as one that was never broken.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Iterator
from typing import Any, Protocol

import torch
from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr

from slowfast_bias import preemption
from slowfast_bias.archive_checks import check_file
from slowfast_bias.datasets.contract import Batch
from slowfast_bias.datasets.loader import Loader
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import progress
from slowfast_bias.engine.runtime.save_clock import SaveClock
from slowfast_bias.engine.setup.fingerprint import fingerprint
from slowfast_bias.errors import OutputError
from slowfast_bias.files import write_whole
from slowfast_bias.models.weights.readers import CheckpointError
from slowfast_bias.outputs import Outputs

log = logging.getLogger(__name__)


class Kept(Protocol):
    """What a pass has found so far."""

    def state(self) -> dict[str, Any]:
        """Returns it as tensors, numbers and texts in lists and dicts."""

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes up what `state` gave, before the first batch."""


class Bookmark:
    """That of one pass of this process."""

    def __init__(self, cfg: CfgNode, name: str, *facts: Any) -> None:
        """Names it.

        Args:
            cfg: the config.
            name: of the pass, in words.
            facts: what decides its numbers beside the config, as `fingerprint` takes it.
        """
        self.cfg, self.name, self.facts = cfg, name, facts
        self.minutes = cfg.BIAS.CHECKPOINT_MINUTES

    def batches(self, loader: Loader, kept: Kept) -> Iterator[Batch]:
        """Yields the batches that are left; saves between them, and after the last of a long pass.

        Preempted, with everything saved, if the machine is wanted back.
        """
        if not self.minutes:
            yield from progress(loader, len(loader), self.name)
            return
        path = self._path(loader)
        first = _open(path, self.name, len(loader), kept)
        loader.begin_at(first)
        whole, clock = SaveClock(self.minutes), SaveClock(self.minutes)
        with preemption.asked_later():
            steps = progress(loader, len(loader) - first, self.name)
            for done, batch in enumerate(steps, first + 1):
                yield batch
                if preemption.asked() or clock.due() or (done == len(loader) and whole.due()):
                    with clock.saving():
                        _save(path, done, kept)
                if preemption.asked():
                    raise preemption.Preempted

    def _path(self, loader: Loader) -> str:
        place = f"{ranks.rank()}-of-{ranks.world_size()}"
        digest = fingerprint(self.cfg, self.name, loader.batch_size, len(loader), *self.facts)
        return Outputs(self.cfg.OUTPUT_DIR).bookmark(f"{_in_file(self.name)}-{place}-{digest}")


def clear(output_dir: str, *names: str) -> None:
    """Removes the bookmarks of passes of these names, or of all, when their results are written.

    One process of a group calls it.
    """
    folder = Outputs(output_dir).bookmarks
    if not g_pathmgr.isdir(folder):
        return
    starts = tuple(f"{_in_file(name)}-" for name in names) or ("",)
    for file in g_pathmgr.ls(folder):
        if file.startswith(starts):
            g_pathmgr.rm(f"{folder}/{file}")
    if "://" not in folder:
        with contextlib.suppress(OSError):  # others are in it
            os.rmdir(folder)


def _in_file(name: str) -> str:
    return re.sub(r"\W+", "-", name)


def _open(path: str, name: str, batches: int, kept: Kept) -> int:
    """Returns how many batches the bookmark in a file has behind it; 0 if there is none."""
    if not g_pathmgr.isfile(path):
        _say_if_others(os.path.dirname(path), name)
        return 0
    try:
        check_file(path, CheckpointError)
        with g_pathmgr.open(path, "rb") as file:
            found = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torch raises of a damaged file
        log.warning("%s begins anew, as its bookmark cannot be read: %s", name, error)
        return 0
    kept.load_state(found["state"])
    log.info("%s goes on after %d of %d batches: %s", name, found["batches"], batches, path)
    return found["batches"]


def _say_if_others(folder: str, name: str) -> None:
    pattern = re.compile(rf"{re.escape(_in_file(name))}-\d+-of-")
    if g_pathmgr.isdir(folder) and any(map(pattern.match, g_pathmgr.ls(folder))):
        log.info(
            "%s begins anew: what %s has of one is of another config, list, version, number of "
            "processes, or of other weights", name, folder,
        )  # fmt: skip


def _save(path: str, batches: int, kept: Kept) -> None:
    try:
        with write_whole(path, "wb") as file:
            torch.save({"batches": batches, "state": kept.state()}, file)
    except OutputError as error:  # the pass itself needs no disk
        log.warning("the bookmark is not saved, and the work goes on: %s", error)
