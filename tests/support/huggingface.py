"""Tiny folders of Hugging Face, one of every kind; tests that use them `importorskip` first."""

import json

import torch

FRAMES, SIDE, CLASSES = 8, 32, 4
_COMMON = {
    "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32, "image_size": SIDE,
    "num_frames": FRAMES, "num_labels": CLASSES,
}  # fmt: skip
KINDS = {
    "timesformer": {**_COMMON, "num_hidden_layers": 2, "patch_size": 16},
    "videomae": {
        **_COMMON, "num_hidden_layers": 2, "patch_size": 16, "decoder_hidden_size": 8,
        "decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 2,
        "decoder_intermediate_size": 8,
    },
    "vivit": {**_COMMON, "num_hidden_layers": 2, "tubelet_size": [2, 16, 16]},
    "vjepa2": {
        "hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2, "mlp_ratio": 2,
        "crop_size": SIDE, "patch_size": 16, "frames_per_clip": FRAMES, "num_pooler_layers": 1,
        "pred_hidden_size": 8, "pred_num_attention_heads": 2, "pred_num_hidden_layers": 1,
        "num_labels": CLASSES,
    },
    "videoprism_vision_model": {
        **_COMMON, "num_spatial_layers": 2, "num_temporal_layers": 1, "tubelet_size": [1, 16, 16],
    },
}  # fmt: skip
# Blocks of each kind, and whether a class token leads their tokens.
BLOCKS = {
    "timesformer": (["model.timesformer.encoder.layer.0", "model.timesformer.encoder.layer.1"], 1),
    "videomae": (["model.videomae.encoder.layer.0", "model.videomae.encoder.layer.1"], 0),
    "vivit": (["model.vivit.layers.0", "model.vivit.layers.1"], 1),
    "vjepa2": (["model.vjepa2.encoder.layer.0", "model.vjepa2.encoder.layer.1"], 0),
    "videoprism_vision_model": (
        ["model.vision_model.spatial_layers.0", "model.vision_model.spatial_layers.1",
         "model.vision_model.temporal_layers.0"], 0,
    ),
}  # fmt: skip


def tiny_network(kind, auto="AutoModelForVideoClassification", seed=0, **changes):
    """A network of transformers in eval mode; no weight of it is zero, so that each one counts."""
    import transformers

    transformers.utils.logging.disable_progress_bar()
    config = transformers.AutoConfig.for_model(kind, **{**KINDS[kind], **changes})
    network = getattr(transformers, auto).from_config(config).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.2)
    return network


def save_tiny(folder, kind, **changes):
    """Writes such a network, as `save_pretrained` does, and returns it."""
    network = tiny_network(kind, **changes)
    network.save_pretrained(folder)
    return network


def edit_json(path, **changes):
    """Changes entries of a JSON file; None takes one out. A new file begins empty."""
    content = json.loads(path.read_text()) if path.exists() else {}
    content = {k: v for k, v in {**content, **changes}.items() if v is not None}
    path.write_text(json.dumps(content))


def call(network, clips):
    """Logits (B, classes) of a network of transformers for clips (B, 3, T, H, W)."""
    with torch.no_grad():
        return network(**{network.main_input_name: clips.transpose(1, 2)}).logits.flatten(1)


def clips(count=2, seed=1, frames=FRAMES):
    return torch.randn(count, 3, frames, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))
