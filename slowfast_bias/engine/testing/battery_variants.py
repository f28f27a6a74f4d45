"""What the battery shows a network of each clip: orders of its frames, and its other looks.

Each input is run once: variants that come to the same order of a clip's frames, such as the frozen
clip, the one-frame clip and one of the single frames, share a forward.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias.config.check_behaviour import AUTO
from slowfast_bias.config.check_styles import FOLDERS, pairs_name
from slowfast_bias.datasets.contract import Batch
from slowfast_bias.datasets.pairs.frame_order import (
    few_frames,
    frozen,
    reversed_order,
    shuffled,
    single_frame,
    spread_frames,
    window_shuffled,
)
from slowfast_bias.datasets.styles.bank import StyleBank, make_styles
from slowfast_bias.engine.tasks import Task
from slowfast_bias.engine.testing.vote import Orders
from slowfast_bias.models.families import family_of

ORDERED = "ordered"


@dataclass(frozen=True)
class Plan:
    """What is shown, and how it makes up the entries of the result.

    Attributes:
        orders: {variant of the vote: its orders; None as filmed}.
        bank: the looks; None if they are not shown.
        entries: {entry of the result: its variants}: the mean of their hits, or for `best_frame`
            whether any of them is right.
    """

    orders: Mapping[str, Orders | None]
    bank: StyleBank | None
    entries: Mapping[str, list[str]]

    @property
    def names(self) -> list[str]:
        """The variants of the vote."""
        return [*self.orders, *(look_name(k) for k in range(self.bank.num if self.bank else 0))]


def look_name(number: int) -> str:
    """Returns the variant that shows one look."""
    return f"look{number}"


def plan_of(cfg: CfgNode, labelled: bool = True) -> Plan:
    """Returns what BIAS.BEHAVIOUR asks for; without labels what divergences need alone."""
    keys, frames, seed = cfg.BIAS.BEHAVIOUR, cfg.DATA.NUM_FRAMES, cfg.BIAS.SEED
    shuffles = {
        f"shuffled{k}": functools.partial(_shuffled, seed, k)
        for k in range(cfg.BIAS.SHUFFLE.ORDERS)
    }
    backwards = {"reversed": _reversed}
    if not labelled:
        entries = {name: [name] for name in (ORDERED, "reversed")} | {"shuffled": [*shuffles]}
        return Plan({ORDERED: None, **shuffles, **backwards}, None, entries)
    windows = {f"windows{w}": functools.partial(_windowed, seed, w) for w in keys.WINDOWS}
    singles = {
        f"single{frame}": functools.partial(_single, frame)
        for frame in spread_frames(frames, keys.SINGLE_FRAMES)
    }
    counts = _few(frames) if list(keys.K_FRAMES) == AUTO else sorted(keys.K_FRAMES)
    few = {f"frames{k}": functools.partial(_few_frames, k) for k in counts}
    folders = pairs_name(cfg) == FOLDERS
    bank = _bank(cfg) if keys.STYLES and not folders else None
    looks = [look_name(k) for k in range(bank.num if bank else 0)]
    entries = {ORDERED: [ORDERED], "shuffled": [*shuffles]}
    entries |= {name: [name] for name in (*windows, "reversed", "frozen")}
    entries |= {"best_frame": [*singles]} | {name: [name] for name in few}
    entries |= ({"styled": looks} if looks else {}) | {name: [name] for name in looks}
    orders: dict[str, Orders | None] = {ORDERED: None, **shuffles, **windows, **backwards}
    orders |= {"frozen": _frozen, **singles, **few}
    return Plan(orders, bank, entries)


def _few(frames: int) -> list[int]:
    """Returns 1, 2, 4, ... below the number of frames."""
    return [2**k for k in range(frames.bit_length()) if 2**k < frames]


def _bank(cfg: CfgNode) -> StyleBank:
    styles = cfg.BIAS.STYLES
    return make_styles(styles.FAMILY, styles.NUM, styles.SEED)


def _shuffled(seed: int, number: int, frames: int, clips: list[int]) -> torch.Tensor:
    return shuffled(frames, seed, clips, number)


def _windowed(seed: int, window: int, frames: int, clips: list[int]) -> torch.Tensor:
    return window_shuffled(frames, window, seed, clips)


def _reversed(frames: int, clips: list[int]) -> torch.Tensor:
    return reversed_order(frames, len(clips))


def _frozen(frames: int, clips: list[int]) -> torch.Tensor:
    return frozen(frames, len(clips))


def _single(number: int, frames: int, clips: list[int]) -> torch.Tensor:
    return single_frame(frames, number, len(clips))


def _few_frames(count: int, frames: int, clips: list[int]) -> torch.Tensor:
    return few_frames(frames, count, len(clips))


class ChangedClips:
    """A network shown the clips of a plan; the variants of the vote."""

    def __init__(self, task: Task, model: nn.Module, plan: Plan) -> None:
        self.task, self.model, self.plan = task, model, plan
        self.names, self._family = plan.names, family_of(model)

    def outputs(self, batch: Batch, device: torch.device) -> list[Any]:
        """Returns the scores for each variant; equal inputs are run once."""
        known: dict[Any, Any] = {}
        frames, clips = batch.frames(), batch.indices.tolist()
        found = []
        for draw in self.plan.orders.values():
            orders = None if draw is None else draw(frames, clips)
            if orders is not None and bool((orders == torch.arange(frames)).all()):
                orders = None
            key = None if orders is None else orders.numpy().tobytes()
            if key not in known:
                known[key] = self._scores(self.task.inputs(batch, device, orders))
            found.append(known[key])
        return found + self._looks(batch, device)

    def _looks(self, batch: Batch, device: torch.device) -> list[Any]:
        bank = self.plan.bank
        if bank is None:
            return []
        found, filmed = [], self.task.filmed(batch, device)
        for look in range(bank.num):
            with torch.autocast(device.type, enabled=False):  # looks are those of the measurement
                inputs = self.task.pack(bank(filmed, look))
            found.append(self._scores(inputs))
        return found

    def _scores(self, inputs: list[torch.Tensor]) -> Any:
        return self._family.scores(self._family.call(self.model, inputs))
