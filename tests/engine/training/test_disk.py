"""Disks that are full or gone while a run writes: in words, and nothing that was whole is lost."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import shutil
from pathlib import Path

import pytest

from slowfast_bias import engine, host
from slowfast_bias.bias import BiasReport
from slowfast_bias.engine.measuring import report_files
from slowfast_bias.engine.runtime.log import log_json, set_up_logging
from slowfast_bias.engine.setup import checkpoint
from slowfast_bias.errors import NotFiniteError, OutputError
from slowfast_bias.results import read_result

pytestmark = pytest.mark.host


@contextlib.contextmanager
def no_file_longer_than(size):
    """The system itself refuses to write on, as at a quota."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_checkpoint_that_does_not_fit_is_said_and_the_one_before_stays_whole(tiny):
    cfg = tiny()
    model = host.build_model(cfg)
    saved = (model, host.construct_optimizer(model, cfg))
    first = checkpoint.save_checkpoint(cfg, 0, *saved)
    with no_file_longer_than(200_000), pytest.raises(OutputError) as caught:
        checkpoint.save_checkpoint(cfg, 1, *saved)
    said = str(caught.value)
    assert "checkpoint_epoch_00002" in said and "File too large" in said and "\n" not in said
    assert os.listdir(os.path.dirname(first)) == [os.path.basename(first)]
    assert checkpoint.last_good_checkpoint(cfg.OUTPUT_DIR)[0] == first


def full(*_args, **_named):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_measurement_that_cannot_be_written_is_shown_and_kept_elsewhere(
    tiny, moving, monkeypatch, tmp_path, caplog
):
    import logging

    monkeypatch.setattr(logging.getLogger("slowfast_bias"), "propagate", True)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(report_files, "write_reports", full)
    report, cfg = moving, tiny()
    with caplog.at_level("INFO"), pytest.raises(OutputError) as caught:
        report_files.leave_reports(cfg, {"trained": report})
    assert report.table() in caplog.text
    said = str(caught.value)
    (kept,) = tmp_path.glob("slowfast_bias_*/trained.json")
    assert "No space left" in said and str(kept.parent) in said
    assert BiasReport.load(kept).to_markdown() == report.to_markdown()


def test_a_folder_that_is_gone_in_mid_run_is_one_line(tiny):
    cfg = tiny()
    set_up_logging(cfg.OUTPUT_DIR)
    log_json(cfg.OUTPUT_DIR, {"_type": "train_iter", "loss": 1.0})
    shutil.rmtree(cfg.OUTPUT_DIR)
    with pytest.raises(OutputError, match="its folder is gone: it was moved or deleted"):
        log_json(cfg.OUTPUT_DIR, {"_type": "train_iter", "loss": 1.0})


def test_a_log_that_cannot_be_written_ends_no_run(tiny, capsys):
    import logging

    cfg = tiny()
    set_up_logging(cfg.OUTPUT_DIR)
    log = logging.getLogger("slowfast_bias.test")
    with no_file_longer_than(0):
        log.info("one")
        log.info("two")
    said = capsys.readouterr()
    assert said.out.count("one") == said.out.count("two") == 1
    assert said.err.count("stdout.log is not written any more") == 1
    assert "Traceback" not in said.err


def test_the_videos_of_a_loss_that_is_not_finite_are_named_and_written_down(tiny):
    cfg = tiny("SOLVER.BASE_LR", 1e30, "SOLVER.MAX_EPOCH", 4, "TRAIN.EVAL_PERIOD", 10)
    with pytest.raises(NotFiniteError) as caught:
        engine.train(cfg)
    path = f"{cfg.OUTPUT_DIR}/not_finite.json"
    assert path in str(caught.value)
    data = read_result(path, "not_finite").data
    dataset = engine.setup.loaders.build_loader(cfg, "train").dataset
    assert len(data["clips"]) == 4
    for clip, video in zip(data["clips"], data["videos"], strict=True):
        assert (video["path"], video["row"]) == dataset.describe(clip)
        assert video["path"] in str(caught.value)
    assert not list(Path(cfg.OUTPUT_DIR).rglob("*.tmp"))
