#!/usr/bin/env python3
"""Plots what runs leave behind: tools/plot_bias.py REPORT... --out FIG.png [--kind curves].

Instead of reports: --over-epochs RUN..., --ablation FILE..., --orders FILE...
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a checkout needs no installation

from slowfast_bias.visualization.plot import KINDS, SOURCES, plot_files  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Writes the figure; returns the exit status."""
    parser = argparse.ArgumentParser(prog="plot_bias.py", description=__doc__)
    add = parser.add_argument
    add("reports", nargs="*", metavar="REPORT", help="a run's bias/report.json")
    add("--over-epochs", nargs="+", metavar="RUN", help="a run's OUTPUT_DIR: bias over training")
    add("--ablation", nargs="+", metavar="FILE", help="a run's bias/ablation.json: silenced units")
    add("--orders", nargs="+", metavar="FILE", help="a run's bias/orders.json: shuffled frames")
    add("--out", required=True, metavar="FIG", help="the figure to write: .png, .pdf or .svg")
    add("--kind", choices=KINDS, help="of reports; page where not given, several are compared")
    add("--layer", help="of a scatter (else the last one) or over epochs (else all, or the last)")
    add("--value", choices=("percent", "score"), help="what curves show, percent where not given")
    add("--names", nargs="+", metavar="NAME", help="names of the models or runs, one per path")
    args = parser.parse_args(arguments)
    options = {"kind": args.kind, "layer": args.layer, "value": args.value}
    try:
        sources = {source: getattr(args, source) for source in SOURCES}
        plot_files(sources, args.out, args.names, **options)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
