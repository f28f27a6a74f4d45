"""Keys of video object segmentation: frames, flow and masks; the toy world of it."""

from __future__ import annotations

from slowfast_bias.config.options.option import Option

SEGMENT_FORMATS = (
    "davis16", "davis17", "youtube-vos", "imagenet-vid", "tao-vos", "moca", "sequences",
)  # fmt: skip

OPTIONS = (
    Option("BIAS.SEGMENTS.FORMAT", "sequences",
           "Whose folders and lists are in DATA.PATH_TO_DATA_DIR. sequences: JPEGImages/SEQUENCE, "
           "Annotations/SEQUENCE and ImageSets/val.txt, as DAVIS; see docs/SEGMENTATION.md.",
           choices=SEGMENT_FORMATS),
    Option("BIAS.SEGMENTS.FLOW", "",
           "Folder of the forward flow, from DATA.PATH_TO_DATA_DIR; empty: FlowImages_gap1. "
           "Pictures or .flo, as motiongrouping, MATNet or RTNet keep them."),
    Option("BIAS.SEGMENTS.BACKWARD", False,
           "Also give the flow to the frame before: of .../FlowImages_gap1 it is in "
           ".../FlowImages_gap-1."),
    Option("BIAS.SEGMENTS.SIZE", [480, 854], "Height and width of what the network is given."),
    Option("BIAS.SEGMENTS.SIZES", [],
           "Training takes one of these sizes by chance for every batch, as RTNet: a list of "
           "heights and widths, none above SIZE. Empty: SIZE alone."),
    Option("BIAS.SEGMENTS.EVERY", 1, "Training takes every N-th frame of a sequence.", low=1),
    Option("BIAS.SEGMENTS.REACH", 10,
           "Frames between a frame and the others of its clip, at most, if DATA.NUM_FRAMES > 1.",
           low=1),
    Option("BIAS.SEGMENTS.TRAIN_REACH", 0, "The same in training; 0: as REACH.", low=0),
    Option("BIAS.SEGMENTS.FLIP", "recode",
           "In training half of the frames are mirrored: recode (the colours of flow get the "
           "mirrored direction), picture (they keep the old one, as MATNet), or none.",
           choices=("recode", "picture", "none")),
    Option("BIAS.SEGMENTS.TURN", 0.0, "In training, turned by up to this many degrees.",
           low=0, high=180),
    Option("BIAS.SEGMENTS.SCALE", [1.0, 1.0], "In training, scaled by a factor from .. to ..."),
    Option("BIAS.TOY.CUE", "camouflage",
           "What shows the object in the toy world of segmentation: camouflage (only its motion), "
           "appearance (only its colour), or conflict (two objects, one of each).",
           choices=("camouflage", "appearance", "conflict")),
)  # fmt: skip
