"""The generator of Few-Shot-Patch-Based Training: names, shapes, and any size of frame."""

from __future__ import annotations

import pytest
import torch

from slowfast_bias.models.style_generator import PatchGenerator, Shape, find_weights

SMALL = {"stem": 4, "half": 6, "quarter": 8, "up": 5, "last": 7, "blocks": 2}

# Written down from the published network in its usual setting: 7 blocks, filters 32 64 128 128 128
# 64, biases, batch norm, smoothers and tanh.
USUAL = {
    "conv0.conv.weight": (32, 3, 7, 7), "conv0.conv.bias": (32,),
    "conv0.normalization.weight": (32,), "conv0.normalization.running_var": (32,),
    "conv1.conv.weight": (64, 32, 3, 3), "conv1.normalization.bias": (64,),
    "conv2.conv.weight": (128, 64, 3, 3), "conv2.normalization.running_mean": (128,),
    "resnets.0.conv_0.weight": (128, 128, 3, 3), "resnets.0.normalization.weight": (128,),
    "resnets.6.conv_1.weight": (128, 128, 3, 3), "resnets.6.conv_1.bias": (128,),
    "upconv2.1.weight": (128, 256, 3, 3), "upconv2.2.weight": (128,),
    "upconv1.1.weight": (128, 192, 3, 3), "upconv1.2.running_mean": (128,),
    "conv_11.0.weight": (64, 163, 7, 7), "conv_11.0.bias": (64,),
    "conv_11_a.0.weight": (64, 64, 3, 3), "conv_11_a.2.weight": (64,),
    "conv_11_a.3.bias": (64,), "conv_12.0.weight": (3, 64, 1, 1), "conv_12.0.bias": (3,),
}  # fmt: skip


def random(**changes):
    torch.manual_seed(0)
    network = PatchGenerator(Shape(**{**SMALL, **changes})).eval()
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            value.uniform_(0.5, 1.5) if "var" in name else value.normal_(0, 0.3)
    return network


def test_names_and_shapes_are_those_of_the_published_network():
    weights = PatchGenerator().state_dict()
    assert {name: tuple(weights[name].shape) for name in USUAL} == USUAL
    assert not any(name.startswith(("upconv2.1.bias", "resnets.7")) for name in weights)
    # 23 convolutions, 2 of them without a bias, and 13 normalisations of 5 tensors
    assert len(weights) == 23 + 21 + 13 * 5


@pytest.mark.parametrize(
    "changes",
    [
        {}, {"bias": False}, {"tanh": False}, {"smooth": False}, {"blocks": 0}, {"inputs": 9},
        {"norm": "instance"}, {"norm": "none", "smooth": False},
    ],
)  # fmt: skip
def test_the_shape_is_read_off_the_weights(changes):
    network = random(**changes)
    norm = changes.get("norm")
    again = PatchGenerator.of(network.state_dict(), norm).eval()
    assert again.shape == network.shape
    x = torch.rand(2, network.shape.inputs, 16, 20)
    assert torch.equal(network(x), again(x))


def test_a_state_dict_may_be_held_by_a_dict_and_prefixed():
    weights = random().state_dict()
    prefixed = {f"module.{name}": value for name, value in weights.items()}
    trainer = {"discriminator.conv0.weight": torch.zeros(3), "step": torch.tensor(7), "lr": 0.1}
    trainer |= {f"_orig_mod.generator.{name}": value for name, value in weights.items()}
    for checkpoint in (
        weights,
        prefixed,
        trainer,
        {"state_dict": weights, "epoch": 3},
        {"epoch": torch.tensor(3), "model": {"state_dict": prefixed}},
        {
            name: value.half() if value.is_floating_point() else value
            for name, value in weights.items()
        },
    ):
        assert list(find_weights(checkpoint)) == list(weights)
        PatchGenerator.of(checkpoint)


def test_what_is_no_such_network_is_refused_by_name():
    with pytest.raises(ValueError, match=r"no 'conv0.conv.weight' among fc.weight"):
        PatchGenerator.of({"fc.weight": torch.zeros(2)})
    with pytest.raises(ValueError, match="Expected a state_dict, .*'epoch'"):
        PatchGenerator.of({"epoch": 3})
    broken = {**random().state_dict(), "conv1.conv.weight": torch.zeros(6, 5, 3, 3)}
    with pytest.raises(ValueError, match=r"size mismatch for conv1\.conv\.weight"):
        PatchGenerator.of(broken)
    for wrong in (torch.tensor(1.0), torch.zeros(6, 5)):
        flat = {**random().state_dict(), "conv1.conv.weight": wrong}
        with pytest.raises(ValueError, match=r"`conv1\.conv\.weight` to be a convolution's"):
            PatchGenerator.of(flat)


def test_norms_without_weights_must_be_told_apart_and_others_not():
    with pytest.raises(ValueError, match="instance or none"):
        PatchGenerator.of(random(norm="instance").state_dict())
    with pytest.raises(ValueError, match="batch, or not given"):
        PatchGenerator.of(random().state_dict(), "none")
    x = torch.rand(1, 3, 8, 8)
    bare = random(norm="none").state_dict()
    one, other = (PatchGenerator.of(bare, norm).eval()(x) for norm in ("instance", "none"))
    assert not torch.allclose(one, other)


def test_frames_of_any_size_come_out_in_theirs_and_in_range():
    network = random()
    for size in ((16, 16), (17, 22), (5, 3)):
        styled = network.stylize(torch.rand(2, 3, *size))
        assert styled.shape == (2, 3, *size)
        assert styled.min() >= 0 and styled.max() <= 1 and styled.std() > 0.01


def test_padding_changes_no_pixel_of_frames_that_need_none():
    network, x = random(), torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        assert torch.allclose(network.stylize(x), (network(x * 2 - 1).clamp(-1, 1) + 1) / 2)


def test_every_earlier_size_is_handed_on():
    network, x = random(), torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        before = network(x)
        for name in ("upconv2.1", "upconv1.1", "conv_11.0"):
            weight = network.get_parameter(f"{name}.weight")
            kept = weight.clone()
            weight[:, -3:] = 0  # the last of what is joined on: the earlier size
            assert not torch.allclose(network(x), before)
            weight.copy_(kept)
