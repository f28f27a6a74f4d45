"""A toy world of moving objects with a known answer: is the object seen by its motion or its look?

    world = SegmentWorld("camouflage", size=32)
    world.image(0, 0)       # uint8 (H, W, 3)
    world.flow(0, 0)        # float32 (H, W, 2), exact
    world.mask(0, 0)        # uint8 (H, W)

Every pixel is a colour plus noise of its own. Ground and objects are sheets of such noise that move
by whole pixels, so that flow and masks are exact and nothing is interpolated.

    camouflage   the object has the ground's colour and moves otherwise. A single frame contains
                 nothing about the mask: its pixels have one distribution, wherever the object is.
    appearance   the object has another colour and moves as the ground does. The flow is one motion
                 everywhere and contains nothing about the mask.
    conflict     one object of each kind, in two halves of the picture: a frame contains nothing
                 about the first, the flow nothing about the second, but in which half it is.

Scenes follow from (seed, split, index) alone; time may be any whole number. Legend: H W space.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slowfast_bias.datasets.toy.world import SPLITS

CUES = ("camouflage", "appearance", "conflict")
_SPAN = 128  # of the noise, of 256 levels
_FAR = 70  # levels between the colours of ground and object, in each channel


@dataclass(frozen=True)
class Disc:
    """An object: middle (x, y) at time 0 and radius, in pixels."""

    x: int
    y: int
    radius: int


@dataclass(frozen=True)
class Scene:
    """What is drawn of one index.

    Attributes:
        ground: the ground's red, green and blue, at the darkest.
        motion: of the ground in pixels a frame, to the right and down.
        moving: the object that only its motion shows, if there is one.
        its_motion: of that object.
        painted: the object that only its colour shows, if there is one.
        paint: its red, green and blue, at the darkest.
    """

    ground: tuple[int, int, int]
    motion: tuple[int, int]
    moving: Disc | None
    its_motion: tuple[int, int]
    painted: Disc | None
    paint: tuple[int, int, int]


@dataclass(frozen=True)
class SegmentWorld:
    """A world of `num` scenes.

    Attributes:
        cue: one of CUES.
        size: height and width in pixels.
        seed: 0 to 2**64 - 1.
        split: "train", "val" or "test", with disjoint random streams.
        num: the length. Scene i is the same in a longer world.
    """

    cue: str = "camouflage"
    size: int = 32
    seed: int = 0
    split: str = "train"
    num: int = 256

    def __post_init__(self) -> None:
        for name, known in {"cue": CUES, "split": SPLITS}.items():
            if getattr(self, name) not in known:
                raise ValueError(
                    f"Expected `{name}` to be one of {', '.join(known)}, but got "
                    f"{getattr(self, name)!r}."
                )
        ranges = {"size": (24, 512), "num": (1, 2**31), "seed": (0, 2**64 - 1)}
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(
                    f"Expected `{name}` from {low} to {high}, but got {getattr(self, name)}."
                )

    def __len__(self) -> int:
        return self.num

    def scene(self, index: int) -> Scene:
        """Returns what is drawn of an index."""
        if not 0 <= index < self.num:
            raise IndexError(f"Expected `index` to be 0 to {self.num - 1}, but got {index}.")
        draw = _Draws(self, index)
        shades, sides = draw.below(128 - _FAR, 3), draw.below(2, 3)
        motion = draw.motion((0, 0))
        places = (0, 1) if draw.below(2) else (1, 0)  # left and right half, in conflict
        halves = places if self.cue == "conflict" else (None, None)
        moving, painted = (draw.disc(half) for half in halves)
        return Scene(
            ground=tuple(x + _FAR * side for x, side in zip(shades, sides, strict=True)),
            motion=motion,
            moving=None if self.cue == "appearance" else moving,
            its_motion=draw.motion(motion),
            painted=None if self.cue == "camouflage" else painted,
            paint=tuple(x + _FAR * (1 - side) for x, side in zip(shades, sides, strict=True)),
        )

    def image(self, index: int, time: int = 0) -> np.ndarray:
        """Returns a frame, uint8 (H, W, 3)."""
        return render(self.scene(index), self.noise(index), time)

    def flow(self, index: int, time: int = 0, backward: bool = False) -> np.ndarray:
        """Returns the flow of a frame to the next or the one before, float32 (H, W, 2), exact."""
        scene = self.scene(index)
        flow = np.full((self.size, self.size, 2), scene.motion, np.float32)
        flow[inside(scene.moving, scene.its_motion, time, self.size)] = scene.its_motion
        return -flow if backward else flow

    def mask(self, index: int, time: int = 0) -> np.ndarray:
        """Returns the mask of a frame, uint8 (H, W): 1 inside the object.

        In conflict 1 is the object that its motion shows, 2 the one that its colour shows.
        """
        scene, mask = self.scene(index), np.zeros((self.size, self.size), np.uint8)
        rival = 2 if self.cue == "conflict" else 1
        mask[inside(scene.painted, scene.motion, time, self.size)] = rival
        mask[inside(scene.moving, scene.its_motion, time, self.size)] = 1
        return mask

    def noise(self, index: int) -> np.ndarray:
        """Returns the sheets of noise of ground and moving object, 0 to 127, (2, H, W, 3)."""
        draws = _bits(self, index, _NOISE, -(-2 * 3 * self.size**2 // 8))
        return (draws.view(np.uint8)[: 6 * self.size**2] % _SPAN).reshape(
            2, self.size, self.size, 3
        )


def render(scene: Scene, noise: np.ndarray, time: int = 0) -> np.ndarray:
    """Returns the frame of a scene drawn with given noise (2, H, W, 3), uint8 (H, W, 3).

    Sheets are endless: what leaves the picture on one side comes in on the other.
    """
    size = noise.shape[1]
    colour = np.broadcast_to(np.array(scene.ground, np.uint8), noise.shape[1:]).copy()
    colour[inside(scene.painted, scene.motion, time, size)] = scene.paint
    ground, other = (
        np.roll(sheet, (time * dy, time * dx), (0, 1))
        for sheet, (dx, dy) in zip(noise, (scene.motion, scene.its_motion), strict=True)
    )
    mine = inside(scene.moving, scene.its_motion, time, size)
    colour[mine] = scene.ground  # in front of the painted one, if they meet at another time
    return colour + np.where(mine[..., None], other, ground)


def inside(disc: Disc | None, motion: tuple[int, int], time: int, size: int) -> np.ndarray:
    """Returns the pixels of a disc at a time, bool (H, W)."""
    if disc is None:
        return np.zeros((size, size), bool)
    line = np.arange(size)
    x, y = ((line - at - time * step + size // 2) % size - size // 2 for at, step in
            zip((disc.x, disc.y), motion, strict=True))  # fmt: skip
    return x[None] ** 2 + y[:, None] ** 2 <= disc.radius**2


_SCENE, _NOISE = 0, 1  # what a random stream is for


def _bits(world: SegmentWorld, index: int, stream: int, count: int) -> np.ndarray:
    """Returns raw Philox bits, (count,) uint64, which numpy never changes."""
    cue = CUES.index(world.cue)
    return np.random.Philox(
        key=np.array([world.seed, SPLITS.index(world.split) + 8 * cue + 64], dtype=np.uint64),
        counter=np.array([0, 0, index, stream], dtype=np.uint64),
    ).random_raw(count)


class _Draws:
    """The numbers of one scene, taken one after the other."""

    def __init__(self, world: SegmentWorld, index: int) -> None:
        self.size = world.size
        self.left = iter((_bits(world, index, _SCENE, 64) >> np.uint64(11)) * 2.0**-53)

    def below(self, end: int, count: int | None = None) -> int | tuple[int, ...]:
        """Returns a whole number from 0 to below `end`, or several."""
        numbers = tuple(int(next(self.left) * end) for _ in range(count or 1))
        return numbers if count else numbers[0]

    def motion(self, other: tuple[int, int]) -> tuple[int, int]:
        """Returns one of up to 2 pixels either way, and 2 at least from another."""
        choices = [(x, y) for x in _STEPS for y in _STEPS if _apart((x, y), other) >= 4]
        return choices[self.below(len(choices))]

    def disc(self, half: int | None) -> Disc:
        """Returns one that stays inside, in the left (0) or right (1) half, or anywhere (None)."""
        size = self.size
        smallest, largest = size // 8, size // 5
        radius = smallest + self.below(largest - smallest + 1)
        room = size if half is None else size // 2
        x = radius + self.below(max(1, room - 2 * radius))
        return Disc(x + (half or 0) * (size - room), radius + self.below(size - 2 * radius), radius)


_STEPS = (-2, -1, 0, 1, 2)


def _apart(one: tuple[int, int], other: tuple[int, int]) -> int:
    """Returns the squared distance of two motions."""
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2
