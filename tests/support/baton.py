"""Any number of ranks in this process, of which one works at a time: between collectives.

Each rank is a thread that waits for its turn. It works until it reaches a collective, and the last
one to arrive there combines what all have brought. So whatever is global (random states, logs) has
one user at a time, as in a process of its own; nothing is imported or started.

For what ranks measure, test and merge; training draws random numbers across collectives.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import distributed as dist

from slowfast_bias.engine.runtime import ranks

PATIENCE = 60.0


class Baton:
    """A group of `world` ranks."""

    def __init__(self, world: int) -> None:
        self.world, self.local = world, threading.local()
        self.turn, self.brought = threading.Condition(), {}
        self.now, self.round, self.results = 0, 0, {}
        self.left: set[int] = set()

    def run(self, function: Callable[..., Any], *args: Any) -> list[Any]:
        """Returns what `function(*args)` returned on each rank, or raises what one of them did."""
        answers: list[Any] = [None] * self.world
        with pytest.MonkeyPatch.context() as patch:
            self._take_the_place_of_torch(patch)
            ranks.share_machine(self.world)
            threads = [
                threading.Thread(target=self._work, args=(r, answers, function, args), daemon=True)
                for r in range(self.world)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(PATIENCE)
            ranks.share_machine(0)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        assert not any(thread.is_alive() for thread in threads), "a rank waits for another"
        return answers

    def _work(self, rank: int, answers: list[Any], function: Callable[..., Any], args: Any) -> None:
        self.local.rank = rank
        with self.turn:
            self.turn.wait_for(lambda: self.now == rank)
            try:
                answers[rank] = function(*args)
            except Exception as error:
                answers[rank] = error
            self.left.add(rank)
            self._pass_on(rank)

    def _pass_on(self, rank: int) -> None:
        """Gives the turn to the next rank that has not left."""
        others = [(rank + k) % self.world for k in range(1, self.world + 1)]
        self.now = next((r for r in others if r not in self.left), -1)
        self.turn.notify_all()

    def _gather(self, value: Any, source: int | None = None) -> Any:
        """Returns what all ranks brought to this collective, or what `source` did."""
        mine, rank = self.round, self.local.rank
        self.brought[rank] = copy.deepcopy(value) if source in (None, rank) else None
        if len(self.brought) == self.world:
            self.results[mine] = [self.brought[r] for r in range(self.world)]
            self.brought, self.round = {}, mine + 1
        else:
            self._pass_on(rank)
            self.turn.wait_for(lambda: self.now == rank)
        # all come back in turn: the last one to arrive goes on first
        found = self.results[mine]
        return copy.deepcopy(found if source is None else found[source])

    def _take_the_place_of_torch(self, patch: pytest.MonkeyPatch) -> None:
        def gather(values: list[Any], value: Any) -> None:
            values[:] = self._gather(value)

        def reduce(tensor: torch.Tensor, op: Any = dist.ReduceOp.SUM) -> None:
            parts = torch.stack(self._gather(tensor))
            tensor.copy_(parts.amax(0) if op == dist.ReduceOp.MAX else parts.sum(0))

        def broadcast(values: list[Any], src: int = 0) -> None:
            values[:] = self._gather(list(values), src)

        for name, fake in {
            "is_initialized": lambda: True,
            "get_rank": lambda: self.local.rank,
            "get_world_size": lambda: self.world,
            "all_gather_object": gather,
            "all_reduce": reduce,
            "broadcast_object_list": broadcast,
            "barrier": lambda: self._gather(None),
        }.items():
            patch.setattr(dist, name, fake)
