"""Segments: frames with flow and masks as a data set of the contract.

Its keys are BIAS.SEGMENTS; an item is a frame that has flow: its image, its flow as a picture, and
the truth. With DATA.NUM_FRAMES above 1 further frames of the sequence come with it. The recording
that errors are over is the sequence.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np
import torch
from fvcore.common.config import CfgNode
from torch.utils.data import Dataset

from slowfast_bias.datasets.contract import Sample, Stream, register_dataset
from slowfast_bias.datasets.decoding.timeline import VideoError
from slowfast_bias.datasets.flow.files import read_flow_picture
from slowfast_bias.datasets.flow.layouts import FlowFolder, find_flow, has_flow
from slowfast_bias.datasets.flow.side_file import how_made
from slowfast_bias.datasets.segments.augment import Change, Changes
from slowfast_bias.datasets.segments.frames import FrameSequence
from slowfast_bias.datasets.segments.hard_negatives import clip_weights, read_edges
from slowfast_bias.datasets.segments.labelled import Labelled, read_sequences
from slowfast_bias.datasets.segments.masks import check_objects, read_mask
from slowfast_bias.datasets.segments.pictures import check_shape, resized, resized_mask
from slowfast_bias.datasets.segments.sizes import frame_size
from slowfast_bias.datasets.segments.truth import NO_BOX, Truth
from slowfast_bias.errors import DataError
from slowfast_bias.seeding import seed_from

# a clip's frames are those of its images; flow lies between frames
IMAGES, FLOW = Stream("rgb"), Stream("flow", every_frame=False)


class Item(NamedTuple):
    """A frame that is scored."""

    sequence: Labelled
    frame: int


@register_dataset
class Segments(Dataset):
    """The frames of a list of sequences.

    Attributes:
        items: the frames, sequence by sequence.
        flow: where their flow is, forward and, if BIAS.SEGMENTS.BACKWARD, backward.
    """

    views = 1

    def __init__(self, cfg: CfgNode, split: str) -> None:
        self.cfg, self.split = cfg, split
        keys, root = cfg.BIAS.SEGMENTS, cfg.DATA.PATH_TO_DATA_DIR
        self.list = read_sequences(keys.FORMAT, root, split, cfg.BIAS.DATA.LISTS)
        self.size = frame_size(cfg)
        self._directions = (False, True) if keys.BACKWARD else (False,)
        self.streams = (IMAGES, *(FLOW for _ in self._directions))
        self.items = self._items(keys.EVERY if split == "train" else 1)
        self.flow = self._find_flow(os.path.join(root, keys.FLOW or "FlowImages_gap1"), root)
        self._changes = Changes.of(cfg)

    def __len__(self) -> int:
        return len(self.items)

    def sample(self, index: int) -> Sample:
        """Returns a frame: image, flow, both uint8 (T, H, W, 3), and its `Truth`."""
        change = self._changes.draw() if self.split == "train" else Change()
        item = self.items[index]
        try:
            frames = self.frames_of(index)
            pictures = [item.sequence.frames.picture(frame) for frame in frames]
            shown = list(zip(frames, pictures, strict=True))
            images = [change.image(resized(picture, self.size)) for picture in pictures]
            flows = [
                [
                    self._flow(item.sequence, frame, kind, picture, change)
                    for frame, picture in shown
                ]
                for kind in self.flow
            ]
            truth = self._truth(item, pictures[0].shape[:2])
            if self.split == "train":
                truth = self._for_training(truth, item.sequence, shown, change)
        except VideoError as error:
            return Sample((), None, index, {index: str(error)})
        return Sample(tuple(map(_stacked, (images, *flows))), truth, index)

    def clip(self, video: int) -> torch.Tensor:
        """Returns the images of a frame, uint8 (T, H, W, 3); VideoError."""
        frames = self.items[video].sequence.frames
        numbers = self.frames_of(video)
        return _stacked([resized(frames.picture(frame), self.size) for frame in numbers])

    def target(self, video: int) -> Truth:
        """Returns the truth of a frame, its mask in the picture's own size; VideoError."""
        item = self.items[video]
        return self._truth(item, item.sequence.frames.picture(item.frame).shape[:2])

    def describe(self, index: int) -> tuple[str, str]:
        """Returns the path of a frame's image, and its sequence in the list."""
        sequence, frame = self.items[index]
        name = sequence.frames.frames[frame]
        return sequence.frames.path(frame), f"{self.list.file}, {sequence.frames.name}/{name}"

    def recording(self, index: int) -> str:
        """Returns the name of a frame's sequence."""
        return self.items[index].sequence.frames.name

    def about(self) -> dict[str, Any]:
        """Returns what a report must say of the frames and of their flow."""
        return {
            "list": self.list.file,
            "sequences": len(self.list.sequences),
            "frames_of_list": len(self),  # `frames` is what a clip has
            "size": list(self.size),
            "flow": [
                {"folder": kind.folder, "layout": kind.layout, "made": how_made(kind.folder)}
                for kind in self.flow
            ],
        }

    def frames_of(self, index: int) -> list[int]:
        """Returns the positions of a clip's frames: the frame, then DATA.NUM_FRAMES - 1 others.

        They are drawn from those within BIAS.SEGMENTS.REACH, each once, in training from those with
        a mask and anew every time; (RNG_SEED, index) decides elsewhere, whoever asks.
        """
        (sequence, frame), wanted = self.items[index], self.cfg.DATA.NUM_FRAMES - 1
        if not wanted:
            return [frame]
        keys, training = self.cfg.BIAS.SEGMENTS, self.split == "train"
        key = "TRAIN_REACH" if training and keys.TRAIN_REACH else "REACH"
        reach = keys[key]
        near = range(max(0, frame - reach), min(len(sequence.frames), frame + reach + 1))
        others = [k for k in near if k != frame and self._has_flow(k, len(sequence.frames))]
        if training:
            others = [k for k in others if sequence.frames.frames[k] in sequence.masks]
        if len(others) < wanted:
            raise VideoError(
                f"Expected {wanted} frames with flow{' and mask' * training} within {reach} of "
                f"frame {frame} of {sequence.frames.folder}, but there are {len(others)}. Raise "
                f"BIAS.SEGMENTS.{key}."
            )
        generator = None
        if not training:
            generator = torch.Generator().manual_seed(seed_from(self.cfg.RNG_SEED, index))
        order = torch.randperm(len(others), generator=generator)[:wanted]
        return [frame, *(others[k] for k in order.tolist())]

    def _items(self, every: int) -> list[Item]:
        """Returns the frames that are scored: with flow, and a mask or a box if any frame has."""
        chosen, anywhere = [], any(s.masks or s.boxes for s in self.list.sequences)
        for sequence in self.list.sequences:
            names = sequence.frames.frames
            labels = set(sequence.masks)
            labels |= set() if self.split == "train" else set(sequence.boxes)
            good = [
                Item(sequence, k)
                for k, name in enumerate(names)
                if self._has_flow(k, len(names)) and (name in labels or not anywhere)
            ]
            chosen += good[::every]
        masks = (x.sequence.masks.get(x.sequence.frames.frames[x.frame]) for x in chosen)
        check_objects([path for path in masks if path], self.list.file)
        if not chosen:
            raise DataError(
                f"Expected frames with flow and a mask in {self.list.file}, but there are none."
            )
        return chosen

    def _has_flow(self, frame: int, length: int) -> bool:
        return all(has_flow(frame, length, backward) for backward in self._directions)

    def _find_flow(self, folder: str, root: str) -> list[FlowFolder]:
        """Returns the flow of the frames that are scored; of all if others come with them."""
        frames = {s.frames.name: s.frames.frames for s in self.list.sequences}
        only: dict[str, list[int]] = {}
        for item in self.items if self.cfg.DATA.NUM_FRAMES == 1 else ():
            only.setdefault(item.sequence.frames.name, []).append(item.frame)
        advice = f"Compute it: slowfast_bias flow {self.list.images} --out {root}"
        return [find_flow(folder, frames, way, advice, only) for way in self._directions]

    def _flow(
        self,
        sequence: Labelled,
        frame: int,
        kind: FlowFolder,
        image: np.ndarray,
        change: Change,
    ) -> np.ndarray:
        frames = sequence.frames
        path = kind.path(frames.name, frames.frames, frame)
        picture = read_flow_picture(path)
        check_shape(path, picture, frames.path(frame), image.shape[:2])
        return change.flow(resized(picture, self.size))

    def _truth(self, item: Item, size: tuple[int, int]) -> Truth:
        frames = item.sequence.frames
        name = frames.frames[item.frame]
        mask = _mask(item.sequence, item.frame, size)
        box = item.sequence.boxes.get(name, NO_BOX)
        return Truth(torch.from_numpy(mask), box, size, frames.name, item.frame, len(frames), name)

    def _for_training(
        self,
        truth: Truth,
        sequence: Labelled,
        shown: list[tuple[int, np.ndarray]],
        change: Change,
    ) -> Truth:
        """Returns a truth of all frames, of the network's size, changed, with their weights."""
        masks = [truth.mask.numpy()]
        masks += [_mask(sequence, frame, picture.shape[:2]) for frame, picture in shown[1:]]
        masks = [change.mask(resized_mask(mask, self.size)) for mask in masks]
        edges = [self._edges(sequence.frames, frame, change) for frame, _ in shown]
        mask, *others = map(torch.from_numpy, masks)
        weights = torch.from_numpy(clip_weights(edges, masks))
        more = {"others": torch.stack(others)} if others else {}
        return truth._replace(mask=mask, weights=weights, **more)

    def _edges(self, frames: FrameSequence, frame: int, change: Change) -> np.ndarray | None:
        folder = self.cfg.BIAS.MASKS.EDGES
        path = f"{self.cfg.DATA.PATH_TO_DATA_DIR}/{folder}/{frames.name}/{frames.frames[frame]}.png"
        edges = read_edges(path) if folder else None
        return None if edges is None else change.image(resized(edges, self.size))


def _mask(sequence: Labelled, frame: int, size: tuple[int, int]) -> np.ndarray:
    """Returns the mask of a frame whose image has a size, uint8 (H, W); of no pixels if none."""
    path = sequence.masks.get(sequence.frames.frames[frame])
    if path is None:
        return np.zeros((0, 0), np.uint8)
    mask = read_mask(path)
    check_shape(path, mask, sequence.frames.path(frame), size)
    return mask


def _stacked(pictures: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.stack(pictures))
