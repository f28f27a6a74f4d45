"""TwoStream: inputs and output of two-stream networks, and where they are read.

    model([image, flow])       # (B, 3, T, H, W) and (B, 3 or 6, T, H, W) -> Segmentation

A picture and its flow are one row; T of them, one row each, give what they give one by one (RTNet
alone compares its two). Where a report reads them are modules without parameters: `app2` to `app5`
(appearance, after stage 2 to 5 and what it got of the other stream), `mot2` to `mot5` (motion),
`fuse2` to `fuse5`. What these get, (B, C, T, h, w), goes on from what they return, so that units
silenced there are silenced for all that comes after.
Legend: B clips, C channels, T frames, H W space; N = B*T.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from torch import Tensor, nn

from slowfast_bias.errors import RequestError
from slowfast_bias.models.segmentation.maps import fold_frames, unfold_frames

STAGES = (2, 3, 4, 5)  # the paper's numbers: stage 1 is the stem
STREAMS = ("app", "mot", "fuse")
# In the order in which they run: what one of them gets depends on none of the later ones.
LAYERS = tuple(f"{stream}{stage}" for stage in STAGES for stream in STREAMS)

# (name of a layer, (N, C, h, w)) -> (N, C, h, w)
Through = Callable[[str, Tensor], Tensor]


class Segmentation(NamedTuple):
    """What a network makes of pictures and flow; all are logits, in the size of the input.

    Attributes:
        mask: foreground (B, T, H, W).
        boundaries: of the foreground, in training alone: (B, K, T, H, W), each to be compared with
            the boundary of the true mask; None if the network has none.
        masks: further masks to learn from, in training alone, as `boundaries`.
    """

    mask: Tensor
    boundaries: Tensor | None = None
    masks: Tensor | None = None


class Layer(nn.Module):
    """A place where a network is read and silenced. No `Identity`: those are taken for steps."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns what it gets."""
        return x


class TwoStream(nn.Module):
    """The base of two-stream networks; one has to define `segment`.

    Args:
        layers: names among LAYERS.
        colours: channels of the picture and of the flow.

    Attributes:
        frames: T; None if any number will do.
        unread: names of weights that no forward reads and that files of some authors lack.
    """

    frames: int | None = None
    unread: frozenset[str] = frozenset()

    def __init__(self, layers: Sequence[str] = LAYERS, colours: tuple[int, int] = (3, 3)) -> None:
        super().__init__()
        self.layers, self.colours = tuple(layers), colours
        for name in layers:
            self.add_module(name, Layer())

    def forward(self, inputs: Sequence[Tensor]) -> Segmentation:
        """Returns the masks of [image, flow]."""
        self._check(inputs)
        frames = inputs[0].shape[2]
        image, flow = map(fold_frames, inputs)

        def through(name: str, x: Tensor) -> Tensor:
            return fold_frames(self.get_submodule(name)(unfold_frames(x, frames)))

        found = self.segment(image, flow, through)
        mask, *more = (None if x is None else unfold_frames(x, frames) for x in found)
        return Segmentation(mask.squeeze(1), *more)

    def segment(self, image: Tensor, flow: Tensor, through: Through) -> Segmentation:
        """Returns logits (N, K, H, W) of pictures (N, 3, H, W) and flow, K = 1 for the mask.

        Args:
            image: the pictures.
            flow: of each of them.
            through: has to be called with what each layer is, and returns what goes on.
        """
        raise NotImplementedError

    def trunk(self, stream: str) -> dict[str, str]:
        """Returns {part of a `ResNet`: module here} of "app" or "mot"."""
        raise NotImplementedError

    def _check(self, inputs: Sequence[Tensor]) -> None:
        name, (image, flow) = type(self).__name__, self.colours
        shapes = [tuple(x.shape) for x in inputs]
        frames = "T" if self.frames is None else self.frames
        wanted = f"(B, {image}, {frames}, H, W) and flow (B, {flow}, {frames}, H, W)"
        if (
            len(shapes) != 2
            or any(len(shape) != 5 for shape in shapes)
            or (shapes[0][1], shapes[1][1]) != self.colours
            or shapes[0][2] != (self.frames or shapes[0][2])
            or shapes[0][0] != shapes[1][0]
            or shapes[0][2:] != shapes[1][2:]
        ):
            got = " and ".join(map(str, shapes)) or "nothing"
            raise RequestError(
                f"Expected {name} to get pictures {wanted} of one size, but got {got}."
            )


def freeze(*modules: nn.Module) -> None:
    """Takes modules that no forward runs out of training: they would never have a gradient."""
    for module in modules:
        module.requires_grad_(False)


def check_word(argument: str, got: str, words: Collection[str]) -> None:
    """Raises RequestError if an argument is none of its words."""
    if got not in words:
        raise RequestError(
            f"Expected `{argument}` to be one of {', '.join(words)}, but got {got!r}."
        )
