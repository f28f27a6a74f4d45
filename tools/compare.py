#!/usr/bin/env python3
"""Tabulates report files: tools/compare.py REPORT... [--format markdown|csv|latex]."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a checkout needs no installation

from slowfast_bias.visualization.reading.comparable import differences  # noqa: E402
from slowfast_bias.visualization.reading.report_files import read_reports  # noqa: E402
from slowfast_bias.visualization.tables import comparison_table  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Prints the table, and to stderr why its rows may not compare; returns the exit status."""
    parser = argparse.ArgumentParser(prog="compare.py", description=__doc__)
    add = parser.add_argument
    add("reports", nargs="+", metavar="REPORT", help="a run's bias/report.json")
    add("--format", choices=("markdown", "csv", "latex"), default="markdown")
    add("--layers", nargs="+", default=["last"], metavar="LAYER", help="names, or last, or all")
    add("--units", choices=("percent", "count"), default="percent", help="not for csv: counts")
    add("--names", nargs="+", metavar="NAME", help="names of the models, one per report")
    args = parser.parse_args(arguments)
    try:
        reports = read_reports(args.reports, args.names)
        table = comparison_table(reports, args.layers, args.format, args.units)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for setting, values in differences(reports).items():
        print(f"warning: not comparable: {setting} is {values}", file=sys.stderr)
    print(table, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
