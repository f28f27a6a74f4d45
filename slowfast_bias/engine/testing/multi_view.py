"""Multi-view testing: the outputs of a video's clips and crops are added up, then judged."""

from __future__ import annotations

import dataclasses
import logging
import os
import pickle
from typing import Any

from fvcore.common.config import CfgNode

from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json
from slowfast_bias.engine.setup.network import open_trained
from slowfast_bias.engine.setup.provenance import provenance, write_config
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.testing.mirrored import with_mirror
from slowfast_bias.engine.testing.vote import as_filmed, vote
from slowfast_bias.files import write_whole
from slowfast_bias.models.families.family import SEGMENTATION
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import write_result

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class TestResult:
    """What a test found."""

    __test__ = False  # pytest takes classes called Test... for tests

    figures: Any  # of the task, over the videos of the test list
    videos: int
    dropped: list[int]  # videos of which a view could not be read
    checkpoint: str

    @property
    def top1(self) -> float:
        """Top-1 accuracy in percent, of a classification."""
        return 100 - self.figures.compute()["top1_err"]

    @property
    def top5(self) -> float:
        """Top-5 accuracy in percent, of a classification."""
        return 100 - self.figures.compute()["top5_err"]


def test(cfg: CfgNode) -> TestResult:
    """Tests in this process (one rank of the group, if there is one)."""
    trained = open_trained(cfg, scores=True)
    model, weights = trained
    task = make_task(cfg, model)
    mirrors = cfg.BIAS.MASKS.MIRROR and not task.counts_hits
    votes = vote(cfg, task, (with_mirror if mirrors else as_filmed)(task, model), "test")
    figures, dropped = votes.figures("ordered"), votes.meta["dropped_videos"]
    result = TestResult(figures, votes.meta["videos"], dropped, weights)
    what = "frames" if cfg.BIAS.TASK == SEGMENTATION else "videos"
    line = {"_type": "test_final", "split": "test_final", what: result.videos}
    log_json(cfg.OUTPUT_DIR, {**line, **figures.final(), "dropped": len(dropped)})
    _save_predictions(cfg, votes.tally.predictions(0))
    if (found := figures.result()) and ranks.is_master():
        _write_result(cfg, found, {**trained.about, **votes.meta})
    ranks.wait()
    return result


def _write_result(cfg: CfgNode, found: dict[str, Any], about: dict[str, Any]) -> None:
    outputs = Outputs(cfg.OUTPUT_DIR)
    meta = provenance(cfg, "test", outputs.segmentation("yaml"), **about)
    write_result(outputs.segmentation(), cfg.BIAS.TASK, meta, found)
    write_config(cfg, outputs.segmentation("yaml"))
    log.info("figures: %s", outputs.segmentation())


def _save_predictions(cfg: CfgNode, predictions: Any) -> None:
    """Writes TEST.SAVE_RESULTS_PATH: a pickle, as SlowFast writes it."""
    if cfg.TEST.SAVE_RESULTS_PATH and ranks.is_master():
        path = os.path.join(cfg.OUTPUT_DIR, cfg.TEST.SAVE_RESULTS_PATH)
        with write_whole(path, "wb") as file:
            pickle.dump(predictions, file)
