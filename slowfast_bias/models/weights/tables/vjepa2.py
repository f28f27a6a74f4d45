"""V-JEPA 2's own repository: an encoder in one file, a probe (pooler and classifier) in another.

`join_probe` makes one of both; each alone lacks a part of the network.
"""

from __future__ import annotations

from collections.abc import Collection

from slowfast_bias.models.weights.errors import CheckpointError
from slowfast_bias.models.weights.tables.attention import split
from slowfast_bias.models.weights.tables.table import Table, Weights, any_match, rename_by

_ENCODER, _POOLER = "model.vjepa2.encoder.", "model.pooler."
_CROSS = f"{_POOLER}cross_attention_layer."
_RULES = (
    (r"^(module\.)?(backbone\.)?", ""),
    (r"^patch_embed\.", f"{_ENCODER}embeddings.patch_embeddings."),
    (r"^norm\.", f"{_ENCODER}layernorm."),
    (r"^linear\.", "head.projection."),
    (r"^blocks\.(\d+)\.attn\.", rf"{_ENCODER}layer.\1.attention."),
    (r"^blocks\.", f"{_ENCODER}layer."),
    # the probe
    (r"^(pooler\.(?:blocks\.\d+|cross_attention_block)\.)norm(\d)\.", r"\1layer_norm\2."),
    (r"^pooler\.blocks\.(\d+)\.attn\.proj\.", r"pooler.blocks.\1.self_attn.out_proj."),
    (r"^pooler\.blocks\.(\d+)\.attn\.", r"pooler.blocks.\1.self_attn."),
    (r"^pooler\.blocks\.", f"{_POOLER}self_attention_layers."),
    (r"^pooler\.cross_attention_block\.xattn\.q\.", f"{_CROSS}cross_attn.q_proj."),
    (r"^pooler\.cross_attention_block\.xattn\.", f"{_CROSS}cross_attn."),
    (r"^pooler\.cross_attention_block\.", _CROSS),
    (r"^pooler\.", _POOLER),
)  # fmt: skip
_BOTH = ("weight", "bias")
_OF_OTHERS = r"q_bias$|pool_[qkv]|rel_pos|cls_token|^cls_head\.|time_embed"


def join_probe(weights: Weights, probe: Weights, source: str) -> Weights:
    """Returns the weights of an encoder and of a probe for it as those of one file.

    Args:
        weights: of the encoder; if they have a classifier, they are whole and returned as they are.
        probe: of pooler and classifier.
        source: the file of the probe, for messages.
    """
    if "head.projection.weight" in weights:
        return weights
    if not any_match(r"(^|\.)pooler\.", probe) or not any_match(r"(^|\.)linear\.", probe):
        raise CheckpointError(
            f"Expected a probe of V-JEPA 2 in {source} (BIAS.HF.PROBE), weights of a `pooler` and "
            f"of `linear`, but it has {', '.join(list(probe)[:4])}, ..."
        )
    return {**weights, **probe}


def _matches(names: Collection[str]) -> bool:
    encoder = any_match(r"(^|\.)blocks\.\d+\.attn\.qkv\.bias$", names)
    probe = any_match(r"(^|\.)pooler\.cross_attention_block\.", names)
    return (encoder or probe) and not any_match(_OF_OTHERS, names)


def _rename(weights: Weights, own: Collection[str]) -> Weights:
    found = {rename_by(_RULES, name): value for name, value in weights.items()}
    three = ("query", "key", "value"), ("q_proj", "k_proj", "v_proj")
    split(found, ".attention.qkv.", [f".attention.{x}." for x in three[0]], _BOTH)
    split(found, ".self_attn.qkv.", [f".self_attn.{x}." for x in three[1]], _BOTH)
    split(found, ".cross_attn.kv.", [f".cross_attn.{x}." for x in three[1][1:]], _BOTH)
    return found


VJEPA2 = Table(
    name="V-JEPA 2",
    matches=_matches,
    rename=_rename,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
)
