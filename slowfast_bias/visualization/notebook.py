"""A report in a notebook: its figure from Python, its table and a small picture as HTML."""

from __future__ import annotations

import base64
import html
import io
from typing import Any

from matplotlib.figure import Figure

from slowfast_bias.bias import BiasReport
from slowfast_bias.bias.origin import origin_words
from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing.captions import check_reports
from slowfast_bias.visualization.drawing.style import styled
from slowfast_bias.visualization.figures.layer_curves import layer_curves
from slowfast_bias.visualization.plot import KINDS, make_figure
from slowfast_bias.visualization.tables import layer_table

_DPI = 100  # a picture of tens of kilobytes


def report_plot(report: BiasReport, kind: str = "page", **options: Any) -> Figure:
    """Returns a figure of one report.

    Args:
        report: of one network.
        kind: one of KINDS: page, curves, units, scatter, panels.
        options: `layer` and `axes` of a scatter, `value` of curves, pages and panels.
    """
    if kind not in KINDS:
        raise RequestError(f"Expected `kind` to be one of {', '.join(KINDS)}, but got {kind!r}.")
    known = {"layer": None, "value": "score", "axes": None}
    if unknown := [key for key in options if key not in known]:
        raise RequestError(f"Expected options among {', '.join(known)}, but got {unknown[0]!r}.")
    check_reports({"the report": report})
    return make_figure({_title(report): report}, kind, **{**known, **options})


def report_html(report: BiasReport) -> str:
    """Returns the table of a report, a picture of its curves, its origin and warnings, as HTML.

    Names of layers, networks and files may hold markup: everything is escaped.
    """
    if not report.layers:
        return "<p>A report without layers.</p>"
    title, picture = _title(report), _picture(layer_curves({_title(report): report}))
    alt = f"Scores by layer of {title}; the table above has the same numbers."
    parts = [
        f"<p><strong>{html.escape(title)}</strong></p>",
        layer_table(report),
        f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{picture}">',
    ]
    words = [origin_words([report.meta]), *(f"warning: {text}" for text in report.warnings)]
    parts += [f"<p>{html.escape(text)}</p>" for text in words if text]
    return f"<div>{''.join(parts)}</div>"


@styled()
def _picture(figure: Figure) -> str:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=_DPI, metadata={"Software": None})
    return base64.b64encode(content.getvalue()).decode("ascii")


def _title(report: BiasReport) -> str:
    words = (report.meta.get(key) for key in ("name", "model", "data"))
    return ", ".join(word for word in words if isinstance(word, str) and word) or "report"
