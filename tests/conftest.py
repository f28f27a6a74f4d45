"""What all tests share: which marks can run here, and tiny configs."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path

import pytest
import torch
from matplotlib.figure import Figure
from support import warm
from support.browser import has_browser
from support.drafts import save_draft
from support.reports import (  # noqa: F401  fixtures
    blocks,
    broken,
    check_text,
    make_moving,
    make_report,
    moving,
    pathways,
    plain,
    untrained,
)
from support.two_ranks import TwoRanks, close_logs

ROOT = Path(__file__).resolve().parent.parent
# Networks this small lose time to more threads, and several tests fork; processes inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
torch.set_num_threads(1)
# A tenth of the time was the garbage collector's, which looked at torch and the tests each time.
gc.set_threshold(20_000, 20, 20)
# Started in the background, a shell makes its children ignore Ctrl-C, and so would ours.
signal.signal(signal.SIGINT, signal.default_int_handler)


# Long files begin first, or one core waits at the end for the last of them.
LONG = (
    "test_docs", "test_configs", "test_videos_run", "test_toy_truth", "test_host_dataset",
    "test_several", "test_periodic_measurement", "test_interrupted", "test_measurement",
    "test_loop", "test_sweep", "test_static_dropout", "test_frame_orders", "test_scan",
    "test_run", "test_huggingface_run", "test_resume", "test_reproduction", "test_silencing",
    "test_world", "test_segmentation", "test_damage", "test_measure", "test_loader",
    "test_commands", "test_own_data", "test_recipes", "test_mid_epoch", "test_any_number_of_ranks",
    "test_top_clips", "test_crashes", "test_folders", "test_folder_writer", "test_killed",
)  # fmt: skip


def pytest_configure(config):
    """Hides GPUs, so that the suite is the same on every machine: `make gpu` runs `-m gpu`."""
    if config.option.markexpr != "gpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def pytest_collection_modifyitems(items):
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONG)))  # stable: files stay whole
    skips = {
        "host_main": (not os.environ.get("SLOWFAST_MAIN"), "SLOWFAST_MAIN names no checkout"),
        "gpu": (not torch.cuda.is_available(), "no CUDA device, or not run by -m gpu"),
        "ddp": ((os.cpu_count() or 1) < 2, "one core"),
        "browser": (not has_browser(), "no selenium, Chromium or chromedriver"),
    }
    for item in items:
        for mark, (absent, reason) in skips.items():
            if absent and mark in item.keywords:
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_collection_finish():
    """Spares the garbage collector what stays."""
    gc.freeze()


@pytest.fixture(autouse=True)
def no_scheduler(monkeypatch):
    """Tests may themselves run under torchrun or srun; the code must not see that."""
    for name in list(os.environ):
        if name.startswith("SLURM_") or name in ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def plain_log():
    """A run redirects the package's log; the next test finds it as it was."""
    yield
    close_logs()


@pytest.fixture
def draft_figures(monkeypatch):
    """Figures are saved as drafts; visualization/ tests how they look."""
    monkeypatch.setattr(Figure, "savefig", save_draft)


@pytest.fixture(scope="session")
def two_ranks():
    """A group of two living processes: `two_ranks.run(function, *args)` asks both."""
    group = TwoRanks()
    yield group
    group.end()


@pytest.fixture
def tiny(tmp_path):
    """A function: config of a width-8 network on 8-frame toy clips of 32 px, with changes."""

    def make(*opts, check=True, **changes):
        from slowfast_bias import engine

        words = [*TINY, "OUTPUT_DIR", str(tmp_path / "run"), *opts]
        words += [word for key, value in changes.items() for word in (key, value)]
        return engine.load_cfg((), words, check=check)

    make.words = list(TINY)
    return make


TINY = [
    "TRAIN.DATASET", "toyvideos", "TRAIN.BATCH_SIZE", 4, "TRAIN.EVAL_PERIOD", 1,
    "TRAIN.CHECKPOINT_PERIOD", 1, "TEST.DATASET", "toyvideos", "TEST.BATCH_SIZE", 4,
    "TEST.NUM_ENSEMBLE_VIEWS", 1, "TEST.NUM_SPATIAL_CROPS", 1,
    "DATA.NUM_FRAMES", 8, "DATA.SAMPLING_RATE", 1, "DATA.TRAIN_CROP_SIZE", 32,
    "DATA.TEST_CROP_SIZE", 32, "DATA.INPUT_CHANNEL_NUM", [3],
    "RESNET.DEPTH", 18, "RESNET.WIDTH_PER_GROUP", 8,
    "RESNET.NUM_BLOCK_TEMP_KERNEL", [[2], [2], [2], [2]],
    "MODEL.ARCH", "slow", "MODEL.NUM_CLASSES", 4, "MODEL.DROPOUT_RATE", 0.0,
    "SOLVER.MAX_EPOCH", 2, "SOLVER.BASE_LR", 0.01, "SOLVER.OPTIMIZING_METHOD", "sgd",
    "BIAS.TOY.NUM_TRAIN", 8, "BIAS.TOY.NUM_VAL", 5, "BIAS.TOY.NUM_TEST", 5,
    "BN.USE_PRECISE_STATS", False, "DATA_LOADER.NUM_WORKERS", 0, "NUM_GPUS", 0,
    "LOG_PERIOD", 1, "RNG_SEED", 3,
]  # fmt: skip


def run_python(code, *arguments, env=(), timeout=300, check=True):
    """What a fresh interpreter prints when it runs ``code``; stderr is shown when it fails."""
    env = {**os.environ, "PYTHONPATH": f"{ROOT}", **dict(env)}
    done = warm.run(["-c", code, *arguments], timeout=timeout, env=env)
    if check:
        assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(name="run_python")
def _run_python():
    return run_python
