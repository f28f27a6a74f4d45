"""Does what is left of a reproduction, one run after the other, and says before what that will be.

What is done is known by its result files: a run that was stopped goes on from its last checkpoint,
and of one that is trained only the missing steps are taken. A run that fails is logged and counted,
and the others go on.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass

from fvcore.common.config import CfgNode

from slowfast_bias import engine
from slowfast_bias.cluster_rank import rank_from_environment
from slowfast_bias.config import ConfigError
from slowfast_bias.engine.runtime.log import set_up_logging
from slowfast_bias.engine.steps import check_steps, enabled_steps, steps_named
from slowfast_bias.engine.studies.reproduction.jobs import Job
from slowfast_bias.engine.studies.sweep import sweep
from slowfast_bias.engine.studies.sweep_runs import other_settings, refuse_other_settings
from slowfast_bias.errors import RequestError, UserError
from slowfast_bias.outputs import Outputs

log = logging.getLogger(__name__)

_PROCESSES = ("NUM_GPUS", "NUM_WORKERS", "NUM_SHARDS", "SHARD_ID", "PIN_MEMORY")


@dataclass(frozen=True)
class Intent:
    """What will become of a job.

    Attributes:
        job: the job.
        cfg: its config; None if it lacks something.
        left: the steps that are still to be taken.
        begun: whether some of it is done already.
    """

    job: Job
    cfg: CfgNode | None
    left: tuple[str, ...] = ()
    begun: bool = False

    @property
    def state(self) -> str:
        """In words: "done", "to do", "goes on (...)" or "left out: ..."."""
        if self.cfg is None:
            return f"left out: {self.job.lacks}"
        if not self.left:
            return "done"
        return f"goes on ({', '.join(self.left)})" if self.begun else "to do"


def intents(jobs: Sequence[Job], here: bool = True) -> list[Intent]:
    """Returns what will become of each job; ConfigError if a config cannot be used.

    Jobs that are not to run `here` may ask for more GPUs than this machine has.
    """
    found = []
    for job in jobs:
        if job.lacks:
            found.append(Intent(job, None))
            continue
        try:
            cfg = job.load(here)
        except ConfigError as error:
            raise ConfigError([f"{job.name}: {text}" for text in error.problems]) from error
        found.append(Intent(job, cfg, tuple(job.steps_left(cfg)), job.begun(cfg)))
    return found


def made_otherwise(x: Intent) -> str:
    """Returns with what other settings the results of a job were made; "" if with the same ones.

    Numbers of processes do not count: they may be others on another machine.
    """
    if x.cfg is None:
        return ""
    for path in _configs(x.cfg) if x.job.setting is None else [Outputs(x.cfg.OUTPUT_DIR).config]:
        there, mine = (
            [text for text in lines if text.partition(":")[0] not in _PROCESSES]
            for lines in other_settings(x.cfg, path)
        )
        if there or mine:
            return f"made with {_some(there)}, while {_some(mine)} is asked for"
    return ""


def _some(settings: Sequence[str]) -> str:
    return ", ".join(settings[:3]) + (", ..." if len(settings) > 3 else "") or "nothing more"


def state_lines(found: Sequence[Intent]) -> list[str]:
    """Returns a line per job: its name and what will become of it."""
    width = max((len(x.job.name) for x in found), default=0)
    return [f"{x.job.name:<{width}}  {x.state}" for x in found]


def command_lines(found: Sequence[Intent]) -> list[str]:
    """Returns a shell script that does what is left: a comment per job, below it its command."""
    lines = []
    for x in found:
        lines.append(f"# {x.job.name}: {x.state}")
        lines += [x.job.command()] if x.left else []
    return lines


def run_all(found: Sequence[Intent], out: str) -> dict[str, str]:
    """Does what is left; returns {job: why it failed}."""
    _check(found)
    todo, failed = [x for x in found if x.left], {}
    for number, x in enumerate(todo, 1):
        set_up_logging(out)
        log.info("run %d of %d: %s", number, len(todo), x.job.name)
        try:
            if x.job.after in failed:
                raise RequestError(f"Expected the weights of {x.job.after}, but it failed.")
            _do(x)
        except Exception as error:  # after any error the other runs go on
            set_up_logging(out)
            failed[x.job.name] = str(error).splitlines()[0] if str(error) else repr(error)
            log.error(
                "%s failed (%d so far); the others go on: %s", x.job.name, len(failed), error,
                exc_info=not isinstance(error, UserError),
            )  # fmt: skip
    set_up_logging(out)
    return failed


def _do(x: Intent) -> None:
    if x.job.setting is not None:
        outcome = sweep(x.job.out, [x.job.setting], x.job.words)
        if outcome.failed:
            raise RequestError(f"Expected {x.job.name} to end well; see {x.job.out}/stdout.log.")
    elif "train" in x.left or not x.begun:
        engine.run(x.cfg)
    else:
        for step in x.left:
            engine.run_step(step, x.cfg)


def _check(found: Sequence[Intent]) -> None:
    """Raises, before any work is done, what the runs would raise of names, lists and folders."""
    given = rank_from_environment(os.environ)
    if given is not None and given.world > 1:
        raise RequestError(
            "Expected one process, but torchrun or srun started several: write a script for SLURM "
            "with --slurm DIR, or start this command alone; NUM_GPUS says how many it starts."
        )
    seen: set[str] = set()
    for x in found:
        if x.cfg is None or not x.left:
            continue
        for path in _configs(x.cfg):
            refuse_other_settings(x.cfg, path)
        if x.job.config not in seen:  # one of each network
            seen.add(x.job.config)
            sweeps = steps_named("train", "measure", "test_orders")
            check_steps(x.cfg, enabled_steps(x.cfg) if x.job.setting is None else sweeps)


def _configs(cfg: CfgNode) -> list[str]:
    outputs = Outputs(cfg.OUTPUT_DIR)
    return [
        outputs.config, outputs.bias_config, outputs.frame_orders_config, outputs.silencing("yaml"),
        outputs.segmentation("yaml"), outputs.centre("yaml"),
    ]  # fmt: skip
