"""Which commands the jobs of a cluster run: one, or one per run of a sweep or a reproduction."""

from __future__ import annotations

import argparse
import importlib
import shlex
from collections.abc import Sequence

from slowfast_bias.cli.arguments import find_config
from slowfast_bias.errors import RequestError

COMMANDS = ("run", "measure", "test", "battery", "sweep", "reproduce")
_SEVERAL = ("sweep", "reproduce")  # of runs that need each other's end alone
# what the cluster decides
_KEYS = {"NUM_GPUS": "--gpus", "NUM_SHARDS": "--nodes", "SHARD_ID": "--nodes"}
_FLAGS = ("num_shards", "shard_id", "init_method")


def jobs_of(command: str, words: Sequence[str], gpus: int, nodes: int) -> list[list[str]]:
    """Returns the words of each job's command, checked as far as a machine without GPUs can.

    Args:
        command: its name.
        words: its arguments.
        gpus: of each machine.
        nodes: machines of each job.
    """
    _refuse_keys(words)
    if command in _SEVERAL and nodes > 1:
        raise RequestError(
            f"Expected --nodes 1, but got {nodes}: each run of `{command}` is a job of one machine."
        )
    more = ["NUM_GPUS", str(gpus)]
    words = [*words, *more] if "--opts" in words else [*words, "--opts", *more]
    args = parsed(command, words)
    if command == "sweep":
        return _jobs_of_sweep(args)
    if command == "reproduce":
        return _jobs_of_reproduction(args)
    if taken := [name for name in _FLAGS if getattr(args, name, None) is not None]:
        raise RequestError(f"Expected SLURM to say where machines meet, but got --{taken[0]}.")
    if args.cfg_files:
        from slowfast_bias import engine

        engine.load_cfg([find_config(path) for path in args.cfg_files], args.opts, here=False)
    return [[command, *words]]


def parsed(command: str, words: Sequence[str]) -> argparse.Namespace:
    """Returns what a command makes of its arguments; ends this process if it refuses them."""
    from slowfast_bias.cli import make_parser

    parser = make_parser(command, importlib.import_module(f"slowfast_bias.cli.{command}"))
    args, rest = parser.parse_known_args(list(words))
    args.opts = [*args.opts, *rest]
    return args


def _jobs_of_sweep(args: argparse.Namespace) -> list[list[str]]:
    """Returns a command per run; with --start one per seed, as runs of a seed share its weights."""
    from slowfast_bias.engine.studies.reproduction.jobs import Job
    from slowfast_bias.engine.studies.sweep_runs import plan, run_config

    start = args.start and find_config(args.start)
    configs = [find_config(path) for path in args.networks]
    runs = plan(configs, args.kinds, args.rates, args.temperatures, args.seeds)
    for run in {run.config: run for run in runs}.values():
        run_config(args.out, run, args.opts, start, here=False)
    if not start:
        jobs = [Job(run.name, run.config, tuple(args.opts), run, args.out) for run in runs]
        return [shlex.split(job.command())[1:] for job in jobs]
    lists = {"networks": configs, "kinds": args.kinds, "rates": args.rates,
             "temperatures": args.temperatures}  # fmt: skip
    flags = [word for name, values in lists.items() for word in (f"--{name}", *map(str, values))]
    last = ["--start", start, "--out", args.out, "--opts", *args.opts]
    return [["sweep", *flags, "--seeds", str(seed), *last] for seed in args.seeds]


def _jobs_of_reproduction(args: argparse.Namespace) -> list[list[str]]:
    from slowfast_bias.cli.reproduce import planned_runs
    from slowfast_bias.engine.studies.reproduction.slurm import later, runs_for_an_array

    found = planned_runs(args, here=False).found
    if waiting := later(found):
        print(
            f"afterwards the same command again, for {len(waiting)} runs that take weights of these"
        )
    return [shlex.split(x.job.command())[1:] for x in runs_for_an_array(found)]


def _refuse_keys(words: Sequence[str]) -> None:
    for key, flag in _KEYS.items():
        if key in words:
            raise RequestError(f"Expected {flag} of `submit` in place of {key}: remove the key.")
