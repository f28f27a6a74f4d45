#!/usr/bin/env python3
"""Dose response of dropout: tools/sweep.py --cfg FILE --rates 0.1 0.5 --seeds 0 1 --out DIR ..."""

import argparse
import logging
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # a checkout needs no installation

from slowfast_bias.errors import UserError  # noqa: E402
from slowfast_bias.run import find_config  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Runs what is left; returns 0, 1 where runs failed, 2 where the user can mend it."""
    usage = "%(prog)s --cfg FILE ... --out DIR [flags] [--opts] KEY VALUE ..."
    parser = argparse.ArgumentParser(prog="sweep.py", usage=usage, description=__doc__)
    add = parser.add_argument
    add("--cfg", nargs="+", required=True, metavar="FILE", help="configs, each swept alike")
    add("--start", default="", metavar="FILE", help="config trained first, once per seed")
    add("--kinds", nargs="+", default=["none", "standard", "static"], help="of dropout")
    add("--rates", nargs="+", type=float, default=[0.1, 0.3, 0.5, 0.7])
    add("--temperatures", nargs="+", type=float, default=[1.0], help="of static")
    add("--seeds", nargs="+", type=int, default=[0])
    add("--out", required=True, metavar="DIR", help="a run each in here, rows.json, dose.png")
    add("--opts", action="store_true", help="ends a list before KEY VALUE ...")
    # what argparse does not know is KEY VALUE, as in run_net.py
    args, opts = parser.parse_known_args(arguments)
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    try:
        from slowfast_bias.engine.studies.sweep import sweep
        from slowfast_bias.engine.studies.sweep_runs import plan

        configs = [find_config(path) for path in args.cfg]
        runs = plan(configs, args.kinds, args.rates, args.temperatures, args.seeds)
        start = args.start and find_config(args.start)
        outcome = sweep(args.out, runs, opts, start)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"\n{len(outcome.rows)} runs in {args.out}: rows.json, table.md, dose*.png")
    if outcome.failed:
        print(f"failed: {', '.join(outcome.failed)}", file=sys.stderr)
    return 1 if outcome.failed else 0


if __name__ == "__main__":
    sys.exit(main())
