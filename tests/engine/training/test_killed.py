"""A run that is killed and started again ends with the weights of one that was not, bit for bit."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
import torch
from support import warm

from slowfast_bias import engine
from slowfast_bias.engine.setup import checkpoint
from slowfast_bias.outputs import Outputs

pytestmark = pytest.mark.host

# A run that kills itself, and its workers, when it logs a certain step: no clock decides which.
TRAIN = """
import logging, os, signal, sys
from slowfast_bias.run import main
def kill(record):
    text = record.getMessage()
    if all(word in text for word in ('"train_iter"', '"epoch": "2/3"', '"iter": "5/8"')):
        os.killpg(0, signal.SIGKILL)
    return True
logging.getLogger("slowfast_bias.engine.runtime.log").addFilter(kill)
sys.exit(main(sys.argv[1:]))
"""


def weights(cfg):
    return checkpoint.last_good_checkpoint(cfg.OUTPUT_DIR)[1]["model_state"]


def lines(cfg):
    with open(f"{cfg.OUTPUT_DIR}/json_stats.log") as file:
        return [json.loads(line) for line in file]


def train_and_die(cfg):
    path = f"{cfg.OUTPUT_DIR}.yaml"
    Path(path).write_text(cfg.dump())
    done = warm.run(["-c", TRAIN, "--cfg", path], start_new_session=True)
    assert done.returncode == -signal.SIGKILL


def test_killed_in_mid_epoch_and_started_again(tiny, tmp_path):
    opts = [
        "SOLVER.MAX_EPOCH", 3, "BIAS.TOY.NUM_TRAIN", 32, "TRAIN.BATCH_SIZE", 4,
        "MODEL.DROPOUT_RATE", 0.5, "TRAIN.EVAL_PERIOD", 10, "TEST.ENABLE", False,
    ]  # fmt: skip
    unbroken = tiny(*opts, "OUTPUT_DIR", str(tmp_path / "unbroken"))
    engine.train(unbroken)
    broken = tiny(*opts, "OUTPUT_DIR", str(tmp_path / "broken"), "DATA_LOADER.NUM_WORKERS", 2)
    train_and_die(broken)
    left = Outputs(broken.OUTPUT_DIR)
    assert left.list_checkpoints() == [left.checkpoint(1)]
    assert not any(x["_type"] == "train_epoch" and x["epoch"] == "2/3" for x in lines(broken))
    engine.train(broken)
    a, b = weights(unbroken), weights(broken)
    assert all(torch.equal(a[name], b[name]) for name in a)
    epochs = [x["epoch"] for x in lines(broken) if x["_type"] == "train_epoch"]
    assert epochs == ["1/3", "2/3", "3/3"]
