#!/usr/bin/env python3
"""Describes and decodes the videos of a config: tools/check_data.py CFG [KEY VALUE ...]."""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a checkout needs no installation


def main(arguments: list[str] | None = None) -> int:
    """Prints a paragraph a list; returns 1 if a video cannot be read, 2 if the config is wrong."""
    from slowfast_bias.interrupts import STATUS

    try:
        return _main(arguments)
    except KeyboardInterrupt:
        print("stopped: nothing was written, the same command starts anew", file=sys.stderr)
        return STATUS


def _main(arguments: list[str] | None) -> int:
    from tqdm import tqdm

    from slowfast_bias.errors import UserError
    from slowfast_bias.run import find_config

    parser = argparse.ArgumentParser(prog="check_data.py", description=__doc__)
    parser.add_argument("cfg", help="YAML file")
    text = "changes of the config"  # the default keeps argparse from asking for some
    parser.add_argument("opts", nargs="*", default=[], metavar="KEY VALUE", help=text)
    text = "videos at a time; by default the number of cores"
    add = parser.add_argument
    add("--processes", "--workers", type=int, default=os.cpu_count(), metavar="N", help=text)
    add("--quick", action="store_true", help="decode three frames of each, not all")
    args = parser.parse_intermixed_args(arguments)

    def bar(steps, total, title):
        return tqdm(steps, total=total, desc=title, file=sys.stderr)

    sys.stdout.reconfigure(errors="surrogateescape")  # names of files may be any bytes
    try:
        from slowfast_bias import engine
        from slowfast_bias.engine.preflight.videos import check_data

        # no training here: the machine need not be the one that trains
        cfg = engine.load_cfg(find_config(args.cfg), [*args.opts, "NUM_GPUS", 0])
        checked = check_data(cfg, processes=args.processes, quick=args.quick, progress=bar)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for split in checked:
        print(split.text)
    return 1 if any(split.bad for split in checked) else 0


if __name__ == "__main__":
    sys.exit(main())
