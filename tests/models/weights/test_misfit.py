"""What is said of a file that does not fit: whose it is, its classes, its frames, and the key."""

from __future__ import annotations

import pytest
import torch
from support.networks import MVIT, lacks

from slowfast_bias import engine, host
from slowfast_bias.models.weights.describe import classes_of, clip_of, describe, name_classes
from slowfast_bias.models.weights.fit import load_weights
from slowfast_bias.models.weights.readers import CheckpointError

pytestmark = pytest.mark.host


@pytest.fixture
def net(tiny):
    return lambda *opts: host.build_model(tiny(*opts, check=False))


def refusal(model, weights, **named):
    with pytest.raises(CheckpointError) as caught:
        load_weights(model, weights, "file", **named)
    return str(caught.value)


NAMES = {
    "TimeSformer": "model.blocks.0.temporal_attn.qkv.weight",
    "VideoMAE": "encoder.blocks.0.attn.q_bias",
    "V-JEPA 2": "module.pooler.cross_attention_block.xattn.q.weight",
    "ViViT": "vivit.encoder.layer.0.attention.attention.query.weight",
    "Inception I3D": "Mixed_3b.b0.bn.weight",
    "X3D": "s1.pathway0_stem.conv_xy.weight",
    "MViT": "blocks.1.attn.pool_q.weight",
    "SlowFast": "blocks.1.multipathway_blocks.1.res_blocks.0.branch1_conv.weight",
    "SlowOnly, I3D or C2D": "backbone.layer1.0.conv1.conv.weight",
    "ResNet": "layer1.0.conv1.weight",
}


@pytest.mark.parametrize("kind", NAMES)
def test_a_file_of_another_family_is_named(net, kind):
    assert describe([NAMES[kind], "something.else"]) == kind
    message = refusal(net("MODEL.ARCH", "slow"), {NAMES[kind]: torch.zeros(2)})
    if kind != "SlowOnly, I3D or C2D":
        assert f"of the kind {kind}, and the config builds SlowOnly, I3D or C2D" in message
    assert "It has no classifier" in message and "BIAS.ALLOW_PARTIAL_WEIGHTS True" in message


def test_our_own_networks_are_described(net):
    from support.networks import SLOWFAST

    assert describe(net().state_dict()) == "SlowOnly, I3D or C2D"
    assert describe(net(*SLOWFAST).state_dict()) == "SlowFast"
    assert describe(["a.weight"]) == ""


@pytest.mark.parametrize(
    "name",
    ["head.projection.bias", "head.proj.bias", "blocks.6.proj.bias", "cls_head.fc_cls.bias",
     "model.head.bias", "classifier.bias", "module.linear.bias", "logits.conv3d.bias", "fc.bias"],
)  # fmt: skip
def test_the_classes_of_every_source_are_counted(name):
    weights = {
        "blocks.0.attn.proj.bias": torch.zeros(9), "blocks.0.temporal_fc.bias": torch.zeros(8),
        name: torch.zeros(7),
    }  # fmt: skip
    assert classes_of(weights) == 7
    assert classes_of({k: v for k, v in weights.items() if k != name}) is None


def test_the_bias_of_a_block_is_no_classifier():
    assert classes_of({"blocks.2.proj.bias": torch.zeros(192)}) == 192  # pytorchvideo's head
    names = ["blocks.2.proj.bias", "blocks.2.attn.qkv.bias"]
    assert classes_of(dict.fromkeys(names, torch.zeros(192))) is None


# What files of each source have beside a classifier; its own bias -> 7.
FILES = {
    "TimeSformer": (["model.patch_embed.proj.bias", "model.blocks.0.attn.proj.bias",
                     "model.blocks.0.temporal_fc.bias"], "model.head.bias"),
    "VideoMAE": (["patch_embed.proj.bias", "blocks.0.attn.proj.bias", "fc_norm.bias"],
                 "head.bias"),
    "VideoMAE's first training": (["encoder.patch_embed.proj.bias", "decoder.head.bias",
                                   "decoder.blocks.0.attn.proj.bias"], None),
    "V-JEPA 2's probe": (["module.pooler.blocks.0.attn.proj.bias",
                          "module.pooler.cross_attention_block.mlp.fc1.bias"],
                         "module.linear.bias"),
    "V-JEPA 2": (["module.backbone.patch_embed.proj.bias",
                  "module.backbone.blocks.0.attn.proj.bias"], None),
    "pytorchvideo": (["blocks.0.multipathway_blocks.0.norm.bias"], "blocks.6.proj.bias"),
    "pytorchvideo's MViT": (["patch_embed.patch_model.bias", "blocks.0.attn.proj.bias",
                             "blocks.0.proj.bias"], "head.proj.bias"),
    "SlowFast's MViT": (["patch_embed.proj.bias", "blocks.0.proj.bias", "blocks.0.attn.proj.bias"],
                        "head.projection.bias"),
    "mmaction": (["backbone.layer1.0.conv1.bn.bias"], "cls_head.fc_cls.bias"),
    "Hugging Face": (["videomae.embeddings.patch_embeddings.projection.bias", "fc_norm.bias"],
                     "classifier.bias"),
}  # fmt: skip


@pytest.mark.parametrize("source", FILES)
def test_patches_and_decoders_are_no_classifiers(source):
    others, name = FILES[source]
    weights = {other: torch.zeros(768) for other in others}
    assert classes_of(weights) is None
    if name:
        assert classes_of({name: torch.zeros(7), **weights}) == 7
        assert classes_of({**weights, name: torch.zeros(7)}) == 7


def test_an_encoder_with_patches_is_said_to_have_no_classifier(net):
    names = ["module.backbone.patch_embed.proj.bias", "module.backbone.blocks.0.attn.qkv.bias"]
    assert "It has no classifier" in refusal(net(), dict.fromkeys(names, torch.zeros(1024)))


def test_another_class_count_names_the_data_set_it_is_known_from(net):
    message = refusal(net(), net("MODEL.NUM_CLASSES", 174).state_dict())
    assert "has 174 classes (as Something-Something V2), MODEL.NUM_CLASSES is 4" in message
    assert "set MODEL.NUM_CLASSES 174, or set BIAS.NEW_CLASSIFIER True, in training only" in message
    assert "To measure the layers before it, BIAS.ALLOW_PARTIAL_WEIGHTS" in message
    assert name_classes(5) == "5 classes"


def test_a_new_classifier_is_the_only_thing_forgiven(net):
    source, model = net("MODEL.NUM_CLASSES", 7), net()
    fresh = model.head.projection.weight.clone()
    loaded = load_weights(model, source.state_dict(), "file", new_classifier=True)
    assert loaded.untouched == ["head.projection.weight", "head.projection.bias"]
    assert torch.equal(model.head.projection.weight, fresh)
    assert torch.equal(model.s1.pathway0_stem.conv.weight, source.s1.pathway0_stem.conv.weight)
    whole = net().state_dict()
    headless = {k: v for k, v in whole.items() if not k.startswith("head.")}
    assert load_weights(net(), headless, "file", new_classifier=True).untouched
    for change in ("s1.pathway0_stem.conv.weight", "s5.pathway0_res1.branch2.b_bn.bias"):
        weights = {k: v for k, v in headless.items() if k != change}
        assert change in refusal(net(), weights, new_classifier=True)
    refusal(net(), {**whole, "another.weight": torch.zeros(1)}, new_classifier=True)
    refusal(net("RESNET.WIDTH_PER_GROUP", 16), source.state_dict(), new_classifier=True)


def test_a_file_without_a_classifier_says_what_can_be_done(net):
    weights = {k: v for k, v in net().state_dict().items() if not k.startswith("head.")}
    message = refusal(net(), weights)
    assert "has no classifier" in message and "BIAS.NEW_CLASSIFIER True" in message
    assert "BIAS.ALLOW_PARTIAL_WEIGHTS True; there is no accuracy then, and no layer" in message


@pytest.mark.parametrize(
    ("name", "there", "here", "frames", "expected"),
    [
        ("pos_embed_temporal", (1, 16, 96), (1, 8, 96), 16, ("frames", 32)),
        ("model.time_embed", (1, 8, 768), (1, 96, 768), 96, ("frames", 8)),
        ("blocks.0.attn.rel_pos_t", (15, 96), (31, 96), 32, ("frames", 16)),
        ("pos_embed_temporal", (1, 16, 96), (1, 8, 48), 16, None),  # another width
        ("pos_embed_spatial", (1, 3136, 96), (1, 784, 96), 16, ("pixels", 224)),
        ("blocks.3.attn.rel_pos_h", (55, 96), (27, 96), 16, ("pixels", 224)),
        ("norm.weight", (16,), (8,), 16, None),
    ],
)
def test_the_clips_of_a_file_follow_from_its_embeddings(name, there, here, frames, expected):
    assert clip_of(name, torch.Size(there), torch.Size(here), frames, 112) == expected


@lacks("mvit")
@pytest.mark.parametrize("v2", [False, True])
def test_a_file_made_for_other_clips_names_them(tiny, v2):
    kind = ["MVIT.USE_ABS_POS", False, "MVIT.REL_POS_SPATIAL", True, "MVIT.REL_POS_TEMPORAL", True]
    kind = kind if v2 else ["MVIT.SEP_POS_EMBED", True]

    def net(frames, size):
        sides = ["DATA.TRAIN_CROP_SIZE", size, "DATA.TEST_CROP_SIZE", size]
        return engine.build_network(tiny(*MVIT, *kind, "DATA.NUM_FRAMES", frames, *sides))

    source = net(16, 64).state_dict()
    words = "DATA.TRAIN_CROP_SIZE 64 DATA.TEST_CROP_SIZE 64"
    assert f"set {words}." in refusal(net(16, 32), source, frames=16, size=32)
    assert "set DATA.NUM_FRAMES 16." in refusal(net(8, 64), source, frames=8, size=64)
    both = refusal(net(8, 32), source, frames=8, size=32)
    assert f"set DATA.NUM_FRAMES 16 {words}." in both and "RESNET" not in both
    assert "MODEL.ARCH, MVIT.DEPTH, MVIT.EMBED_DIM and MVIT.REL_POS_SPATIAL, or" in refusal(
        net(16, 64), {"a": torch.zeros(1)}
    )


class Timed(torch.nn.Module):
    """A network with an embedding for every two frames."""

    def __init__(self, frames):
        super().__init__()
        self.pos_embed_temporal = torch.nn.Parameter(torch.zeros(1, frames // 2, 4))
        self.layer = torch.nn.Linear(4, 3)


def test_a_file_made_for_other_frames_says_so():
    message = refusal(Timed(32), Timed(16).state_dict(), frames=32)
    assert "made for 16 frames, DATA.NUM_FRAMES is 32: set DATA.NUM_FRAMES 16" in message
    other = {**Timed(16).state_dict(), "layer.weight": torch.zeros(2, 4)}
    assert "other shapes" in refusal(Timed(32), other, frames=32)
