"""slowfast_bias report: what runs found, as a page for a person and as text for a terminal."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from slowfast_bias.cli.arguments import add_out
from slowfast_bias.errors import RequestError
from slowfast_bias.outputs import Outputs

if TYPE_CHECKING:
    from slowfast_bias.bias import BiasReport
    from slowfast_bias.visualization.reading.run_folder import RunFolder

ABOUT = (
    "Show what runs found: a page (one HTML file that needs no network) with a verdict, all "
    "figures, tables and numbers; and the table of each report in the terminal."
)
EXAMPLE = "slowfast_bias report runs/motion"
PAGES = (".html", ".htm")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument(
        "runs", metavar="RUN", nargs="+",
        help="OUTPUT_DIR of a run or a sweep, a folder that holds several, or a report file such "
        "as bias/report.json",
    )  # fmt: skip
    parser.add_argument(
        "--format", choices=("html", "text", "markdown", "csv"), default="html",
        help="html writes the page and prints the tables as text; the others print alone",
    )  # fmt: skip
    add_out(
        parser, "the page; if not given, report.html in the folder of the run, or here if there "
        "are several", metavar="FILE",
    )  # fmt: skip


def main(args: argparse.Namespace) -> int:
    """Prints the tables, and writes the page."""
    from slowfast_bias.visualization.reading.run_folder import read_runs

    _check(args)
    runs = read_runs(args.runs)
    if args.format == "html":
        from slowfast_bias.visualization.html import write_html

        _print(runs, "text")
        print(f"page: {write_html(args.runs, args.out or _default_page(args.runs))}")
    else:
        _print(runs, args.format)
    return 0


def _check(args: argparse.Namespace) -> None:
    if args.out and args.format != "html":
        raise RequestError(
            f"Expected no --out with --format {args.format}, which prints: remove one of them."
        )
    if args.out is not None:
        _check_page(args.out)
    if args.format == "csv" and len(args.runs) > 1:
        raise RequestError(
            f"Expected one run for --format csv, but got {len(args.runs)}: `slowfast_bias compare "
            "--format csv` has a column for the run."
        )


def _check_page(path: str) -> None:
    """Raises RequestError if the page would overwrite what is no page, as a report.json."""
    if os.path.isdir(path) or path.endswith("/"):
        page = os.path.join(path, "report.html")
        raise RequestError(
            f"Expected --out to be the file of the page, but {path!r} is a folder. Give {page}."
        )
    if not path.lower().endswith(PAGES):
        raise RequestError(
            f"Expected --out to end in {' or '.join(PAGES)}, as a page does, but got {path!r}. "
            "Give another name."
        )


def _print(runs: Mapping[str, RunFolder], format: str) -> None:
    title = "## {}\n" if format == "markdown" else "{}"
    for number, (name, run) in enumerate(runs.items()):
        if len(runs) > 1:
            print("\n" * (number > 0) + title.format(name))
        print(_text(run, format), end="" if format in ("csv", "markdown") else "\n")


def _text(run: RunFolder, format: str) -> str:
    """Returns the table of a run's report; that of a sweep, if it is one."""
    report = run.report
    if report is None:
        if run.rows and format != "csv":
            from slowfast_bias.visualization.figures.dose import dose_table

            return dose_table(run.rows).rstrip("\n")
        return f"no bias/report.json in {run.root}: it was not measured"
    if format == "csv":
        return report.to_csv()
    others = _untrained(run, report)
    if format == "markdown":
        return report.to_markdown(others)
    about = [
        f"{key:<10} {value}"
        for key, value in report.meta.items()
        if isinstance(value, (str, int, float)) and not isinstance(value, bool)
    ]
    return "\n".join([report.table(others), *about])


def _untrained(run: RunFolder, report: BiasReport) -> dict[str, BiasReport]:
    """Returns the untrained twin's report of a run, if it is there and of the same measurement."""
    from slowfast_bias.bias.origin import UNTRAINED
    from slowfast_bias.visualization.reading.comparable import differences

    twin = run.others.get(UNTRAINED)
    if twin is None:
        return {}
    same = [*twin.layers] == [*report.layers] and twin.meta.get("videos") == report.meta.get(
        "videos"
    )
    return {UNTRAINED: twin} if same and not differences({"a": report, "b": twin}) else {}


def _default_page(paths: Sequence[str]) -> str:
    """Returns the page in the folder of the one run, beside the one file, or here."""
    if len(paths) > 1:
        return "report.html"
    path = paths[0].rstrip("/") or "/"
    if os.path.isdir(path):
        return Outputs(path).html
    folder = os.path.dirname(path)
    if os.path.basename(path) == "report.json" and os.path.basename(folder) == "bias":
        return Outputs(os.path.dirname(folder) or ".").html
    return f"{path.removesuffix('.json')}.html"
