"""Task: what is learnt and scored. The loops know clips and outputs; a task knows what they mean.

A task is a class `(cfg, family)` in TASKS (`engine/tasks/__init__.py`), chosen by BIAS.TASK. Its
figures are frozen values that merge: those of two batches, of two processes or of two runs are the
merge of their figures. Legend: B clips, T frames, V videos.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch

from slowfast_bias.datasets.contract import Batch


class Figures(Protocol):
    """A frozen value of sufficient statistics, as `bias.PairStats` is: a dataclass of numbers."""

    def merge(self, other: Any) -> Any:
        """Returns the figures of both sets of clips together."""

    def compute(self) -> dict[str, float]:
        """Returns the numbers that the log of training shows; of errors, the lower the better."""

    def final(self) -> dict[str, str]:
        """Returns the numbers that a test ends with, as they are printed."""

    def result(self) -> dict[str, Any]:
        """Returns what the result file of a test holds; {} if it writes none."""


class Tally(Protocol):
    """What several variants of a network give for the videos of a list; it changes as it counts."""

    def add(self, outputs: Sequence[Any], batch: Batch, videos: torch.Tensor) -> None:
        """Adds one output per variant; `videos` (B,) says which video each clip is of."""

    def state(self) -> dict[str, Any]:
        """Returns what was counted so far as tensors, numbers and texts."""

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave, in an empty tally."""

    def merge_over_ranks(self) -> None:
        """Adds up what all processes counted; every process must call it."""

    def clips_of(self) -> torch.Tensor:
        """Returns (V,) how many clips of each video were counted."""

    def finite(self) -> torch.Tensor:
        """Returns (variants, V) whether all that was added of a video is finite numbers."""

    def figures(self, variant: int, videos: torch.Tensor) -> Any:
        """Returns the figures of the videos where `videos` (V,) is True."""

    def predictions(self, variant: int) -> Any:
        """Returns what TEST.SAVE_RESULTS_PATH shall hold."""


class HitTally(Tally, Protocol):
    """A tally of a task in which a video is either right or wrong.

    Attributes:
        labels: (V,) classes.
    """

    labels: torch.Tensor

    def hits(self, variant: int, videos: torch.Tensor) -> torch.Tensor:
        """Returns whether each of the videos where `videos` (V,) is True is right."""


class Verdicts(Protocol):
    """A small tally for many variants of a task in which a video is right or wrong.

    Attributes:
        labels: (V,) classes.
    """

    labels: torch.Tensor

    def add(self, outputs: Sequence[Any], batch: Batch, videos: torch.Tensor) -> None:
        """Adds one output per variant, as a `Tally`."""

    def state(self) -> dict[str, Any]:
        """Returns what was counted so far, as a `Tally`."""

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave, in an empty tally."""

    def merge_over_ranks(self) -> None:
        """Joins what all processes counted; every process must call it."""

    def clips_of(self) -> torch.Tensor:
        """Returns (V,) how many clips of each video were counted."""

    def finite(self) -> torch.Tensor:
        """Returns (variants, V) whether all that was added of a video is finite numbers."""

    def hits(self, variant: int, videos: torch.Tensor) -> torch.Tensor:
        """Returns whether each of the videos where `videos` (V,) is True is right."""

    def named(self, variant: int, videos: torch.Tensor) -> torch.Tensor:
        """Returns the class that is named for each of the videos."""

    def divergences(self, pair: int, videos: torch.Tensor) -> torch.Tensor:
        """Returns how far the outputs of a pair of variants differ for each of the videos."""


class Task(Protocol):
    """What a task offers to the loops.

    Attributes:
        watched: the number of its figures whose smallest value so far a log shows.
        counts_hits: whether a video is either right or wrong. Its tally then is a `HitTally`, it
            has `verdicts` and `filmed` as `Classification` has, and accuracies with changed clips
            exist. Another one may have `overlaps`, as `ObjectSegmentation` has: then units can be
            silenced.
    """

    watched: str
    counts_hits: bool

    def varied(self, batch: Batch, seed: int) -> Batch:
        """Returns a batch as a step of training takes it; `seed` is one on all processes."""

    def inputs(
        self, batch: Batch, device: torch.device, orders: torch.Tensor | None = None
    ) -> list[torch.Tensor]:
        """Returns what the network is given of a batch, its frames in `orders` (B, T) if given."""

    def pack(self, clips: torch.Tensor) -> list[torch.Tensor]:
        """Returns what the network is given of clips (B, 3, T, H, W) in [0, 1]."""

    def loss(self, output: Any, batch: Batch) -> torch.Tensor:
        """Returns the loss of an output in training mode."""

    def figures(self, output: Any, batch: Batch) -> Any:
        """Returns the figures of a batch, every clip counted for itself."""

    def finite(self, output: Any) -> torch.Tensor:
        """Returns (B,) whether what is scored of each clip is finite numbers."""

    def no_figures(self) -> Any:
        """Returns the figures of no clips: merging them changes nothing."""

    def tally(self, variants: int, videos: int, device: torch.device) -> Any:
        """Returns an empty tally of `variants` over `videos`."""


def figures_to_come(task: Task, output: Any, batch: Batch) -> Callable[[], Any]:
    """Returns what gives `task.figures(output, batch)` later.

    A task may offer `figures_to_come`, for which nothing waits for the device now. One that is made
    from such a task and has figures of its own is asked for those.
    """
    for kind in type(task).__mro__:
        if "figures_to_come" in vars(kind):
            return task.figures_to_come(output, batch)
        if "figures" in vars(kind):
            break
    found = task.figures(output, batch)
    return lambda: found
