"""mmaction2's networks: SlowOnly, C2D and X3D. Its SlowFast and its I3D are other networks."""

from __future__ import annotations

from collections.abc import Collection

from slowfast_bias.models.weights.tables.table import (
    NoPlaceError,
    Table,
    Weights,
    any_match,
    rename_by,
)

# of ImageNet, in [0, 1]; X3D's are SlowFast's to four digits
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)

_BLOCKS = tuple(
    rule
    for number, letter in zip("123", "abc", strict=True)
    for rule in (
        (rf"^(s\d\.pathway0_res\d+)\.conv{number}\.conv\.", rf"\1.branch2.{letter}."),
        (rf"^(s\d\.pathway0_res\d+)\.conv{number}\.bn\.", rf"\1.branch2.{letter}_bn."),
    )
)
_RULES = (
    (r"^backbone\.", ""),
    *((rf"^layer{n}\.(\d+)\.", rf"s{n + 1}.pathway0_res\1.") for n in (1, 2, 3, 4)),
    *_BLOCKS,
    (r"\.downsample\.conv\.", ".branch1."),
    (r"\.downsample\.bn\.", ".branch1_bn."),
    (r"\.se_module\.", ".branch2.se."),
    (r"^conv1\.(conv|bn)\.", r"s1.pathway0_stem.\1."),
    (r"^conv1_s\.conv\.", "s1.pathway0_stem.conv_xy."),
    (r"^conv1_t\.(conv|bn)\.", r"s1.pathway0_stem.\1."),
    (r"^conv5\.conv\.", "head.conv_5."),
    (r"^conv5\.bn\.", "head.conv_5_bn."),
    (r"^cls_head\.fc1\.", "head.lin_5."),
    (r"^cls_head\.(fc_cls|fc2)\.", "head.projection."),
)
_STEM = "s1.pathway0_stem.conv.weight"
_LINEAR_5 = "head.lin_5.weight"  # a convolution of 1x1x1 in SlowFast, a matrix here


def _rename(weights: Weights, own: Collection[str]) -> Weights:
    return {rename_by(_RULES, name): value for name, value in weights.items()}


def _rename_resnet(weights: Weights, own: Collection[str]) -> Weights:
    found = _rename(weights, own)
    if _STEM in found and found[_STEM].shape[2:3] == (5,):  # names and shapes are SlowFast's I3D's
        raise NoPlaceError(
            "it is mmaction2's I3D, which has strides of 2 over time in its stem, unlike "
            "SlowFast's. Give a file of SlowFast's or pytorchvideo's model zoo"
        )
    return found


def _rename_x3d(weights: Weights, own: Collection[str]) -> Weights:
    found = dict(_rename(weights, own))
    if _LINEAR_5 in found and found[_LINEAR_5].ndim == 2:
        found[_LINEAR_5] = found[_LINEAR_5][:, :, None, None, None]
    return found


def _refuse(weights: Weights, own: Collection[str]) -> Weights:
    raise NoPlaceError(
        "it is mmaction2's SlowFast, whose connections from the fast to the slow pathway have no "
        "batch norm and no ReLU, unlike those of SlowFast's own. Give a file of SlowFast's or "
        "pytorchvideo's model zoo"
    )


SLOWFAST = Table(
    name="mmaction2 SlowFast",
    matches=lambda names: any_match(r"^(backbone\.)?slow_path\.", names),
    rename=_refuse,
)
X3D = Table(
    name="mmaction2 X3D",
    matches=lambda names: any_match(r"^(backbone\.)?conv1_s\.conv\.", names),
    rename=_rename_x3d,
)
RESNETS = Table(
    name="mmaction2",
    matches=lambda names: any_match(r"^(backbone\.)?layer1\.0\.conv1\.conv\.", names),
    rename=_rename_resnet,
    mean=_MEAN,
    std=_STD,
)
