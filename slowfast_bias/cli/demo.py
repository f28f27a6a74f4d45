"""slowfast_bias demo: four toy networks whose bias is known beforehand."""

from __future__ import annotations

import argparse

from slowfast_bias.cli.arguments import add_out, shipped_configs

ABOUT = (
    "Train three toy networks, measure them and an untrained one, and compare. About a minute on "
    "two CPU cores; needs no data."
)
EXAMPLE = "slowfast_bias demo --out runs/demo"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_out(parser, "where everything goes", default="runs/demo")


def main(args: argparse.Namespace) -> int:
    """Runs the demo and prints its table."""
    from slowfast_bias.engine.studies.demo import run

    run(args.out, f"{shipped_configs().parent}/")
    return 0


def interrupted(args: argparse.Namespace) -> str:
    """Returns what the user should know after Ctrl-C."""
    return f"interrupted; what is trained stays in {args.out}, the same command goes on"
