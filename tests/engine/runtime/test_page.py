"""The page at the end of a run: it shows what is there, and its errors cost nothing else."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from support.pages import write_run

from slowfast_bias import engine
from slowfast_bias.engine.runtime.page import write_page
from slowfast_bias.outputs import Outputs


def test_a_run_has_its_page_and_a_folder_without_results_none(tmp_path, moving):
    root = write_run(tmp_path / "run", moving, tests=False, clips=False, epochs=False)
    assert write_page(root) == Outputs(root).html
    assert Path(Outputs(root).html).read_text().startswith("<!doctype html>")
    (tmp_path / "empty").mkdir()
    assert write_page(str(tmp_path / "empty")) == ""
    assert not list((tmp_path / "empty").iterdir())


def test_an_error_is_one_line(tmp_path, moving, caplog):
    root = write_run(tmp_path / "run", moving, tests=False, clips=False, epochs=False)
    Path(Outputs(root).silencing()).write_text("{")
    with caplog.at_level(logging.WARNING):
        assert write_page(root) == ""
    (record,) = caplog.records
    assert "ablation.json is not JSON" in record.getMessage()
    assert "\n" not in record.getMessage()


@pytest.mark.host
@pytest.mark.filterwarnings("ignore:fewer than 500 pairs")
def test_a_run_ends_with_its_page(tiny):
    cfg = tiny(
        "SOLVER.MAX_EPOCH", 1, "TEST.ENABLE", False, "BIAS.ENABLE", True, "BIAS.SHUFFLE.TEST", True
    )
    results = engine.run(cfg)
    page = Path(Outputs(cfg.OUTPUT_DIR).html).read_text()
    score = results["measure"]["head"].score("static")
    assert f"{score:.3f}".replace("-", "−") in page
    assert f"{results['test_orders']['ordered']['accuracy']:.1f}" in page
