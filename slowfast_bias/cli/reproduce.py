"""slowfast_bias reproduce: the figures of the paper, run, drawn and tabulated."""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from slowfast_bias.cli.arguments import add_out, shipped_configs
from slowfast_bias.errors import RequestError

if TYPE_CHECKING:
    from slowfast_bias.engine.studies.reproduction.places import Places
    from slowfast_bias.engine.studies.reproduction.runner import Intent

ABOUT = (
    "Train, measure and test what a figure of the paper needs, and draw and tabulate it, published "
    "numbers beside ours. Stopped, it goes on where it was; what is there is always drawn. With "
    "--toy on the toy world, in minutes."
)
EXAMPLE = "slowfast_bias reproduce fig7 fig13 --toy --out runs/paper"
ALL = "all"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add = parser.add_argument
    add("figures", nargs="+", metavar="FIGURE",
        help="fig3 (bias by layer), fig6 (kinds of units), fig7 (training data), fig10 (over "
        "epochs), fig11 (silenced units), fig13, fig14 (StaticDropout); of networks of masks fig4 "
        "(by stage), table1 (training data), fig8 (centre bias), fig10b, fig11b (the lower parts), "
        "fig15 (variants); or all")  # fmt: skip
    world = parser.add_mutually_exclusive_group(required=True)
    world.add_argument("--data", metavar="DIR",
        help="folder with kinetics, ssv2, something_else, diving48: each has its lists, and its "
        "videos in `videos` (of Diving48: `rgb`); with DAVIS, YouTube-VOS, ImageNet-VID, TAO-VOS, "
        "MoCA, each with its flow")  # fmt: skip
    world.add_argument("--toy", action="store_true", help="small counterparts on the toy world")
    add("--weights", default="", metavar="DIR",
        help="folder with published files by the names of docs/ZOO.md; those networks are not "
        "trained")  # fmt: skip
    add_out(parser, "where everything goes", default="runs/reproduce")
    add("--dry-run", action="store_true",
        help="print what would be done, as commands, and do nothing")  # fmt: skip
    add("--slurm", default="", metavar="DIR",
        help="write DIR/runs.sbatch, an array with a run per index, and run nothing")  # fmt: skip
    add("--collect", action="store_true", help="run nothing; draw and tabulate what is there")
    add("--opts", dest="opts", action="store_const", const=[], default=[],
        help="may stand before KEY VALUE ..., which hold for every run")  # fmt: skip
    parser.usage = "%(prog)s FIGURE ... (--data DIR | --toy) [flags] [--opts] KEY VALUE ..."


def main(args: argparse.Namespace) -> int:
    """Does what is left, then makes figures and tables; returns 1 if runs failed."""
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    here = not (args.dry_run or args.slurm or args.collect)  # else nothing runs on this machine
    names, options, places, found = planned_runs(args, here)
    from slowfast_bias.engine.studies.reproduction.pages import write_pages
    from slowfast_bias.engine.studies.reproduction.runner import command_lines, state_lines

    if args.dry_run:
        print("\n".join(command_lines(found)))
        return 0
    if args.slurm:
        return _write_script(args, names, found, _command(args, names, options))
    print("\n".join(state_lines(found)), flush=True)
    failed = {} if args.collect else _run(found, places.out, args.toy)
    pictures = write_pages(names, places, found, failed, _command(args, names, options))
    print(f"\n{places.out}/results.md, and {len(pictures)} pictures beside it")
    for name, why in failed.items():
        print(f"failed: {name}: {why}", file=sys.stderr)
    return 1 if failed else 0


class Plan(NamedTuple):
    """What was asked for.

    Attributes:
        names: of the figures.
        options: KEY, VALUE, ...
        places: where things are.
        found: what will become of each run.
    """

    names: list[str]
    options: list[str]
    places: Places
    found: list[Intent]


def planned_runs(args: argparse.Namespace, here: bool) -> Plan:
    """Returns the runs that the arguments ask for; RequestError if they contradict each other.

    Runs that are not for `here` may ask for more GPUs than this machine has.
    """
    _check(args)
    from slowfast_bias.engine.studies.reproduction.figures import FIGURES, plans_for
    from slowfast_bias.engine.studies.reproduction.jobs import make_jobs
    from slowfast_bias.engine.studies.reproduction.places import Places
    from slowfast_bias.engine.studies.reproduction.runner import intents

    names, options = _split(args, list(FIGURES))
    places = Places(
        args.out.rstrip("/"), (args.data or "").rstrip("/"), args.weights.rstrip("/"),
        f"{shipped_configs().parent}/", tuple(options),
    )  # fmt: skip
    jobs = make_jobs(plans_for([FIGURES[x] for x in names], places.world), places)
    return Plan(names, options, places, intents(jobs, here))


def interrupted(args: argparse.Namespace) -> str:
    """Returns what the user should know after Ctrl-C."""
    return (
        f"stopped: what is done stays in {args.out}; the same command goes on, with --collect it "
        "draws what there is"
    )


def _run(found: Sequence[Intent], out: str, toy: bool) -> dict[str, str]:
    """Does what is left, alone in the folder; returns what failed."""
    import torch

    from slowfast_bias.engine.studies.reproduction.runner import run_all
    from slowfast_bias.files import alone_in

    if all(x.cfg is None for x in found):
        lacks = ", ".join(dict.fromkeys(x.job.lacks for x in found))
        raise RequestError(
            f"Expected the data or the weights of at least one run, but {lacks}. Give another "
            "--data, or --toy."
        )
    if toy and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)  # networks this small lose time to more, on a busy machine much
    with alone_in(out):
        return run_all(found, out)


def _write_script(
    args: argparse.Namespace, names: Sequence[str], found: Sequence[Intent], command: str
) -> int:
    from slowfast_bias.engine.studies.reproduction.slurm import later, write_script

    path, waiting = write_script(found, args.slurm.rstrip("/"), names), later(found)
    print(f"{path}: {sum(bool(x.left) for x in found) - len(waiting)} runs. Submit: sbatch {path}")
    if waiting:
        print(f"then the same command again, for {len(waiting)} runs that take weights of these")
    print(f"then: {command} --collect")
    return 0


def _check(args: argparse.Namespace) -> None:
    """Raises RequestError if flags contradict each other, or would do nothing."""
    chosen = [x for x in ("dry_run", "slurm", "collect") if getattr(args, x)]
    if len(chosen) > 1:
        flags = " and ".join(f"--{x.replace('_', '-')}" for x in chosen)
        raise RequestError(f"Expected one of --dry-run, --slurm, --collect, but got {flags}.")
    if args.toy and args.weights:
        raise RequestError(
            "Expected no --weights with --toy, which trains its networks: remove it."
        )
    for flag, folder in (("--data", args.data), ("--weights", args.weights)):
        if folder and not os.path.isdir(folder):
            raise RequestError(f"Expected {flag} to be a folder, but there is none at {folder!r}.")


def _split(args: argparse.Namespace, known: list[str]) -> tuple[list[str], list[str]]:
    """Returns the names of the figures, each once, and KEY, VALUE, ...; both were words."""
    words = [*args.figures, *args.opts]  # those behind flags are in `opts`, figures too
    end = next((i for i, word in enumerate(words) if word.isupper() or "." in word), len(words))
    options = words[end:]
    wrong = [word for word in words[:end] if word not in (*known, ALL)]
    if wrong or not end:
        raise RequestError(
            f"Expected figures among {', '.join(known)}, or {ALL}, but got {(wrong or words)[0]!r}."
        )
    if len(options) % 2:
        odd = next((word for word in options[::2] if word in (*known, ALL)), options[-1])
        raise RequestError(
            f"Expected KEY VALUE pairs behind the figures, but {odd!r} is "
            f"{'a figure: name it before the keys' if odd in (*known, ALL) else 'without a value'}."
        )
    if "OUTPUT_DIR" in options[::2]:
        raise RequestError("Expected --out DIR in place of OUTPUT_DIR: every run has its own.")
    return [x for x in known if x in words[:end] or ALL in words[:end]], options


def _command(args: argparse.Namespace, names: Sequence[str], options: Sequence[str]) -> str:
    """Returns the command that gives the same results, for the page."""
    world = ["--toy"] if args.toy else ["--data", args.data]
    weights = ["--weights", args.weights] if args.weights else []
    out = ["--out", args.out]
    return shlex.join(["slowfast_bias", "reproduce", *names, *world, *weights, *out, *options])
