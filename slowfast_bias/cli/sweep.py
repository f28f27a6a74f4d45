"""slowfast_bias sweep: the same training with every kind, rate and seed of dropout."""

from __future__ import annotations

import argparse
import logging
import sys

from slowfast_bias.cli.arguments import add_out, find_config

ABOUT = (
    "Train the same networks with every kind, rate, temperature and seed of dropout, measure and "
    "test each: the dose response of StaticDropout. Stopped, it goes on where it was."
)
EXAMPLE = (
    "slowfast_bias sweep --networks configs/Toy/SLOW_debias.yaml --rates 0.1 0.5 --seeds 0 1 "
    "--out sweep"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add = parser.add_argument
    add("--networks", nargs="+", required=True, metavar="FILE",
        help="configs, each swept by itself and alike")  # fmt: skip
    add("--start", default="", metavar="FILE",
        help="config that is trained first, once per seed; all runs begin with its weights"
        )  # fmt: skip
    add("--kinds", nargs="+", default=["none", "standard", "static"], metavar="KIND",
        help="kinds of dropout")  # fmt: skip
    add("--rates", nargs="+", type=float, default=[0.1, 0.3, 0.5, 0.7], metavar="R",
        help="shares of channels dropped")  # fmt: skip
    add("--temperatures", nargs="+", type=float, default=[1.0], metavar="T",
        help="temperatures of static")  # fmt: skip
    add("--seeds", nargs="+", type=int, default=[0], metavar="S", help="seeds of the training")
    add_out(parser, "folder with a folder per run, rows.json, table.md and dose.png", required=True)
    add("--opts", dest="opts", action="store_const", const=[], default=[],
        help="ends a list of values before KEY VALUE ...")  # fmt: skip
    parser.usage = "%(prog)s --networks FILE ... --out DIR [flags] [--opts] KEY VALUE ..."


def main(args: argparse.Namespace) -> int:
    """Runs what is left; returns 1 if runs failed."""
    from slowfast_bias.engine.studies.sweep import sweep
    from slowfast_bias.engine.studies.sweep_runs import plan

    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    configs = [find_config(path) for path in args.networks]
    runs = plan(configs, args.kinds, args.rates, args.temperatures, args.seeds)
    outcome = sweep(args.out, runs, args.opts, args.start and find_config(args.start))
    print(f"\n{len(outcome.rows)} runs in {args.out}: rows.json, table.md, dose*.png")
    if outcome.failed:
        print(f"failed: {', '.join(outcome.failed)}", file=sys.stderr)
    return 1 if outcome.failed else 0


def interrupted(args: argparse.Namespace) -> str:
    """Returns what the user should know after Ctrl-C."""
    return f"stopped: finished runs stay in {args.out}; the same command goes on"
