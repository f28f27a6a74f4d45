"""Twins: other networks of the same config. Does what was made for one drive them too?

For a class: the share of twins that name it. For a unit: the activation of the unit of the twin
that is correlated with it best over the natural clips, over that unit's own largest natural one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from fvcore.common.config import CfgNode
from torch import Tensor

from slowfast_bias.bias import Tap
from slowfast_bias.datasets.contract import ClipSource
from slowfast_bias.engine.maximising.choosing import Chosen
from slowfast_bias.engine.maximising.natural import Natural, show_natural
from slowfast_bias.engine.maximising.packing import packing
from slowfast_bias.engine.setup.network import open_twin
from slowfast_bias.optvis import Responder, Scene
from slowfast_bias.optvis.objective import CLASSES


@dataclass(frozen=True)
class Twin:
    """Another network.

    Attributes:
        responder: it.
        natural: what it makes of the same natural clips.
    """

    responder: Responder
    natural: Natural

    def transfer(self, chosen: Chosen, own: Natural, scene: Scene, batch: int) -> Tensor:
        """Returns (B,) how far scenes made for a unit of another network drive this one."""
        response = self.responder.measure(scene, batch)
        if chosen.layer == CLASSES:
            return (response.scores.argmax(1) == chosen.unit).float().cpu()
        unit = best_correlated(
            own.values(chosen.layer, chosen.unit), self.natural.response.features[chosen.layer]
        )
        largest = self.natural.values(chosen.layer, unit).max()
        return response.features[chosen.layer][:, unit].cpu() / largest


def best_correlated(values: Tensor, features: Tensor) -> int:
    """Returns the channel of features (N, C) that is correlated best with values (N,)."""
    x, y = (z.double() - z.double().mean(0) for z in (values, features))
    together = (x[:, None] * y).sum(0) / (x.norm() * y.norm(dim=0)).clamp(min=1e-30)
    return int(together.argmax())


def open_twins(cfg: CfgNode, source: ClipSource, taps: Sequence[Tap]) -> list[Twin]:
    """Returns the networks of BIAS.MAXIMISE.TWINS; the same clips are shown to each."""
    twins = []
    for path in cfg.BIAS.MAXIMISE.TWINS:
        model = open_twin(cfg, path).model
        responder = Responder(model, taps, packing(cfg, model))
        twins.append(Twin(responder, show_natural(cfg, source, responder)))
    return twins


def mean_transfer(
    twins: Sequence[Twin], chosen: Chosen, own: Natural, scene: Scene, batch: int
) -> list[float] | None:
    """Returns (B,) the mean over all twins; None if there are none."""
    if not twins:
        return None
    found = [twin.transfer(chosen, own, scene, batch) for twin in twins]
    return torch.stack(found).mean(0).tolist()
