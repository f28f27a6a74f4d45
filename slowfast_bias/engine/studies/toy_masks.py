"""Networks of the toy world of masks, and questions whose answers are known beforehand.

*Camouflage*: only its motion shows the object; *appearance*: only its colour; *conflict*: two
objects, one of each kind, and both are to be found. The demo and a benchmark ask the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

import torch
from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr
from torch import nn

from slowfast_bias import engine
from slowfast_bias.bias import BiasReport
from slowfast_bias.datasets.contract import Batch
from slowfast_bias.engine.setup.loaders import build_loader
from slowfast_bias.engine.setup.network import open_trained
from slowfast_bias.engine.studies.sweep_runs import last_weights
from slowfast_bias.engine.tasks import Task, make_task
from slowfast_bias.metrics import region_similarity
from slowfast_bias.models.families import family_of

SCENES = 256  # measured, and tested
OWN, OTHER_FLOW, OTHER_IMAGE = "own", "other flow", "other image"
MOTIONS, COLOURS, FOLLOWS = "motion's", "colour's", "follows flow %"
ASKED = (OWN, OTHER_FLOW, OTHER_IMAGE, MOTIONS, COLOURS, FOLLOWS)
KINDS = ("flow_swap", "flow_jitter")  # of pairs
# The last is what the mask is made of: fusions keep both streams side by side, used or not.
MASK = "decoder.RF2"
LAYERS = ("fuse2", "fuse3", "fuse4", "fuse5", MASK)


@dataclass(frozen=True)
class ToyNetwork:
    """A network that learns one world.

    Attributes:
        cue: the world: one of `datasets.toy.camouflage.CUES`.
        out: its folder.
        seed: of its weights and of its scenes.
        configs: the folder that holds `configs/`, with its slash; "" for the working directory.
    """

    cue: str
    out: str
    seed: int = 0
    configs: str = ""

    def config(self, *options: object) -> CfgNode:
        """Returns the config of its training, with changes."""
        words = ["RNG_SEED", self.seed, "BIAS.TOY.SEED", self.seed, "TEST.ENABLE", False]
        words += ["BIAS.TOY.NUM_VAL", SCENES, "BIAS.TOY.NUM_TEST", SCENES, "LOG_PERIOD", 1000]
        file = f"{self.configs}configs/Toy/SEG_{self.cue}.yaml"
        return engine.load_cfg(file, [*words, "OUTPUT_DIR", self.out, *options])

    def train(self) -> None:
        """Trains it, if its last weights are not there."""
        cfg = self.config()
        if not g_pathmgr.exists(last_weights(cfg)):
            engine.train(cfg)

    @torch.no_grad()
    def ask(self) -> dict[str, float]:
        """Returns {question of ASKED: overlap, or share of scenes, in percent}.

        J with its own frames, with the flow or the image of another scene; and, in scenes of the
        conflict world, J with either object, and how often that of the moving one is the larger.
        """
        cfg = self.config()
        model = open_trained(cfg).model.eval()
        task, found = make_task(cfg, model), {name: [] for name in ASKED}
        for batch in build_loader(cfg, "test"):
            truth = batch.targets.stacked()
            shown = {OWN: batch, OTHER_FLOW: swapped(batch, 1), OTHER_IMAGE: swapped(batch, 0)}
            for name, frames in shown.items():
                found[name] += region_similarity(_masks(task, model, frames), truth).tolist()
        for batch in build_loader(self.config("BIAS.TOY.CUE", "conflict"), "test"):
            masks, truth = _masks(task, model, batch), batch.targets.stacked()
            motion, colour = (region_similarity(masks, truth == value) for value in (1, 2))
            found[MOTIONS] += motion.tolist()
            found[COLOURS] += colour.tolist()
            found[FOLLOWS] += (motion > colour).double().tolist()
        return {name: 100 * fmean(values) for name, values in found.items()}

    @torch.no_grad()
    def show(self, count: int) -> list[dict[str, list]]:
        """Returns scenes of the conflict world: their "image", "flow", "truth", and "mask"."""
        cfg = self.config("BIAS.TOY.CUE", "conflict", "TEST.BATCH_SIZE", count)
        model = open_trained(cfg).model.eval()
        batch = next(iter(build_loader(cfg, "test")))
        masks = _masks(make_task(cfg, model), model, batch)
        image, flow = (x[:, 0].tolist() for x in batch.inputs)
        shown = zip(
            image, flow, batch.targets.stacked().tolist(), masks.int().tolist(), strict=True
        )
        return [dict(zip(("image", "flow", "truth", "mask"), x, strict=True)) for x in shown]

    def measured_in(self, kind: str) -> str:
        """Returns the folder of its measurement under a kind of pairs."""
        return f"{self.out}/{kind}"

    def measure(self, kind: str) -> BiasReport:
        """Returns its report under a kind of pairs, of LAYERS."""
        cfg = self.config(
            "BIAS.ENABLE", True, "BIAS.PAIRS", kind, "BIAS.LAYERS", list(LAYERS),
            "TRAIN.ENABLE", False, "TEST.CHECKPOINT_FILE_PATH", last_weights(self.config()),
            "OUTPUT_DIR", self.measured_in(kind),
        )  # fmt: skip
        return engine.measure(cfg)


def swapped(batch: Batch, stream: int) -> Batch:
    """Returns a batch in which each scene has the image (0) or the flow (1) of the next one."""
    inputs = list(batch.inputs)
    inputs[stream] = inputs[stream].roll(1, 0)
    return batch._replace(inputs=inputs)


def _masks(task: Task, model: nn.Module, batch: Batch) -> torch.Tensor:
    """Returns the masks (B, H, W) of a batch, True inside."""
    family = family_of(model)
    scores = family.scores(family.call(model, task.inputs(batch, torch.device("cpu"))))
    return scores[:, 0] > task.rule.threshold
