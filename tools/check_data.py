#!/usr/bin/env python3
"""Describes and decodes the videos of a config: tools/check_data.py CFG [KEY VALUE ...]."""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a checkout needs no installation

from tqdm import tqdm  # noqa: E402

from slowfast_bias.errors import UserError  # noqa: E402
from slowfast_bias.run import find_config  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Prints a paragraph a list; returns 1 if a video cannot be read, 2 if the config is wrong."""
    parser = argparse.ArgumentParser(prog="check_data.py", description=__doc__)
    parser.add_argument("cfg", help="YAML file")
    parser.add_argument("opts", nargs="*", metavar="KEY VALUE", help="changes of the config")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="videos at a time")
    parser.add_argument("--quick", action="store_true", help="decode three frames of each, not all")
    args = parser.parse_intermixed_args(arguments)

    def bar(steps, total, title):
        return tqdm(steps, total=total, desc=title, file=sys.stderr)

    try:
        from slowfast_bias import engine
        from slowfast_bias.engine.check_data import check_data

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
