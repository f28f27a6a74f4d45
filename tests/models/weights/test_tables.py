"""Every table leads from a source's names to those of our networks, each to one and back."""

from __future__ import annotations

import re

import pytest
import torch
from support.foreign_names import in_stage, of_mmaction, of_pytorchvideo
from support.networks import MVIT, SLOWFAST, X3D, lacks

from slowfast_bias import host
from slowfast_bias.models.weights.fit import load_weights
from slowfast_bias.models.weights.readers import CheckpointError
from slowfast_bias.models.weights.tables import TABLES, find_table

pytestmark = pytest.mark.host

STAGES = {"slow": (1, 2, 3, 4), "i3d": (1, 3, 4, 5), "c2d": (1, 3, 4, 5)}  # a pool counts
DEEP = ["RESNET.DEPTH", 50, "RESNET.NUM_BLOCK_TEMP_KERNEL", [[3], [4], [6], [3]]]
DEEP_TWO = ["RESNET.DEPTH", 50, "RESNET.NUM_BLOCK_TEMP_KERNEL", [[3, 3], [4, 4], [6, 6], [3, 3]]]


def stir(model, seed=0):
    """Gives a network weights of which no two are alike, batch norms included."""
    torch.manual_seed(seed)
    for value in model.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.rand(value.shape) + 0.5)
    return model


@pytest.fixture
def net(tiny):
    def build(*opts):
        return stir(host.build_model(tiny(*opts, check=False)))

    return build


# -- the sources' names, from their own rules ------------------------------------------------------


def x3d_of_pytorchvideo(weights):
    """X3D's own names: the stem the other way round, excitation inside `norm_b`, a head of 3."""
    names = {}
    for name in weights:
        if name.startswith("s2.pathway0_res0.branch1_bn."):
            continue  # it has none
        new = name.replace("s1.pathway0_stem.conv_xy.", "blocks.0.conv.conv_t.")
        new = new.replace("s1.pathway0_stem.conv.", "blocks.0.conv.conv_xy.")
        new = new.replace("s1.pathway0_stem.bn.", "blocks.0.norm.")
        for mine, theirs in (
            ("conv_5_bn", "pool.pre_norm"), ("conv_5", "pool.pre_conv"),
            ("lin_5", "pool.post_conv"), ("projection", "proj"),
        ):  # fmt: skip
            new = new.replace(f"head.{mine}.", f"blocks.5.{theirs}.")
        if re.match(r"s\d\.pathway0_res", new):
            new = new.replace("branch2.se.fc1.", "branch2.norm_b.1.block.0.")
            new = new.replace("branch2.se.fc2.", "branch2.norm_b.1.block.2.")
            if "norm_b.1" in new:
                stage, block = re.match(r"s(\d)\.pathway0_res(\d+)\.", new).groups()
                rest = new.partition(f"pathway0_res{block}.")[2]
                new = f"blocks.{int(stage) - 1}.res_blocks.{block}.{rest}"
            else:
                new = in_stage(new, (1, 2, 3, 4), 1).replace("norm_b.", "norm_b.0.")
        names[name] = new
    return {names[name]: weights[name] for name in names}


def x3d_of_mmaction(weights):
    found = {}
    for name, value in of_mmaction(weights).items():
        new = name.replace("backbone.conv1.conv_xy.", "backbone.conv1_s.conv.")
        new = new.replace("backbone.conv1.", "backbone.conv1_t.")
        new = new.replace("branch2.se.", "se_module.")
        new = new.replace("head.conv_5.", "backbone.conv5.conv.")
        new = new.replace("head.conv_5_bn.", "backbone.conv5.bn.")
        new = new.replace("head.lin_5.", "cls_head.fc1.").replace(".fc_cls.", ".fc2.")
        found[new] = value[:, :, 0, 0, 0] if new == "cls_head.fc1.weight" else value
    return found


def mvit_of_pytorchvideo(weights):
    found = {}
    for name, value in weights.items():
        new = name.replace("patch_embed.proj.", "patch_embed.patch_model.")
        if name.startswith("pos_embed") or name == "cls_token":
            new = f"cls_positional_encoding.{name}"
        new = re.sub(r"^norm\.", "norm_embed.", new).replace("head.projection.", "head.proj.")
        if ".attn.qkv." in new:
            for letter, part in zip("qkv", value.chunk(3), strict=True):
                found[new.replace("qkv", letter)] = part
        else:
            found[new] = value
    return found


def arrives(source, model, weights, table, count):
    """Loads into another network of the same kind; every weight must be in its place."""
    loaded = load_weights(model, weights, "file")
    assert (loaded.source, loaded.untouched) == (table, [])
    expected = source.state_dict()
    assert len(expected) == count
    for name, value in model.state_dict().items():
        assert torch.equal(value, expected[name]), name


CASES = [("slow", ["MODEL.ARCH", "slow", *DEEP]), ("i3d", ["MODEL.ARCH", "i3d", *DEEP]),
         ("c2d", ["MODEL.ARCH", "c2d", *DEEP])]  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "model.", "module.model."])
@pytest.mark.parametrize(("arch", "opts"), CASES)
def test_pytorchvideo_one_pathway(net, arch, opts, prefix):
    source, model = net(*opts), stir(net(*opts), seed=1)
    weights = of_pytorchvideo(source.state_dict(), STAGES[arch])
    assert len(set(weights)) == 320
    arrives(source, model, {prefix + k: v for k, v in weights.items()}, "pytorchvideo", 320)


@pytest.mark.parametrize("prefix", ["", "model."])
def test_pytorchvideo_two_pathways(net, prefix):
    opts = [*SLOWFAST, *DEEP_TWO]
    source, model = net(*opts), stir(net(*opts), seed=1)
    weights = of_pytorchvideo(source.state_dict(), (1, 2, 3, 4), pathways=2)
    arrives(source, model, {prefix + k: v for k, v in weights.items()}, "pytorchvideo", 662)


@pytest.mark.parametrize("arch", ["slow", "c2d"])
def test_mmaction(net, arch):
    opts = ["MODEL.ARCH", arch, *DEEP]
    source, model = net(*opts), stir(net(*opts), seed=1)
    arrives(source, model, of_mmaction(source.state_dict()), "mmaction2", 320)


@pytest.mark.parametrize("change", ["i3d", "slowfast"])
def test_networks_of_mmaction_that_are_others_are_refused_with_the_reason(net, change):
    if change == "i3d":
        model = net("MODEL.ARCH", "i3d", *DEEP)
        weights, says = of_mmaction(model.state_dict()), "mmaction2's I3D, .* strides of 2"
    else:
        model, says = net(*SLOWFAST), "no batch norm and no ReLU"
        weights = {"backbone.slow_path.conv1.conv.weight": torch.zeros(1)}
    with pytest.raises(CheckpointError, match=f"Expected file to fit .*{says}.*Give a file of"):
        load_weights(model, weights, "file")


@lacks("x3d")
def test_pytorchvideo_x3d(net):
    source, model = net(*X3D), stir(net(*X3D), seed=1)
    own = source.state_dict()
    first = "s2.pathway0_res0.branch1_bn."
    identity = {"weight": 1.0, "bias": 0.0, "running_mean": 0.0, "running_var": 1 - 1e-5}
    for name, value in identity.items():
        own[first + name].fill_(value)
    weights = x3d_of_pytorchvideo(own)
    assert len(set(weights)) == len(own) - 5
    arrives(source, model, weights, "pytorchvideo", len(own))


@lacks("x3d")
def test_mmaction_x3d(net):
    source, model = net(*X3D), stir(net(*X3D), seed=1)
    own = source.state_dict()
    weights = x3d_of_mmaction(own)
    assert len(weights) == len(own) and weights["cls_head.fc1.weight"].ndim == 2
    arrives(source, model, weights, "mmaction2 X3D", len(own))


@lacks("x3d")
def test_an_identity_changes_nothing(net):
    model = net(*X3D)
    load_weights(model, x3d_of_pytorchvideo(net(*X3D).state_dict()), "file")
    x = torch.randn(2, 8, 2, 3, 3)
    assert torch.equal(model.eval().s2.pathway0_res0.branch1_bn(x), x)


@lacks("mvit")
def test_pytorchvideo_mvit(net):
    source, model = net(*MVIT), stir(net(*MVIT), seed=1)
    weights = mvit_of_pytorchvideo(source.state_dict())
    arrives(source, model, weights, "pytorchvideo MViT", len(source.state_dict()))
    norms = [m for k, m in model.named_modules() if re.search(r"attn\.norm_[qkv]$", k)]
    assert norms and all(norm.eps == 1e-5 for norm in norms)


# -- when a table is asked -------------------------------------------------------------------------


def test_names_that_fit_are_never_translated(net):
    model = net()
    for prefix in ("", "module.", "_orig_mod.", "module._orig_mod.", "model."):
        weights = {prefix + name: value for name, value in model.state_dict().items()}
        assert find_table(model.state_dict()) is None
        assert load_weights(net(), weights, "file") == ([], None)


def test_a_prefix_is_taken_off_all_names_or_none(net):
    model = net()
    weights = {f"module.{name}": value for name, value in model.state_dict().items()}
    weights["head.projection.bias"] = weights.pop("module.head.projection.bias")
    with pytest.raises(CheckpointError, match="module.s1"):
        load_weights(model, weights, "file")


def test_a_network_may_have_the_prefix_itself(net):
    inner = net()
    wrapped = torch.nn.ModuleDict({"model": inner})
    assert load_weights(wrapped, wrapped.state_dict(), "file") == ([], None)
    assert load_weights(wrapped, inner.state_dict(), "file") == ([], None)


def test_a_translated_file_that_lacks_one_weight_is_refused(net):
    opts = ["MODEL.ARCH", "slow", *DEEP]
    model = net(*opts)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    weights = of_pytorchvideo(net(*opts).state_dict(), STAGES["slow"])
    del weights["blocks.2.res_blocks.1.branch2.conv_b.weight"]
    with pytest.raises(CheckpointError, match=r"lacks 1 weights \(s3.pathway0_res1.branch2.b"):
        load_weights(model, weights, "file")
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_each_source_has_a_name_of_its_own():
    names = [table.name for table in TABLES]
    assert len(set(names)) == len(names) and all(names)
