"""What the page says of its own results: whose weights, which test, what a guess has, what is left.

No number stands beside another without what makes them differ.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from support.pages import write_run, write_top_clips
from support.parsed_page import ParsedPage

from slowfast_bias.outputs import Outputs
from slowfast_bias.visualization.html import write_html


def change_meta(path, **new):
    """Changes the meta of a result file."""
    content = json.loads(Path(path).read_text())
    content["meta"] |= new
    Path(path).write_text(json.dumps(content))


def change_data(path, change):
    """Changes the data of a result file by a function."""
    content = json.loads(Path(path).read_text())
    change(content["data"])
    Path(path).write_text(json.dumps(content))


def page_text(roots, out):
    """What a person reads of the page of runs, spaces made plain."""
    roots = [roots] if isinstance(roots, str) else roots
    (main,) = ParsedPage(Path(write_html(roots, out)).read_text()).all("main")
    return re.sub(r"\s+", " ", main.text)


def test_each_result_of_other_weights_is_named(tmp_path, moving):
    root = write_run(tmp_path / "run", moving, epochs=False)
    outputs, out = Outputs(root), tmp_path / "x.html"
    change_meta(outputs.report(), checkpoint="a.pyth")
    assert "same weights" not in page_text(root, out)
    change_meta(outputs.battery(), checkpoint="noisy.pyth")
    text = page_text(root, out)
    assert "same weights: battery.json of noisy.pyth, but report.json of a.pyth" in text
    assert "Of other weights than the rest of this run: noisy.pyth" in text
    Path(outputs.report()).unlink()
    assert "battery.json of noisy.pyth, but orders.json of a.pyth" in page_text(root, out)


def test_clips_of_an_earlier_measurement_are_named(tmp_path, moving):
    root = write_run(tmp_path / "run", moving, epochs=False, tests=False)
    outputs, out = Outputs(root), tmp_path / "x.html"
    change_meta(outputs.report(), seconds=1.25)
    change_meta(outputs.top_clips, seconds=1.25)
    assert "another measurement" not in page_text(root, out)
    change_meta(outputs.report(), seconds=1.5)
    assert "another measurement than the report (a.pyth)" in page_text(root, out)


def test_accuracies_of_other_tests_are_not_put_side_by_side_without_a_word(tmp_path, moving):
    roots = [write_run(tmp_path / x, moving, epochs=False, clips=False) for x in "ab"]
    assert "must not be compared" not in page_text(roots, tmp_path / "x.html")
    change_meta(Outputs(roots[1]).frame_orders, data="kinetics/test")
    text = page_text(roots, tmp_path / "x.html")
    assert text.count("not of the same test, so they must not be compared") == 3  # one is battery
    assert "Data: toyvideos/test (a); kinetics/test (b)" in text


def test_the_best_of_several_frames_stands_beside_the_guess_of_as_many_tries(tmp_path, moving):
    root = write_run(tmp_path / "run", moving, epochs=False, clips=False)
    out, path = tmp_path / "x.html", Outputs(root).battery()
    assert "a guess, which tries once per frame, has more" in page_text(root, out)
    best = {"frames": 2, "guess": 43.75}
    change_data(path, lambda data: data["variants"]["best_frame"].update(best))
    assert "a guess has 43.8 % with 2 frames" in page_text(root, out)
    change_data(path, lambda data: data["variants"]["best_frame"].update(guess=90.0, frames=1))
    assert "a guess has 90.0 % with 1 frame" in page_text(root, out)


def test_what_benchmarks_leave_out_is_said(tmp_path, moving):
    root = write_run(tmp_path / "run", moving, epochs=False, clips=False)

    def leave_out(data):
        hat = {**data["benchmarks"]["scuba"], "left_out": 7, "dropped": 2}
        data["benchmarks"] = {"hat_action_swap": hat, "contrasted": {"accuracy": 5, "dropped": 3}}

    change_data(Outputs(root).battery(), leave_out)
    text = page_text(root, tmp_path / "x.html")
    assert "7 with too small or too large a human and 2 that could not be read" in text
    assert "3 that could not be read" in text


def test_evidence_against_a_class_is_not_evidence_for_it(tmp_path, moving):
    root = write_run(tmp_path / "run", moving, epochs=False, tests=False)
    path = Outputs(root).top_clips

    def classes(*values):
        entries = [{"class": k, "name": "", "evidence": x} for k, x in enumerate(values)]
        change_data(path, lambda data: data["units"][0].update(classes=entries))
        return page_text(root, tmp_path / "x.html")

    mixed = classes(0.03, 0.02, -0.02, -0.5)
    assert (
        "Evidence for class 0 (0.03) and class 1 (0.02), evidence against class 3 (−0.50)" in mixed
    )
    assert "class 2" not in mixed
    only = classes(-0.5)
    assert "Evidence against class 0 (−0.50)" in only and "vidence for class" not in only


def test_a_strip_that_cannot_be_read_is_named_once(tmp_path, moving):
    root = write_run(tmp_path / "run", moving, epochs=False, tests=False, clips=False)
    write_top_clips(root, units=2)

    def same(data):
        for unit in data["units"]:
            for clip in (*unit["most"], *unit["least"]):
                clip["strip"] = "top_clips/gone.webp"

    change_data(Outputs(root).top_clips, same)
    assert page_text(root, tmp_path / "x.html").count("gone.webp") == 1


def test_of_two_intervals_of_one_loss_it_is_said_which(tmp_path, moving):
    root = write_run(tmp_path / "run", moving, epochs=False, clips=False)
    said, out = "its interval that of the difference in points", tmp_path / "x.html"
    assert said not in page_text(root, out)
    Path(Outputs(root).frame_orders).unlink()
    assert said in page_text(root, out)
