"""pytorchvideo's model zoo, and what SlowFast's projects/pytorchvideo trains (prefix `model.`).

Its convolutional networks number their blocks, pools without weights among them; SlowFast counts
stages. X3D's stem names its two convolutions the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import torch
from torch import nn

from slowfast_bias.models.weights.tables.table import Table, Weights, any_match, rename_by

_NORM_EPS = 1e-5  # of pytorchvideo's MViT in its attention; SlowFast's is 1e-6
_BN_EPS = 1e-5
_STAGE = re.compile(r"blocks\.(\d+)\.(?:multipathway_blocks\.\d+\.)?res_blocks\.")
_RESNETS = (
    # inside a block
    (r"(branch1)_conv\.", r"\1."),
    (r"(branch1)_norm\.", r"\1_bn."),
    (r"branch2\.norm_b\.1\.block\.0\.", "branch2.se.fc1."),
    (r"branch2\.norm_b\.1\.block\.2\.", "branch2.se.fc2."),
    (r"branch2\.norm_b\.0\.", "branch2.norm_b."),
    (r"branch2\.conv_([abc])\.", r"branch2.\1."),
    (r"branch2\.norm_([abc])\.", r"branch2.\1_bn."),
    # the parts of a network: N is a stage, P a pathway
    (r"^sN(\d)\.multipathway_blocks\.(\d)\.res_blocks\.(\d+)\.", r"s\1.pathway\2_res\3."),
    (r"^sN(\d)\.res_blocks\.(\d+)\.", r"s\1.pathway0_res\2."),
    (r"^sN(\d)\.multipathway_fusion\.conv_fast_to_slow\.", r"s\1_fuse.conv_f2s."),
    (r"^sN(\d)\.multipathway_fusion\.norm\.", r"s\1_fuse.bn."),
    (r"^sN1\.multipathway_blocks\.(\d)\.", r"s1.pathway\1_stem."),
    (r"^sN1\.", "s1.pathway0_stem."),
    (r"^(s1\.pathway\d_stem)\.norm\.", r"\1.bn."),
    (r"^(s1\.pathway\d_stem)\.conv\.conv_t\.", r"\1.conv_xy."),
    (r"^(s1\.pathway\d_stem)\.conv\.conv_xy\.", r"\1.conv."),
    (r"^head\.pool\.pre_conv\.", "head.conv_5."),
    (r"^head\.pool\.pre_norm\.", "head.conv_5_bn."),
    (r"^head\.pool\.post_conv\.", "head.lin_5."),
    (r"^head\.proj\.", "head.projection."),
)
_MVIT = (
    (r"^patch_embed\.patch_model\.", "patch_embed.proj."),
    (r"^cls_positional_encoding\.", ""),
    (r"^norm_embed\.", "norm."),
    (r"^head\.proj\.", "head.projection."),
)
_QKV = re.compile(r"(.*\.attn\.)q\.(weight|bias)")


def _plain(weights: Weights) -> dict[str, torch.Tensor]:
    return {name.removeprefix("model."): value for name, value in weights.items()}


def _rename_resnet(weights: Weights, own: Collection[str]) -> Weights:
    weights = _plain(weights)
    stages = sorted({int(match[1]) for name in weights if (match := _STAGE.match(name))})
    last = max(int(name.split(".")[1]) for name in weights if name.startswith("blocks."))
    parts = {0: "sN1", last: "head"} | {k: f"sN{i}" for i, k in enumerate(stages, start=2)}
    found = {_rename(name, parts): value for name, value in weights.items()}
    return {**_identities(found, own), **found}


def _rename(name: str, parts: dict[int, str]) -> str:
    block = re.match(r"blocks\.(\d+)\.", name)
    if block is None or int(block[1]) not in parts:
        return name
    return rename_by(_RESNETS, f"{parts[int(block[1])]}.{name[block.end() :]}")


def _identities(found: Weights, own: Collection[str]) -> dict[str, torch.Tensor]:
    """Returns batch norms that change nothing, for those of a shortcut that the file lacks.

    X3D's first shortcut has one in SlowFast and none in pytorchvideo.
    """
    added = {}
    for name in own:
        block, _, what = name.rpartition(".branch1_bn.")
        if block and name not in found and f"{block}.branch1.weight" in found:
            ones = torch.ones(len(found[f"{block}.branch1.weight"]))
            added[name] = {
                "weight": ones, "bias": 0 * ones, "running_mean": 0 * ones,
                "running_var": ones - _BN_EPS, "num_batches_tracked": torch.tensor(0),
            }[what]  # fmt: skip
    return added


def _rename_mvit(weights: Weights, own: Collection[str]) -> Weights:
    weights, found = _plain(weights), {}
    for name, value in weights.items():
        match = _QKV.fullmatch(name)
        if match is not None:
            parts = [weights.get(f"{match[1]}{part}.{match[2]}") for part in "qkv"]
            if all(part is not None for part in parts):
                found[f"{match[1]}qkv.{match[2]}"] = torch.cat(parts)
                continue
        if not re.fullmatch(r".*\.attn\.[kv]\.(weight|bias)", name):
            found[rename_by(_MVIT, name)] = value
    return found


def _set_eps(model: nn.Module) -> None:
    for name, module in model.named_modules():
        if re.search(r"\.attn\.norm_[qkv]$", name):
            module.eps = _NORM_EPS


RESNETS = Table(
    name="pytorchvideo",
    matches=lambda names: any_match(r"^(model\.)?" + _STAGE.pattern, names),
    rename=_rename_resnet,
)
MVIT = Table(
    name="pytorchvideo MViT",
    matches=lambda names: any_match(r"^(model\.)?cls_positional_encoding\.", names),
    rename=_rename_mvit,
    prepare=_set_eps,
)
