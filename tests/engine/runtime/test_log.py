"""What a run says: JSON in its files, lines for a person on the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slowfast_bias import engine
from slowfast_bias.engine.runtime.readable import readable
from slowfast_bias.outputs import Outputs


@pytest.mark.host
def test_json_is_in_the_files_and_lines_for_a_person_on_the_terminal(tiny, capsys):
    cfg = tiny()
    engine.train(cfg)
    engine.test(cfg)
    shown = capsys.readouterr().out
    outputs = Outputs(cfg.OUTPUT_DIR)
    stats = [json.loads(line) for line in Path(outputs.stats).read_text().splitlines()]
    logged = Path(outputs.log).read_text()
    assert "json_stats" not in shown and "{" not in shown
    assert logged.count("json_stats") == len(stats) == 9
    for line in stats:
        assert readable(line) and readable(line) in shown and readable(line) in logged
    assert shown.count("iter ") == 4 and "epoch 2/2  validated  top-1 error" in shown


@pytest.mark.parametrize(
    ("stats", "line"),
    [
        ({"_type": "train_iter", "epoch": "1/2", "iter": "10/32", "loss": 1.23412, "dt": 0.1,
          "top1_err": 45.31, "top5_err": 3.0, "lr": 0.003, "eta_seconds": 83, "dt_data_share": 0.5},
         "epoch 1/2  iter 10/32  loss 1.234  top-1 error 45.3 %  lr 0.003  eta 0:01:23"),
        ({"_type": "val_epoch", "epoch": "1/2", "min_distance": 0.5, "distance": 0.75, "clips": 5,
          "dropped": 2},
         "epoch 1/2  validated  distance 0.75  best distance 0.5  5 clips  2 dropped"),
        ({"_type": "test_final", "split": "test_final", "videos": 8, "top1_acc": "62.50",
          "top5_acc": "100.00", "dropped": 0},
         "tested  top-1 accuracy 62.50 %  top-5 accuracy 100.00 %  8 videos"),
        ({"_type": "test_final", "split": "test_final", "frames": 12, "J_mean": "62.50"},
         "tested  J_mean 62.50  12 frames"),
        ({"_type": "bias_final", "S_static": {"s1": 0.5}}, ""),
    ],
)  # fmt: skip
def test_a_line_is_short_and_says_what_is_meant(stats, line):
    assert readable(stats) == line
