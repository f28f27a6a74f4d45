"""Cue benchmarks: does a network know an action by how it moves, or by what is in the picture?

SCUBA shows it before other backgrounds, SCUFO one frame of each clip of that, ConflFG a moving
against a still foreground, HAT humans without their background and backgrounds without their
humans. Shares are in percent, with 95 % Wilson intervals over recordings; a video that cannot be
read does not count.
"""

from __future__ import annotations

from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias.bias.intervals import effective_n, wilson
from slowfast_bias.config.check_cues import TOY
from slowfast_bias.datasets.benchmarks.hat_clips import NOT_COUNTED
from slowfast_bias.datasets.pairs.frame_order import random_frame
from slowfast_bias.engine.tasks import Task
from slowfast_bias.engine.testing import cue_lists as lists
from slowfast_bias.engine.testing.cue_lists import cue_lists
from slowfast_bias.engine.testing.vote import FrameOrders, Votes, as_filmed, vote
from slowfast_bias.errors import DataError

__all__ = ["cue_benchmarks", "cue_lists"]


def cue_benchmarks(cfg: CfgNode, task: Task, model: nn.Module) -> dict[str, Any]:
    """Returns the figures of each benchmark that BIAS.BEHAVIOUR asks for; {} if of none."""
    cue_lists(cfg)  # before anything is decoded
    keys, found = cfg.BIAS.BEHAVIOUR, {}
    if keys.SCUBA or keys.SCUFO:
        found |= _scuba(cfg, task, model)
    if keys.CONFLFG:
        found["conflfg"] = _conflfg(cfg, task, model)
    for name in lists.hat_tests(cfg):
        other = lists.hat(cfg, name)
        votes = _vote(other, task, model, name)
        found[name] = _swapped(other, votes) if name == "hat_action_swap" else _plain(votes)
    return found


def _vote(cfg: CfgNode, task: Task, model: nn.Module, title: str) -> Votes:
    return _named(cfg, task, as_filmed(task, model), title)


def _named(cfg: CfgNode, task: Task, shown: FrameOrders, title: str) -> Votes:
    """Returns the votes over a list; DataError names it if none of it can be read."""
    try:
        return vote(cfg, task, shown, "test", f"battery, {title}")
    except DataError as error:
        where = lists.name_of(lists.open_list(cfg))
        raise DataError(f"{title}, {where}: {error}") from error


def _scuba(cfg: CfgNode, task: Task, model: nn.Module) -> dict[str, Any]:
    """Returns SCUBA, SCUFO, and the share of pairs with SCUBA right and its SCUFO wrong."""
    keys = cfg.BIAS.BEHAVIOUR
    if not keys.SCUBA:
        return {"scufo": _plain(_vote(lists.scufo(cfg), task, model, "scufo"))}
    other = lists.scuba(cfg)
    data = lists.open_list(other)
    if not keys.SCUFO:
        return _of_one_decode(other, task, model, data.views)
    moving = _vote(other, task, model, "scuba")
    still = _vote(lists.scufo(cfg), task, model, "scufo")
    pairs = torch.tensor(lists.partners(data, lists.open_list(lists.scufo(cfg))))
    known = moving.complete & still.complete[pairs]
    right, frozen = _everywhere(moving, "ordered"), _everywhere(still, "ordered")[pairs]
    recordings = torch.zeros(len(pairs), dtype=torch.long)
    recordings[moving.complete] = moving.recordings
    contrast = _contrast(right[known], frozen[known], recordings[known], len(pairs))
    return {"scuba": _plain(moving), "scufo": _plain(still), "contrasted": contrast}


def _of_one_decode(cfg: CfgNode, task: Task, model: nn.Module, views: int) -> dict[str, Any]:
    """Returns the same, with SCUFO made of the clips of SCUBA.

    Each clip is one of its own frames throughout, at the same place in all clips of a video: those
    of several temporal views show several frames of the video.
    """

    def still(frames: int, clips: list[int]) -> torch.Tensor:
        return random_frame(frames, cfg.BIAS.SEED, [clip // views for clip in clips])

    orders = FrameOrders(task, model, {"ordered": None, "still": still})
    votes = _named(cfg, task, orders, "scuba and scufo")
    right, frozen = votes.hits("ordered"), votes.hits("still")
    return {
        "scuba": _plain(votes),
        "scufo": {**_plain(votes, "still"), "made_of": "scuba"},
        "contrasted": _contrast(right, frozen, votes.recordings, len(votes.complete)),
    }


def _contrast(
    right: torch.Tensor, frozen: torch.Tensor, recordings: torch.Tensor, pairs: int
) -> dict[str, Any]:
    """Returns the contrasted accuracy of pairs that could be read."""
    if not len(right):
        raise DataError(
            "Expected at least one pair of a SCUBA and a SCUFO video that can be read, but one of "
            "the two is damaged in each."
        )
    dropped = pairs - len(right)
    return {**_share(right & ~frozen, recordings), "pairs": len(right), "dropped": dropped}


def _conflfg(cfg: CfgNode, task: Task, model: nn.Module) -> dict[str, Any]:
    """Returns how often the moving class is predicted, how often the still one, and which more."""
    other = lists.conflfg(cfg)
    votes = _vote(other, task, model, "conflfg")
    dynamic = votes.labels()
    static = lists.static_classes(cfg, lists.open_list(other))[votes.complete]
    scores = _scores(votes)
    best, each = scores.argmax(1), torch.arange(len(scores))
    return {
        **_share(best == dynamic, votes.recordings, "dynamic"),
        **_share(best == static, votes.recordings, "static"),
        **_share(scores[each, dynamic] > scores[each, static], votes.recordings, "prefers_dynamic"),
        **_about(votes),
    }


def _swapped(cfg: CfgNode, votes: Votes) -> dict[str, Any]:
    """Returns how often the human's class is predicted, and how often the background's."""
    backgrounds = torch.tensor(lists.open_list(cfg).backgrounds)[votes.complete]
    counts = votes.labels() != NOT_COUNTED
    if not counts.any():
        raise DataError(
            "Expected at least one video of HAT whose human covers 5 to 50 % of the picture, but "
            f"none of {len(counts)} does."
        )
    best, human = _scores(votes).argmax(1)[counts], votes.labels()[counts]
    recordings, backgrounds = votes.recordings[counts], backgrounds[counts]
    return {
        **_share(best == human, recordings),
        **_share(best == backgrounds, recordings, "background"),
        **_about(votes),
        "videos": len(best),
        "recordings": len(recordings.unique()),
        "left_out": int((~counts).sum()),
        "same_class": int((human == backgrounds).sum()),
        "swaps": votes.meta["swaps"],
    }


def _plain(votes: Votes, name: str = "ordered") -> dict[str, Any]:
    """Returns an accuracy and what it is of."""
    return {**_share(votes.hits(name), votes.recordings), **_about(votes)}


def _about(votes: Votes) -> dict[str, Any]:
    meta = votes.meta
    keys = ("videos", "recordings", "views", "decoder", "sampling", "dropped_because")
    about = {key: meta[key] for key in keys if key in meta}
    return {**about, "dropped": len(meta["dropped_videos"]), "list": meta.get("list", TOY)}


def _share(hits: torch.Tensor, recordings: torch.Tensor, name: str = "accuracy") -> dict[str, Any]:
    """Returns a share in percent, its interval, and how many independent videos it is worth."""
    prefix = "" if name == "accuracy" else f"{name}_"
    hits = hits.double()
    share, independent = float(hits.mean()), effective_n(hits, recordings)
    return {
        name: 100 * share,
        f"{prefix}interval": wilson(share, independent),
        f"{prefix}effective_n": independent,
    }


def _scores(votes: Votes) -> torch.Tensor:
    """Returns (V', classes) the summed scores of each complete video as it was filmed."""
    return votes.tally.scores[votes.names.index("ordered")][votes.complete]


def _everywhere(votes: Votes, name: str) -> torch.Tensor:
    """Returns (V,) whether each video is right; False if it is not complete."""
    hits = torch.zeros(len(votes.complete), dtype=torch.bool)
    hits[votes.complete] = votes.hits(name)
    return hits
