"""Networks of the toy world, and the clips of its data as they answer to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from fvcore.common.config import CfgNode
from torch import Tensor, nn

from slowfast_bias import engine
from slowfast_bias.datasets.contract import open_dataset
from slowfast_bias.engine.maximising.packing import packing
from slowfast_bias.engine.measuring.layers import make_taps
from slowfast_bias.optvis import SPEEDS, Canvas, Responder, Response, Scene
from slowfast_bias.outputs import Outputs

CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "Toy"
FREE, FROZEN = SPEEDS[0], SPEEDS[-1]
SEEDS = (0, 1, 2, 3)
TOY = Canvas(8, 32, 32)
TWO = ["BIAS.TOY.MOTION", "orbit2", "MODEL.NUM_CLASSES", 2]
KINDS = {
    "motion": ("SLOW_motion", [*TWO, "SOLVER.MAX_EPOCH", 4]),
    "texture": ("SLOW_texture", ["BIAS.TOY.MOTION", "orbit2", "SOLVER.MAX_EPOCH", 3]),
    "both": ("SLOW_both", []),
    "flat": ("2D_motion", TWO),
    "streams": ("SEG_camouflage", []),
}


@dataclass(frozen=True)
class Network:
    """A network of the toy world."""

    cfg: CfgNode
    model: nn.Module

    def responder(self, layer: str = "head") -> Responder:
        """Returns it with a layer tapped."""
        return Responder(self.model, make_taps(self.model, [layer]), packing(self.cfg, self.model))


@dataclass(frozen=True)
class Many:
    """A unit for each row, in units of its largest natural activation."""

    units: Tensor
    scales: Tensor
    layer: str
    unit: int = -1

    def of_rows(self, rows: Sequence[int]) -> Many:
        """Returns the units of some rows."""
        picked = list(rows)
        return Many(self.units[picked], self.scales[picked], self.layer)

    def value(self, response: Response) -> Tensor:
        """Returns (B,) the activation of each row's unit."""
        return response.features[self.layer][torch.arange(len(self.units)), self.units]

    def goal(self, response: Response) -> Tensor:
        """Returns (B,) what rises."""
        return self.value(response) / self.scales


def network(kind: str, seed: int, out: str, trained: bool = True) -> Network:
    """Returns a network of a kind, trained if it is not yet."""
    name, words = KINDS[kind]
    folder = f"{out}/{kind}_{seed}"
    more = ["OUTPUT_DIR", folder, "RNG_SEED", seed, "TEST.ENABLE", False]
    cfg = engine.load_cfg(f"{CONFIGS}/{name}.yaml", [*words, *more])
    if not trained:
        return Network(cfg, engine.build_network(cfg))
    if not Outputs(folder).list_checkpoints():
        engine.train(cfg)
    return Network(cfg, engine.trained_network(cfg))


def natural_features(source: Network, layer: str, clips: int = 128) -> Tensor:
    """Returns (N, C) the natural activations of a layer."""
    return source.responder(layer).measure(natural_scene(source, clips), 32).features[layer]


def natural_scene(source: Network, clips: int = 128) -> Scene:
    """Returns the first clips of the data."""
    data = open_dataset("toyvideos", source.cfg, "val")
    frames = torch.stack([data.clip(k) for k in range(min(clips, len(data)))])
    return [frames.permute(0, 4, 1, 2, 3).float() / 255]
