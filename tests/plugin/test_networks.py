"""Networks of SlowFast's registry that estimate their own static scores, without its loop."""

import copy
import os

import pytest
import torch
from fvcore.common.registry import Registry
from support.bare_plugin import bare
from support.networks import INCEPTION_I3D, MVIT, SLOWFAST, X3D
from torch import nn

from slowfast_bias import engine, host
from slowfast_bias.config import ConfigError
from slowfast_bias.datasets.pairs.frame_order import reorder, shuffled
from slowfast_bias.errors import LayerError, PluginError
from slowfast_bias.models.static_dropout import attach_static_dropout
from slowfast_bias.models.weights.fit import load_weights
from slowfast_bias.models.weights.readers import read_checkpoint
from slowfast_bias.seeding import seed_from

pytestmark = pytest.mark.host_main
ON = ["BIAS.STATIC_DROPOUT.ENABLE", True, "BIAS.STATIC_DROPOUT.PERIOD", 2]
LONGER = ["DATA.NUM_FRAMES", 16, "DATA.TRAIN_CROP_SIZE", 64, *INCEPTION_I3D]
KINDS = [
    pytest.param("ResNet", [], id="slow"),
    pytest.param("SlowFast", SLOWFAST, id="slowfast"),
    pytest.param("X3D", X3D, id="x3d"),
    pytest.param("MViT", MVIT, id="mvit"),
]
OURS = pytest.param("InceptionI3D", LONGER, id="inception_i3d")
SCORES, COUNTS = "static_dropout_scores", "static_dropout_counts"


@pytest.fixture
def registry():
    """A registry with all that SlowFast has, and what the plugin adds."""
    _ = host.name
    from slowfast.models.build import MODEL_REGISTRY

    mine = Registry("MODEL of a test")
    for name, network in MODEL_REGISTRY:
        if not name.startswith("StaticDropout"):
            mine.register(network)
    bare("networks").register_networks(mine)
    return mine


@pytest.fixture
def make(registry, tiny):
    """A function: (network, config) of a name of the registry; always the same weights."""

    def build(name, *opts):
        cfg = tiny(*opts).clone()
        cfg.defrost()  # as SlowFast's loop hands it over
        os.makedirs(cfg.OUTPUT_DIR, exist_ok=True)
        torch.manual_seed(0)
        return registry.get(name)(cfg).train(), cfg

    return build


def clips_for(cfg, seed=0, clips=4):
    side, generator = cfg.DATA.TRAIN_CROP_SIZE, torch.Generator().manual_seed(seed)
    return torch.rand(clips, 3, cfg.DATA.NUM_FRAMES, side, side, generator=generator)


def inputs_for(cfg, seed=0):
    return host.pack_batch(cfg, clips_for(cfg, seed))


def features(model, inputs):
    """What the classifier gets, (B, C), means over time and space."""
    kept = []
    handle = model.head.projection.register_forward_pre_hook(lambda _, args: kept.append(args[0]))
    with torch.no_grad():
        model(list(inputs))
    handle.remove()
    (x,) = kept
    return x.flatten(1, -2).mean(1) if x.ndim > 2 else x


def expected_scores(model, cfg, iteration, seed=0):
    """The definition: per channel, the correlation of a batch with its shuffled twin."""
    clips = clips_for(cfg, seed)
    orders = shuffled(clips.shape[2], seed_from(cfg.RNG_SEED, iteration), range(len(clips)))
    twin = host.pack_batch(cfg, reorder(clips, orders))
    model = copy.deepcopy(model).eval()
    a, b = features(model, inputs_for(cfg, seed)).double(), features(model, twin).double()
    a, b = a - a.mean(0), b - b.mean(0)
    return (a * b).sum(0) / (a.square().sum(0) * b.square().sum(0)).sqrt()


@pytest.mark.parametrize(("name", "opts"), KINDS)
def test_scores_are_correlations_with_the_shuffled_twin_every_period(make, name, opts):
    model, cfg = make(f"StaticDropout{name}", *opts, *ON)
    plain, _ = make(name, *opts)
    first = expected_scores(plain, cfg, 0)
    model(inputs_for(cfg))
    live = ~first.isnan() & ~getattr(model, SCORES).isnan()
    assert live.sum() > 4
    assert torch.allclose(getattr(model, SCORES)[live].double(), first[live], atol=1e-3)
    model(inputs_for(cfg, seed=1))
    assert getattr(model, COUNTS).tolist() == [2, 1]
    model(inputs_for(cfg, seed=1))
    assert getattr(model, COUNTS).tolist() == [3, 2]


@pytest.mark.parametrize(("name", "opts"), [*KINDS, OURS])
def test_off_is_the_network_itself(make, name, opts):
    off, cfg = make(f"StaticDropout{name}", *opts)
    plain, _ = make(name, *opts)
    assert list(off.state_dict()) == list(plain.state_dict())
    torch.manual_seed(1)
    there = off(inputs_for(cfg))
    torch.manual_seed(1)
    assert torch.equal(there, plain(inputs_for(cfg)))


@pytest.mark.parametrize("bf16", [False, True], ids=["float32", "mixed precision"])
def test_an_estimate_changes_only_what_is_dropped(make, bf16):
    """Same draw, gradients and batch norm as a network that was given the scores by hand."""
    model, cfg = make("StaticDropoutResNet", *ON, "TRAIN.MIXED_PRECISION", bf16)
    plain, _ = make("ResNet")
    drop = attach_static_dropout(plain.head, cfg.BIAS.STATIC_DROPOUT.RATE)
    for network in (model, plain):
        drop.set_scores(getattr(model, SCORES))
        torch.manual_seed(5)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            network(inputs_for(cfg)).sum().backward()
    by_hand = dict(plain.named_parameters())
    assert all(torch.equal(w.grad, by_hand[name].grad) for name, w in model.named_parameters())
    state = model.state_dict()
    assert all(torch.equal(state[name], value) for name, value in plain.state_dict().items())


def test_forwards_without_gradients_or_in_eval_mode_are_no_steps(make):
    model, cfg = make("StaticDropoutResNet", *ON)
    with torch.no_grad():  # precise batch norm
        model(inputs_for(cfg))
    model.eval()(inputs_for(cfg))
    assert getattr(model, COUNTS).tolist() == [0, 0]


@pytest.mark.parametrize("kind", ["standard", "none"])
def test_a_baseline_fills_the_slot_and_keeps_no_scores(make, kind):
    model, cfg = make("StaticDropoutResNet", *ON, "BIAS.STATIC_DROPOUT.KIND", kind)
    model(inputs_for(cfg))
    assert isinstance(model.head.dropout, nn.Dropout)
    assert model.head.dropout.p == (0.3 if kind == "standard" else 0)
    assert SCORES not in model.state_dict()


def test_a_state_dict_continues_scores_and_counts(make):
    opts = (*ON, "BIAS.STATIC_DROPOUT.EMA", 0.5)
    first, cfg = make("StaticDropoutResNet", *opts)
    for seed in range(3):
        first(inputs_for(cfg, seed))
    second, _ = make("StaticDropoutResNet", *opts)
    second.load_state_dict(first.state_dict())
    for network in (first, second):
        torch.manual_seed(9)
        for seed in range(2):  # the second of them estimates, and averages with what was loaded
            network(inputs_for(cfg, seed))
    one, other = first.state_dict(), second.state_dict()
    assert getattr(second, COUNTS).tolist() == [5, 3]
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_our_own_flows_read_such_a_checkpoint_and_set_the_scores_apart(make, tmp_path):
    model, cfg = make("StaticDropoutResNet", *ON)
    model(inputs_for(cfg))
    getattr(model, SCORES)[0] = torch.nan  # a dead channel is no damaged file
    path = tmp_path / "x.pyth"
    torch.save({"epoch": 0, "model_state": model.state_dict()}, path)
    read = read_checkpoint(str(path))
    plain, _ = make("ResNet")
    load_weights(plain, read["model_state"], str(path))
    assert torch.equal(plain.s1.pathway0_stem.conv.weight, model.s1.pathway0_stem.conv.weight)
    kept = read["slowfast_bias"]
    assert kept["estimates"] == 1
    assert torch.equal(kept["static_scores"].nan_to_num(), getattr(model, SCORES).nan_to_num())
    load_weights(make("StaticDropoutResNet", *ON)[0], plain.state_dict(), "a file without scores")


def scores_of_a_half(words, out, clips):
    """On one of two ranks: the scores of a network that is shown that rank's half of the clips."""
    from slowfast.models.build import MODEL_REGISTRY

    from slowfast_bias.engine.runtime import ranks

    mine = Registry("MODEL of a rank")
    mine.register(MODEL_REGISTRY.get("ResNet"))
    bare("networks").register_networks(mine)
    cfg = engine.load_cfg((), [*words, "OUTPUT_DIR", f"{out}/{ranks.rank()}"])
    os.makedirs(cfg.OUTPUT_DIR, exist_ok=True)
    torch.manual_seed(0)
    model = mine.get("StaticDropoutResNet")(cfg).train()
    half = clips.chunk(2)[ranks.rank()]
    model(host.pack_batch(cfg, half))
    return getattr(model, SCORES)


@pytest.mark.ddp
def test_estimates_are_of_the_clips_of_all_processes(make, tiny, two_ranks, tmp_path):
    model, cfg = make("StaticDropoutResNet", *ON)
    model(inputs_for(cfg))
    words = [*tiny.words, *ON]
    one, other = two_ranks.run(scores_of_a_half, words, str(tmp_path), clips_for(cfg))
    assert torch.equal(one.nan_to_num(9), other.nan_to_num(9))
    assert torch.allclose(one, getattr(model, SCORES), atol=1e-4, equal_nan=True)


def test_registering_twice_changes_nothing(registry):
    before = dict(registry)
    bare("networks").register_networks(registry)
    assert dict(registry) == before


def test_a_network_of_that_name_of_another_make_is_an_error(registry):
    mine, other = Registry("MODEL of a fork"), type("StaticDropoutResNet", (nn.Module,), {})
    mine.register(registry.get("ResNet"))
    mine.register(other)
    with pytest.raises(PluginError, match="StaticDropoutResNet of another make"):
        bare("networks").register_networks(mine)


def test_a_head_without_a_linear_classifier_is_an_error(make, registry, tiny):
    class ResNet(nn.Module):
        def __init__(self, cfg):
            super().__init__()
            self.head = nn.Sequential(nn.Conv3d(3, 4, 1))

    mine = Registry("MODEL of a fork")
    mine.register(ResNet)
    bare("networks").register_networks(mine)
    with pytest.raises(LayerError, match=r"StaticDropoutResNet: .*classifier"):
        mine.get("StaticDropoutResNet")(tiny(*ON))


def test_a_config_that_contradicts_the_networks_own_files_is_an_error(make, tmp_path):
    pytest.importorskip("transformers")
    from support.huggingface import save_tiny

    save_tiny(tmp_path, "videomae")
    base = ["MODEL.ARCH", "hf", "BIAS.HF.FOLDER", str(tmp_path), "MODEL.HEAD_ACT", "softmax"]
    model, cfg = make("StaticDropoutHuggingface", *base, *ON)
    model(inputs_for(cfg))
    assert getattr(model, COUNTS).tolist() == [1, 1]
    cfg.DATA.MEAN = [0.1, 0.2, 0.3]
    with pytest.raises(ConfigError, match=r"DATA\.MEAN: expected .* so set DATA\.MEAN"):
        bare("networks").check_own(host_network("hf"), cfg)


def host_network(arch):
    from slowfast_bias.models.families import FAMILIES

    return next(f.own for f in FAMILIES if f.own is not None and f.own.arch == arch)
