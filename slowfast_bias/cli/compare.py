"""slowfast_bias compare: a table and a figure over several reports, or what banks agree on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from slowfast_bias.errors import RequestError

if TYPE_CHECKING:
    from slowfast_bias.bias import BiasReport

ABOUT = (
    "Tabulate reports, a row per network and layer, and say which of two networks is more static. "
    "With --banks: what do measurements of the same networks with different banks of styles agree "
    "on, and what turns round?"
)
EXAMPLE = "slowfast_bias compare runs/*/bias/report.json --format latex"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add = parser.add_argument
    add("reports", nargs="+", metavar="REPORT", help="bias/report.json of a run")
    add("--banks", action="store_true",
        help="reports are of one network or several, each with several banks: is the order of "
        "layers, the sign of motion-only, the order of networks the same in all? Of two reports "
        "of one network, the order of units too")  # fmt: skip
    add("--format", choices=("markdown", "csv", "latex"), default="markdown",
        help="how the table is written")  # fmt: skip
    add("--layers", nargs="+", default=["last"], metavar="LAYER",
        help="names of layers, or last, or all")  # fmt: skip
    add("--units", choices=("percent", "count"), default="percent",
        help="how units are counted; csv always has counts")  # fmt: skip
    add("--names", nargs="+", metavar="NAME", help="names of the networks, one per report")
    add("--to", default="", metavar="NAME",
        help="below the Markdown table, how each network differs from this one, with errors; of "
        "two networks the first from the second. Only of reports that are comparable")  # fmt: skip
    add("--panels", default="", metavar="FIG",
        help="also draw their curves over layers, 3D CNNs, SlowFast variants and transformers in "
        "columns of their own: a .png, .pdf or .svg")  # fmt: skip
    add("--value", choices=("score", "percent"),
        help="what --panels shows: scores (S_static, motion-only, content), or the shares of the "
        "paper; by default scores")  # fmt: skip


def main(args: argparse.Namespace) -> int:
    """Prints the table, and below it and to stderr why its rows may not compare; draws them."""
    from slowfast_bias.visualization.reading.comparable import differences
    from slowfast_bias.visualization.reading.report_files import read_report, read_reports
    from slowfast_bias.visualization.tables import comparison_table

    _check_panels(args)
    if args.banks:
        from slowfast_bias.visualization.bank_comparison import banks_text

        if len(args.reports) < 2:
            raise RequestError("Expected two reports or more with --banks, but got 1.")
        print(banks_text([read_report(path) for path in args.reports], args.names))
        return 0
    if args.to and args.format != "markdown":
        raise RequestError(
            f"Expected --format markdown with --to, but got {args.format}: differences are "
            "sentences below the table."
        )
    reports = read_reports(args.reports, args.names)
    table = comparison_table(reports, args.layers, args.format, args.units)
    apart = [f"not comparable: {key} is {values}" for key, values in differences(reports).items()]
    if args.panels:
        from slowfast_bias.visualization import design_panels, save_figure

        save_figure(design_panels(reports, args.value or "score"), args.panels)
    for reason in apart:
        print(f"warning: {reason}", file=sys.stderr)
    print(table + _below(reports, args, apart), end="")
    return 0


def _below(reports: Mapping[str, BiasReport], args: argparse.Namespace, apart: list[str]) -> str:
    """Returns what stands below the table: why rows do not compare, else how networks differ."""
    from slowfast_bias.visualization.network_differences import (
        check_reference,
        difference_sentences,
    )

    check_reference(reports, args.to)
    lines = [" ".join(reason.split()) for reason in apart]  # a path may hold a line break
    if args.format == "latex":
        return "".join(f"% {line}\n" for line in lines)
    if args.format == "csv":
        return ""  # rows of a table alone; its columns say where numbers come from
    if not lines and (args.to or len(reports) == 2):
        lines = difference_sentences(reports, args.layers, args.to)
    return "\n" + "".join(f"- {line}\n" for line in lines) if lines else ""


def _check_panels(args: argparse.Namespace) -> None:
    """Raises RequestError if --panels names no figure, or if an option would do nothing."""
    from slowfast_bias.visualization.drawing.save import check_suffix

    if args.value and not args.panels:
        raise RequestError(
            "Expected --panels FIG with --value, but got none: a table always shows scores and "
            "shares."
        )
    if args.panels and args.banks:
        raise RequestError("Expected no --panels with --banks: remove one of them.")
    if args.panels:
        check_suffix(args.panels)
