"""Reports in notebooks: figures by name, HTML that parses, markup that stays text."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import pytest
from matplotlib.figure import Figure

from slowfast_bias import BiasReport
from slowfast_bias.errors import RequestError

VOID = {"img", "br", "meta"}
NASTY = "<td><script>alert(1)<script>&\"'$x_$"


class Page(HTMLParser):
    """The tags, attributes and texts of a page; a tag that is not closed in order is an error."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.cells, self.texts = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data.strip()
        self.texts.append(data)


@pytest.mark.parametrize("kind", ["page", "curves", "units", "scatter", "panels"])
def test_a_report_draws_itself(moving, check_text, kind):
    figure = moving.plot(kind)
    assert isinstance(figure, Figure) and figure.axes
    check_text(figure)


def test_options_reach_the_figure_and_others_are_refused(moving):
    assert moving.plot("scatter", layer="s2").axes[0].get_title().startswith("s2")
    assert "share" in moving.plot("curves", value="percent").axes[0].get_ylabel()
    with pytest.raises(RequestError, match="one of curves, units, .* but got 'pie'"):
        moving.plot("pie")
    with pytest.raises(RequestError, match="among layer, value, axes, but got 'colour'"):
        moving.plot("curves", colour="red")
    with pytest.raises(RequestError, match="with layers"):
        BiasReport({}).plot()


def test_a_notebook_shows_the_numbers_of_a_report_from_a_file(moving, tmp_path):
    moving.save(tmp_path / "report.json")
    page = Page(BiasReport.load(tmp_path / "report.json")._repr_html_())
    for layer, bias in moving.layers.items():
        at, static = page.cells.index(layer), bias.score("static")
        assert page.cells[at + 1] == f"{static:.3f} ± {bias.score_error('static'):.3f}"
        assert page.cells[at + 5] == f"{bias.percent()['static']:.1f}"
    ((_, image),) = (tag for tag in page.tags if tag[0] == "img")
    kind, _, data = image["src"].partition(",")
    assert kind == "data:image/png;base64" and image["alt"]
    assert base64.b64decode(data).startswith(b"\x89PNG") and len(data) < 200_000
    assert "styles: randconv, 5 of seed 7" in "".join(page.texts)


def test_markup_in_names_and_warnings_stays_text(make_moving):
    meta = {"name": NASTY, "model": "<b>", "warnings": [NASTY], "data": "x<y"}
    meta["styles"] = {"family": NASTY, "num": 4, "seed": 0}
    text = make_moving({NASTY: 4, "s2": 4}, meta=meta)._repr_html_()
    page = Page(text)
    assert "script" not in {tag for tag, _ in page.tags} and "<script" not in text
    assert NASTY in page.cells
    words = "".join(page.texts)
    assert f"warning: {NASTY}" in words and f"{NASTY}, <b>, x<y" in words
    ((_, image),) = (tag for tag in page.tags if tag[0] == "img")
    assert NASTY in image["alt"] and set(image) == {"alt", "src"}


def test_a_report_without_layers_is_said():
    assert Page(BiasReport({})._repr_html_()).texts == ["A report without layers."]


def test_reports_load_no_matplotlib_until_they_are_drawn(moving, tmp_path, run_python):
    moving.save(tmp_path / "report.json")
    code = (
        "import sys, slowfast_bias as sb; r = sb.BiasReport.load(sys.argv[1]); "
        "loaded = [x for x in ('matplotlib', 'tabulate', 'slowfast_bias.visualization') "
        "if x in sys.modules]; print(loaded, r.plot('curves') is not None)"
    )
    shown = run_python(code, tmp_path / "report.json").stdout
    assert re.fullmatch(r"\[\] True\n", shown)
