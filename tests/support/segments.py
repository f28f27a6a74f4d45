"""A small data set of sequences on disk, in the layout of DAVIS, with flow of every layout."""

from __future__ import annotations

import cv2
import numpy as np

from slowfast_bias.datasets.flow.files import write_flo, write_flow_picture
from slowfast_bias.datasets.flow.wheel import coded
from slowfast_bias.datasets.toy.camouflage import SegmentWorld

SIZE = (36, 48)
# Words of a config: a network of masks of width 4, on sequences, or on the toy world.
SMALL = [
    "MODEL.ARCH", "matnet", "MODEL.MODEL_NAME", "MATNet", "DATA.NUM_FRAMES", 1,
    "BIAS.TASK", "segmentation", "BIAS.SEGMENTATION.TRUNK", "resnet18",
    "BIAS.SEGMENTATION.WIDTH", 4, "SOLVER.MAX_EPOCH", 1,
]  # fmt: skip
TOY = [
    *SMALL, "TRAIN.DATASET", "toysegments", "TEST.DATASET", "toysegments",
    "BIAS.SEGMENTS.SIZE", [32, 32], "BIAS.TOY.NUM_TRAIN", 4,
]  # fmt: skip


def picture(number, time, size=SIZE):
    """A frame of a scene, cut from a square one."""
    world = SegmentWorld("appearance", size=max(size))
    return world.image(number, time)[: size[0]], world.mask(number, time)[: size[0]]


def flow_of(number, time, size=SIZE):
    return SegmentWorld("camouflage", size=max(size)).flow(number, time)[: size[0]]


def write_sequences(root, lengths, images="JPEGImages", masks="Annotations", ending=".png"):
    """Images and masks of sequences {name: frames}; returns the folder as text."""
    for number, (name, length) in enumerate(lengths.items()):
        for time in range(length):
            image, mask = picture(number, time)
            write(root / images / name / f"{time:05d}{ending}", image[..., ::-1])
            if masks:
                write(root / masks / name / f"{time:05d}.png", 255 * mask)
    return str(root)


def write(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), values)


def write_flows(root, lengths, layout="motiongrouping", raw=False, gap=1):
    """Flow in both directions, each flow of another number, so that a wrong one shows."""
    for number, (name, length) in enumerate(lengths.items()):
        for time in range(length - 1):
            for backward in (False, True):
                frame, other = (time + 1, time) if backward else (time, time + 1)
                flow = flow_of(number, time + 20 * backward)
                word, sign = ("bw", "-") if backward else ("fw", "")
                where = {
                    "motiongrouping": f"FlowImages_gap{sign}{gap}/{name}/{frame:05d}",
                    "matnet": f"flow/{name}/{frame:05d}_{other:05d}",
                    "rtnet": f"flow/{name}/{word}_{frame:05d}",
                    "rtnet, one folder": f"flow/{word}_{name}_{frame:05d}",
                }[layout]
                path = root / f"{where}.{'flo' if raw else 'png'}"
                path.parent.mkdir(parents=True, exist_ok=True)
                if raw:
                    write_flo(str(path), flow)
                else:
                    write_flow_picture(str(path), coded(flow))


def square(value, size=SIZE, kind=np.uint8):
    """A mask of one square that has a value."""
    mask = np.zeros(size, kind)
    mask[10:20, 12:30] = value
    return mask
