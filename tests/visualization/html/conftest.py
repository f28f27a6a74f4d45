"""Folders of runs for the page, made once: whole, old, tested only, swept; and their pages."""

from __future__ import annotations

import pytest
from support.pages import ABOUT, MARKUP, named, orders, rows, write_run
from support.reports import META, PLAIN, report_of, report_with_motion

from slowfast_bias.outputs import Outputs
from slowfast_bias.results import write_result
from slowfast_bias.visualization.html import write_html


@pytest.fixture(scope="session")
def folders(tmp_path_factory, moving, untrained):
    """{name: folder of a run}."""
    root = tmp_path_factory.mktemp("runs")
    found = {
        "whole": write_run(root / "whole", moving, untrained),
        "other bank": write_run(
            root / "other",
            report_with_motion(PLAIN, seed=8, meta={**META, "styles": {"family": "grade"}}),
            tests=False, clips=False,
        ),
        "old": write_run(
            root / "old", report_of(PLAIN, seed=1, dead={"s1": 8}),
            tests=False, clips=False, epochs=False,
        ),
        "markup": write_run(root / "markup", named(moving, MARKUP), epochs=False, tests=False),
        "tested": str(root / "tested"),
        "sweep": str(root / "sweep"),
    }  # fmt: skip
    write_result(Outputs(found["tested"]).frame_orders, "frame_orders", ABOUT, orders())
    write_result(Outputs(found["sweep"]).rows, "sweep", {}, rows())
    return found


@pytest.fixture(scope="session")
def pages(folders, tmp_path_factory):
    """{name: path of a page}: one of every folder, and one of several."""
    out = tmp_path_factory.mktemp("pages")
    found = {name: write_html([x], out / f"{name}.html") for name, x in folders.items()}
    several = [folders["whole"], folders["other bank"], folders["old"], folders["tested"]]
    names = ["whole", MARKUP, "old", "tested"]
    return {**found, "several": write_html(several, out / "several.html", names)}
