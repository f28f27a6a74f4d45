"""TimeSformer's own repository: `model_state` of its .pyth files, without the prefix `model.`."""

from __future__ import annotations

from collections.abc import Collection

from slowfast_bias.models.weights.tables.table import Table, Weights, rename_by

_BLOCKS, _EMBEDDINGS = "model.timesformer.encoder.layer.", "model.timesformer.embeddings."
_RULES = (
    (r"^cls_token$", f"{_EMBEDDINGS}cls_token"),
    (r"^pos_embed$", f"{_EMBEDDINGS}position_embeddings"),
    (r"^time_embed$", f"{_EMBEDDINGS}time_embeddings"),
    (r"^patch_embed\.proj\.", f"{_EMBEDDINGS}patch_embeddings.projection."),
    (r"^norm\.", "model.timesformer.layernorm."),
    (r"^head\.", "head.projection."),
    # inside a block; in this order, as new names hold old ones
    (r"^(blocks\.\d+)\.norm1\.", r"\1.layernorm_before."),
    (r"^(blocks\.\d+)\.norm2\.", r"\1.layernorm_after."),
    (r"^(blocks\.\d+)\.temporal_norm1\.", r"\1.temporal_layernorm."),
    (r"^(blocks\.\d+)\.temporal_fc\.", r"\1.temporal_dense."),
    (r"^(blocks\.\d+)\.(temporal_)?attn\.qkv\.", r"\1.\2attention.attention.qkv."),
    (r"^(blocks\.\d+)\.(temporal_)?attn\.proj\.", r"\1.\2attention.output.dense."),
    (r"^(blocks\.\d+)\.mlp\.fc1\.", r"\1.intermediate.dense."),
    (r"^(blocks\.\d+)\.mlp\.fc2\.", r"\1.output.dense."),
    (r"^blocks\.", _BLOCKS),
)


def _rename(weights: Weights, own: Collection[str]) -> Weights:
    return {rename_by(_RULES, name): value for name, value in weights.items()}


TIMESFORMER = Table(
    name="TimeSformer",
    matches=lambda names: {"time_embed", "cls_token"} <= set(names),
    rename=_rename,
    mean=(0.45, 0.45, 0.45),
    std=(0.225, 0.225, 0.225),
)
