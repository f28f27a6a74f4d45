"""slowfast_bias flow: computes the optical flow of sequences of pictures."""

from __future__ import annotations

import argparse
import os
import shlex
import sys

from slowfast_bias.cli.arguments import add_out, add_workers, number
from slowfast_bias.progress_bar import bar

ABOUT = (
    "Compute the optical flow of sequences of pictures, forward and backward, with OpenCV's DIS, "
    "and write it as pictures of the colour wheel: OUT/FlowImages_gap1/SEQUENCE/FRAME.png and "
    "OUT/FlowImages_gap-1. OUT/flow.json says how. Stopped, it goes on where it was."
)
EXAMPLE = "slowfast_bias flow /data/DAVIS/JPEGImages/480p --out /data/DAVIS"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    from slowfast_bias.datasets.flow.dis import PRESETS

    add = parser.add_argument
    add("images", metavar="IMAGES", help="folder with a folder of pictures for each sequence")
    add_out(parser, "folder in which FlowImages_gap1 and FlowImages_gap-1 are made", required=True)
    add("--preset", choices=PRESETS, default="medium", help="accuracy of DIS, and its cost")
    add("--gap", type=number(1), default=1, metavar="N", help="frames from one to the other")
    add("--raw", action="store_true", help="also write raw flow: Flows_gap1/SEQUENCE/FRAME.flo")
    add("--only-raw", action="store_true", help="write raw flow and no pictures")
    add_workers(parser, "sequences at a time; by default the number of cores", os.cpu_count())


def main(args: argparse.Namespace) -> int:
    """Computes what is not there yet; returns 1 if sequences were left out."""
    from slowfast_bias.datasets.preparing.flow import FlowSettings, make_flow

    raw = args.raw or args.only_raw
    settings = FlowSettings(args.preset, args.gap, pictures=not args.only_raw, raw=raw)
    out = args.out.rstrip("/") or "/"
    made = make_flow(args.images, out, settings, args.workers, bar)
    print(f"{len(made.counts)} sequences, {sum(made.counts.values())} flows each way in {out}")
    for name, reason in made.bad.items():
        print(f"left out {name}: {reason}", file=sys.stderr)
    folder = f"{'Flows' if args.only_raw else 'FlowImages'}_gap{args.gap}"
    # the key counts from DATA.PATH_TO_DATA_DIR, not from here
    place = out if "://" in out else os.path.abspath(out)
    print("a run takes them with:", shlex.join(["BIAS.SEGMENTS.FLOW", f"{place}/{folder}"]))
    return 1 if made.bad else 0


def interrupted(args: argparse.Namespace) -> str:
    """Returns what the user should know after Ctrl-C."""
    return f"stopped: the flow that is whole stays in {args.out}; the same command goes on"
