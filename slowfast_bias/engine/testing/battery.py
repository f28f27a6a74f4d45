"""The battery: what a network still knows of clips that are changed, all from one decode.

Frames are shuffled, shuffled within windows, reversed, frozen, or a few of them; looks are changed.
Accuracies come with Wilson intervals and differences paired by video; how far outputs move needs no
labels. What each number means: docs/METHOD.md, section 9. Networks of masks have a battery of their
own, `mask_battery`.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias.config import ConfigError
from slowfast_bias.config.check_styles import FOLDERS, pairs_name
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json
from slowfast_bias.engine.setup.network import open_trained
from slowfast_bias.engine.setup.provenance import provenance, write_config
from slowfast_bias.engine.tasks import make_task, task_class
from slowfast_bias.engine.testing import battery_figures
from slowfast_bias.engine.testing.battery_files import write_battery
from slowfast_bias.engine.testing.battery_questions import Questions, read_questions
from slowfast_bias.engine.testing.battery_table import battery_markdown, battery_table
from slowfast_bias.engine.testing.battery_variants import ChangedClips, plan_of
from slowfast_bias.engine.testing.cue_benchmarks import cue_benchmarks
from slowfast_bias.engine.testing.cue_lists import cue_lists
from slowfast_bias.engine.testing.mask_battery import check_mask_battery, mask_battery
from slowfast_bias.engine.testing.vote import vote
from slowfast_bias.models.families.family import SEGMENTATION
from slowfast_bias.outputs import Outputs

log = logging.getLogger(__name__)

_NO_LABELS = "the test list has no labels: accuracies are not given, divergences need none"
_NO_LOOKS = "styles are folders: other looks are left out, as they need a generated bank"


def battery(cfg: CfgNode) -> dict[str, Any]:
    """Tests the trained network with changed clips; writes `bias/battery.{json,yaml,md,png}`."""
    if cfg.BIAS.TASK == SEGMENTATION:
        return mask_battery(cfg)
    start, outputs = time.perf_counter(), Outputs(cfg.OUTPUT_DIR)
    trained = open_trained(cfg, scores=True)
    questions = read_questions(cfg)  # before anything is decoded
    figures = battery_of(cfg, trained.model, questions)
    found = {**trained.about, **figures["meta"], "seconds": round(time.perf_counter() - start, 3)}
    figures["meta"] = provenance(cfg, "test", outputs.battery("yaml"), **found)
    if ranks.is_master():
        write_config(cfg, outputs.battery("yaml"))
        _write(outputs, figures)
    log_json(cfg.OUTPUT_DIR, _line(figures))
    ranks.wait()
    return figures


def check_battery(cfg: CfgNode) -> None:
    """Raises, before any work, what the test list or the keys of BIAS.BEHAVIOUR lack."""
    if cfg.BIAS.TASK == SEGMENTATION:
        check_mask_battery(cfg)
        return
    if not task_class(cfg).counts_hits:
        raise ConfigError(
            [
                f"BIAS.TASK {cfg.BIAS.TASK}: expected segmentation, or a task in which a video is "
                "right or wrong, for BIAS.BEHAVIOUR.ENABLE; set it to False"
            ]
        )
    read_questions(cfg)
    cue_lists(cfg)


def battery_of(cfg: CfgNode, model: nn.Module, questions: Questions) -> dict[str, Any]:
    """Returns the numbers of a network; `meta` says how the videos were read."""
    task, plan = make_task(cfg, model), plan_of(cfg, questions.labelled)
    pairs = battery_figures.pairs_of(plan)
    clips = ChangedClips(task, model, plan)
    votes = vote(cfg, task, clips, "test", "battery", lambda *how: task.verdicts(*how, pairs))
    hits = battery_figures.hits_of(votes, plan)
    partners, keys = questions.partners, cfg.BIAS.BEHAVIOUR
    return {
        "videos": votes.meta["videos"],
        "recordings": votes.meta["recordings"],
        "classes": cfg.MODEL.NUM_CLASSES,
        "class_names": {str(number): name for number, name in questions.classes.names.items()},
        "labelled": questions.labelled,
        "orders": len(plan.entries["shuffled"]),
        "variants": battery_figures.accuracies(
            hits, votes, plan, questions.labelled, cfg.MODEL.NUM_CLASSES
        ),
        "divergence": battery_figures.divergences(votes, plan, cfg.BIAS.SEED, keys.BOOTSTRAP),
        "partners": battery_figures.partner_rate(votes, partners, questions.classes)
        if partners
        else None,
        "lists": {
            chosen.name: battery_figures.list_accuracies(chosen, hits, votes)
            for chosen in questions.lists
        },
        "benchmarks": cue_benchmarks(cfg, task, model),
        "meta": {
            **votes.meta,
            "seed": cfg.BIAS.SEED,
            **({"styles": plan.bank.about()} if plan.bank else {}),
            **_notes(cfg, questions),
        },
    }


def _notes(cfg: CfgNode, questions: Questions) -> dict[str, list[str]]:
    """Returns what a reader must know of what is not in the numbers."""
    folders = cfg.BIAS.BEHAVIOUR.STYLES and pairs_name(cfg) == FOLDERS
    notes = [] if questions.labelled else [_NO_LABELS]
    notes += [_NO_LOOKS] if folders and questions.labelled else []
    return {"notes": notes} if notes else {}


def _write(outputs: Outputs, figures: dict[str, Any]) -> None:
    from slowfast_bias.visualization.figures.battery import battery_figure

    write_battery(outputs, figures, battery_markdown(figures), battery_figure)
    log.info("battery of changed clips\n%s", battery_table(figures))


def _line(figures: dict[str, Any]) -> dict[str, Any]:
    """Returns what json_stats.log holds."""
    variants, apart = figures["variants"], figures["divergence"]
    line = {"_type": "battery", "videos": figures["videos"], "recordings": figures["recordings"]}
    line["dropped"] = len(figures["meta"]["dropped_videos"])
    line |= {f"{name}_acc": found["accuracy"] for name, found in variants.items()}
    line |= {f"divergence_{name}": found["mean"] for name, found in apart.items()}
    if figures["partners"]:
        line["partner_rate"] = figures["partners"]["rate"]
    return line
