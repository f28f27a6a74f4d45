"""Streams that start from a ResNet: all of it arrives, in one stream alone, or nothing does."""

from __future__ import annotations

import copy

import pytest
import torch
from support.masks import make, randomise, shared

from slowfast_bias.models.segmentation.resnet import ResNet
from slowfast_bias.models.weights.readers import CheckpointError
from slowfast_bias.models.weights.streams import fill_stream

STEMS = {  # stream -> its first batch norm
    "up": {"app": "encoder.bn1_1", "mot": "encoder.bn1_2"},
    "fusionseg": {"app": "backbone.app_stream.bn1", "mot": "backbone.mot_stream.bn1"},
    "r34": {"app": "spatial_net.inconv.1", "mot": "temporal_net.inconv.1"},
}


def resnet(design="resnet18", seed=5):
    net = ResNet(design, 8)
    randomise(net, seed)
    return {**net.state_dict(), "fc.weight": torch.zeros(1000, 64), "fc.bias": torch.zeros(1000)}


def changed(model, before):
    return {k for k, x in model.state_dict().items() if not torch.equal(x, before[k])}


@pytest.mark.parametrize("name", STEMS)
@pytest.mark.parametrize("stream", ["app", "mot"])
def test_a_resnet_arrives_in_one_stream(name, stream):
    model, weights = make(name), resnet()
    before = copy.deepcopy(model.state_dict())
    left = fill_stream(model, stream, weights, "file")
    six = name == "r34" and stream == "mot"
    assert left == (["temporal_net.inconv.0.weight"] if six else [])
    moved = changed(model, before)
    counters = sum(k.endswith("tracked") for k in weights)
    assert len(moved) == len(weights) - 2 - counters - six  # of zeros all
    stem = STEMS[name][stream]
    assert torch.equal(model.state_dict()[f"{stem}.running_var"], weights["bn1.running_var"])
    start = stem.rpartition(".")[0].partition("_")[0]
    assert all(k.startswith(start) for k in moved)
    there = [x for k, x in weights.items() if k[:3] != "fc." and not k.endswith("tracked")]
    if six:
        there.remove(next(x for x in there if x.ndim == 4))  # the first convolution
    sums = [
        sorted(float(x.sum()) for x in xs) for xs in (there, (model.state_dict()[k] for k in moved))
    ]
    assert sums[0] == sums[1]


@pytest.mark.parametrize("prefix", ["module.", "module.backbone."])
def test_prefixes_and_what_is_beside_it_are_left_out(prefix):
    model, plain = make("fusionseg"), make("fusionseg")
    fill_stream(plain, "app", resnet(), "file")
    weights = {f"{prefix}{k}": v for k, v in resnet().items()}
    other = {f"{prefix.removesuffix('backbone.')}classifier.aspp.convs.0.0.weight": torch.ones(1)}
    fill_stream(model, "app", weights | other, "file")
    assert not changed(model, plain.state_dict())


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        (lambda: resnet("resnet34"), "96 weights do not fit"),
        (lambda: {k: v for k, v in resnet().items() if "layer4" not in k}, "layer4"),
        (lambda: shared("r34").state_dict(), "of the kind RTNet; "),
        (lambda: {"backbone.0.body.conv1.weight": torch.ones(2)}, "of the kind DETR; "),
    ],
)
def test_what_does_not_fit_is_refused_whole(weights, says):
    model = make("up")
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(CheckpointError, match=f"file to hold a ResNet for .* app, .*{says}"):
        fill_stream(model, "app", weights(), "file")
    assert not changed(model, before)


def test_files_without_counters_fit():
    weights = {k: v for k, v in resnet().items() if not k.endswith("num_batches_tracked")}
    assert fill_stream(make("up"), "mot", weights, "file") == []
