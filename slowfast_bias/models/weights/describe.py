"""What kind of network a file is of, by its names and shapes; for messages only."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import torch

from slowfast_bias.models.families.heads import CLASSIFIER_BIASES
from slowfast_bias.models.weights.tables.table import any_match

MATNET = "MATNet"
_MATNETS = "half a MATNet, the"
_HALVES = {"encoder": r"(^|\.)gated_res5\.", "decoder": r"(^|\.)RF4\.pdc\."}
# A pattern of one of its names -> the kind; the first that matches counts.
_KINDS = (
    (r"(^|\.)vistr\.", "VisTR"),
    (r"decoder\.layers\.0\.multihead_attn\.|backbone\.0\.body\.", "DETR"),
    *((pattern, f"{_MATNETS} {half}") for half, pattern in _HALVES.items()),
    (r"(^|\.)sensor_fusion\.layer4\.", "FusionSeg"),
    (r"(^|\.)STTransformer1\.", "RTNet"),
    (r"(^|\.)decoder4\.layer\.0\.", "RTNet's streams, one alone"),
    (r"(^|\.)aspp\.convs\.0\.0\.", "DeepLabv3+"),
    (r"temporal_attn|temporal_attention\.|time_embed", "TimeSformer"),
    (r"vision_model\.spatial_layers", "VideoPrism"),
    (
        r"vjepa2|pooler\.cross_attention|predictor_embed|backbone\.blocks\.\d+\.attn\.qkv",
        "V-JEPA 2",
    ),
    (r"videomae\.|attn\.q_bias$", "VideoMAE"),
    (r"vivit\.", "ViViT"),
    (r"Mixed_3b|mixed_3b", "Inception I3D"),
    (r"conv_xy\.|pool\.pre_conv\.|conv1_s\.conv\.", "X3D"),
    (r"attn\.pool_[qkv]|cls_positional_encoding\.|pos_embed_spatial", "MViT"),
    (r"pathway1_|multipathway|slow_path\.", "SlowFast"),
    (r"pathway0_|res_blocks\.\d|layer1\.0\.conv1\.conv\.", "SlowOnly, I3D or C2D"),
    (r"layer1\.0\.conv1\.", "ResNet"),
    (r"blocks\.\d+\.attn\.qkv", "vision transformer"),
)
# Which shipped config builds such a network, or one of its kind.
_CONFIGS = {
    "Inception I3D": "INCEPTION_I3D",
    "X3D": "X3D_M",
    "MViT": "MVIT_B_16x4",
    "SlowFast": "SLOWFAST_8x8_R50",
    "SlowOnly, I3D or C2D": "I3D_8x8_R50",
}
_BIASES = (
    *CLASSIFIER_BIASES, r"cls_head\.fc_cls\.bias", r"cls_head\.fc2\.bias", r"classifier\.bias",
    r"linear\.bias", r"logits\.conv3d\.bias", r"fc\.bias", r"head\.bias",
    r"conv3d_0c_1x1\.conv3d\.bias", r"params\|Logits/Conv3d_0c_1x1\|Conv_0\|bias",
)  # fmt: skip
_DECODER = re.compile(r"(^|\.)decoder\.")  # of a file that was trained without labels
_BLOCK = re.compile(r"(.*blocks\.\d+)\.(attn\.)?proj\.bias$")  # ends as a classifier's does
_DATA_SETS = {
    400: "Kinetics-400", 600: "Kinetics-600", 700: "Kinetics-700", 710: "Kinetics-710",
    174: "Something-Something V2", 48: "Diving48", 157: "Charades", 80: "AVA", 101: "UCF101",
    51: "HMDB51", 1000: "ImageNet",
}  # fmt: skip
# Embeddings along time: one for each step, or, relative ones, 2T - 1 for T steps.
_TIME = re.compile(r"(pos_embed_temporal|time_embed\w*|temporal_pos_embed)$|(rel_pos_t)$")
# And along space: one for each place, or, relative ones, along rows and columns.
_SPACE = re.compile(r"(pos_embed_spatial)$|(rel_pos_[hw])$")


def describe(names: Collection[str]) -> str:
    """Returns the kind of network that has such names, as "MViT"; "" if it is not known."""
    if all(any_match(pattern, names) for pattern in _HALVES.values()):
        return MATNET
    return next((kind for pattern, kind in _KINDS if any_match(pattern, names)), "")


def is_half(kind: str) -> bool:
    """Returns whether a kind, as `describe` calls it, is one of two files of a network."""
    return kind.startswith(_MATNETS)


def shipped_config(kind: str) -> str:
    """Returns the config that builds a kind of network, as `describe` calls it; "" for others."""
    return f"configs/Kinetics/{_CONFIGS[kind]}.yaml" if kind in _CONFIGS else ""


def classes_of(weights: Mapping[str, torch.Tensor]) -> int | None:
    """Returns how many classes a file tells apart; None if it has no classifier that is known.

    It is the length of the last bias of a classifier, by the names of the known kinds of networks.
    """
    biases = {k: v for k, v in weights.items() if v.ndim == 1 and not _inside(k, weights)}
    for end in _BIASES:
        whole = re.compile(rf"(^|\.){end}$")  # not the end of a longer word
        found = [value for name, value in biases.items() if whole.search(name)]
        if found:
            return len(found[-1])
    return None


def _inside(name: str, names: Collection[str]) -> bool:
    """Returns whether a bias is a decoder's, or a transformer's block's, which has attention."""
    if _DECODER.search(name):
        return True
    block = _BLOCK.match(name)
    return block is not None and any(other.startswith(f"{block[1]}.attn.") for other in names)


def name_classes(count: int) -> str:
    """Returns a number of classes, with the data set that it is known from: "174 classes (...)"."""
    known = f" (as {_DATA_SETS[count]})" if count in _DATA_SETS else ""
    return f"{count} classes{known}"


def clip_of(
    name: str,
    there: torch.Size,
    here: torch.Size,
    frames: int | None,
    size: int | None,
) -> tuple[str, int] | None:
    """Returns for which clips a file was made, from an embedding of positions of another length.

    ("frames", 16) or ("pixels", 224); None if the weight is no such embedding.

    Args:
        name: of the weight.
        there: its shape in the file.
        here: its shape in the network.
        frames: of a clip of the network.
        size: of a clip of the network, in pixels.
    """
    for pattern, what, own in ((_TIME, "frames", frames), (_SPACE, "pixels", size)):
        match = pattern.search(name)
        if match is None or own is None or len(there) != len(here):
            continue
        is_relative, axis = bool(match[2]), 0 if match[2] else -2
        same = [n for i, n in enumerate(there) if i != axis % len(there)]
        steps = [(shape[axis] + 1) // 2 if is_relative else shape[axis] for shape in (there, here)]
        if same != [n for i, n in enumerate(here) if i != axis % len(here)] or not steps[1]:
            return None
        ratio = steps[0] / steps[1]
        return what, round(own * (ratio if is_relative or what == "frames" else ratio**0.5))
    return None
