"""slowfast_bias demo: toy networks whose bias is known beforehand."""

from __future__ import annotations

import argparse

from slowfast_bias.cli.arguments import add_out, shipped_configs

ABOUT = (
    "Train toy networks whose bias is known, measure and compare them; needs no data. "
    "classification: four networks, about a minute on two CPU cores. segmentation: three networks "
    "of masks, which know objects by their motion, by their colour, or by both; a few minutes."
)
EXAMPLE = "slowfast_bias demo --out runs/demo"
OUT = {"classification": "runs/demo", "segmentation": "runs/demo_segmentation"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument(
        "what", nargs="?", choices=list(OUT), default="classification", help="which networks"
    )
    add_out(parser, f"where everything goes; {' or '.join(OUT.values())} if not given")


def main(args: argparse.Namespace) -> int:
    """Runs the demo and prints its table."""
    from slowfast_bias.engine.studies import demo, mask_demo

    run = {"classification": demo.run, "segmentation": mask_demo.run}[args.what]
    run(args.out or OUT[args.what], f"{shipped_configs().parent}/")
    return 0


def interrupted(args: argparse.Namespace) -> str:
    """Returns what the user should know after Ctrl-C."""
    out = args.out or OUT[args.what]
    return f"interrupted; what is trained stays in {out}, the same command goes on"
