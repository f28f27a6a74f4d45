"""Checkpoints inside an epoch: a run goes on from the step after, bit for bit as an unbroken one.

One file holds the learner and, for every process, what is its own: buffers of the network (batch
norms see other clips), generators, figures of the epoch so far. All processes save after the same
step; with several they agree on it about once a second. Reading the list goes on at that step.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr

from slowfast_bias import preemption
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.save_clock import SaveClock
from slowfast_bias.engine.setup import checkpoint
from slowfast_bias.engine.setup.fingerprint import fingerprint, list_digest
from slowfast_bias.engine.training.learner import Learner
from slowfast_bias.engine.training.lists import ListInUse
from slowfast_bias.engine.training.meters import TrainMeter
from slowfast_bias.errors import OutputError
from slowfast_bias.models.weights.readers import (
    CheckpointError,
    finished_epochs,
    read_checkpoint,
)
from slowfast_bias.outputs import Outputs
from slowfast_bias.seeding import generator_states, set_generator_states

log = logging.getLogger(__name__)

KEY = "mid_epoch"  # of the file


class MidEpoch:
    """Those of a run; with BIAS.CHECKPOINT_MINUTES 0 there are none."""

    def __init__(self, cfg: CfgNode, learner: Learner, train_list: ListInUse) -> None:
        self.cfg, self.learner, self.train_list = cfg, learner, train_list
        self.path = Outputs(cfg.OUTPUT_DIR).mid_epoch
        self.clock = SaveClock(cfg.BIAS.CHECKPOINT_MINUTES)
        self.enabled = cfg.BIAS.CHECKPOINT_MINUTES > 0
        self.device = next(learner.model.parameters()).device
        self._mine: dict[str, Any] | None = None  # of this process, to take up
        self._steps, self._agreed, self._then = 0, 1, time.monotonic()
        self._digest = self._own_digest() if self.enabled else ""

    def resume(self, first: int) -> int:
        """Loads an epoch that was going on, `first` or a later one; returns the epoch to train.

        Every process must call it: they load it or leave it together.
        """
        if not (self.enabled and self.cfg.TRAIN.AUTO_RESUME):
            return first
        state = self._read(first)
        if not all(ranks.gather_objects(state is not None)):
            return first
        self.learner.load(state, self.path)
        self._mine = state[KEY]["ranks"][ranks.rank()]
        epoch, step = finished_epochs(state, self.path), state[KEY]["step"]
        log.info("resuming epoch %d after %d iterations from %s", epoch + 1, step, self.path)
        return epoch

    @property
    def goes_on(self) -> bool:
        """Whether an epoch was loaded that has not begun again yet."""
        return self._mine is not None

    def begin(self, meter: TrainMeter) -> int:
        """Takes up what is this process's own; returns the step to begin the epoch with."""
        if self._mine is None:
            return 0
        mine, self._mine = self._mine, None
        self.learner.model.load_state_dict(mine["buffers"], strict=False)
        self.learner.debias.load_counts(mine["counts"])
        self.train_list.unreadable.load_state(mine["unreadable"])
        meter.load_state(mine["meter"])
        set_generator_states(mine["generators"], self.device)
        self.train_list.loader.begin_at(mine["step"])
        return mine["step"]

    def after_step(self, epoch: int, step: int, meter: TrainMeter) -> None:
        """Saves if it is time; Preempted, after that, if the machine is wanted back.

        After the last step of an epoch nothing is done, as its own checkpoint is near.
        """
        self._steps += 1
        if not self.enabled or step == meter.steps or self._steps < self._agreed:
            return
        pace = self._steps / max(time.monotonic() - self._then, 1e-3)
        votes = ranks.gather_objects((preemption.asked(), self.clock.due(), max(1, int(pace))))
        asked, due = any(vote[0] for vote in votes), votes[0][1]
        self._agreed = min(vote[2] for vote in votes) if len(votes) > 1 else 1
        self._steps, self._then = 0, time.monotonic()
        if asked or due:
            with self.clock.saving():
                self._save(epoch, step, meter)
        if asked:
            raise preemption.Preempted

    def remove(self) -> None:
        """Removes the file, since a checkpoint of a whole epoch takes its place; on one process."""
        if g_pathmgr.isfile(self.path):
            g_pathmgr.rm(self.path)

    def _save(self, epoch: int, step: int, meter: TrainMeter) -> None:
        every = ranks.gather_objects(self._own(step, meter))
        ranks.all_or_none(lambda: self._write(epoch, step, every) if ranks.is_master() else None)

    def _write(self, epoch: int, step: int, every: list[dict[str, Any]]) -> None:
        more = {KEY: {"step": step, "ranks": every}}
        try:
            checkpoint.save_checkpoint(self.cfg, epoch - 1, *self.learner.parts(), self.path, more)
        except OutputError as error:  # the epoch may end well, or another process make space
            log.warning("the epoch is not saved before it ends: %s", error)

    def _own(self, step: int, meter: TrainMeter) -> dict[str, Any]:
        buffers = {name: x.cpu() for name, x in self.learner.model.named_buffers()}
        kept = self.learner.model.state_dict().keys()
        return {
            "digest": self._digest,
            "step": step,
            "buffers": {name: x for name, x in buffers.items() if name in kept},
            "counts": self.learner.debias.counts(),
            "unreadable": self.train_list.unreadable.state(),
            "meter": meter.state(),
            "generators": generator_states(self.device),
        }

    def _read(self, first: int) -> Mapping[str, Any] | None:
        """Returns the file's content; None if there is none that this run can go on with."""
        if not g_pathmgr.isfile(self.path):
            return None
        try:
            state = read_checkpoint(self.path)
            epoch, every = finished_epochs(state, self.path), state[KEY]["ranks"]
        except (CheckpointError, LookupError, TypeError) as error:
            log.warning("the epoch that was going on begins anew: %s", error)
            return None
        if epoch < first:  # a whole one is there, and the run was stopped before this one went
            if ranks.is_master():
                self.remove()
            return None
        if len(every) != ranks.world_size() or every[ranks.rank()]["digest"] != self._digest:
            log.warning(
                "the epoch that was going on begins anew, as %s is of another config, list, "
                "version or number of processes", self.path,
            )  # fmt: skip
            return None
        return state

    def _own_digest(self) -> str:
        loader = self.train_list.loader
        shape = loader.batch_size, len(loader)
        return fingerprint(self.cfg, "training", *shape, list_digest(loader.dataset))
