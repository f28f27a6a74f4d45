"""Every network that a host can build: built by config, run, stepped, and its layers found."""

from __future__ import annotations

import importlib.metadata

import pytest
import torch
from support.networks import SLOWFAST

from slowfast_bias import host
from slowfast_bias.bias import Tap, tapped

pytestmark = pytest.mark.host

BLOCKS = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
FAMILY = ["slow", "i3d", "c2d", "2d", "slow_c2d", "slow_i3d"]
NONLOCAL = [
    "NONLOCAL.LOCATION", [[[]], [[1]], [[1]], [[]]], "NONLOCAL.GROUP", [[1], [1], [1], [1]],
    "NONLOCAL.INSTANTIATION", "softmax",
]  # fmt: skip


def resnet(tiny, arch, depth=18, *opts):
    kernels = [[blocks] for blocks in BLOCKS[depth]]
    return tiny(
        "MODEL.ARCH", arch, "RESNET.DEPTH", depth, "RESNET.NUM_BLOCK_TEMP_KERNEL", kernels, *opts
    )


def slowfast(tiny, depth=18, *opts):
    kernels = [[n, n] for n in BLOCKS[depth]]
    return tiny(*SLOWFAST, "RESNET.DEPTH", depth, "RESNET.NUM_BLOCK_TEMP_KERNEL", kernels, *opts)


def clips(cfg, batch=2):
    size, generator = cfg.DATA.TRAIN_CROP_SIZE, torch.Generator().manual_seed(0)
    shape = batch, 3, cfg.DATA.NUM_FRAMES, size, size
    return host.pack_batch(cfg, torch.randn(shape, generator=generator))


def step(cfg):
    """Forward, backward and one update; returns the layers' features in training."""
    torch.manual_seed(0)
    model = host.build_model(cfg).train()
    optimizer = host.construct_optimizer(model, cfg)
    host.set_lr(optimizer, 0.1)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    with tapped(model, [Tap(**layer) for layer in host.layers(model)]) as features:
        loss = host.build_loss(cfg)(model(clips(cfg)), torch.tensor([0, 1]))
    loss.backward()
    optimizer.step()
    assert torch.isfinite(loss)
    head = host.head(model)
    changed = [n for n, p in model.named_parameters() if not torch.equal(p.detach(), before[n])]
    assert f"{head.projection}.weight" in changed
    assert any(not name.startswith(head.path) for name in changed)
    return model, {name: tuple(value.shape) for name, value in features.items()}


def sees(model, cfg):
    """What the slot of the classifier's dropout is given, as (B, C)."""
    head = host.head(model)
    parent, _, name = head.dropout.rpartition(".")
    if getattr(model.get_submodule(parent), name, None) is None:
        setattr(model.get_submodule(parent), name, torch.nn.Identity())
    with tapped(model, [Tap(head.dropout, channels_last=head.dropout_channels_last)]) as features:
        model(clips(cfg))
    return tuple(features[head.dropout].shape)


@pytest.mark.parametrize("arch", FAMILY)
def test_resnet_family_at_depth_18(tiny, arch):
    cfg = resnet(tiny, arch)
    model, shapes = step(cfg)
    # bottlenecks of width 8: stages of 32, 64, 128 and 256 channels after a stem of 8
    channels = {"s1": 8, "s2": 32, "s3": 64, "s4": 128, "s5": 256, "head": 256}
    assert shapes == {name: (2, c) for name, c in channels.items()}
    assert sees(model, cfg) == (2, 256)


@pytest.mark.parametrize("depth", [18, 50])
def test_slowfast(tiny, depth):
    cfg = slowfast(tiny, depth)
    model, shapes = step(cfg)
    slow = {"s1/0": 8, "s2/0": 32, "s3/0": 64, "s4/0": 128, "s5/0": 256}
    fast = {"s1/1": 2, "s2/1": 8, "s3/1": 16, "s4/1": 32, "s5/1": 64}
    assert shapes == {name: (2, c) for name, c in {**slow, **fast, "head": 320}.items()}
    assert sees(model, cfg) == (2, 320)


@pytest.mark.parametrize("arch", FAMILY)
@pytest.mark.parametrize("depth", [50, 101])
def test_deeper_networks_have_their_blocks(tiny, arch, depth):
    model = host.build_model(resnet(tiny, arch, depth))
    for stage, blocks in zip(("s2", "s3", "s4", "s5"), BLOCKS[depth], strict=True):
        names = [name for name, _ in model.get_submodule(stage).named_children()]
        assert len([name for name in names if "_res" in name]) == blocks


def test_slowfast_101_is_built(tiny):
    assert host.build_model(slowfast(tiny, 101)) is not None


@pytest.mark.parametrize("arch", ["c2d", "i3d", "slow"])
def test_non_local_blocks(tiny, arch):
    model, _ = step(resnet(tiny, arch, 18, *NONLOCAL))
    names = [name for name, _ in model.named_modules() if name.endswith("nonlocal1")]
    assert names == ["s3.pathway0_nonlocal1", "s4.pathway0_nonlocal1"]


def test_non_local_slowfast(tiny):
    where = [[[], []], [[1], []], [[1], []], [[], []]]
    model, _ = step(slowfast(tiny, 18, "NONLOCAL.LOCATION", where))
    assert any(name.endswith("nonlocal1") for name, _ in model.named_modules())


def test_same_seed_same_network(tiny):
    cfg = tiny()
    states = []
    for _ in range(2):
        torch.manual_seed(5)
        states.append(host.build_model(cfg).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_scores_are_probabilities_in_evaluation_and_logits_in_training(tiny):
    cfg = tiny()
    model = host.build_model(cfg)
    torch.testing.assert_close(model.eval()(clips(cfg)).sum(1), torch.ones(2))
    assert not torch.allclose(model.train()(clips(cfg)).sum(1), torch.ones(2))


def test_a_network_without_a_known_classifier_is_refused_by_its_parts():
    with pytest.raises(ValueError, match=r"head\.projection.*Sequential has 0, 1"):
        host.head(torch.nn.Sequential(torch.nn.Identity(), torch.nn.Identity()))


# -- main only -----------------------------------------------------------------------------------

needs_x3d = pytest.mark.skipif("x3d" not in host.capabilities, reason="this host has no X3D")
needs_mvit = pytest.mark.skipif("mvit" not in host.capabilities, reason="this host has no MViT")
needs_ptv = pytest.mark.skipif("ptv" not in host.capabilities, reason="no pytorchvideo networks")


@needs_x3d
def test_x3d(tiny):
    cfg = tiny(
        "MODEL.ARCH", "x3d", "RESNET.DEPTH", 50, "RESNET.NUM_GROUPS", 1,
        "RESNET.TRANS_FUNC", "x3d_transform", "RESNET.STRIDE_1X1", False, "X3D.DIM_C1", 8,
        "X3D.DIM_C5", 64, "X3D.WIDTH_FACTOR", 1.0, "X3D.DEPTH_FACTOR", 1.0,
        "X3D.BOTTLENECK_FACTOR", 2.25, "X3D.CHANNELWISE_3x3x3", True,
    )  # fmt: skip
    model, shapes = step(cfg)
    assert list(shapes) == ["s1", "s2", "s3", "s4", "s5", "head"]
    assert shapes["head"] == (2, 64) == sees(model, cfg)


@needs_mvit
@pytest.mark.parametrize("cls_token", [True, False])
def test_mvit(tiny, cls_token):
    cfg = tiny(
        "MODEL.ARCH", "mvit", "MVIT.DEPTH", 3, "MVIT.EMBED_DIM", 16, "MVIT.NUM_HEADS", 1,
        "MVIT.PATCH_KERNEL", (3, 7, 7), "MVIT.PATCH_STRIDE", (2, 4, 4),
        "MVIT.PATCH_PADDING", (1, 3, 3), "MVIT.DIM_MUL", [[1, 2.0]], "MVIT.HEAD_MUL", [[1, 2.0]],
        "MVIT.POOL_KVQ_KERNEL", [3, 3, 3], "MVIT.POOL_Q_STRIDE", [[1, 1, 2, 2]],
        "MVIT.POOL_KV_STRIDE_ADAPTIVE", [1, 4, 4], "MVIT.CLS_EMBED_ON", cls_token,
        "MVIT.DROPOUT_RATE", 0.0, "MODEL.DROPOUT_RATE", 0.5, "MVIT.DROPPATH_RATE", 0.0,
        "SOLVER.OPTIMIZING_METHOD", "adamw",
    )  # fmt: skip
    model, shapes = step(cfg)
    assert list(shapes) == ["blocks.0", "blocks.1", "blocks.2", "head"]
    assert shapes["head"] == (2, 32) == sees(model, cfg)
    taps = [layer for layer in host.layers(model) if layer["module"].startswith("blocks")]
    assert all(layer["skip_tokens"] == int(cls_token) for layer in taps)


@needs_ptv
@pytest.mark.parametrize("name", ["PTVResNet", "PTVX3D", "PTVSlowFast"])
def test_networks_of_pytorchvideo(tiny, name):
    if name == "PTVSlowFast":
        cfg = slowfast(tiny, 50, "MODEL.MODEL_NAME", name, "DATA.NUM_FRAMES", 16)
    elif name == "PTVX3D":
        cfg = tiny(
            "MODEL.ARCH", "x3d", "MODEL.MODEL_NAME", name, "RESNET.DEPTH", 50,
            "RESNET.NUM_BLOCK_TEMP_KERNEL", [[3], [4], [6], [3]],
            "RESNET.TRANS_FUNC", "x3d_transform", "DATA.TRAIN_CROP_SIZE", 64,
        )  # fmt: skip
    else:
        cfg = resnet(tiny, "slow", 50, "MODEL.MODEL_NAME", name)
    model, shapes = step(cfg)
    assert shapes["head"] == sees(model, cfg)


# -- both hosts ----------------------------------------------------------------------------------

COMPARE = """
import sys, torch
from slowfast_bias import engine, host
torch.set_num_threads(1)
out = {"host": host.name}
for arch, opts in torch.load(sys.argv[1])["runs"].items():
    cfg = engine.load_cfg((), opts)
    torch.manual_seed(1)
    model = host.build_model(cfg)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            module.running_mean.normal_(); module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 1.5)
    path = f"{sys.argv[1]}.{arch}"
    if host.name == "pypi":
        torch.save(model.state_dict(), path)
    model.load_state_dict(torch.load(path))
    shape = 2, 3, cfg.DATA.NUM_FRAMES, 32, 32
    clips = torch.randn(shape, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        out[arch] = model.eval()(host.pack_batch(cfg, clips))
torch.save(out, sys.argv[2])
"""


@pytest.mark.host_main
def test_same_weights_and_input_give_the_same_scores_on_both_hosts(tiny, tmp_path, run_python):
    runs = {arch: [*tiny.words, "MODEL.ARCH", arch] for arch in ("slow", "i3d", "c2d")}
    runs["slowfast"] = [*tiny.words, *SLOWFAST]
    try:
        importlib.metadata.version("pyslowfast")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the PyPI release is not installed beside the checkout")
    torch.save({"runs": runs}, tmp_path / "runs")
    found = []
    for name, env in (("pypi", {"SLOWFAST_MAIN": ""}), ("main", {})):
        run_python(COMPARE, tmp_path / "runs", tmp_path / name, env=env)
        found.append(torch.load(tmp_path / name))
    assert [result.pop("host") for result in found] == ["pypi", "main"]
    for arch in runs:
        assert (found[0][arch] - found[1][arch]).abs().max() == 0.0, arch
