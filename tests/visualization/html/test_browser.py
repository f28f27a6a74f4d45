"""The page in a real browser: nothing leaves it, it fits a phone, clips play only when asked to."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from support.browser import Browser

from slowfast_bias.outputs import Outputs
from slowfast_bias.visualization.html import palette

pytestmark = pytest.mark.browser

PLAYING = "return document.getAnimations().filter(a => a.animationName === 'film').length"
WIDTHS = """return [...document.querySelectorAll('.film .window')].filter(w => w.offsetWidth).map(
    w => w.firstElementChild.getBoundingClientRect().width / w.getBoundingClientRect().width)"""


@pytest.fixture(scope="module")
def browser():
    found = Browser()
    yield found
    found.close()


@pytest.mark.parametrize("name", ["whole", "several", "markup", "sweep", "tested", "old"])
def test_nothing_is_asked_for_and_nothing_goes_wrong(browser, pages, name):
    browser.open(pages[name])
    assert browser.said() == []
    asked = browser.asked()
    assert Path(asked[0].removeprefix("file://").replace("%20", " ")) == Path(pages[name])
    assert all(url.startswith("data:image/webp") for url in asked[1:])


@pytest.mark.parametrize("name", ["whole", "several", "markup", "sweep"])
def test_a_phone_scrolls_down_only(browser, pages, name):
    browser.open(pages[name], width=390, height=844, phone=True)
    browser.run("for (const x of document.querySelectorAll('details')) x.open = true")
    assert browser.run("return document.documentElement.scrollWidth") <= 390
    small = """return [...document.querySelectorAll('svg.panel:not(.scatter) text')].map(
        x => x.getBoundingClientRect().height).filter(h => h && h < 9)"""
    assert browser.run(small) == []


def test_clips_play_only_while_pointed_at_or_in_focus_or_asked_to(browser, pages):
    browser.open(pages["whole"])
    films = browser.find("button.film")
    assert [film.is_displayed() for film in films] == [True] * 4 + [False] * 4  # of the last layer
    assert browser.run(PLAYING) == 0
    browser.point_at(films[0])
    assert browser.run(PLAYING) == 1
    browser.point_at(browser.find("h1")[0])
    assert browser.run(PLAYING) == 0
    browser.run("document.getElementById('show-strips').focus()")
    browser.keys("\ue004")  # the tabulator
    assert browser.run("return document.activeElement === arguments[0]", films[0])
    assert browser.run(PLAYING) == 1
    browser.keys(" ")
    assert films[0].get_attribute("aria-pressed") == "true"
    browser.keys("\ue004\ue004")
    assert browser.run(PLAYING) == 2  # the one that was started, and the one in focus
    browser.run("document.activeElement.blur()")
    browser.run("document.getElementById('play-all').click()")
    assert browser.run(PLAYING) == 4
    browser.run("document.querySelectorAll('#clips details').forEach(x => { x.open = true; })")
    assert browser.run(PLAYING) == 8


def test_whoever_wants_less_motion_sees_whole_strips(browser, pages):
    browser.open(pages["whole"], prefers_reduced_motion="reduce")
    browser.point_at(browser.find("button.film")[0])
    browser.run("document.getElementById('play-all').click()")
    assert browser.run(PLAYING) == 0
    assert all(abs(share - 1) < 0.02 for share in browser.run(WIDTHS))
    assert "asks for less motion" in browser.find(".still-words")[0].text


def test_paper_shows_whole_strips_on_white(browser, pages):
    browser.open(pages["whole"], prefers_color_scheme="dark")
    assert all(abs(share - 8) < 0.1 for share in browser.run(WIDTHS))
    browser.media("print", prefers_color_scheme="dark")
    shares = browser.run(WIDTHS)
    assert shares and all(abs(share - 1) < 0.02 for share in shares)
    assert colour(browser, "body", "background-color") == palette.PAPER["light"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_of_figures_can_be_read_in_either_theme(browser, pages, theme):
    browser.open(pages["whole"], prefers_color_scheme=theme)
    paper = colour(browser, "body", "background-color")
    assert paper == palette.PAPER[theme]
    for selector in ("svg.panel text", "svg.scatter text"):
        assert colour(browser, selector, "fill") == palette.WORDS[theme]["muted"]
    marks = colour(browser, ".k-content .line", "stroke")
    assert marks == palette.MARKS[theme]["content"].upper()


def test_the_keyboard_reaches_everything_in_order(browser, pages):
    browser.open(pages["whole"])
    browser.run("""window.scrollTo(0, 0); document.activeElement.blur();
        const all = 'a[href], button, input, summary, [tabindex="0"]';
        window.wanted = [...document.querySelectorAll(all)].filter(
            x => x.checkVisibility({visibilityProperty: true}));
        window.met = [];
        addEventListener('focusin', event => met.push(event.target));""")
    count = browser.run("return wanted.length")
    browser.keys("\ue004" * count)
    assert browser.run(
        "return met.length === wanted.length && met.every((x, i) => x === wanted[i])"
    )
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert browser.run(outline) == "solid"


def test_tables_sort_by_their_numbers(browser, pages):
    browser.open(pages["several"])
    table = "#runs table"
    column = f"""return [...document.querySelectorAll('{table} tbody tr')].map(
        row => row.children[2].textContent)"""
    button = browser.find(f"{table} button.sort")[2]
    for order, reverse in (("ascending", False), ("descending", True)):
        browser.run("arguments[0].click()", button)
        shown = [x for x in browser.run(column) if x[0] != "–"]
        numbers = [float(re.split(r"\s", x.replace("−", "-"))[0]) for x in shown]
        assert numbers == sorted(numbers, reverse=reverse) and len(set(numbers)) == 4
        assert browser.find(f"{table} th[aria-sort={order}]")
        assert browser.run(column)[-1] == "–"  # what is not known is last


def test_units_can_be_asked_for(browser, pages, moving):
    browser.open(pages["whole"])
    plot = next(x for x in browser.find("svg.scatter") if " of s3 " in x.accessible_name)
    browser.run("arguments[0].scrollIntoView(); arguments[0].focus()", plot)
    browser.keys("\ue014" * 6)  # to the right
    said = browser.run("return arguments[0].parentNode.querySelector('output').textContent", plot)
    look, motion = (moving["s3"].unit_scores(x)[5].item() for x in ("look", "motion"))
    assert said.startswith("unit 5, ")
    numbers = [float(x) for x in re.findall(r"[−-]?\d\.\d{3}", said.replace("−", "-"))]
    assert numbers == pytest.approx([look, motion], abs=6e-4)
    browser.point_at(plot)  # its middle
    ring = "return arguments[0].querySelector('.ring').getBoundingClientRect().width"
    assert browser.run(ring, plot) > 4


def test_a_file_can_be_saved(browser, pages, folders, tmp_path):
    browser.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    browser.open(pages["whole"])
    browser.run("document.querySelector('button.save').click()")
    end = time.monotonic() + 10
    while not (tmp_path / "report.json").exists() and time.monotonic() < end:
        time.sleep(0.05)
    saved = json.loads((tmp_path / "report.json").read_text())
    assert saved == json.loads(Path(Outputs(folders["whole"]).report()).read_text())


def colour(browser, selector, name):
    """The colour of the first element of a kind, as #RRGGBB."""
    text = browser.run(
        "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]",
        selector, name,
    )  # fmt: skip
    return "#" + "".join(f"{int(x):02X}" for x in re.findall(r"\d+", text)[:3])
