"""VideoMAE's and VideoMAE v2's own repositories: fine-tuned networks, and pre-trained encoders.

Pre-trained files have a decoder too, which has no place here. Attention has biases of query and
value, and none of key. The number of heads is in no weight: it is what config.json says.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import torch

from slowfast_bias.models.weights.tables.attention import split
from slowfast_bias.models.weights.tables.table import Table, Weights, any_match, rename_by

_BLOCKS = "model.videomae.encoder.layer."
_RULES = (
    (r"^encoder\.", ""),
    (r"^patch_embed\.proj\.", "model.videomae.embeddings.patch_embeddings.projection."),
    (r"^norm\.", "model.videomae.layernorm."),
    (r"^fc_norm\.", "model.fc_norm."),
    (r"^head\.", "head.projection."),
    # inside a block
    (r"^(blocks\.\d+)\.norm1\.", r"\1.layernorm_before."),
    (r"^(blocks\.\d+)\.norm2\.", r"\1.layernorm_after."),
    (r"^(blocks\.\d+)\.attn\.q_bias$", r"\1.attention.attention.query.bias"),
    (r"^(blocks\.\d+)\.attn\.v_bias$", r"\1.attention.attention.value.bias"),
    (r"^(blocks\.\d+)\.attn\.qkv\.", r"\1.attention.attention.qkv."),
    (r"^(blocks\.\d+)\.attn\.proj\.", r"\1.attention.output.dense."),
    (r"^(blocks\.\d+)\.mlp\.fc1\.", r"\1.intermediate.dense."),
    (r"^(blocks\.\d+)\.mlp\.fc2\.", r"\1.output.dense."),
    (r"^blocks\.", _BLOCKS),
)
_KEY_BIAS = re.compile(re.escape(_BLOCKS) + r"\d+\.attention\.attention\.key\.bias")


def _rename(weights: Weights, own: Collection[str]) -> Weights:
    found = {rename_by(_RULES, name): value for name, value in weights.items()}
    split(found, ".attention.qkv.", [f".attention.{x}." for x in ("query", "key", "value")],
          ["weight"])  # fmt: skip
    for name in own:
        like = name.replace(".key.", ".query.")
        if _KEY_BIAS.fullmatch(name) and like in found and name not in found:
            found[name] = torch.zeros_like(found[like])
    return found


VIDEOMAE = Table(
    name="VideoMAE",
    matches=lambda names: any_match(r"^(encoder\.)?blocks\.\d+\.attn\.q_bias$", names),
    rename=_rename,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
)
