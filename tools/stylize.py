#!/usr/bin/env python3
"""Writes videos in several styles, to be measured: tools/stylize.py VIDEOS... --out DIR ...

DIR/style_0/VIDEO/frame_00001.jpg and so on; then measure with BIAS.STYLES.SOURCE folders and
BIAS.STYLES.DIRS [DIR/style_0, ...]. Started again, it goes on where it was stopped.
"""

import argparse
import json
import logging
import math
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a checkout needs no installation

from slowfast_bias.errors import UserError  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Writes what is left; returns 0, 1 where videos were left out, 2 for a wrong setting."""
    parser = argparse.ArgumentParser("stylize.py", description=__doc__, fromfile_prefix_chars="@")
    add = parser.add_argument
    text = "videos, folders of videos, or @FILE with one of these a row"
    add("videos", nargs="+", metavar="VIDEOS", help=text)
    add("--out", required=True, metavar="DIR", help="a folder per style is made in here")
    add("--family", choices=("colour", "randconv"), default="colour", help="of generated styles")
    add("--num", type=int, default=4, help="of generated styles")
    add("--seed", type=int, default=0, help="of generated styles")
    text = (
        "instead: state_dicts of Few-Shot-Patch-Based-Training generators, one per style; they "
        "want such frames as they were trained on, which that project filters before"
    )
    add("--generator", nargs="+", default=[], metavar="FILE", help=text)
    text = "of generators whose normalisation has no weights"
    add("--norm", choices=("instance", "none"), default="", help=text)
    add("--every", type=int, default=1, metavar="N", help="write every N-th frame")
    add("--short-side", type=int, default=0, metavar="PX", help="shrink to this; 0: as they are")
    add("--png", action="store_true", help="exact, about five times as large as JPEG")
    add("--quality", type=int, default=95, help="of JPEG, 1 to 100")
    add("--decoder", choices=("pyav", "torchcodec"), default="pyav")
    add("--folder-fps", type=float, default=30.0, help="of videos that are folders of pictures")
    add("--workers", type=int, help="processes; else the number of cores, or few to a GPU")
    args = parser.parse_args(arguments)
    for name, low, high in (("every", 1, 10**6), ("quality", 1, 100), ("short_side", 0, 10**5)):
        if not low <= getattr(args, name) <= high:
            parser.error(f"--{name.replace('_', '-')}: expected {low} to {high}")
    if not 0 < args.folder_fps < math.inf:
        parser.error("--folder-fps: expected more than 0")
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    try:
        from slowfast_bias.engine.styling.folder_writer import Options, stylize
        from slowfast_bias.engine.styling.stylers import Recipe, default_processes

        recipe = Recipe(args.family, args.num, args.seed, tuple(args.generator), args.norm)
        size = {"every": args.every, "short_side": args.short_side}
        kind = {"png": args.png, "quality": args.quality}
        source = {"backend": args.decoder, "folder_fps": args.folder_fps}
        options = Options(recipe, **size, **kind, **source)
        workers = default_processes(recipe) if args.workers is None else args.workers
        outcome = stylize(args.videos, args.out, options, workers)
    except (UserError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    dirs = [f"{args.out.rstrip('/')}/style_{k}" for k in range(recipe.styles)]
    print(f"{len(outcome.written)} videos written, {len(outcome.skipped)} were there before")
    quoted = shlex.quote(json.dumps(dirs, ensure_ascii=False))
    print(f"measure with: BIAS.STYLES.SOURCE folders BIAS.STYLES.DIRS {quoted}")
    if len(dirs) < 2:
        print("a pair needs two styles: add the folder of another one")
    if outcome.failed:
        print(f"{len(outcome.failed)} left out, see {args.out}/bad.csv", file=sys.stderr)
    return 1 if outcome.failed else 0


if __name__ == "__main__":
    sys.exit(main())
