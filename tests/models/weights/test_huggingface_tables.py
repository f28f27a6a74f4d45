"""Files of the authors' own repositories, in the networks of transformers.

The way back, from transformers' names to theirs, is written here by hand, block by block.
"""

from __future__ import annotations

import pytest
import torch
from support.huggingface import CLASSES, call, clips, edit_json, save_tiny

from slowfast_bias import engine
from slowfast_bias.engine.setup.network import load_trained
from slowfast_bias.models.networks.huggingface import Huggingface, missing
from slowfast_bias.models.weights.errors import CheckpointError
from slowfast_bias.models.weights.fit import load_weights
from slowfast_bias.models.weights.names import rename

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(bool(missing()), reason="no transformers here"),
]


def pair(theirs, ours, ends=("weight", "bias")):
    return {f"{theirs}.{end}": f"{ours}.{end}" for end in ends}


def of_timesformer(w):
    names = {
        "cls_token": "timesformer.embeddings.cls_token",
        "pos_embed": "timesformer.embeddings.position_embeddings",
        "time_embed": "timesformer.embeddings.time_embeddings",
        **pair("patch_embed.proj", "timesformer.embeddings.patch_embeddings.projection"),
        **pair("norm", "timesformer.layernorm"),
        **pair("head", "classifier"),
    }
    for i in range(2):
        b, x = f"blocks.{i}", f"timesformer.encoder.layer.{i}"
        names |= {
            **pair(f"{b}.norm1", f"{x}.layernorm_before"),
            **pair(f"{b}.norm2", f"{x}.layernorm_after"),
            **pair(f"{b}.temporal_norm1", f"{x}.temporal_layernorm"),
            **pair(f"{b}.temporal_fc", f"{x}.temporal_dense"),
            **pair(f"{b}.attn.qkv", f"{x}.attention.attention.qkv"),
            **pair(f"{b}.attn.proj", f"{x}.attention.output.dense"),
            **pair(f"{b}.temporal_attn.qkv", f"{x}.temporal_attention.attention.qkv"),
            **pair(f"{b}.temporal_attn.proj", f"{x}.temporal_attention.output.dense"),
            **pair(f"{b}.mlp.fc1", f"{x}.intermediate.dense"),
            **pair(f"{b}.mlp.fc2", f"{x}.output.dense"),
        }
    return {"model_state": {f"model.{k}": w[v] for k, v in names.items() if v in w}}


def of_videomae(w):
    names = {
        **pair("patch_embed.proj", "videomae.embeddings.patch_embeddings.projection"),
        **pair("norm", "videomae.layernorm"),
        **pair("fc_norm", "fc_norm"),
        **pair("head", "classifier"),
    }
    qkv = {}
    for i in range(2):
        b, x = f"blocks.{i}", f"videomae.encoder.layer.{i}"
        names |= {
            **pair(f"{b}.norm1", f"{x}.layernorm_before"),
            **pair(f"{b}.norm2", f"{x}.layernorm_after"),
            f"{b}.attn.q_bias": f"{x}.attention.attention.query.bias",
            f"{b}.attn.v_bias": f"{x}.attention.attention.value.bias",
            **pair(f"{b}.attn.proj", f"{x}.attention.output.dense"),
            **pair(f"{b}.mlp.fc1", f"{x}.intermediate.dense"),
            **pair(f"{b}.mlp.fc2", f"{x}.output.dense"),
        }
        inner = [w[f"{x}.attention.attention.{n}.weight"] for n in ("query", "key", "value")]
        qkv[f"{b}.attn.qkv.weight"] = torch.cat(inner)
    return {"module": {**{k: w[v] for k, v in names.items() if v in w}, **qkv}}


def of_vjepa2(w):
    """Encoder and probe."""
    encoder = {
        **pair("patch_embed.proj", "vjepa2.encoder.embeddings.patch_embeddings.proj"),
        **pair("norm", "vjepa2.encoder.layernorm"),
    }
    cross = "pooler.cross_attention_layer"
    probe = {
        "pooler.query_tokens": "pooler.query_tokens",
        **pair("linear", "classifier"),
        **pair("pooler.cross_attention_block.xattn.q", f"{cross}.cross_attn.q_proj"),
    }
    for part in ("mlp.fc1", "mlp.fc2"):
        probe |= pair(f"pooler.cross_attention_block.{part}", f"{cross}.{part}")
        probe |= pair(f"pooler.blocks.0.{part}", f"pooler.self_attention_layers.0.{part}")
    for n in "12":
        probe |= pair(f"pooler.cross_attention_block.norm{n}", f"{cross}.layer_norm{n}")
        probe |= pair(f"pooler.blocks.0.norm{n}", f"pooler.self_attention_layers.0.layer_norm{n}")
    inner = "pooler.self_attention_layers.0.self_attn"
    probe |= pair("pooler.blocks.0.attn.proj", f"{inner}.out_proj")
    joined = {}
    for end in ("weight", "bias"):
        kv = [w[f"{cross}.cross_attn.{n}_proj.{end}"] for n in "kv"]
        joined[f"pooler.cross_attention_block.xattn.kv.{end}"] = torch.cat(kv)
        qkv = [w[f"{inner}.{n}_proj.{end}"] for n in "qkv"]
        joined[f"pooler.blocks.0.attn.qkv.{end}"] = torch.cat(qkv)
    blocks = {}
    for i in range(2):
        b, x = f"blocks.{i}", f"vjepa2.encoder.layer.{i}"
        for part in ("norm1", "norm2", "mlp.fc1", "mlp.fc2"):
            encoder |= pair(f"{b}.{part}", f"{x}.{part}")
        encoder |= pair(f"{b}.attn.proj", f"{x}.attention.proj")
        for end in ("weight", "bias"):
            inner = [w[f"{x}.attention.{n}.{end}"] for n in ("query", "key", "value")]
            blocks[f"{b}.attn.qkv.{end}"] = torch.cat(inner)
    whole = {**{k: w[v] for k, v in encoder.items()}, **blocks}
    first = {f"module.backbone.{k}": v for k, v in whole.items()}
    second = {f"module.{k}": w[v] for k, v in probe.items()} | {
        f"module.{k}": v for k, v in joined.items()
    }
    return {"encoder": first, "epoch": 3}, {"classifiers": [second], "epoch": 20}


CASES = [
    ("timesformer", {}, of_timesformer),
    ("timesformer", {"attention_type": "joint_space_time"}, of_timesformer),
    ("videomae", {}, of_videomae),
    ("videomae", {"use_mean_pooling": False}, of_videomae),
]


@pytest.mark.parametrize(("kind", "changes", "theirs"), CASES)
def test_a_file_of_the_authors_is_the_same_network(kind, changes, theirs, tmp_path):
    network = save_tiny(tmp_path, kind, **changes)
    model = Huggingface(str(tmp_path), CLASSES).eval()
    (weights,) = theirs(network.state_dict()).values()
    named, table = rename(weights, model.state_dict())
    assert set(named) == set(model.state_dict()) and table is not None
    load_weights(model, weights, "file.pth")
    with torch.no_grad():
        torch.testing.assert_close(model([clips()]), call(network, clips()).softmax(1))


def test_a_key_bias_that_a_module_has_is_zero(tmp_path):
    network = save_tiny(tmp_path, "videomae")
    own = dict(Huggingface(str(tmp_path), CLASSES).state_dict())
    extra = "model.videomae.encoder.layer.1.attention.attention.key.bias"
    own[extra] = torch.ones(16)
    named, _ = rename(of_videomae(network.state_dict())["module"], own)
    assert set(named) == set(own) and not named[extra].any()


def test_a_pretrained_encoder_loads_if_parts_are_asked_for(tmp_path):
    network = save_tiny(tmp_path, "videomae")
    weights = of_videomae(network.state_dict())["module"]
    weights = {f"encoder.{k}": v for k, v in weights.items() if "head" not in k and "fc_n" not in k}
    weights["decoder.norm.bias"] = torch.ones(8)
    model = Huggingface(str(tmp_path), CLASSES).eval()
    with pytest.raises(CheckpointError, match="decoder.norm.bias"):
        load_weights(model, weights, "checkpoint.pth")
    untouched = load_weights(model, weights, "checkpoint.pth", partial=True).untouched
    assert {name.split(".")[0] + "." + name.split(".")[1] for name in untouched} == {
        "model.fc_norm",
        "head.projection",
    }


def test_encoder_and_probe_of_vjepa2_are_joined(tiny, tmp_path):
    network = save_tiny(tmp_path, "vjepa2")
    edit_json(tmp_path / "preprocessor_config.json", do_normalize=True)
    encoder, probe = of_vjepa2(network.state_dict())
    torch.save(encoder, tmp_path / "vitl.pt")
    torch.save(probe, tmp_path / "probe.pt")
    words = ["MODEL.ARCH", "hf", "BIAS.HF.FOLDER", str(tmp_path)]
    words += ["TEST.CHECKPOINT_FILE_PATH", str(tmp_path / "vitl.pt")]
    cfg = tiny(*words, "BIAS.HF.PROBE", str(tmp_path / "probe.pt"))
    model = engine.build_network(cfg).eval()
    _, loaded = load_trained(cfg, model)
    assert loaded.source == "V-JEPA 2" and loaded.untouched == []
    with torch.no_grad():
        torch.testing.assert_close(model([clips()]), call(network, clips()).softmax(1))
    with pytest.raises(CheckpointError, match="pooler"):
        load_trained(tiny(*words), engine.build_network(cfg))
    with pytest.raises(CheckpointError, match="Expected a probe of V-JEPA 2"):
        wrong = tiny(*words, "BIAS.HF.PROBE", str(tmp_path / "vitl.pt"))
        load_trained(wrong, engine.build_network(cfg))
    whole = {"model_state": model.state_dict()}  # a checkpoint of ours needs no probe
    torch.save(whole, tmp_path / "own.pyth")
    words[-1] = str(tmp_path / "own.pyth")
    cfg = tiny(*words, "BIAS.HF.PROBE", str(tmp_path / "probe.pt"))
    assert load_trained(cfg, engine.build_network(cfg))[1].untouched == []
