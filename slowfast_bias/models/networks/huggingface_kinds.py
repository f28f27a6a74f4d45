"""The kinds of video networks of transformers, and what their files leave out."""

from __future__ import annotations

from dataclasses import dataclass

_HALF = (0.5, 0.5, 0.5)
_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Kind:
    """One `model_type`; values that config.json or the processor's file leaves out are these.

    Attributes:
        title: what people call it.
        frames: key of the number of frames, and its default.
        side: key of the side of a clip in pixels, and its default.
        mean: subtracted by its processor.
        std: what it then divides by.
        rescale: what its processor multiplies bytes by.
        offset: what it then subtracts.
        margin: short side of a video over the side of a clip.
        any_frames: whether it takes other numbers of frames.
        normalises: whether its processor normalises, whatever a file says; None: as that says.
    """

    title: str
    frames: tuple[str, int]
    side: tuple[str, int] = ("image_size", 224)
    mean: tuple[float, ...] = _HALF
    std: tuple[float, ...] = _HALF
    rescale: float = 1 / 255
    offset: float = 0.0
    margin: float = 1.0
    any_frames: bool = False
    normalises: bool | None = None


KINDS = {
    "timesformer": Kind("TimeSformer", ("num_frames", 8), mean=_IMAGENET[0], std=_IMAGENET[1]),
    "videomae": Kind("VideoMAE", ("num_frames", 16)),
    "vivit": Kind("ViViT", ("num_frames", 32), rescale=1 / 127.5, offset=1.0, margin=256 / 224),
    "vjepa2": Kind(
        "V-JEPA 2", ("frames_per_clip", 64), ("crop_size", 256), *_IMAGENET, margin=256 / 224,
        any_frames=True,  # positions are rotations: any number of them
    ),
    "videoprism_vision_model": Kind(
        "VideoPrism", ("num_frames", 16), ("image_size", 288), normalises=False
    ),
}  # fmt: skip
