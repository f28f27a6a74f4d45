"""How SlowFast's config keys describe an X3D."""

from __future__ import annotations

# Argument -> SlowFast's config key.
ARGUMENTS: dict[str, str] = {
    "width_factor": "X3D.WIDTH_FACTOR",
    "depth_factor": "X3D.DEPTH_FACTOR",
    "bottleneck_factor": "X3D.BOTTLENECK_FACTOR",
    "first_width": "X3D.DIM_C1",
    "last_width": "X3D.DIM_C5",
    "widen_second": "X3D.SCALE_RES2",
    "channelwise": "X3D.CHANNELWISE_3x3x3",
    "norm_last": "X3D.BN_LIN5",
    "drop_path": "MODEL.DROPCONNECT_RATE",
    "groups": "RESNET.NUM_GROUPS",
    "stride_first": "RESNET.STRIDE_1X1",
    "zero_init": "RESNET.ZERO_INIT_FINAL_BN",
    "classifier_std": "MODEL.FC_INIT_STD",
    "dropout": "MODEL.DROPOUT_RATE",
    "classes": "MODEL.NUM_CLASSES",
    "input_channels": "DATA.INPUT_CHANNEL_NUM",
    "frames": "DATA.NUM_FRAMES",
    "size": "DATA.TRAIN_CROP_SIZE",
    "norm_eps": "BN.EPSILON",
    "norm_momentum": "BN.MOMENTUM",
}
# Key -> main's default, for keys that only its main branch has.
DEFAULTS: dict[str, object] = {
    "X3D.WIDTH_FACTOR": 1.0,
    "X3D.DEPTH_FACTOR": 1.0,
    "X3D.BOTTLENECK_FACTOR": 1.0,
    "X3D.DIM_C1": 12,
    "X3D.DIM_C5": 2048,
    "X3D.SCALE_RES2": False,
    "X3D.CHANNELWISE_3x3x3": True,
    "X3D.BN_LIN5": False,
    "MODEL.DROPCONNECT_RATE": 0.0,
}
# Key -> the values that are done here; main does more.
ONLY: dict[str, tuple] = {
    "RESNET.TRANS_FUNC": ("x3d_transform",),
    "RESNET.SPATIAL_DILATIONS": ([[1], [1], [1], [1]],),
    "NONLOCAL.LOCATION": ([[[]], [[]], [[]], [[]]],),
    "MODEL.HEAD_ACT": ("softmax",),
}
