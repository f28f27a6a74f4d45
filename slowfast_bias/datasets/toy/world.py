"""A synthetic video world with a known answer: one object hops over one textured background.

Every clip depends only on (seed, split, index) and is rendered on demand; there are no files.

    world = ToyWorld(size=32, frames=8, motion="orbit4", labels="dynamic")
    world.clip(0)         # uint8 (T, H, W, 3)
    world.label(0)        # 0 to 3
    world.factors(0)      # ToyFactors(texture=2, hue=0.47, motion=0, ...)

Static factors are the background's texture and its hue, the dynamic one is the order of the hops.
The object's shape is joint: it survives restyling and shuffling, and is never a label.

Frames without their order contain nothing about the motion (`motions`). Only the phase changes
within a clip, because two ordered factors on one object would leak their product. Some choices of
frames do reveal the motion (the first half of an orbit, a slow pathway); `unordered_frames_tell`
tests this exactly. Mirroring a clip turns +45 degrees into -45, so train with random flips switched
off. With motion "noise2" a clip shows neither object nor texture: each frame is noise (`noise`).

Legend: B batch, T frames, H W space.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch

from slowfast_bias.datasets.toy.background import with_new_background
from slowfast_bias.datasets.toy.motions import MOTIONS, PHASES, unordered_frames_tell
from slowfast_bias.datasets.toy.noise import paint_noise
from slowfast_bias.datasets.toy.paint import SHAPES, TEXTURES, ToyFactors, far_colour, paint

SPLITS = ("train", "val", "test")
LABELS = ("static", "dynamic", "both", "correlated")


@dataclass(frozen=True)
class ToyWorld:
    """A world of `num_clips` clips.

    Texture and motion are independent, and each block of textures x motions clips, counted from 0,
    holds every combination once. If correlated or in conflict, only the motions are balanced so.

    Attributes:
        size: height and width in pixels.
        frames: T; a multiple of 8, or another number of frames that reveal nothing unordered.
        motion: one of `MOTIONS`.
        labels: "static" (the texture), "dynamic" (the motion), "both" (texture * motions + motion),
            or "correlated" (the motion, with a texture that predicts it).
        rho: for "correlated" only. With probability rho the texture has the motion's number, else
            it is uniform over all 4, so they agree with probability rho + (1 - rho) / 4.
        seed: 0 to 2**64 - 1.
        split: "train", "val" or "test", with disjoint random streams.
        cue_conflict: the texture never has the motion's number, and the other three are equally
            likely. The label is the motion; `factors` has the texture, for scoring choices.
        new_background: each clip has its object and motion before another background (`background`)
            and keeps its label, that of a texture too, which nothing in the clip tells any more.
        num_clips: the length. Clip i is the same in a longer world.
    """

    size: int = 32
    frames: int = 8
    motion: str = "orbit4"
    labels: str = "dynamic"
    rho: float = 1.0
    seed: int = 0
    split: str = "train"
    cue_conflict: bool = False
    new_background: bool = False
    num_clips: int = 256

    def __post_init__(self) -> None:
        _check_words_and_numbers(self)
        _check_nothing_leaks(self)

    def __len__(self) -> int:
        return self.num_clips

    @property
    def num_motions(self) -> int:
        """The number of motion classes."""
        return len(MOTIONS[self.motion].hops)

    @property
    def num_classes(self) -> int:
        """The number of different labels."""
        textures = len(TEXTURES)
        sizes = {"static": textures, "both": textures * self.num_motions}
        return sizes.get(self.labels, self.num_motions)

    def label(self, index: int) -> int:
        """Returns the label of clip `index`, 0 to num_classes - 1."""
        factors = self._filmed(index)
        if self.labels == "static":
            return factors.texture
        if self.labels == "both":
            return factors.texture * self.num_motions + factors.motion
        return factors.motion

    def factors(self, index: int) -> ToyFactors:
        """Returns all factors of clip `index`."""
        filmed = self._filmed(index)
        if not self.new_background:
            return filmed
        return with_new_background(filmed, _between(_uniform(self, _BACKGROUND, index, 6)))

    def _filmed(self, index: int) -> ToyFactors:
        """Returns the factors of a clip before its background was changed."""
        if not 0 <= index < self.num_clips:
            raise IndexError(
                f"Expected `index` to be 0 to {self.num_clips - 1}, but got {index}; "
                "a larger `num_clips` has more."
            )
        between = _between(_uniform(self, _CLIP, index, 20))
        # both draws are taken in every mode, so that modes differ only in texture and colours
        texture, motion = self._classes(index, between(0, 1), between(0, 1))
        hue = (texture + between(-0.15, 0.15)) / len(TEXTURES) % 1.0
        return ToyFactors(
            texture=texture,
            hue=hue,
            motion=motion,
            start=int(between(0, PHASES)),
            shape=int(between(0, len(SHAPES))),
            brightness=between(-0.06, 0.06),
            shift=(between(-1, 1), between(-1, 1)),
            pitch=between(0.9, 1.1),
            colour=far_colour(hue, (between(-1, 1), between(-1, 1), between(-1, 1))),
            radius=between(0.31, 0.39),
            centre=(between(-0.08, 0.08), between(-0.08, 0.08)),
            reach=between(0.48, 0.56),
            grain=int(between(0, 2**53)),
        )

    def clip(self, index: int) -> torch.Tensor:
        """Returns clip `index`, uint8 (T, H, W, 3)."""
        return self.render(self.factors(index))

    def clips(self, indices: Iterable[int]) -> torch.Tensor:
        """Returns the clips, uint8 (B, T, H, W, 3), each independent of the others."""
        return torch.stack([self.clip(int(index)) for index in indices])

    def render(self, factors: ToyFactors) -> torch.Tensor:
        """Returns the clip of any factors, of an index or invented, uint8 (T, H, W, 3)."""
        motion = MOTIONS[self.motion]
        # at most 8 frames differ, for any number of them
        if motion.shows == "noise":
            seen = paint_noise(factors.grain, self.size)
        else:
            seen = paint(factors, motion.shows, self.size)
        return torch.from_numpy(seen[motion.phases(factors.motion, factors.start, self.frames)])

    def _classes(self, index: int, coin: float, other: float) -> tuple[int, int]:
        """Returns (texture, motion), in random order within a block.

        In a fixed order, folds of the indices modulo some K would each lack most classes.
        """
        size = len(TEXTURES) * self.num_motions
        block, place = divmod(index, size)
        order = np.argsort(_uniform(self, _BLOCK, block, size), kind="stable")
        texture, motion = divmod(int(order[place]), self.num_motions)
        if self.cue_conflict:
            texture = (motion + 1 + int(other * (len(TEXTURES) - 1))) % len(TEXTURES)
        elif self.labels == "correlated":
            texture = motion if coin < self.rho else int(other * len(TEXTURES))
        return texture, motion


# What a random stream is for: one clip's draws, the order of one block's classes, a new background.
_CLIP, _BLOCK, _BACKGROUND = 0, 1, 2


def _uniform(world: ToyWorld, stream: int, index: int, count: int) -> np.ndarray:
    """Returns (count,) float64 in [0, 1), from raw Philox bits, which numpy never changes."""
    bits = np.random.Philox(
        key=np.array([world.seed, SPLITS.index(world.split)], dtype=np.uint64),
        counter=np.array([0, 0, index, stream], dtype=np.uint64),
    ).random_raw(count)
    return (bits >> np.uint64(11)) * 2.0**-53


def _between(draws: np.ndarray) -> Callable[[float, float], float]:
    """Returns a function (low, high) -> a number between them, of the next draw."""
    rest = iter(draws.tolist())
    return lambda low, high: low + (high - low) * next(rest)


def _check_words_and_numbers(world: ToyWorld) -> None:
    for name, known in {"motion": tuple(MOTIONS), "labels": LABELS, "split": SPLITS}.items():
        word = getattr(world, name)
        if word not in known:
            raise ValueError(
                f"Expected `{name}` to be one of {', '.join(known)}, but got {word!r}."
            )
    for name, low in {"size": 8, "frames": 2, "seed": 0, "num_clips": 1}.items():
        number = getattr(world, name)
        if number < low:
            raise ValueError(f"Expected `{name}` to be at least {low}, but got {number}.")
    if world.seed >= 2**64:
        raise ValueError(f"Expected `seed` to be less than 2**64, but got {world.seed}.")
    if not 0 <= world.rho <= 1:
        raise ValueError(f"Expected `rho` to be a probability, 0 to 1, but got {world.rho}.")


def _check_nothing_leaks(world: ToyWorld) -> None:
    every, second = range(world.frames), range(0, world.frames, 2)
    if any(unordered_frames_tell(world.motion, picks) for picks in (every, second)):
        raise ValueError(
            f"Expected `frames` that without their order tell nothing about {world.motion}, "
            f"but got {world.frames}; any multiple of {PHASES} will do."
        )
    changed = world.cue_conflict or world.new_background
    if MOTIONS[world.motion].shows == "noise" and (changed or world.labels != "dynamic"):
        raise ValueError(
            f"Expected `labels` dynamic, no `cue_conflict` and no `new_background` with "
            f"{world.motion}, whose clips show no texture, but got {world.labels}."
        )
    labelled_by_motion = world.labels in ("dynamic", "correlated")
    if world.cue_conflict and not (world.num_motions == len(TEXTURES) and labelled_by_motion):
        raise ValueError(
            f"Expected `cue_conflict` with {len(TEXTURES)} motions, like textures, and labelled by "
            f"motion, but got {world.motion} with {world.labels}; orbit4 with dynamic will do."
        )
