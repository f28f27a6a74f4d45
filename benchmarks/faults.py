#!/usr/bin/env python3
"""Injects faults into runs on toy videos, and writes what became of them: docs/RELIABILITY.md.

Every fault is injected from outside, into a run of its own, and then the same command is given
again. A row says how often, how the run ended and in what words, and what work was lost. The exit
status is 1 if one of them ended in another way than it should.

    python benchmarks/faults.py [--kills 200] [--rounds 3] [--only NAME ...] [--out FILE]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.injected import disks, files, kills, processes  # noqa: E402
from benchmarks.injected.row import Bench, Row  # noqa: E402


def main() -> int:
    """Injects the faults and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=200, help="of whole runs, all together")
    parser.add_argument("--rounds", type=int, default=3, help="of every other fault")
    parser.add_argument(
        "--minutes", type=float, default=15, help="for each of the three kinds of kills"
    )
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--out", help="a page whose table is replaced")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), args.kills, args.rounds, args.minutes)
        known = {
            name: row
            for x in (kills, processes, disks, files)
            for name, row in x.rows(bench).items()
        }
        rows = []
        for name in args.only or known:
            rows.append(known[name]())
            print(_line(rows[-1]), flush=True)
    if args.out:
        write_table(Path(args.out), rows)
    return 0 if all(row.good for row in rows) else 1


def write_table(page: Path, rows: Sequence[Row]) -> None:
    """Replaces the table of a page."""
    head = "| Fault | Times | Outcome | Lost work |\n|---|---|---|---|"
    before, _, rest = page.read_text().partition("<!-- table -->")
    after = rest.partition("<!-- end -->")[2]
    table = "\n".join([head, *map(_line, rows)])
    page.write_text(f"{before}<!-- table -->\n{table}\n<!-- end -->{after}")


def _line(row: Row) -> str:
    wrong = "" if row.good else "**not as it should be** "
    return f"| {row.fault} | {row.times} | {wrong}{row.outcome} | {row.lost} |"


if __name__ == "__main__":
    sys.exit(main())
