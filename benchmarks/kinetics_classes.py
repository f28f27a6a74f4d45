"""Does the Inception I3D name what happens in videos of DAVIS 2016, with and without their order?

    python benchmarks/kinetics_classes.py i3d_k400.npz DAVIS/JPEGImages

Shows the first 32 frames of six sequences, the middle 224 pixels, in order and in eight random
orders. The numbers of classes are Kinetics-400's, by the alphabet.
"""

from __future__ import annotations

import os
import sys
import tempfile

import torch
from torch import Tensor, nn

from slowfast_bias import engine
from slowfast_bias.datasets.decoding.read_frames import read_frames
from slowfast_bias.datasets.pairs.frame_order import draw_order

FRAMES, SIZE, ORDERS = 32, 224, 8
SEQUENCES = {
    "parkour": (207, "parkour"),
    "breakdance": (34, "breakdancing"),
    "kite-surf": (177, "kitesurfing"),
    "paragliding-launch": (205, "paragliding"),
    "scooter-black": (199, "motorcycling"),
    "dog": (378, "walking the dog"),
}


def read_clip(folder: str) -> Tensor:
    """Returns the clip (1, 3, T, H, W) of a folder of pictures, in [-1, 1]."""
    frames = read_frames(folder, lambda video: list(range(FRAMES)))
    top, left = ((side - SIZE) // 2 for side in frames.shape[1:3])
    middle = frames[:, top : top + SIZE, left : left + SIZE]
    return middle.float().permute(3, 0, 1, 2)[None] / 127.5 - 1


@torch.no_grad()
def probabilities(model: nn.Module, clip: Tensor) -> Tensor:
    """Returns (1 + ORDERS, classes): in order, then in random orders."""
    orders = [torch.arange(FRAMES), *(draw_order(FRAMES, 0, k) for k in range(ORDERS))]
    return torch.cat([model([clip[:, :, order]]) for order in orders])


def main(weights: str, folder: str) -> None:
    """Prints a row for each sequence."""
    with tempfile.TemporaryDirectory() as out:
        words = ["NUM_GPUS", 0, "TEST.CHECKPOINT_FILE_PATH", weights, "OUTPUT_DIR", out]
        cfg = engine.load_cfg("configs/Kinetics/INCEPTION_I3D.yaml", words)
        model = engine.trained_network(cfg).eval()
    print(f"{'sequence':<20}{'class':<17}top-1    p  random orders: top-1   mean p  lowest")
    for name, (number, text) in SEQUENCES.items():
        rows = probabilities(model, read_clip(os.path.join(folder, name)))
        named, p = rows.argmax(1) == number, rows[:, number]
        print(
            f"{name:<20}{text:<17}{'yes' if named[0] else 'no':<7}{p[0]:.3f}"
            f"{int(named[1:].sum()):>15} of {ORDERS}{p[1:].mean():>9.3f}{p[1:].min():>8.3f}"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
