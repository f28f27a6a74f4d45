"""One table over several reports: Markdown, CSV, or LaTeX with booktabs rules.

tabulate lays out Markdown, HTML and LaTeX; names are escaped here, as it does not for Markdown. CSV
is the module csv's: tabulate has none, and takes that word for a table of blanks.
"""

from __future__ import annotations

import csv
import functools
import io
import math
from collections.abc import Mapping, Sequence

from tabulate import DataRow, Line, TableFormat, tabulate

from slowfast_bias.bias import FACTORS, HEADLINE, KINDS, BiasReport, LayerBias
from slowfast_bias.bias.report_text import TITLES
from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing.captions import check_reports
from slowfast_bias.visualization.drawing.layer_axis import stage, stages
from slowfast_bias.visualization.reading.report_files import find_layers, unknown_layer

SCORES = (*HEADLINE, "dynamic")
SHARES = (*FACTORS, "residual")
_SYMBOLS = {factor: rf"$S_\mathrm{{{factor}}}$" for factor in FACTORS}
_LATEX = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"}
    | {"|": r"\textbar{}", "<": r"\textless{}", ">": r"\textgreater{}"}
    | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}
)


def comparison_table(
    reports: Mapping[str, BiasReport],
    layers: Sequence[str] = ("last",),
    format: str = "markdown",
    units: str = "percent",
) -> str:
    """Returns the table, a row per model and layer.

    Args:
        reports: {model: report}, in the order of the rows.
        layers: names (`s5` includes its pathways), or "last" (each report's last stage), "all".
        format: "markdown", "csv" (every number in full, counts of units), or "latex".
        units: "percent" or "count", for Markdown and LaTeX.
    """
    check_reports(reports)
    writers = {"markdown": _markdown, "latex": _latex}
    if format not in (*writers, "csv"):
        raise RequestError(f"Expected `format` markdown, csv or latex, but got {format!r}.")
    if units not in ("percent", "count"):
        raise RequestError(f"Expected `units` percent or count, but got {units!r}.")
    chosen = choose_layers(reports, layers)
    if format == "csv":
        return _csv(reports, chosen)
    rows = [
        [name, layer, *_cells(reports[name][layer], units)]
        for name, wanted in chosen.items()
        for layer in wanted
    ]
    return writers[format](rows, "%" if units == "percent" else "count")


def layer_table(report: BiasReport) -> str:
    """Returns the table of one report as HTML, a row per layer, everything in it escaped."""
    rows = [[layer, *_cells(bias, "percent")] for layer, bias in report.layers.items()]
    return _laid_out(_head("%")[1:], rows, "html", names=1)


def choose_layers(reports: Mapping[str, BiasReport], layers: Sequence[str]) -> dict[str, list[str]]:
    """Returns {model: layers in network order}; every name must be a layer of some report."""
    for layer in layers:
        if layer not in ("last", "all") and not any(
            find_layers(report, layer) for report in reports.values()
        ):
            every = dict.fromkeys(x for report in reports.values() for x in report.layers)
            raise unknown_layer(layer, list(every))
    chosen = {}
    for name, report in reports.items():
        wanted = {x for layer in layers for x in _meant(report, layer)}
        if not wanted:
            raise RequestError(
                f"Expected a layer among {', '.join(layers)} in every report, but {name} has "
                f"{', '.join(report.layers)}: add one of these, or give 'last'."
            )
        chosen[name] = [layer for layer in report.layers if layer in wanted]
    return chosen


def _meant(report: BiasReport, layer: str) -> list[str]:
    if layer == "all":
        return list(report.layers)
    if layer == "last":
        return [x for x in report.layers if stage(x) == stages(report.layers)[-1]]
    return find_layers(report, layer)


def _cells(layer: LayerBias, units: str) -> list[str]:
    scores = [
        _number(layer.score(score), 3, layer.score_error(score)) if score in layer.measured else "-"
        for score in SCORES
    ]
    shares, kinds = ["-"] * len(SHARES), ["-"] * len(KINDS)
    if layer.complete:
        shares = [_number(layer.percent()[share], 1) for share in SHARES]
        counts = [len(layer.units()[kind]) for kind in KINDS]
        kinds = [str(n) if units == "count" else f"{100 * n / layer.channels:.1f}" for n in counts]
    pairs = "/".join(str(n) for n in dict.fromkeys(layer.pairs.values()))
    return [*scores, *shares, *kinds, pairs]


def _number(value: float, digits: int, error: float | None = None) -> str:
    if math.isnan(value):
        return "-"
    written = f"{value:.{digits}f}"
    if float(written) == 0:
        written = written.removeprefix("-")  # the rounding of a difference
    return written if error is None or math.isnan(error) else f"{written} ± {error:.{digits}f}"


def _head(unit: str) -> list[str]:
    scores = (TITLES[score] for score in SCORES)
    kinds = (f"{kind} units ({unit})" for kind in KINDS)
    return ["model", "layer", *scores, *(f"{share} %" for share in SHARES), *kinds, "pairs"]


def _markdown(rows: Sequence[Sequence[str]], unit: str) -> str:
    cells = [[cell.replace("|", r"\|").replace("\n", " ") for cell in row] for row in rows]
    return _laid_out(_head(unit), cells, "pipe") + "\n"


def _laid_out(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    format: str | TableFormat,
    names: int = 2,
) -> str:
    """Returns the table in a format of tabulate: `names` columns left, the others right."""
    sides = ["left"] * names + ["right"] * (len(head) - names)
    # a network called 1e5 stays 1e5
    return tabulate(rows, head, format, disable_numparse=True, colalign=sides)


def _latex(rows: Sequence[Sequence[str]], unit: str) -> str:
    scores = [_SYMBOLS.get(score, TITLES[score]) for score in SCORES]
    head = ["model", "layer", *scores, *SHARES, *KINDS, "pairs"]
    row = DataRow("", " & ", r" \\")
    booktabs = TableFormat(
        lineabove=functools.partial(_latex_top, unit.translate(_LATEX)),
        linebelowheader=Line(r"\midrule", "", "", ""),
        linebetweenrows=None,
        linebelow=Line("\\bottomrule\n\\end{tabular}", "", "", ""),
        headerrow=row,
        datarow=row,
        padding=0,
        with_header_hide=None,
    )
    return _laid_out(head, [[_escaped(cell) for cell in row] for row in rows], booktabs) + "\n"


def _latex_top(unit: str, widths: Sequence[int], sides: Sequence[str]) -> str:
    """Returns what stands above the head: the columns, and groups of them with their rules."""
    groups = [(len(SCORES), "score"), (len(SHARES), r"share (\%)"), (len(KINDS), f"units ({unit})")]
    over, rules, column = [], [], 3
    for count, title in groups:
        over.append(rf"\multicolumn{{{count}}}{{c}}{{{title}}}")
        rules.append(rf"\cmidrule(lr){{{column}-{column + count - 1}}}")
        column += count
    lines = [
        rf"\begin{{tabular}}{{{''.join(side[0] for side in sides)}}}",
        r"\toprule",
        " & ".join(["", "", *over, ""]).strip() + r" \\",
        " ".join(rules),
    ]
    return "\n".join(lines)


def _escaped(cell: str) -> str:
    if cell == "-":
        return "--"
    return cell.replace("\n", " ").translate(_LATEX).replace(" ± ", r" $\pm$ ")


def _csv(reports: Mapping[str, BiasReport], chosen: Mapping[str, Sequence[str]]) -> str:
    """Returns a report's own CSV (same columns) with the model's name in front."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for i, (name, wanted) in enumerate(chosen.items()):
        head, *rows = csv.reader(io.StringIO(reports[name].to_csv()))
        if i == 0:
            writer.writerow(["model", *head])
        writer.writerows([name, *row] for row in rows if row[0] in wanted)
    return out.getvalue()
