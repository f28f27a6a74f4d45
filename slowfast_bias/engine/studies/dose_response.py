"""One trained network in the figures of a dose response (the paper's Fig. 13 and 14).

Besides accuracies and scores: which share of the classifier's evidence comes from dynamic units,
what a toy network follows where texture and motion disagree, how rare and common classes fare.
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

from slowfast_bias import host
from slowfast_bias.bias import LayerBias, PairStats, Tap, evaluating, tapped
from slowfast_bias.engine.measuring.measurement import measure_networks
from slowfast_bias.engine.measuring.report_files import write_reports
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import set_up_logging
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.setup.loaders import build_loader, inputs_of
from slowfast_bias.engine.testing.accuracy import predict_videos
from slowfast_bias.engine.testing.frame_orders import accuracy_by_order
from slowfast_bias.models.static_dropout import find_classifier

log = logging.getLogger(__name__)

CLASSES = 10  # of the least and of the most common ones, or half of all where there are fewer


def dose_figures(cfg: CfgNode) -> dict[str, Any]:
    """Measures and tests the trained network of ``cfg``; NaN or None for what has no answer.

    Accuracies and cue choices are in percent, `dynamic_ratio` and `dynamic_share` in [0, 1]. Writes
    ``bias/report.*``.
    """
    set_up_logging(cfg.OUTPUT_DIR)
    model = network.build_network(cfg)
    path = network.load_trained(cfg, model)
    reports = measure_networks(cfg, {"trained": model}, {"checkpoint": path})
    if ranks.is_master():
        write_reports(cfg.OUTPUT_DIR, reports)
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
    figures |= by_frequency(orders["ordered"]["per_class"], _train_labels(cfg))
    ranks.wait()
    return figures


def dynamic_ratio(head: LayerBias) -> float:
    """Dynamic-only units among the dynamic-only and static-only ones; NaN where there are none."""
    units = head.units()
    both = len(units["dynamic"]) + len(units["static"])
    return len(units["dynamic"]) / both if both else math.nan


def dynamic_share(head: LayerBias, weights: torch.Tensor) -> float:
    """`dynamic_ratio` with every unit counted by its weight, (C,); NaN where there are none."""
    units = head.units()
    dynamic, static = (float(weights[units[kind]].sum()) for kind in ("dynamic", "static"))
    return dynamic / (dynamic + static) if dynamic + static > 0 else math.nan


@torch.no_grad()
def evidence(cfg: CfgNode, model: nn.Module) -> torch.Tensor:
    """How much each unit moves the classifier, (C,): |W_i| sd(z_i).

    |W_i| is the L2 norm over classes of the classifier's column for unit i, sd(z_i) the standard
    deviation over the clips of the test list of what the classifier sees of it, pooled over time
    and space.
    """
    slot = host.head(model)
    found = find_classifier(model.get_submodule(slot.path))
    if found is None:
        raise ValueError(f"Expected a linear classifier in {slot.path}, but there is none.")
    device = next(model.parameters()).device
    tap = Tap(slot.projection, of="input", channels_last=True, name="head")
    stats = PairStats.empty(found[1].in_features).to(device)
    with evaluating(model), tapped(model, [tap]) as features:
        for batch in build_loader(cfg, "test"):
            if len(batch.labels):
                model(inputs_of(cfg, batch, device))
                stats = stats.merge(PairStats.of(features["head"], features["head"]))
    stats = functools.reduce(PairStats.merge, ranks.gather_objects(stats.to("cpu")))
    norm = found[1].weight.detach().double().norm(dim=0).cpu()
    return norm * (stats.m2_a / stats.n.clamp(min=1)).sqrt()


def cue_choices(cfg: CfgNode, model: nn.Module) -> dict[str, float | None]:
    """Percent of toy clips with texture and motion in conflict that are classed by either one.

    None for other data, and for toy labels that have no such clips.
    """
    none = {"cue_motion": None, "cue_texture": None}
    if cfg.TEST.DATASET.capitalize() != "Toyvideos":
        return none
    toy = cfg.BIAS.TOY
    if toy.MOTION != "orbit4" or toy.LABELS not in ("dynamic", "correlated"):
        return none  # the motion must be the label, and as many motions as textures
    mine = cfg.clone()
    mine.defrost()
    mine.BIAS.TOY.CUE_CONFLICT = True
    world = host.build_dataset(mine.TEST.DATASET, mine, "test").world
    scores, motions, _ = predict_videos(mine, model)
    textures = torch.tensor([world.factors(i).texture for i in range(len(world))])
    chosen = scores.argmax(1)
    share = {"cue_motion": chosen == motions, "cue_texture": chosen == textures}
    return {name: 100 * float(hits.double().mean()) for name, hits in share.items()}


def by_frequency(
    per_class: dict[int, float], train_labels: list[int] | None
) -> dict[str, float | None]:
    """Mean accuracy over the k least and the k most common classes of the training list.

    k is `CLASSES`, or half of the tested classes where they are fewer than twice as many. Classes
    of equal frequency come in the order of their numbers.
    """
    if train_labels is None or not per_class:
        return {"least_common": None, "most_common": None}
    counts, k = Counter(train_labels), max(1, min(CLASSES, len(per_class) // 2))
    ranked = sorted(per_class, key=lambda label: (counts[label], label))
    least, most = (sum(per_class[c] for c in part) / k for part in (ranked[:k], ranked[-k:]))
    titles = {f"{k} least common %": least, f"{k} most common %": most}
    return {"least_common": least, "most_common": most, "top_k": titles}


def _train_labels(cfg: CfgNode) -> list[int] | None:
    """The labels of the training list, nothing decoded; None where the data set has none."""
    dataset = host.build_dataset(cfg.TRAIN.DATASET, cfg, "train")
    if hasattr(dataset, "label"):
        return [int(dataset.label(i)) for i in range(len(dataset))]
    labels = getattr(dataset, "_labels", None)  # the hosts' own name
    plain = labels is not None and all(isinstance(label, int) for label in labels)
    return list(labels) if plain else None
