"""slowfast_bias stylize: writes videos in several styles, to be measured."""

from __future__ import annotations

import argparse
import json
import logging
import shlex
import sys

from slowfast_bias.cli.arguments import add_out, add_workers, number

ABOUT = (
    "Write videos in several styles, to be measured with BIAS.STYLES.SOURCE folders: "
    "DIR/style_0/VIDEO/frame_00001.jpg and so on. Stopped, it goes on where it was."
)
EXAMPLE = "slowfast_bias stylize /data/videos --out styled --family randconv --num 4"
FROM_FILE = "@"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add = parser.add_argument
    add("videos", nargs="+", metavar="VIDEOS",
        help="videos, folders of videos, or @FILE with one of these a row")  # fmt: skip
    add_out(parser, "folder in which a folder per style is made", required=True)
    add_bank(parser)
    add("--generator", nargs="+", default=[], metavar="FILE",
        help="instead of generated styles: state_dicts of Few-Shot-Patch-Based-Training "
        "generators, one per style; they need frames such as they were trained on, which that "
        "project filters before")  # fmt: skip
    add("--norm", choices=("instance", "none"), default="",
        help="normalisation of generators whose normalisation has no weights")  # fmt: skip
    add("--every", type=number(1), default=1, metavar="N", help="write every N-th frame")
    add("--short-side", type=number(0), default=0, metavar="PX",
        help="shrink frames to this short side; 0 keeps their size")  # fmt: skip
    add("--png", action="store_true", help="write PNG, exact and about five times as large")
    add("--quality", type=number(1, 100), default=95, help="quality of JPEG files, 1 to 100")
    add("--decoder", choices=("pyav", "torchcodec"), default="pyav", help="what decodes")
    add("--folder-fps", type=number(1e-3, 1e6, float), default=30.0, metavar="FPS",
        help="frames per second of videos that are folders of pictures")  # fmt: skip
    add_workers(parser, "processes; by default the number of cores, or a few to a GPU")


def add_bank(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that choose a bank of generated styles."""
    from slowfast_bias.datasets.styles.bank import FAMILIES

    add = parser.add_argument
    add("--family", choices=FAMILIES, default="colour", help="kind of generated styles")
    add("--num", type=int, default=4, help="number of generated styles")
    add("--seed", type=int, default=0, help="seed of generated styles")


def main(args: argparse.Namespace) -> int:
    """Writes what is left; returns 1 if videos were left out."""
    from slowfast_bias.engine.styling.folder_writer import Options, stylize
    from slowfast_bias.engine.styling.stylers import Recipe, default_processes

    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    recipe = Recipe(args.family, args.num, args.seed, tuple(args.generator), args.norm)
    options = Options(
        recipe, every=args.every, short_side=args.short_side, png=args.png, quality=args.quality,
        backend=args.decoder, folder_fps=args.folder_fps,
    )  # fmt: skip
    workers = default_processes(recipe) if args.workers is None else args.workers
    outcome = stylize(args.videos, args.out, options, workers)
    dirs = [f"{args.out.rstrip('/')}/style_{k}" for k in range(recipe.styles)]
    print(f"{len(outcome.written)} videos written, {len(outcome.skipped)} were there before")
    quoted = shlex.quote(json.dumps(dirs, ensure_ascii=False))
    print(f"measure with: BIAS.STYLES.SOURCE folders BIAS.STYLES.DIRS {quoted}")
    if len(dirs) < 2:
        print("a pair needs two styles: add the folder of another one")
    if outcome.failed:
        print(f"{len(outcome.failed)} left out, see {args.out}/bad.csv", file=sys.stderr)
    return 1 if outcome.failed else 0


def interrupted(args: argparse.Namespace) -> str:
    """Returns what the user should know after Ctrl-C."""
    return f"stopped: the videos that are whole stay in {args.out}; the same command goes on"
