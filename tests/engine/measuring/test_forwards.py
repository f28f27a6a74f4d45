"""Faster forwards of a measurement: the same numbers, off bit for bit, and named in the report."""

import logging

import pytest
import torch

from slowfast_bias import engine
from slowfast_bias.bias import evaluating, tapped
from slowfast_bias.config import ConfigError
from slowfast_bias.engine.measuring import forwards
from slowfast_bias.engine.measuring.forwards import Forwards, differences
from slowfast_bias.engine.measuring.layers import make_taps
from slowfast_bias.engine.measuring.measurement import measure_networks
from slowfast_bias.engine.setup import network

TINY = ["NUM_GPUS", 0, "BIAS.TOY.NUM_VAL", 8, "TEST.BATCH_SIZE", 4]
OFF = ("BIAS.FOLD_BATCHNORM", False, "BIAS.CHANNELS_LAST", "never")
ALL = ["batch norm folded", "pools of one value left out", "channels last"]
NORM = "s3.pathway0_res0.branch2.a_bn"
pytestmark = pytest.mark.filterwarnings("ignore:fewer than 500 pairs")


def config(*options, name="SLOW_motion"):
    return engine.load_cfg(f"configs/Toy/{name}.yaml", [*TINY, *options])


def experienced(cfg):
    """A network whose batch norms have seen something."""
    model = network.build_network(cfg)
    torch.manual_seed(1)
    for name, x in (*model.named_parameters(), *model.named_buffers()):
        if "bn." in name and x.is_floating_point():
            x.data.uniform_(0.5, 1.5)
    return model


def measured(*options, name="SLOW_motion"):
    cfg = config(*options, name=name)
    return measure_networks(cfg, {"net": experienced(cfg)}, "config")["net"]


def biggest_change(a, b):
    assert list(a.layers) == list(b.layers)
    return max(
        (a[layer].correlation[f] - b[layer].correlation[f]).abs().nan_to_num(0).max().item()
        for layer in a.layers
        for f in ("static", "dynamic")
    )


def read(model, inputs, call):
    with evaluating(model), torch.no_grad(), tapped(model, make_taps(model, ["auto"])) as features:
        call(inputs)
    return dict(features)


@pytest.mark.parametrize("name", ["SLOW_motion", "SLOWFAST_motion"])
def test_the_copy_gives_the_features_of_the_network_and_shares_nothing_with_it(name):
    cfg = config(name=name)
    model = experienced(cfg)
    weights = {key: x.clone() for key, x in model.state_dict().items()}
    run = Forwards(cfg, model, [])
    x = torch.randn(2, 3, cfg.DATA.NUM_FRAMES, 32, 32)
    inputs = [x] if name == "SLOW_motion" else [x[:, :, :: cfg.SLOWFAST.ALPHA], x]
    fast = read(run.model, inputs, run)
    off = differences(read(model, inputs, lambda x: model(list(x))), fast)
    assert run.ran == ALL
    assert max(off.values()) < 1e-4
    for parameter in run.model.parameters():
        parameter.data.zero_()
    assert all(torch.equal(weights[key], x) for key, x in model.state_dict().items())


def test_the_report_is_that_of_the_network_and_names_what_ran():
    plain, fast = measured(*OFF), measured()
    assert (plain.meta["forwards"], fast.meta["forwards"]) == ([], ALL)
    assert 0 < biggest_change(plain, fast) < 1e-3


def test_off_is_the_network_itself():
    cfg = config(*OFF)
    model = experienced(cfg)
    assert Forwards(cfg, model, []).model is model


def test_tapped_batch_norms_and_convolutions_are_read_as_they_are():
    conv = NORM.removesuffix("_bn")
    taps = ("BIAS.LAYERS", f"['{conv}', '{NORM}', 's3']")
    plain, fast = measured(*OFF, *taps), measured(*taps)
    assert fast.meta["forwards"] == ALL
    assert biggest_change(plain, fast) < 1e-3
    # factor and shift change no correlation, so the means have to tell
    cfg = config()
    model, x = experienced(cfg), [torch.randn(2, 3, 8, 32, 32)]
    run = Forwards(cfg, model, [conv, NORM])
    with torch.no_grad(), tapped(run.model, [conv, NORM]) as fast, evaluating(model):
        run(x)
        with tapped(model, [conv, NORM]) as features:
            model(list(x))
    assert max(differences(features, fast).values()) < 1e-4


def test_a_copy_that_would_change_numbers_is_left_off(monkeypatch, caplog):
    fold = forwards.fold

    def wrong(model, pairs):
        fold(model, pairs)
        model.s4.pathway0_res0.branch2.a.weight.data.mul_(1.05)

    monkeypatch.setattr(forwards, "fold", wrong)
    with caplog.at_level(logging.WARNING):
        kept = measured()
    monkeypatch.undo()
    assert "the network is run as it is, not with batch norm folded" in caplog.text
    assert kept.meta["forwards"] == [] and biggest_change(kept, measured(*OFF)) == 0


def test_bf16_is_refused_where_it_is_imitated_unless_asked_twice(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True}, raising=False)
    with pytest.raises(ConfigError, match=r"BIAS.PRECISION bf16: this CPU .*set it to fp32, or to"):
        config("BIAS.PRECISION", "bf16")
    with pytest.raises(ConfigError, match=r"PRECISION tf32: only GPUs have .*set it to fp32"):
        config("BIAS.PRECISION", "tf32")
    assert measured("BIAS.PRECISION", "bf16!").meta["precision"] == "bf16"


def test_compiling_without_a_compiler_is_refused(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ConfigError, match="BIAS.COMPILE True: .*no-such-compiler"):
        config("BIAS.COMPILE", True)


def test_what_a_compiler_cannot_do_is_an_error_of_the_config(monkeypatch):
    def compile(forward, **how):
        def fails(*args):
            raise SystemError("no header files\nat all")

        return fails

    monkeypatch.setattr(torch, "compile", compile)
    with pytest.raises(ConfigError, match="torch.compile fails .SystemError: no header files"):
        measured("BIAS.COMPILE", True)


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_comparison_that_had_no_memory_is_made_again(fails_at):
    cfg = config()
    run = Forwards(cfg, experienced(cfg), [])
    copy, inputs, calls = run.model, [torch.randn(2, 3, 8, 32, 32)], []

    def reading(x):
        calls.append(run.model)
        if len(calls) == fails_at:
            raise MemoryError
        return read(run.model, x, run)

    with pytest.raises(MemoryError):
        run.check(inputs, reading)
    assert run.model is copy and run.ran == ALL
    run.check(inputs, reading)
    assert calls[-2] is copy and calls[-1] is not copy  # both were read
    run.check(inputs, reading)
    assert len(calls) == fails_at + 2 and run.model is copy
