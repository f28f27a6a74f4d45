"""SilencedSets: one batch with several sets of units silenced, for little more than one forward.

    sets = SilencedSets(model, "s5")
    whole, without_first, without_two = sets.scores(inputs, [(), (0,), (0, 1)])

Everything up to the layer runs once a batch and is replayed. On the first batch the replay is
compared with a whole forward; if they differ, every forward is whole from then on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from slowfast_bias.bias.taps import Tap
from slowfast_bias.models.families import family_of
from slowfast_bias.models.replay import Replay, steps_until
from slowfast_bias.models.silencing import silenced

log = logging.getLogger(__name__)

_TOLERANCE = 1e-5  # relative; a replay does the same arithmetic, so it differs not at all or much


class SilencedSets:
    """A network in eval mode, run with different units of one layer silenced.

    Attributes:
        reused: names of the modules that run once a batch; empty if all forwards are whole.
    """

    def __init__(
        self, model: nn.Module, layer: str, tap: Tap | None = None, reuse: bool = True
    ) -> None:
        """Chooses what to replay; `tap` reads `layer`, or all its pathways, in reports."""
        self.model, self.layer, self.family = model, layer, family_of(model)
        self.taps: list[Tap] = [] if tap is None else [tap]
        self.reused: list[str] = []
        if reuse:
            place = tap or Tap(layer)
            self.reused = steps_until(model, place.module, place.of == "output")
        self._checked = not self.reused

    @torch.no_grad()
    def scores(self, inputs: Sequence[Tensor], sets: Sequence[Iterable[int]]) -> list[Tensor]:
        """Returns the scores of `inputs` with each set of units silenced, (B, classes) each."""
        sets = [list(units) for units in sets]
        if self._checked:
            return self._replayed(inputs, sets) if self.reused else self._whole(inputs, sets)
        self._checked = True
        try:
            scores = self._replayed(inputs, sets)
            (last,) = self._whole(inputs, sets[-1:])
            off = float((scores[-1] - last).abs().max() / last.abs().max().clamp(min=1e-20))
            trouble = f"it would change scores by {off:.1e}" if not off <= _TOLERANCE else ""
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError) as error:
            trouble = f"{type(error).__name__}: {error}"
        if not trouble:
            return scores
        log.warning("%s: nothing is replayed, forwards are whole: %s", self.layer, trouble)
        self.reused = []
        return self._whole(inputs, sets)

    def _whole(self, inputs: Sequence[Tensor], sets: Sequence[list[int]]) -> list[Tensor]:
        return [self._forward(inputs, units) for units in sets]

    def _replayed(self, inputs: Sequence[Tensor], sets: Sequence[list[int]]) -> list[Tensor]:
        replay = Replay(self.model, self.reused, keep_all=False)
        scores = []
        for units in sets:
            # recorded outputs are whole: units are silenced after the module's own forward
            with replay.playing(forget=False) if scores else replay.recording():
                scores.append(self._forward(inputs, units))
        return scores

    def _forward(self, inputs: Sequence[Tensor], units: list[int]) -> Tensor:
        with silenced(self.model, self.layer, units, taps=self.taps):
            return self.family.scores(self.family.call(self.model, inputs))
