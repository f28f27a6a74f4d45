"""Numbers of one trained network for a dose response (the paper's Fig. 13 and 14).

Besides accuracies and scores: which share of the classifier's evidence comes from dynamic units,
what a toy network follows if texture and motion disagree, accuracies of rare and common classes.
"""

from __future__ import annotations

import functools
import logging
import math
from collections import Counter
from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias.bias import LayerBias, PairStats, evaluating, tapped
from slowfast_bias.bias.class_evidence import class_evidence
from slowfast_bias.datasets.contract import is_registered, open_dataset
from slowfast_bias.datasets.toy.dataset import Toyvideos
from slowfast_bias.engine.measuring.measurement import measure_networks
from slowfast_bias.engine.measuring.report_files import write_reports
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import progress
from slowfast_bias.engine.setup.loaders import build_loader
from slowfast_bias.engine.setup.network import autocast, open_trained
from slowfast_bias.engine.setup.provenance import write_config
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.testing.frame_orders import accuracy_by_order
from slowfast_bias.engine.testing.vote import as_filmed, vote
from slowfast_bias.models.families import classifier_of, classifier_weight, family_of, head_tap
from slowfast_bias.outputs import Outputs

log = logging.getLogger(__name__)

CLASSES = 10  # of the least and of the most common ones, or half of all if there are fewer


def dose_figures(cfg: CfgNode) -> dict[str, Any]:
    """Returns measurements and tests of `cfg`'s trained network; NaN or None if not defined.

    Accuracies and cue choices are in percent, `dynamic_ratio` and `dynamic_share` in [0, 1]. Writes
    `bias/report.*`.
    """
    trained = open_trained(cfg, scores=True)
    model = trained.model
    config = Outputs(cfg.OUTPUT_DIR).bias_config
    reports = measure_networks(cfg, {"trained": model}, config, trained.about)
    if ranks.is_master():
        write_reports(cfg.OUTPUT_DIR, reports)
        write_config(cfg, config)
    head = reports["trained"]["head"]
    orders = accuracy_by_order(cfg, model)
    figures = {
        "ordered": orders["ordered"]["accuracy"],
        "shuffled": orders["shuffled"]["accuracy"],
        "S_static": head.score("static"),
        "S_dynamic": head.score("dynamic"),
        "dynamic_ratio": dynamic_ratio(head),
        "dynamic_share": dynamic_share(head, evidence(cfg, model)),
    }
    figures |= cue_choices(cfg, model)
    figures |= by_frequency(orders["ordered"]["per_class"], labels_of_training(cfg))
    ranks.wait()
    return figures


def dynamic_ratio(head: LayerBias) -> float:
    """Returns the share of dynamic-only among dynamic-only and static-only units; NaN if none."""
    units = head.units()
    both = len(units["dynamic"]) + len(units["static"])
    return len(units["dynamic"]) / both if both else math.nan


def dynamic_share(head: LayerBias, weights: torch.Tensor) -> float:
    """Returns `dynamic_ratio` with every unit counted by its weight, (C,); NaN if all are 0."""
    units = head.units()
    dynamic, static = (float(weights[units[kind]].sum()) for kind in ("dynamic", "static"))
    return dynamic / (dynamic + static) if dynamic + static > 0 else math.nan


@torch.no_grad()
def evidence(cfg: CfgNode, model: nn.Module) -> torch.Tensor:
    """Returns how much each unit changes the classifier's scores, (C,): |W_i| sd(z_i).

    |W_i| is the L2 norm over classes of the classifier's column for unit i. sd(z_i) is the standard
    deviation, over the clips of the test list, of its value at the classifier's input, pooled over
    time and space.
    """
    family, head, weight = family_of(model), classifier_of(model), classifier_weight(model)
    if weight is None:
        raise ValueError(f"Expected a linear classifier in {head.path}, but there is none.")
    device, task = next(model.parameters()).device, make_task(cfg, model)
    stats = PairStats.empty(weight.shape[1]).to(device)
    with evaluating(model), tapped(model, [head_tap(head)]) as features:
        loader = build_loader(cfg, "test")
        for batch in progress(loader, len(loader), "evidence of units"):
            if batch.clips():
                with autocast(cfg, device):
                    family.call(model, task.inputs(batch, device))
                stats = stats.merge(PairStats.of(features["head"], features["head"]))
    stats = functools.reduce(PairStats.merge, ranks.gather_objects(stats.to("cpu")))
    return class_evidence(weight, stats).norm(dim=0)


def cue_choices(cfg: CfgNode, model: nn.Module) -> dict[str, float | None]:
    """Returns the percent of toy clips in cue conflict that are classified by motion, by texture.

    None for other data, and for toy labels that have no such clips.
    """
    none = {"cue_motion": None, "cue_texture": None}
    if cfg.TEST.DATASET.capitalize() != Toyvideos.__name__:
        return none
    toy = cfg.BIAS.TOY
    if toy.MOTION != "orbit4" or toy.LABELS not in ("dynamic", "correlated"):
        return none  # the motion must be the label, and as many motions as textures
    mine = cfg.clone()
    mine.defrost()
    mine.BIAS.TOY.CUE_CONFLICT = True
    world = Toyvideos(mine, "test").world
    task = make_task(mine, model)
    votes = vote(mine, task, as_filmed(task, model), "test")
    textures = torch.tensor([world.factors(i).texture for i in range(len(world))])
    chosen, motions = votes.tally.scores[0].argmax(1), votes.tally.labels
    share = {"cue_motion": chosen == motions, "cue_texture": chosen == textures}
    return {name: 100 * float(hits.double().mean()) for name, hits in share.items()}


def by_frequency(
    per_class: dict[int, float], train_labels: list[int] | None
) -> dict[str, float | None]:
    """Returns the mean accuracy over the k least and k most common classes of the training list.

    k is `CLASSES`, or half of the tested classes if they are fewer than twice as many. Classes of
    equal frequency are in the order of their numbers.
    """
    if train_labels is None or not per_class:
        return {"least_common": None, "most_common": None}
    counts, k = Counter(train_labels), max(1, min(CLASSES, len(per_class) // 2))
    ranked = sorted(per_class, key=lambda label: (counts[label], label))
    least, most = (sum(per_class[c] for c in part) / k for part in (ranked[:k], ranked[-k:]))
    titles = {f"{k} least common %": least, f"{k} most common %": most}
    return {"least_common": least, "most_common": most, "top_k": titles}


def labels_of_training(cfg: CfgNode) -> list[int] | None:
    """Returns the labels of the training list, without decoding; None for the host's data sets."""
    if not is_registered(cfg.TRAIN.DATASET):
        return None
    dataset = open_dataset(cfg.TRAIN.DATASET, cfg, "train")
    return [int(dataset.target(video)) for video in range(len(dataset) // dataset.views)]
