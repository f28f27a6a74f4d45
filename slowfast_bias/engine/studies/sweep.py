"""Sweeps: the same training with every kind, rate, temperature and seed of dropout, one by one.

Each run has a folder named after its settings and leaves ``result.json`` there at its end. Started
again, a sweep skips what is finished and takes up the rest from its last checkpoint. A run that
fails is logged and counted, and the others go on.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import simplejson
from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr

from slowfast_bias import engine
from slowfast_bias.engine.runtime.launcher import launch
from slowfast_bias.engine.runtime.log import set_up_logging
from slowfast_bias.engine.studies.dose_response import dose_figures
from slowfast_bias.engine.studies.sweep_runs import (
    Options,
    Run,
    refuse_other_settings,
    run_config,
    start_config,
)
from slowfast_bias.files import write_whole

log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What a sweep came to."""

    rows: list[dict[str, Any]]  # all that are finished in the folder
    skipped: list[str]  # names of runs that were finished before
    failed: list[str]


def sweep(out: str, runs: Sequence[Run], options: Options = (), start: str = "") -> Outcome:
    """Does what is left of ``runs`` in ``out`` and collects all that is finished there.

    Args:
        out: the folder of the sweep.
        runs: as `plan` gives them.
        options: KEY, VALUE, ... for every run.
        start: a config that is trained first, once per seed, by its own settings; the runs begin
            with its weights (and fresh ones where shapes differ, as in another classifier).
    """
    cfgs = {run: run_config(out, run, options, start) for run in runs}  # before any work is done
    starts = {seed: start_config(out, start, seed) for seed in {r.seed for r in runs} if start}
    for cfg in (*cfgs.values(), *starts.values()):
        refuse_other_settings(cfg)
    skipped, failed = [], []
    for number, (run, cfg) in enumerate(cfgs.items(), 1):
        if g_pathmgr.exists(f"{cfg.OUTPUT_DIR}/result.json"):
            skipped.append(run.name)
            continue
        set_up_logging(out)
        log.info("run %d of %d: %s", number, len(cfgs), run.name)
        try:
            if start:
                engine.train(starts[run.seed])  # nothing is left to do after the first time
            row = do_run(run, cfg)
            with write_whole(f"{cfg.OUTPUT_DIR}/result.json") as file:
                file.write(simplejson.dumps(row, ignore_nan=True))
        except Exception:  # whatever it is, the others go on
            set_up_logging(out)
            failed.append(run.name)
            log.exception("%s failed (%d so far); the others go on", run.name, len(failed))
        else:
            _collect_so_far(out)
    set_up_logging(out)
    log.info("%d runs, %d done before, %d failed", len(cfgs), len(skipped), len(failed))
    return Outcome(collect(out), skipped, failed)


def do_run(run: Run, cfg: CfgNode) -> dict[str, Any]:
    """Trains (or goes on training), measures and tests; returns the run's row.

    `seconds` are those of this time: less than the whole where a run broke off before.
    """
    start = time.perf_counter()
    engine.train(cfg)
    figures = launch(cfg, dose_figures)
    about = {**asdict(run), "config": run.stem}
    return {**about, **figures, "seconds": round(time.perf_counter() - start, 1)}


def collect(out: str) -> list[dict[str, Any]]:
    """The rows of all finished runs; writes ``rows.json``, ``table.md`` and ``dose*.png``."""
    from slowfast_bias.visualization.drawing.save import save_figure
    from slowfast_bias.visualization.figures.dose import dose_figure, dose_table

    names = sorted(g_pathmgr.ls(out)) if g_pathmgr.isdir(out) else []
    files = [f"{out}/{name}/result.json" for name in names]
    rows = [_read(file) for file in files if g_pathmgr.exists(file)]
    if not rows:
        return rows
    with write_whole(f"{out}/rows.json") as file:
        file.write(simplejson.dumps(rows, indent=1))
    configs = list(dict.fromkeys(row["config"] for row in rows))
    tables = []
    for config in configs:
        mine = [row for row in rows if row["config"] == config]
        tables.append(f"{config}\n\n{dose_table(mine)}")
        file = "dose.png" if len(configs) == 1 else f"dose-{config}.png"
        save_figure(dose_figure(mine), f"{out}/{file}")
    with write_whole(f"{out}/table.md") as file:
        file.write("\n".join(tables))
    return rows


def _collect_so_far(out: str) -> None:
    try:
        collect(out)
    except Exception as error:  # the end collects again, and tells if it still cannot
        set_up_logging(out)
        log.warning("not collected yet: %s: %s", type(error).__name__, error)


def _read(path: str) -> dict[str, Any]:
    with g_pathmgr.open(path, "r") as file:
        return json.load(file)
