"""Video classifiers of Hugging Face's transformers: blocks of tokens, in `Huggingface`'s wrapper.

Layers are the blocks by themselves and the head. V-JEPA 2's attentive pooler lies between them;
BIAS.LAYERS can name its blocks ("model.pooler.self_attention_layers.*").
"""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from slowfast_bias.bias.origin import TRANSFORMER
from slowfast_bias.bias.taps import Tap
from slowfast_bias.host.own_networks import OwnNetwork
from slowfast_bias.models.families.family import Family, head_tap, token_taps
from slowfast_bias.models.families.heads import slowfast_head
from slowfast_bias.models.networks.huggingface import Huggingface, missing
from slowfast_bias.models.networks.huggingface_files import describe
from slowfast_bias.models.networks.huggingface_folders import DOWNLOAD, FOLDER, KIND, find_folder

# Stacks of blocks, in network order. VideoPrism's see frames one by one, then places one by one:
# rows of one clip lie together in both, and a tap averages them.
_STACKS = {
    "timesformer": ["timesformer.encoder.layer"],
    "videomae": ["videomae.encoder.layer"],
    "vivit": ["vivit.layers"],
    "vjepa2": ["vjepa2.encoder.layer"],
    "videoprism_vision_model": ["vision_model.spatial_layers", "vision_model.temporal_layers"],
}
_NO_BLOCKS = ("predictor", "decoder", "pooler")
# Weights that tell a network which frame it sees; all of them start at zero in these kinds.
_POSITIONS = {"timesformer": "time_embeddings", "vivit": "position_embeddings"}


def _layers(model: nn.Module) -> list[Tap]:
    stacks = [f"model.{name}" for name in _STACKS.get(model.kind, ())]
    modules = dict(model.named_modules())
    if not stacks or any(name not in modules for name in stacks):  # another version's names
        stacks = [_longest_stack(modules)]
    has_class_token = any(name.endswith(".cls_token") for name, _ in model.named_parameters())
    taps = [
        replace(tap, first=True)  # a block may return an attention map after its features
        for name in stacks
        for tap in token_taps(name, len(modules[name]), has_class_token)
    ]
    return [*taps, head_tap(slowfast_head(model))]


def _longest_stack(modules: dict[str, nn.Module]) -> str:
    """Returns the longest list of blocks, by what transformers makes them of."""

    def holds_blocks(module: nn.Module) -> bool:
        kinds = {kind.__name__ for block in module.children() for kind in type(block).__mro__}
        return isinstance(module, nn.ModuleList) and "GradientCheckpointingLayer" in kinds

    found = [
        name
        for name, module in modules.items()
        if holds_blocks(module) and not any(word in name for word in _NO_BLOCKS)
    ]
    return max(found, key=lambda name: len(modules[name]))


def _warnings(model: nn.Module) -> list[str]:
    word = _POSITIONS.get(model.kind)
    found = [w for name, w in model.named_parameters() if word and name.endswith(word)]
    if not found or any(bool(weights.any()) for weights in found):
        return []
    return [
        f"the {word} of this network are zero, as they are before training: it is blind to the "
        "order of its frames (of its tubelets, where two frames are one)"
    ]


def _published(folder: str, download: bool, wanted: str) -> str:
    # `describe`, which gets the same values, has compared the kind with `wanted`
    return str(find_folder(folder, download, weights=True)) if folder else ""


FAMILY = Family(
    name="huggingface",
    matches=lambda model: isinstance(model, Huggingface),
    layers=_layers,
    head=slowfast_head,
    warnings=_warnings,
    model_names={"hf": "Huggingface"},
    described_by={"folder": FOLDER},
    sized_by=(FOLDER,),
    designs={"hf": TRANSFORMER},
    own=OwnNetwork(
        arch="hf",
        model_name="Huggingface",
        build=Huggingface,
        arguments={
            "folder": FOLDER,
            "download": DOWNLOAD,
            "num_classes": "MODEL.NUM_CLASSES",
            "dropout": "MODEL.DROPOUT_RATE",
        },
        only={"MODEL.HEAD_ACT": ("softmax",)},
        missing=missing,
        describe=describe,
        published=_published,
        described_by={"folder": FOLDER, "download": DOWNLOAD, "wanted": KIND},
    ),
)
