"""The steps of a run, as one table: what enables each, which lists it reads, what it does.

`run` goes through it, the Python API takes single steps from it, and preflight and check-data ask
it which lists are needed.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fvcore.common.config import CfgNode

from slowfast_bias.cluster_rank import rank_from_environment
from slowfast_bias.config import ConfigError, check_training
from slowfast_bias.config.check_styles import FOLDERS, pairs_name
from slowfast_bias.datasets.pairs.request import pair_maker
from slowfast_bias.engine.measuring.centre_bias import centre_bias
from slowfast_bias.engine.measuring.measurement import measure
from slowfast_bias.engine.measuring.top_clips import check_top_clips
from slowfast_bias.engine.preflight.frames import check_lists_of
from slowfast_bias.engine.preflight.lists import STYLED, check_lists
from slowfast_bias.engine.preflight.videos import Checked
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.launcher import launch
from slowfast_bias.engine.runtime.page import write_page
from slowfast_bias.engine.tasks import task_class
from slowfast_bias.engine.testing.battery import battery
from slowfast_bias.engine.testing.battery_questions import read_questions
from slowfast_bias.engine.testing.cue_lists import cue_lists
from slowfast_bias.engine.testing.frame_orders import test_orders
from slowfast_bias.engine.testing.multi_view import test
from slowfast_bias.engine.testing.silencing import ablate
from slowfast_bias.engine.training.loop import TrainResult, train
from slowfast_bias.files import alone_in, make_output_dir

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Step:
    """One step of a run.

    Attributes:
        name: what it is called.
        enabled: whether a config asks for it.
        lists: what it reads: "train", "val", "test", or styled folders.
        flow: does it, in every process.
    """

    name: str
    enabled: Callable[[CfgNode], bool]
    lists: Callable[[CfgNode], list[str]]
    flow: Callable[..., Any]


def _measured(cfg: CfgNode) -> list[str]:
    return [STYLED] if pairs_name(cfg) == FOLDERS else [cfg.BIAS.SPLIT]


def _trained(cfg: CfgNode) -> list[str]:
    inside = _measured(cfg) if cfg.BIAS.ENABLE and cfg.BIAS.PERIOD else []
    return ["train", "val", *inside]


def _silenced(cfg: CfgNode) -> list[str]:
    return ["test", *_measured(cfg)]  # units are ranked by a measurement


STEPS = (
    Step("train", lambda cfg: cfg.TRAIN.ENABLE, _trained, train),
    Step("measure", lambda cfg: cfg.BIAS.ENABLE, _measured, measure),
    Step("test", lambda cfg: cfg.TEST.ENABLE, lambda cfg: ["test"], test),
    Step("test_orders", lambda cfg: cfg.BIAS.SHUFFLE.TEST, lambda cfg: ["test"], test_orders),
    Step("ablate", lambda cfg: cfg.BIAS.ABLATION.ENABLE, _silenced, ablate),
    Step("centre", lambda cfg: cfg.BIAS.MASKS.CENTRE != "", lambda cfg: [cfg.BIAS.MASKS.CENTRE],
         centre_bias),
    Step("battery", lambda cfg: cfg.BIAS.BEHAVIOUR.ENABLE, lambda cfg: ["test"], battery),
)  # fmt: skip

# Steps that count the videos that are right -> the key that asks for each.
_COUNTING = {
    "test_orders": "BIAS.SHUFFLE.TEST",
    "ablate": "BIAS.ABLATION.ENABLE",
    "battery": "BIAS.BEHAVIOUR.ENABLE",
}


def enabled_steps(cfg: CfgNode) -> list[Step]:
    """Returns the steps that a config asks for, in their order."""
    return [step for step in STEPS if step.enabled(cfg)]


def lists_of(cfg: CfgNode, steps: Iterable[Step]) -> list[str]:
    """Returns the lists that steps read, each once, in the order in which they are needed."""
    return list(dict.fromkeys(name for step in steps for name in step.lists(cfg)))


def run(cfg: CfgNode, init_method: str | None = None) -> dict[str, Any]:
    """Runs all enabled steps, after a check of everything that they need; returns their results.

    At the end `report.html` shows what is in OUTPUT_DIR.
    The measurement takes what training has just measured, if that was of the same weights.
    """
    steps = enabled_steps(cfg)
    check_steps(cfg, steps)
    results: dict[str, Any] = {}
    with _alone(cfg):
        for step in steps:
            flow = step.flow
            if step.name == "measure" and "train" in results:
                flow = functools.partial(flow, known=_last_report(cfg, results["train"]))
            results[step.name] = launch(cfg, flow, init_method)
        _write_page(cfg)
    return results


def run_step(name: str, cfg: CfgNode, init_method: str | None = None) -> Any:
    """Runs one step, after a check of what it needs; returns its result."""
    (step,) = steps_named(name)
    check_steps(cfg, [step])
    with _alone(cfg):
        result = launch(cfg, step.flow, init_method)
        _write_page(cfg)
    return result


@contextlib.contextmanager
def _alone(cfg: CfgNode) -> Iterator[None]:
    """Keeps other runs out of OUTPUT_DIR; of a scheduler's processes the first one does."""
    given = rank_from_environment(os.environ)
    first = given.rank == 0 if given else ranks.is_master() and cfg.SHARD_ID == 0
    if first:
        make_output_dir(cfg.OUTPUT_DIR)
    with alone_in(cfg.OUTPUT_DIR) if first else contextlib.nullcontext():
        yield


def steps_named(*names: str) -> list[Step]:
    """Returns the steps of these names, in their order."""
    return [step for step in STEPS if step.name in names]


def check_steps(cfg: CfgNode, steps: Sequence[Step]) -> None:
    """Raises, before any work, what the steps would raise of names and lists in their turn."""
    if any(step.name == "train" for step in steps):
        check_training(cfg)
    _check_hits(cfg, steps)
    if cfg.BIAS.ENABLE or any(step.name in ("measure", "ablate") for step in steps):
        pair_maker(pairs_name(cfg))  # raises if there is none of that name
        check_top_clips(cfg)
    check_lists(cfg, lists_of(cfg, steps))
    if any(step.name == "battery" for step in steps):
        read_questions(cfg)
        cue_lists(cfg)


def _check_hits(cfg: CfgNode, steps: Sequence[Step]) -> None:
    """Raises ConfigError if the task has nothing that the steps could count."""
    task, keys = task_class(cfg), dict(_COUNTING)
    if hasattr(task, "overlaps"):
        keys.pop("ablate")
    if not task.counts_hits and any(step.name in keys for step in steps):
        raise ConfigError(
            [
                f"BIAS.TASK {cfg.BIAS.TASK}: expected a task in which a video is right or wrong "
                f"for {' and '.join(keys.values())}; set them to False"
            ]
        )


def _last_report(cfg: CfgNode, trained: TrainResult) -> Any:
    """Returns the report of the weights that training ended with; None if they are to be measured.

    With TEST.CHECKPOINT_FILE_PATH other weights are measured.
    """
    return None if cfg.TEST.CHECKPOINT_FILE_PATH else trained.report


def _write_page(cfg: CfgNode) -> None:
    if ranks.is_master() and cfg.SHARD_ID == 0:  # a process that started others is one of its own
        page = write_page(cfg.OUTPUT_DIR)
        if page:
            log.info("page: %s", page)


def check_data(cfg: CfgNode, **options: Any) -> list[Checked]:
    """Decodes the videos, or reads the frames, of every list that the enabled steps read.

    Without enabled steps, those of all three lists.
    """
    steps, order = enabled_steps(cfg), ("train", "val", "test")
    splits = lists_of(cfg, steps) if steps else order
    return check_lists_of(cfg, [split for split in order if split in splits], **options)
