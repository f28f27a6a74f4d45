"""StaticDropout in the loop: off is nothing at all, estimates are right, a resumed run goes on."""

import json

import pytest
import torch
from torch import nn

from slowfast_bias import engine, host
from slowfast_bias.bias import PairStats
from slowfast_bias.datasets.pairs.frame_order import draw_order
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.setup.loaders import build_loader
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.training.static_dropout import Debiasing
from slowfast_bias.models.static_dropout import StaticDropout
from slowfast_bias.seeding import seed_all, seed_from

TINY = [
    *("NUM_GPUS", 0, "BIAS.TOY.NUM_TRAIN", 32, "BIAS.TOY.NUM_VAL", 8, "TRAIN.BATCH_SIZE", 8),
    *("SOLVER.MAX_EPOCH", 2, "TRAIN.EVAL_PERIOD", 4, "TRAIN.CHECKPOINT_PERIOD", 1),
]  # fmt: skip
ON = ["BIAS.STATIC_DROPOUT.ENABLE", True, "BIAS.STATIC_DROPOUT.PERIOD", 3]


def config(*options, name="SLOW_motion"):
    return engine.load_cfg(f"configs/Toy/{name}.yaml", [*TINY, *options])


def trained(path, *options, **names):
    engine.train(config("OUTPUT_DIR", str(path), *options, **names))
    return weights_after(path)


def weights_after(path, epoch=None):
    folder = sorted((path / "checkpoints").iterdir())
    file = (
        folder[-1] if epoch is None else path / "checkpoints" / f"checkpoint_epoch_{epoch:05d}.pyth"
    )
    return torch.load(file, weights_only=True)


def same(a, b):
    return all(torch.equal(a["model_state"][k], b["model_state"][k]) for k in a["model_state"])


def lines(path, kind):
    every = [json.loads(line) for line in (path / "json_stats.log").read_text().splitlines()]
    return [line for line in every if line["_type"] == kind]


def debiasing(cfg, model):
    return Debiasing(cfg, model, make_task(cfg, model))


def plain_loop(cfg, packed):
    """Training as any PyTorch script would write it, with the host's parts."""
    model = network.build_network(cfg)
    optimizer, loss_of = host.construct_optimizer(model, cfg), host.build_loss(cfg)
    loader = build_loader(cfg, "train")
    for epoch in range(cfg.SOLVER.MAX_EPOCH):
        seed_all(cfg.RNG_SEED, epoch, 0)
        loader.set_epoch(epoch)
        model.train()
        for step, batch in enumerate(loader):
            host.set_lr(optimizer, host.lr_at(epoch + step / len(loader), cfg))
            loss = loss_of(model(packed(cfg, batch)), batch.targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return {"model_state": model.state_dict()}


def test_off_is_bit_for_bit_the_plain_loop(tmp_path, packed):
    cfg = config("MODEL.DROPOUT_RATE", 0.5)
    ours = trained(tmp_path, "MODEL.DROPOUT_RATE", 0.5)
    assert same(plain_loop(cfg, packed), ours)


def test_on_changes_the_weights_and_kinds_differ(tmp_path):
    off = trained(tmp_path / "off")
    static = trained(tmp_path / "static", *ON)
    none = trained(tmp_path / "none", *ON, "BIAS.STATIC_DROPOUT.KIND", "none")
    standard = trained(tmp_path / "standard", *ON, "BIAS.STATIC_DROPOUT.KIND", "standard")
    assert same(off, none)  # MODEL.DROPOUT_RATE is 0 in the toy configs
    assert not same(off, static)
    assert not same(off, standard)
    assert not same(static, standard)


def test_standard_is_the_host_s_own_dropout_of_that_rate(tmp_path):
    ours = trained(tmp_path / "a", *ON, "BIAS.STATIC_DROPOUT.KIND", "standard")
    hosts = trained(tmp_path / "b", "MODEL.DROPOUT_RATE", 0.3)
    assert same(ours, hosts)


def test_the_estimate_is_the_correlation_over_the_batch_and_its_shuffled_twin(packed):
    cfg = config(*ON)
    model = network.build_network(cfg)
    debias = debiasing(cfg, model)
    batch = next(iter(build_loader(cfg, "val")))
    model.train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    inputs = packed(cfg, batch)
    scores = debias.estimate(batch, inputs, seed=5)
    assert model.training
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())

    model.eval()
    pooled = []
    handle = model.head.projection.register_forward_pre_hook(
        lambda _, args: pooled.append(args[0].mean((1, 2, 3)))
    )
    with torch.no_grad():
        model(list(inputs))
        orders = [draw_order(8, 5, index) for index in batch.indices.tolist()]
        twins = [clip[:, order] for clip, order in zip(inputs[0], orders, strict=True)]
        model([torch.stack(twins)])
    handle.remove()
    a, b = (z.double() - z.double().mean(0) for z in pooled)
    expected = (a * b).sum(0) / (a.square().sum(0) * b.square().sum(0)).sqrt()
    alive = ~scores.isnan()
    assert alive.sum() > 100
    assert torch.allclose(scores[alive], expected[alive], atol=1e-6)


def test_estimates_come_every_period_and_are_logged(tmp_path):
    trained(tmp_path, *ON)
    found = lines(tmp_path, "static_dropout")
    assert [line["iteration"] for line in found] == [1, 4, 7]  # of 2 epochs of 4 iterations
    for key in ("score_mean", "score_std", "effective_channels", "drop_rate"):
        assert key in found[0]
    assert found[1]["drop_rate"] == pytest.approx(round(0.3 * 256) / 256, abs=1e-6)


def test_a_resumed_run_equals_an_unbroken_one(tmp_path):
    options = (*ON, "BIAS.STATIC_DROPOUT.EMA", 0.5)
    unbroken = trained(tmp_path / "whole", *options)
    trained(tmp_path / "broken", *options)
    last = tmp_path / "broken" / "checkpoints" / "checkpoint_epoch_00002.pyth"
    last.unlink()  # as if the run had died after its first epoch
    assert same(unbroken, trained(tmp_path / "broken", *options))
    first = weights_after(tmp_path / "broken", epoch=1)
    assert first["slowfast_bias"]["static_scores"].shape == (256,)


@pytest.mark.ddp
def test_a_resumed_run_of_two_processes_equals_an_unbroken_one(tmp_path, two_ranks):
    options = (*ON, "NUM_GPUS", 2, "BN.NORM_TYPE", "sync_batchnorm")
    cfg = config("OUTPUT_DIR", str(tmp_path), *options)
    two_ranks.run(engine.train, cfg)
    unbroken = weights_after(tmp_path)
    (tmp_path / "checkpoints" / "checkpoint_epoch_00002.pyth").unlink()
    two_ranks.run(engine.train, cfg)
    assert same(unbroken, weights_after(tmp_path))


def test_fine_tuning_comes_after_the_schedule_without_dropout(tmp_path):
    options = (
        *ON,
        "BIAS.STATIC_DROPOUT.FINETUNE_EPOCHS",
        1,
        "BIAS.STATIC_DROPOUT.FINETUNE_LR",
        1e-4,
    )
    trained(tmp_path, *options)
    epochs = lines(tmp_path, "train_epoch")
    assert [line["epoch"] for line in epochs] == ["1/3", "2/3", "3/3"]
    assert epochs[-1]["lr"] == pytest.approx(1e-4)
    assert [line["iteration"] for line in lines(tmp_path, "static_dropout")] == [1, 4, 7]
    cfg = config(*options)
    model = network.build_network(cfg)
    debias = debiasing(cfg, model)
    debias.begin_epoch(1)
    assert debias.drop.active
    debias.begin_epoch(2)
    model.train()
    x = torch.rand(4, 1, 1, 1, 256)
    assert debias.drop(x) is x
    assert all(module.p == 0 for module in model.modules() if isinstance(module, nn.Dropout))


def test_which_rate_wins_is_said(tmp_path, capsys):
    trained(tmp_path, *ON, "MODEL.DROPOUT_RATE", 0.5, "SOLVER.MAX_EPOCH", 1)
    assert "takes the place of MODEL.DROPOUT_RATE 0.5" in (tmp_path / "stdout.log").read_text()


def test_slowfast_scores_line_up_with_slow_then_fast(packed):
    cfg = config(*ON, name="SLOWFAST_motion")
    model = network.build_network(cfg)
    debias = debiasing(cfg, model)
    batch = next(iter(build_loader(cfg, "val")))
    # the fast pathway's last stage made blind to time: its channels become perfectly static
    slow_width = model.s5.pathway0_res0.branch2.c.out_channels
    planted = {}

    def freeze(_, __, output):
        planted["fast"] = output[1].shape[1]
        first = batch_mean(output[1])
        return [output[0], first]

    def batch_mean(x):
        return torch.arange(len(x), dtype=x.dtype).view(-1, 1, 1, 1, 1).expand_as(x).contiguous()

    handle = model.s5.register_forward_hook(freeze)
    scores = debias.estimate(batch, packed(cfg, batch), seed=0)
    handle.remove()
    assert len(scores) == slow_width + planted["fast"] == debias.drop.channels
    assert torch.allclose(scores[slow_width:], torch.ones(planted["fast"], dtype=scores.dtype))
    assert scores[:slow_width].nanmean() < 0.999


def test_mixed_precision_and_static_dropout_go_together(tmp_path):
    trained(tmp_path, *ON, "TRAIN.MIXED_PRECISION", True, "SOLVER.MAX_EPOCH", 1)
    assert lines(tmp_path, "static_dropout")


def test_a_smoothed_estimate_is_the_running_average():
    cfg = config(*ON, "BIAS.STATIC_DROPOUT.EMA", 0.75)
    debias = debiasing(cfg, network.build_network(cfg))
    one, two = torch.rand(256).double(), torch.rand(256).double()
    two[3] = float("nan")
    debias.drop.set_scores(debias.smoothed(one))
    assert torch.allclose(debias.drop.get_scores().double(), one, atol=1e-6)
    mixed = debias.smoothed(two)
    expected = 0.75 * one + 0.25 * two
    expected[3] = one[3]
    assert torch.allclose(mixed, expected, atol=1e-6)


@pytest.mark.ddp
def test_two_processes_estimate_what_one_does_on_the_whole_batch(tmp_path, two_ranks):
    options = (*ON, "BN.NORM_TYPE", "sync_batchnorm", "BIAS.STATIC_DROPOUT.MASK", "batch")
    options = (*options, "BIAS.STATIC_DROPOUT.RATE", 0.01, "SOLVER.MAX_EPOCH", 1)
    one = trained(tmp_path / "one", *options)
    cfg = config("OUTPUT_DIR", str(tmp_path / "two"), *options, "NUM_GPUS", 2)
    two_ranks.run(engine.train, cfg)
    two = weights_after(tmp_path / "two")
    a, b = (lines(tmp_path / n, "static_dropout")[0] for n in ("one", "two"))
    assert a["score_mean"] == pytest.approx(b["score_mean"], abs=1e-5)
    assert a["effective_channels"] == pytest.approx(b["effective_channels"], rel=1e-4)
    assert (
        two["slowfast_bias"]["static_scores"].shape == one["slowfast_bias"]["static_scores"].shape
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("BIAS.STATIC_DROPOUT.RATE", 0.0), "RATE"),
        (("BIAS.STATIC_DROPOUT.RATE", 1.0), "RATE"),
        (("BIAS.STATIC_DROPOUT.PERIOD", 0), "PERIOD"),
        (("BIAS.STATIC_DROPOUT.TEMPERATURE", 0.0), "TEMPERATURE"),
        (("BIAS.STATIC_DROPOUT.EMA", 1.0), "never take a new estimate"),
        (("TRAIN.BATCH_SIZE", 1), "2 clips at least"),
        (("BIAS.STATIC_DROPOUT.KIND", "dynamic"), "KIND"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        config(*ON, *options)


def test_a_batch_that_says_nothing_keeps_the_scores(tmp_path, packed):
    cfg = config(*ON, "OUTPUT_DIR", str(tmp_path))
    model = network.build_network(cfg)
    debias = debiasing(cfg, model)
    batch = next(iter(build_loader(cfg, "val")))
    debias.drop.set_scores(torch.full((256,), 0.5))
    still = batch._replace(inputs=[torch.zeros_like(x) for x in batch.inputs])
    debias.before_step(still, packed(cfg, still), iteration=0)
    assert torch.equal(debias.drop.get_scores(), torch.full((256,), 0.5))


def test_the_slot_is_filled_and_a_test_needs_no_static_dropout(tmp_path):
    trained(tmp_path, *ON, "SOLVER.MAX_EPOCH", 1)
    result = engine.test(config("OUTPUT_DIR", str(tmp_path), "BIAS.TOY.NUM_TEST", 8))
    assert result.videos == 8
    model = network.build_network(config())
    assert isinstance(debiasing(config(*ON), model).drop, StaticDropout)


def test_merged_estimates_do_not_depend_on_the_split():
    torch.manual_seed(0)
    a, b = torch.randn(12, 5), torch.randn(12, 5)
    whole = PairStats.of(a, b).correlation()
    parts = PairStats.of(a[:5], b[:5]).merge(PairStats.of(a[5:], b[5:])).correlation()
    assert torch.allclose(whole, parts, atol=1e-12)
    assert seed_from(1, 2) != seed_from(2, 1)
