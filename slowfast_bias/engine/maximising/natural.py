"""Natural clips: what units make of a list as it was filmed, and which clips drive each most.

Clips of a measurement are in styles; here they are as filmed, since what was made is compared with
what a unit meets in the world. One forward of each, shared out among the processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from fvcore.common.config import CfgNode
from torch import Tensor

from slowfast_bias.datasets.contract import ClipSource, has_labels
from slowfast_bias.datasets.flow.wheel import decoded
from slowfast_bias.datasets.loader import DeterministicDataset
from slowfast_bias.datasets.sampling.crops import unit_range
from slowfast_bias.datasets.segments.flow_clips import FlowClips
from slowfast_bias.datasets.source_clips import SourceClips
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import progress
from slowfast_bias.engine.setup.loaders import source_loader
from slowfast_bias.errors import DataError
from slowfast_bias.optvis import Canvas, Responder, Response, log_odds
from slowfast_bias.optvis.objective import CLASSES
from slowfast_bias.optvis.responses import joined

_DEAD = 1e-12  # deviation, of a unit's size, that is rounding


@dataclass(frozen=True)
class Natural:
    """What a network makes of natural clips.

    Attributes:
        source: where they come from.
        positions: (N,) which of them were read.
        response: to all of them, on the CPU.
        seed: of what is random in reading them.
    """

    source: ClipSource
    positions: list[int]
    response: Response
    seed: int

    def values(self, layer: str, unit: int) -> Tensor:
        """Returns (N,) the activations of a unit, or the log-odds of a class."""
        if layer == CLASSES:
            return log_odds(self.response.scores)[:, unit]
        return self.response.features[layer][:, unit]

    def is_dead(self, layer: str, unit: int) -> bool:
        """Returns whether a unit is the same for all clips."""
        values = self.values(layer, unit).double()
        return bool(values.std(unbiased=False) <= _DEAD * values.abs().max().clamp(min=_DEAD))

    def top(self, layer: str, unit: int, count: int) -> list[int]:
        """Returns the rows of the clips that drive a unit most, the first one most."""
        return self.values(layer, unit).argsort(descending=True, stable=True)[:count].tolist()

    def name(self, row: int) -> str:
        """Returns what names the video of a row."""
        return self.source.describe(self.positions[row])[0]

    def clip(self, row: int) -> np.ndarray:
        """Returns the frames of a row, uint8 (T, H, W, 3)."""
        sample = DeterministicDataset(self.source, self.seed)[self.positions[row]]
        frames = unit_range(sample.inputs[0])
        return (frames * 255).round().byte().numpy()

    def labels(self) -> list[int] | None:
        """Returns (N,) the classes of the clips; None if the list has none."""
        dataset = self.source.dataset
        if not has_labels(dataset):
            return None
        return [dataset.target(self.source.videos[position]) for position in self.positions]


def open_source(cfg: CfgNode, flow: bool) -> ClipSource:
    """Returns the natural clips of BIAS.SPLIT, with their flow if the network is given it."""
    kind = FlowClips if flow else SourceClips
    return kind(cfg, cfg.BIAS.SPLIT, cfg.BIAS.MAXIMISE.NUM_VIDEOS)


def canvas_of(source: ClipSource, seed: int, flow: bool) -> Canvas:
    """Returns the size of the natural clips, which is that of what is made; DataError if none."""
    reasons = []
    for position in range(len(source)):
        sample = DeterministicDataset(source, seed)[position]
        if sample.inputs:
            frames, height, width, _ = sample.inputs[0].shape
            return Canvas(frames, height, width, flow)
        reasons.append(sample.unreadable.get(position))
    raise DataError(f"Expected at least one readable video, but got none: {reasons[0]}")


def show_natural(cfg: CfgNode, source: ClipSource, responder: Responder) -> Natural:
    """Returns the response to all natural clips, the same on every process."""
    shares = ranks.all_or_none(lambda: _show(cfg, source, responder))
    pairs = sorted((p, n, k) for n, (found, _) in enumerate(shares) for k, p in enumerate(found))
    filled = [response for _, response in shares if response is not None]
    if not filled:
        raise DataError("Expected at least one readable video, but got none.")
    starts = np.cumsum([0, *(len(found) for found, _ in shares)]).tolist()
    order = [starts[rank] + place for _, rank, place in pairs]
    whole = joined(filled)
    features = {name: x[order] for name, x in whole.features.items()}
    scores = None if whole.scores is None else whole.scores[order]
    return Natural(source, [p for p, *_ in pairs], Response(features, scores), cfg.BIAS.SEED)


def scene_of(inputs: Sequence[Tensor]) -> list[Tensor]:
    """Returns the scene of frames, and flow as pictures, uint8 (B, T, H, W, 3) each."""
    clips, *flows = (unit_range(x.permute(0, 4, 1, 2, 3).contiguous()) for x in inputs)
    return [clips, *(_flow_of(x) for x in flows[:1])]


def _show(
    cfg: CfgNode, source: ClipSource, responder: Responder
) -> tuple[list[int], Response | None]:
    positions, found = [], []
    loader = source_loader(cfg, source)
    for batch in progress(loader, len(loader), "natural clips"):
        if batch.clips():
            response = responder.measure(scene_of(batch.inputs))
            scores = None if response.scores is None else response.scores.cpu()
            found.append(Response({k: x.cpu() for k, x in response.features.items()}, scores))
            positions += batch.indices.tolist()
    return positions, joined(found) if found else None


def _flow_of(pictures: Tensor) -> Tensor:
    """Returns the flow of pictures (B, 3, T, H, W), (B, 2, T, H, W), a frame's fastest being 1."""
    frames = (pictures * 255).round().byte().permute(0, 2, 3, 4, 1)
    fields = [[decoded(frame) for frame in clip] for clip in frames.numpy()]
    return torch.from_numpy(np.array(fields)).permute(0, 4, 1, 2, 3).contiguous()
