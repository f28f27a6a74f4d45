"""Small networks of every kind that a host may have, as options of the `tiny` config."""

import pytest

SLOWFAST = [
    "MODEL.ARCH", "slowfast", "RESNET.NUM_BLOCK_TEMP_KERNEL", [[2, 2]] * 4,
    "RESNET.SPATIAL_STRIDES", [[1, 1], [2, 2], [2, 2], [2, 2]],
    "RESNET.SPATIAL_DILATIONS", [[1, 1]] * 4,
    "NONLOCAL.LOCATION", [[[], []]] * 4, "NONLOCAL.GROUP", [[1, 1]] * 4,
    "NONLOCAL.POOL", [[[1, 2, 2], [1, 2, 2]]] * 4,
    "DATA.INPUT_CHANNEL_NUM", [3, 3], "DATA.NUM_FRAMES", 8,
    "SLOWFAST.ALPHA", 4, "SLOWFAST.BETA_INV", 4, "SLOWFAST.FUSION_KERNEL_SZ", 5,
]  # fmt: skip
X3D = [
    "MODEL.ARCH", "x3d", "RESNET.DEPTH", 50, "RESNET.NUM_GROUPS", 1,
    "RESNET.TRANS_FUNC", "x3d_transform", "RESNET.STRIDE_1X1", False, "X3D.DIM_C1", 8,
    "X3D.DIM_C5", 64, "X3D.WIDTH_FACTOR", 1.0, "X3D.DEPTH_FACTOR", 1.0,
    "X3D.BOTTLENECK_FACTOR", 2.25, "X3D.CHANNELWISE_3x3x3", True,
]  # fmt: skip
MVIT = [
    "MODEL.ARCH", "mvit", "MVIT.DEPTH", 2, "MVIT.EMBED_DIM", 16, "MVIT.NUM_HEADS", 1,
    "MVIT.PATCH_KERNEL", (3, 7, 7), "MVIT.PATCH_STRIDE", (2, 4, 4), "MVIT.PATCH_PADDING", (1, 3, 3),
    "MVIT.POOL_KVQ_KERNEL", [3, 3, 3], "MVIT.POOL_KV_STRIDE_ADAPTIVE", [1, 4, 4],
    "MVIT.DROPOUT_RATE", 0.0, "MVIT.DROPPATH_RATE", 0.0, "SOLVER.OPTIMIZING_METHOD", "adamw",
]  # fmt: skip
INCEPTION_I3D = ["MODEL.ARCH", "inception_i3d"]
PTV = ["MODEL.MODEL_NAME", "PTVResNet", "RESNET.DEPTH", 50,
       "RESNET.NUM_BLOCK_TEMP_KERNEL", [[3], [4], [6], [3]]]  # fmt: skip


def lacks(word):
    """Skips where the host lacks a capability; the condition is read in the test's own module."""
    return pytest.mark.skipif(f"{word!r} not in host.capabilities", reason=f"no {word} here")


NETWORKS = [
    pytest.param([], id="slow"),
    pytest.param(SLOWFAST, id="slowfast"),
    pytest.param(X3D, id="x3d", marks=lacks("x3d")),
    pytest.param(MVIT, id="mvit", marks=lacks("mvit")),
    pytest.param(PTV, id="ptv", marks=lacks("ptv")),
    pytest.param(INCEPTION_I3D, id="inception_i3d"),
]
