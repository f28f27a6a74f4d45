"""The page, read by a parser: whole, closed, safe, honest about what it lacks."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from support.pages import MARKUP, write_run, write_top_clips
from support.parsed_page import ParsedPage

from slowfast_bias.outputs import Outputs
from slowfast_bias.results import write_result
from slowfast_bias.visualization.html import page as page_module
from slowfast_bias.visualization.html import write_html

EVERY = ("whole", "other bank", "old", "markup", "tested", "sweep", "several")


@pytest.fixture(scope="module")
def parsed(pages):
    return {name: ParsedPage(Path(path).read_text()) for name, path in pages.items()}


@pytest.fixture(params=EVERY)
def page(request, parsed):
    return parsed[request.param]


def text_of(page):
    """What a person reads, spaces made plain."""
    (main,) = page.all("main")
    return re.sub(r"\s+", " ", main.text)


def test_nothing_leads_out_of_the_page(page):
    for element in page.all():
        for name, value in element.attributes.items():
            if name in ("src", "href", "data", "action", "srcset", "poster"):
                assert value.startswith(("#", "data:image/webp;base64,")), (element.tag, value)
            for target in re.findall(r"url\(([^)]*)\)", value or ""):
                assert target.startswith("#")
    (style,) = page.all("style")
    assert "url(" not in style.text and "@import" not in style.text
    assert not page.all("link", "iframe", "object", "embed", "base", "form")


def test_the_policy_allows_this_script_and_nothing_else(page):
    (policy,) = [x.attributes["content"] for x in page.all("meta") if "http-equiv" in x.attributes]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    scripts = [x for x in page.all("script") if "type" not in x.attributes]
    (script,) = scripts
    digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
    assert rules["default-src"] == "'none'" and rules["img-src"] == "data:"
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert not [n for x in page.all() for n in x.attributes if n.startswith("on")]


def test_ids_are_unique_and_links_lead_somewhere(page):
    ids = [x.attributes["id"] for x in page.all() if "id" in x.attributes]
    assert len(set(ids)) == len(ids)
    targets = [x.attributes["href"][1:] for x in page.all("a")]
    targets += [x.attributes["aria-labelledby"] for x in page.all()
                if "aria-labelledby" in x.attributes]  # fmt: skip
    targets += re.findall(r"url\(#([^)]*)\)", " ".join(
        v or "" for x in page.all() for v in x.attributes.values()))  # fmt: skip
    assert set(targets) <= set(ids)
    assert {x.attributes["id"] for x in page.all("section")} <= set(targets)


def test_headings_landmarks_and_language(page):
    levels = [int(x.tag[1]) for x in page.all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in zip(levels, levels[1:], strict=False))
    assert [x.attributes["lang"] for x in page.all("html")] == ["en"]
    assert all(len(page.all(tag)) == 1 for tag in ("header", "main", "footer", "nav"))
    (head,) = page.all("head")
    assert [x.text.strip() != "" for x in (*head.all("title"), *page.all("h1"))] == [True] * 2


def test_pictures_have_words_and_figures_have_numbers(page):
    for picture in page.all("img"):
        assert picture.attributes["alt"].strip()
    for picture in page.all("svg"):
        named = picture.attributes.get("role") == "img" and picture.attributes.get("aria-label")
        assert named or picture.attributes.get("aria-hidden") == "true"
    for figure in page.all("figure"):
        assert any(x.tag == "details" and list(x.all("table")) for x in figure.all())
        assert [x.text.strip() for x in figure.all("figcaption")] != [""]


def test_tables_say_what_they_are(page):
    assert page.all("table")
    for table in page.all("table"):
        assert next(iter(table.all("caption"))).text.strip()
        (head,), bodies = list(table.all("thead")), list(table.all("tbody"))
        assert all(x.attributes.get("scope") == "col" for x in head.all("th"))
        columns = len([*head.all("th", "td")])
        for row in bodies[0].all("tr"):
            assert len([*row.all("th", "td")]) == columns
            assert [x.attributes.get("scope") for x in row.all("th")] == ["row"]


def test_no_number_is_written_raw(page):
    text = text_of(page)
    assert not re.search(r"\bnan\b|\binf\b|\bNone\b(?! of)|Undefined|\{\{|tensor\(", text)


@pytest.mark.parametrize("name", EVERY)
def test_a_page_is_small_and_the_same_again(name, pages, folders, tmp_path):
    content = Path(pages[name]).read_bytes()
    assert len(content) < 5_000_000
    if name != "several":
        assert Path(write_html([folders[name]], tmp_path / "x.html")).read_bytes() == content


def test_the_files_are_inside(parsed, folders):
    for name in ("whole", "markup", "old"):
        scripts = {x.attributes["id"]: x.text for x in parsed[name].all("script") if x.attributes}
        report = json.loads(Path(Outputs(folders[name]).report()).read_text())
        assert json.loads(scripts["report"]) == report
        assert all("<" not in text for text in scripts.values())
    scripts = {x.attributes["id"]: x for x in parsed["several"].all("script") if x.attributes}
    buttons = [x.attributes["data-from"] for x in parsed["several"].all("button")
               if "data-from" in x.attributes]  # fmt: skip
    assert sorted(buttons) == sorted(scripts) and len(buttons) == 3 + 1 + 4 + 1


def test_names_stay_names(parsed):
    for name in ("markup", "several", "whole"):
        page = parsed[name]
        assert MARKUP in page.root.text
        assert not [x for x in page.all("img") if x.attributes.get("src") == "x"]
        assert len([x for x in page.all("script") if "type" not in x.attributes]) == 1


def test_what_is_missing_is_a_missing_section(parsed):
    sections = {n: [x.attributes["id"] for x in p.all("section")] for n, p in parsed.items()}
    every = ["verdict", "runs", "layers", "units", "training", "orders", "battery", "silencing",
             "clips", "measured", "files"]  # fmt: skip
    assert sections["whole"] == every
    assert sections["old"] == ["verdict", "runs", "layers", "units", "measured", "files"]
    assert sections["tested"] == ["verdict", "runs", "orders", "measured", "files"]
    assert sections["sweep"] == ["sweep", "files"]
    links = {n: [x.attributes["href"][1:] for x in p.all("a")][1:] for n, p in parsed.items()}
    assert links == sections


def test_the_verdict_says_what_was_not_measured(parsed):
    assert "before motion-only was measured" in text_of(parsed["old"])
    assert "What shuffling costs was not tested" in text_of(parsed["old"])
    assert "How much it looks was not measured" in text_of(parsed["tested"])
    assert "Shuffling costs 56\N{NO-BREAK SPACE}%".replace("\N{NO-BREAK SPACE}", " ") in text_of(
        parsed["tested"]
    )
    whole = text_of(parsed["whole"])
    assert "fewer than 500 pairs" in whole.lower() and "12 recordings" in whole


def test_runs_of_other_banks_are_said_not_to_compare(parsed):
    text = text_of(parsed["several"])
    assert "measured differently" in text and "must not be compared" in text
    assert "randconv" in text and "grade" in text
    assert "Which differences between networks are seen" not in text
    assert "measured differently" not in text_of(parsed["whole"])
    assert "Which differences between networks are seen" in text_of(parsed["whole"])


def test_dead_units_and_missing_scores_leave_gaps(parsed):
    (table,) = [x for x in parsed["old"].all("table") if "every layer" in x.text]
    first = next(x for x in table.all("tr") if x.text.strip().startswith("s1"))
    assert "–" in first.text


def test_unreadable_strips_are_named_and_files_that_are_none_stay_out(moving, tmp_path):
    root = write_run(tmp_path / "run", moving, epochs=False, tests=False, clips=False)
    write_top_clips(root, units=1)
    folder = Path(root, "bias", "top_clips")
    (folder / "00000.webp").unlink()
    (folder / "00001.webp").write_text("SECRET")
    page = ParsedPage(Path(write_html([root], tmp_path / "x.html")).read_text())
    assert "00000.webp and top_clips/00001.webp" in text_of(page)
    assert len(page.all("img")) == 2
    assert base64.b64encode(b"SECRET").decode() not in page.root.text


def test_a_page_that_would_be_too_large_leaves_out_clips_and_says_so(moving, tmp_path, monkeypatch):
    root = write_run(tmp_path / "run", moving, epochs=False, tests=False)
    whole = Path(write_html([root], tmp_path / "x.html")).read_bytes()
    strips = [x.attributes["src"] for x in ParsedPage(whole.decode()).all("img")]
    monkeypatch.setattr(page_module, "LIMIT", len(whole) - len(strips[0]))
    found = Path(write_html([root], tmp_path / "y.html")).read_bytes()
    page = ParsedPage(found.decode())
    assert len(found) < len(whole) and 0 < len(page.all("img")) < len(strips)
    assert "larger than 5 MB" in text_of(page)
    assert any(x.attributes.get("id") == "report" for x in page.all("script"))


def test_the_marks_of_units_are_their_scores(parsed, moving):
    plots = [x for x in parsed["whole"].all("svg") if "scatter" in x.attributes.get("class", "")]
    plot = next(x for x in plots if " of s3 by " in x.attributes["aria-label"])
    layer, found = moving["s3"], {}
    for line in plot.all("polyline"):
        numbers = map(int, line.attributes["data-units"].split())
        for unit, point in zip(numbers, line.attributes["points"].split(), strict=True):
            x, y = map(int, point.split(","))
            found[unit] = (x / 1000, -y / 1000, line.attributes["data-kind"])
    kinds = {unit: kind for kind, units in layer.units().items() for unit in units}
    look, motion = layer.unit_scores("look"), layer.unit_scores("motion")
    assert sorted(found) == list(range(16))
    for unit, (x, y, kind) in found.items():
        assert abs(x - look[unit]) < 6e-4 and abs(y - motion[unit]) < 6e-4
        assert kind == kinds[unit]


def test_an_untrained_twin_is_of_the_same_network(tmp_path, moving, untrained):
    for name, model in (("same", "a"), ("other", "b")):
        mine = type(moving)(moving.layers, {**moving.meta, "model": "a"})
        twin = type(moving)(untrained.layers, {**untrained.meta, "model": model})
        root = write_run(tmp_path / name, mine, twin, epochs=False, tests=False, clips=False)
        text = text_of(ParsedPage(Path(write_html([root], tmp_path / "x.html")).read_text()))
        assert ("the same network untrained has" in text) == (name == "same")


def test_other_weights_and_dropped_videos_of_the_test_are_doubts(tmp_path, moving):
    root = write_run(tmp_path / "run", moving, epochs=False, clips=False)
    mine = type(moving)(moving.layers, {**moving.meta, "checkpoint": "b.pyth"})
    mine.save(Outputs(root).report())
    path = Outputs(root).frame_orders
    content = json.loads(Path(path).read_text())
    meta = {**content["meta"], "dropped_videos": [1, 2]}
    write_result(path, "frame_orders", meta, content["data"])
    text = text_of(ParsedPage(Path(write_html([root], tmp_path / "x.html")).read_text()))
    assert "Not all results are of the same weights: orders.json of a.pyth" in text
    assert "but report.json of b.pyth" in text
    assert "2 videos of the test could not be read" in text


def test_videos_tested_and_videos_measured_are_told_apart(parsed):
    assert "videos tested40" in text_of(parsed["tested"])
    assert "videos measured40" in text_of(parsed["whole"])
    assert "videos tested" in text_of(parsed["several"])
