"""Sweeps: the same training with every kind, rate, temperature and seed of dropout, one by one.

Each run has a folder named after its settings and writes `result.json` there at its end. A sweep
that is started again skips finished runs and continues the others from their last checkpoint. A run
that fails is logged and counted, and the others go on; but if torchrun or srun started several
processes, which wait for each other, it ends the sweep.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr

from slowfast_bias import engine
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.launcher import join_scheduler, launch
from slowfast_bias.engine.runtime.log import set_up_logging
from slowfast_bias.engine.runtime.page import write_page
from slowfast_bias.engine.setup.bookmark import clear
from slowfast_bias.engine.steps import check_steps, steps_named
from slowfast_bias.engine.studies.dose_response import dose_figures
from slowfast_bias.engine.studies.sweep_runs import (
    Options,
    Run,
    refuse_other_settings,
    run_config,
    start_config,
)
from slowfast_bias.files import write_whole
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import read_result, write_result

ROW, ROWS = "sweep_run", "sweep"  # kinds of result files

log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """The result of a sweep."""

    rows: list[dict[str, Any]]  # of all finished runs in the folder
    skipped: list[str]  # names of runs that were finished before
    failed: list[str]


def sweep(out: str, runs: Sequence[Run], options: Options = (), start: str = "") -> Outcome:
    """Runs what is left of `runs` in `out`, collects all finished runs there, and writes the page.

    Args:
        out: the folder of the sweep.
        runs: as `plan` returns them.
        options: KEY, VALUE, ... for every run.
        start: a config that is trained first, once per seed, by its own settings; the runs begin
            with its weights (and new ones if shapes differ, as in another classifier).
    """
    cfgs = {run: run_config(out, run, options, start) for run in runs}  # before any work is done
    starts = {seed: start_config(out, start, seed) for seed in {r.seed for r in runs} if start}
    for cfg in (*cfgs.values(), *starts.values()):
        refuse_other_settings(cfg)
        join_scheduler(cfg)
    for cfg in {run.config: cfg for run, cfg in cfgs.items()}.values():  # one of each network
        check_steps(cfg, steps_named("train", "measure", "test_orders"))
    skipped, failed = [], []
    for number, (run, cfg) in enumerate(cfgs.items(), 1):
        result = Outputs(cfg.OUTPUT_DIR).result
        if ranks.from_master(g_pathmgr.exists(result)):
            skipped.append(run.name)
            continue
        set_up_logging(out)
        log.info("run %d of %d: %s", number, len(cfgs), run.name)
        try:
            if start:
                engine.train(starts[run.seed])  # after the first time nothing is left to do
            _write_row(result, do_run(run, cfg))
            _clear_bookmarks(cfg)
        except Exception:  # after any error the other runs go on
            if ranks.together():  # the other processes wait for this one and do not get the error
                raise
            set_up_logging(out)
            failed.append(run.name)
            log.exception("%s failed (%d so far); the others go on", run.name, len(failed))
        else:
            _collect_so_far(out)
        ranks.wait()
    set_up_logging(out)
    log.info("%d runs, %d done before, %d failed", len(cfgs), len(skipped), len(failed))
    rows = collect(out) if ranks.is_master() else []
    if rows and (page := write_page(out)):
        log.info("page: %s", page)
    return Outcome(ranks.from_master(rows), skipped, failed)


def do_run(run: Run, cfg: CfgNode) -> dict[str, Any]:
    """Trains (or goes on training), measures and tests; returns the run's row.

    `seconds` counts only this call: less than the total if the run was stopped before.
    """
    start = time.perf_counter()
    engine.train(cfg)
    figures = launch(cfg, dose_figures)
    about = {**asdict(run), "config": run.stem}
    return {**about, **figures, "seconds": round(time.perf_counter() - start, 1)}


def collect(out: str) -> list[dict[str, Any]]:
    """Returns the rows of all finished runs; writes `rows.json`, `table.md` and `dose*.png`."""
    from slowfast_bias.visualization.drawing.save import save_figure
    from slowfast_bias.visualization.figures.dose import dose_figure, dose_table

    outputs = Outputs(out)
    names = sorted(g_pathmgr.ls(out)) if g_pathmgr.isdir(out) else []
    files = [outputs.run(name).result for name in names]
    rows = [read_result(file, ROW).data for file in files if g_pathmgr.exists(file)]
    if not rows:
        return rows
    write_result(outputs.rows, ROWS, {}, rows)
    configs = list(dict.fromkeys(row["config"] for row in rows))
    tables = []
    for config in configs:
        mine = [row for row in rows if row["config"] == config]
        tables.append(f"{config}\n\n{dose_table(mine)}")
        save_figure(dose_figure(mine), outputs.dose("" if len(configs) == 1 else config))
    with write_whole(outputs.table) as file:
        file.write("\n".join(tables))
    return rows


def _write_row(path: str, row: dict[str, Any]) -> None:
    if ranks.is_master():
        write_result(path, ROW, {}, row)


def _clear_bookmarks(cfg: CfgNode) -> None:
    if ranks.is_master():
        clear(cfg.OUTPUT_DIR)


def _collect_so_far(out: str) -> None:
    if not ranks.is_master():
        return
    try:
        collect(out)
    except Exception as error:  # the end collects again, and raises if that still fails
        set_up_logging(out)
        log.warning("not collected yet: %s: %s", type(error).__name__, error)
