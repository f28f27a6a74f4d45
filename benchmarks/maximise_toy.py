#!/usr/bin/env python3
"""Are clips that were made for a unit right? The toy world knows the answer without a network.

Networks that learnt which way a disc goes round (orbit2), or the texture; clips are made for their
classes and units. `motion shown`: the class that the clip itself shows, by the phase of what
changes on its orbit; `hue shown`: by its mean colour. `others`: networks trained apart that name
the class. `backwards`: the same for the clip played backwards and the opposite motion.

    python benchmarks/maximise_toy.py [--out runs/maximise_toy] [--parts PART ...] [--first 0]

Networks that are there already are not trained again; `--first 3` takes others.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.maximised.classes import classes  # noqa: E402
from benchmarks.maximised.still import flat, frozen  # noqa: E402
from benchmarks.maximised.streams import streams  # noqa: E402
from benchmarks.maximised.units import units  # noqa: E402

PARTS = {"classes": classes, "frozen": frozen, "units": units, "flat": flat, "streams": streams}


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", default="runs/maximise_toy")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--first", type=int, default=0, help="the seed of the first network")
    args = parser.parse_args()
    for part in args.parts:
        PARTS[part](args.out, args.first)


if __name__ == "__main__":
    main()
