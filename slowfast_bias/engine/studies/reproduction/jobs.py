"""Planned runs as jobs: the command that does each, its config, and how far it has come."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr

from slowfast_bias.config import load_cfg
from slowfast_bias.engine.studies.reproduction.places import Places
from slowfast_bias.engine.studies.reproduction.planned import (
    STEPS,
    Plan,
    Planned,
    PlannedSweep,
    switch,
)
from slowfast_bias.engine.studies.sweep_runs import Run, last_weights, run_config
from slowfast_bias.outputs import Outputs


@dataclass(frozen=True)
class Job:
    """One run: a network that is trained, measured and tested, in a folder of its own.

    Attributes:
        name: of the run, or of the sweep and the run in it.
        config: the YAML file.
        words: KEY, VALUE, ... behind it.
        setting: of a sweep; None for other runs.
        out: the folder of the sweep; "" for other runs.
        lacks: what has to be there before it can run, and how it fails; "" if nothing is missing.
        after: the name of the job whose weights it begins with.
    """

    name: str
    config: str
    words: tuple[Any, ...]
    setting: Run | None = None
    out: str = ""
    lacks: str = ""
    after: str = ""

    def load(self, here: bool = True) -> CfgNode:
        """Returns the config; ConfigError names all that is wrong with it.

        One that is not to run `here` may ask for more GPUs than this machine has.
        """
        if self.setting is None:
            return load_cfg(self.config, self.words, here=here)
        return run_config(self.out, self.setting, self.words, here=here)

    def command(self) -> str:
        """Returns the line that does it in a shell."""
        keys = [str(word) for word in self.words]
        if self.setting is None:
            return shlex.join(["slowfast_bias", "run", "--cfg", self.config, *keys])
        run = self.setting
        flags = ["--networks", self.config, "--kinds", run.kind, "--seeds", str(run.seed)]
        flags += [] if run.rate is None else ["--rates", str(run.rate)]
        flags += [] if run.temperature is None else ["--temperatures", str(run.temperature)]
        return shlex.join(["slowfast_bias", "sweep", *flags, "--out", self.out, "--opts", *keys])

    def steps_left(self, cfg: CfgNode) -> list[str]:
        """Returns the steps whose results are not there; all of them if it is not trained."""
        if self.setting is not None:
            return [] if g_pathmgr.exists(Outputs(cfg.OUTPUT_DIR).result) else ["sweep"]
        steps = {name: file for name, file in _results(cfg).items() if _asked(self.words, name)}
        left = [name for name, file in steps.items() if not g_pathmgr.exists(file)]
        return list(steps) if "train" in left else left

    def begun(self, cfg: CfgNode) -> bool:
        """Returns whether something of it is there already."""
        outputs = Outputs(cfg.OUTPUT_DIR)
        done = _asked(self.words, "train") and g_pathmgr.exists(last_weights(cfg))
        return done or bool(outputs.list_checkpoints()) or g_pathmgr.exists(outputs.report())


def make_jobs(plans: Iterable[Plan], places: Places) -> list[Job]:
    """Returns the jobs of these plans, in their order; plans stand behind those they begin with."""
    jobs: list[Job] = []
    for plan in plans:
        jobs += _jobs_of_sweep(plan, places, jobs) if isinstance(plan, PlannedSweep) else [
            _job_of_run(plan, places, jobs)
        ]  # fmt: skip
    return jobs


def _job_of_run(plan: Planned, places: Places, before: Sequence[Job]) -> Job:
    weights, after, lacks = places.find_weights(plan.weights), "", ""
    steps = [step for step in plan.steps if not (weights and step == "train")]
    keys = {key: on for key, on in (switch(x, x in steps) for x in STEPS) if on != ""}
    keys |= {"TRAIN.AUTO_RESUME": True, **dict(plan.keys)}
    if plan.weights_of and not weights:
        (first,) = (job for job in before if job.name == plan.weights_of)
        weights, after = last_weights(first.load(here=False)), first.name
        lacks = first.lacks
    if weights:
        keys["TEST.CHECKPOINT_FILE_PATH"] = weights
    if plan.folder:
        keys["BIAS.HF.FOLDER"] = f"{places.weights}/{plan.folder}"
    words = (*_flat(keys), *(places.data_keys(plan.data) if plan.data else ()), *places.options)
    words += ("OUTPUT_DIR", places.run(plan.name).root)
    lacks = _lacks(plan, places, weights) or lacks
    return Job(plan.name, places.configs + plan.config, words, lacks=lacks, after=after)


def _jobs_of_sweep(plan: PlannedSweep, places: Places, before: Sequence[Job]) -> list[Job]:
    words = (*_flat(dict(plan.keys)), *(places.data_keys(plan.data) if plan.data else ()))
    if plan.begins_with:
        (first,) = (job for job in before if job.name == plan.begins_with)
        words += (
            "TRAIN.CHECKPOINT_FILE_PATH", last_weights(first.load(here=False)),
            "TRAIN.CHECKPOINT_EPOCH_RESET", True, "BIAS.ALLOW_PARTIAL_WEIGHTS", True,
        )  # fmt: skip
    words += places.options
    lacks = places.lacks(plan.data) if plan.data else ""
    out = places.run(plan.name).root
    return [
        Job(f"{plan.name}/{run.name}", run.config, words, run, out, lacks, plan.begins_with)
        for run in (replace(run, config=places.configs + run.config) for run in plan.runs())
    ]


def _lacks(plan: Planned, places: Places, weights: str) -> str:
    """Returns what a run needs and has not: its data, or weights if it has no recipe."""
    if plan.data and (data := places.lacks(plan.data)):
        return data
    if weights or "train" in plan.steps:
        return ""
    return f"{places.weights or '--weights DIR'}/{' or '.join(plan.weights)} is not there"


def _results(cfg: CfgNode) -> dict[str, str]:
    """Returns {step: the file that is there when it is done}, in the order of the steps."""
    outputs = Outputs(cfg.OUTPUT_DIR)
    return {
        "train": last_weights(cfg),
        "measure": outputs.report(),
        "test": outputs.segmentation(),
        "test_orders": outputs.frame_orders,
        "ablate": outputs.silencing(),
        "centre": outputs.centre(),
    }


def _asked(words: Sequence[Any], step: str) -> bool:
    """Returns whether KEY, VALUE, ... ask for a step; the last of them counts."""
    value = dict(zip(words[::2], words[1::2], strict=True)).get(STEPS[step])
    return value not in (None, False, "False", "")


def _flat(keys: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(word for pair in keys.items() for word in pair)
