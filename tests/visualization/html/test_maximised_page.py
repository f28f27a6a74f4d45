"""The page's part on clips made for units: all of them, their numbers, and what they do not say."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from PIL import Image
from support.browser import Browser
from support.maximised import row, write_maximised
from support.pages import MARKUP
from support.parsed_page import ParsedPage

from slowfast_bias.visualization.html import write_html

PLAYING = "return document.getAnimations().filter(a => a.animationName === 'film').length"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("made")
    rows = [row("s5", 3), row("class", 7, name=MARKUP, chosen_as="class", failed="it stayed flat")]
    rows.append(row("s5", 9, dead=True, failed="dead", by_speed={}, file=None))
    write_maximised(root, rows=rows, frames=4, size=16)
    return root


@pytest.fixture(scope="module")
def page(folder, tmp_path_factory):
    return write_html([folder], tmp_path_factory.mktemp("page") / "report.html")


def section_of(page):
    elements = ParsedPage(Path(page).read_text()).all("section")
    return next(x for x in elements if x.attributes.get("id") == "maximised")


def test_it_shows_every_clip_beside_those_of_the_data_and_says_what_to_doubt(page):
    section = section_of(page)
    pictures = [x for x in section.all("img")]
    assert len(pictures) == 2 * (5 + 3)
    for picture in pictures:
        content = base64.b64decode(picture.attributes["src"].partition(",")[2])
        assert Image.open(io.BytesIO(content)).size == (4 * 16, 16)
    assert "s5, unit 3, frozen: 4" in pictures[4].attributes["alt"]
    for words in ("Geirhos", "Borowski", "frozen clip", "skipped: s5, unit 9", "it stayed flat",
                  "0.70 [0.60, 0.85]", "1.55 [1.50, 1.60]", MARKUP):  # fmt: skip
        assert words in section.text


def test_clips_that_cannot_be_read_are_said(folder, tmp_path):
    for name in ("maximised.json", "maximised/class/unit_00007.npz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    section = section_of(write_html([tmp_path], tmp_path / "report.html"))
    assert len(list(section.all("img"))) == 5 + 3
    assert "cannot be read: maximised/s5/unit_00003.npz" in section.text


@pytest.mark.browser
def test_its_own_switches_play_it_and_a_phone_scrolls_down_only(page):
    browser = Browser()
    try:
        browser.open(page, width=390, height=844, phone=True)
        browser.run("for (const x of document.querySelectorAll('details')) x.open = true")
        assert browser.run("return document.documentElement.scrollWidth") <= 390
        assert browser.said() == [] and browser.run(PLAYING) == 0
        browser.run("document.getElementById('play-all-maximised').click()")
        assert browser.run(PLAYING) == 2 * (5 + 3)
        browser.media(prefers_reduced_motion="reduce")
        assert browser.run(PLAYING) == 0
    finally:
        browser.close()
