"""Packing: from a scene to what the network of a config is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fvcore.common.config import CfgNode
from torch import Tensor, nn

from slowfast_bias.engine.tasks import make_task
from slowfast_bias.models.families import family_of
from slowfast_bias.models.families.family import SEGMENTATION
from slowfast_bias.optvis.wheel import coloured


def has_flow(model: nn.Module) -> bool:
    """Returns whether a network is given flow beside its clip."""
    return family_of(model).task == SEGMENTATION


def packing(cfg: CfgNode, model: nn.Module) -> Callable[[Sequence[Tensor]], list[Tensor]]:
    """Returns a function: scene -> inputs, normalised and with its gradient.

    A clip is packed into pathways by the host, so that SlowFast's two see one clip. Flow is
    coloured by the wheel; networks of forward and backward flow get the same field both ways.
    """
    task = make_task(cfg, model)
    if not has_flow(model):
        return lambda scene: task.pack(scene[0])
    both = cfg.BIAS.SEGMENTS.BACKWARD

    def pack(scene: Sequence[Tensor]) -> list[Tensor]:
        image, flow = scene
        pictures = [image, coloured(flow), *([coloured(-flow)] if both else [])]
        return [x for picture in pictures for x in task.pack(picture)]

    return pack
