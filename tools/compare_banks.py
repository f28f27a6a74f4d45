#!/usr/bin/env python3
"""Do two banks of styles agree on a network? tools/compare_banks.py REPORT_A REPORT_B."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a checkout needs no installation

from slowfast_bias.errors import UserError  # noqa: E402
from slowfast_bias.visualization.reading.report_files import read_report  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Prints the rank agreement of layers and units; returns the exit status."""
    parser = argparse.ArgumentParser(prog="compare_banks.py", description=__doc__)
    add = parser.add_argument
    add("first", metavar="REPORT_A", help="bias/report.json of a network, measured with one bank")
    add("second", metavar="REPORT_B", help="of the same network, measured with another")
    args = parser.parse_args(arguments)
    try:
        from slowfast_bias.bias.agreement import bank_agreement

        print(bank_agreement(read_report(args.first), read_report(args.second)).table())
    except (UserError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
