"""slowfast_bias report: what a run measured, as text."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from slowfast_bias.outputs import Outputs

if TYPE_CHECKING:
    from slowfast_bias.bias import BiasReport

ABOUT = "Print what a run measured: the table of its report, and where the numbers come from."
EXAMPLE = "slowfast_bias report runs/motion"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument(
        "run", metavar="RUN", help="OUTPUT_DIR of a run, or a report file such as bias/report.json"
    )
    parser.add_argument(
        "--format", choices=("text", "markdown", "csv"), default="text",
        help="how the table is written",
    )  # fmt: skip


def main(args: argparse.Namespace) -> int:
    """Prints the report."""
    from slowfast_bias.visualization.reading.report_files import read_report

    path = Outputs(args.run.rstrip("/")).report() if os.path.isdir(args.run) else args.run
    report = read_report(path)
    others = _untrained(args.run, report)
    if args.format == "csv":
        print(report.to_csv(), end="")
    elif args.format == "markdown":
        print(report.to_markdown(others), end="")
    else:
        print(report.table(others))
        for key, value in report.meta.items():
            if isinstance(value, (str, int, float)) and not isinstance(value, bool):
                print(f"{key:<10} {value}")
    return 0


def _untrained(run: str, report: BiasReport) -> dict[str, BiasReport]:
    """Returns the untrained twin's report of a run, if it is there and of the same measurement."""
    from slowfast_bias.visualization.reading.comparable import differences
    from slowfast_bias.visualization.reading.report_files import read_report

    path = Outputs(run.rstrip("/")).report("untrained")
    if not os.path.exists(path):
        return {}
    twin = read_report(path)
    same = [*twin.layers] == [*report.layers] and twin.meta.get("videos") == report.meta.get(
        "videos"
    )
    return {"untrained": twin} if same and not differences({"a": report, "b": twin}) else {}
