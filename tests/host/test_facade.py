"""Every name of the facade, on the host in use; nothing here asks which one that is."""

from __future__ import annotations

import functools
import math

import pytest
import torch
from support.networks import MVIT, SLOWFAST
from torch import nn

from slowfast_bias import host
from slowfast_bias.host.packing import packed_by_places

pytestmark = pytest.mark.host


def test_every_name_of_the_facade_is_there():
    for name in host.FACADE:
        assert getattr(host, name) is not None, name
    assert host.name in ("pypi", "main")
    assert (host.root / "models").is_dir()


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        host.nothing  # noqa: B018


def test_both_hosts_have_the_keys_that_the_loop_reads():
    cfg = host.get_cfg()
    for section, key in (
        ("TRAIN", "MIXED_PRECISION"), ("SOLVER", "CLIP_GRAD_L2NORM"), ("SOLVER", "CLIP_GRAD_VAL"),
        ("SOLVER", "COSINE_END_LR"), ("BN", "NORM_TYPE"), ("TENSORBOARD", "ENABLE"),
        ("TEST", "SAVE_RESULTS_PATH"), ("TRAIN", "CHECKPOINT_EPOCH_RESET"),
    ):  # fmt: skip
        assert key in cfg[section]
    assert isinstance(cfg.SOLVER.WARMUP_EPOCHS, float)


def test_get_cfg_is_a_fresh_copy():
    host.get_cfg().TRAIN.BATCH_SIZE = 12345
    assert host.get_cfg().TRAIN.BATCH_SIZE != 12345


def test_foreign_keys_are_unknown_here():
    cfg = host.get_cfg()
    for key in host.foreign_keys:
        node = cfg
        for part in key.split("."):
            node = node.get(part) if isinstance(node, type(cfg)) else None
        assert node is None, key


def test_samples_of_four_and_of_five_entries_are_read_alike():
    clip = torch.zeros(3, 4, 8, 8)
    for sample in (([clip], 2, 7, {}), ([clip], 2, 7, 0, {}), (clip, 2, 7, {})):
        got = host.unpack_sample(sample)
        assert (len(got.inputs), got.label, got.index) == (1, 2, 7)
    assert host.unpack_sample(None) is None


def test_slow_pathway_has_every_alpha_th_frame(tiny):
    cfg = tiny("MODEL.ARCH", "slowfast", "SLOWFAST.ALPHA", 4, check=False)
    frames = torch.arange(8.0).view(1, 8, 1, 1).expand(3, 8, 2, 2)
    slow, fast = host.pack_pathways(cfg, frames)
    assert fast[0, :, 0, 0].tolist() == list(range(8))
    assert slow.shape[1] == 2
    single = host.pack_pathways(tiny(), frames)
    assert len(single) == 1 and torch.equal(single[0], frames)


def test_dataset_names_must_survive_capitalize():
    class MyVideos:
        pass

    with pytest.raises(ValueError, match="Myvideos"):
        host.register_dataset(MyVideos)


def test_an_unknown_dataset_is_named_with_those_that_exist(tiny):
    with pytest.raises(ValueError, match=r"got 'kinetix'.*Kinetics.*Toyvideos"):
        host.build_dataset("kinetix", tiny(), "train")


def test_host_code_sees_one_process_and_plain_batch_norm(tiny):
    seen = {}

    @host.register_dataset
    class Spydataset:
        def __init__(self, cfg, split):
            seen.update(cfg=cfg, split=split)

    cfg = tiny("NUM_GPUS", 2, "BN.NORM_TYPE", "sync_batchnorm", check=False)
    host.build_dataset("spydataset", cfg, "val")
    view = seen["cfg"]
    assert (view.NUM_GPUS, view.NUM_SHARDS, view.BN.NORM_TYPE) == (1, 1, "batchnorm")
    assert seen["split"] == "val" and cfg.NUM_GPUS == 2


# -- optimizers and learning rates ---------------------------------------------------------------


@pytest.mark.parametrize("method", ["sgd", "adam", "adamw"])
def test_batch_norm_is_not_decayed_and_every_weight_is_in_one_group(tiny, method):
    cfg = tiny("SOLVER.OPTIMIZING_METHOD", method, "BN.WEIGHT_DECAY", 0.0)
    model = host.build_model(cfg)
    optimizer = host.construct_optimizer(model, cfg)
    assert type(optimizer).__name__.lower() == method
    names = {id(p): name for name, p in model.named_parameters()}
    norms = {
        id(p) for m in model.modules() if isinstance(m, nn.BatchNorm3d) for p in m.parameters()
    }
    grouped = [(id(p), g["weight_decay"]) for g in optimizer.param_groups for p in g["params"]]
    assert sorted(p for p, _ in grouped) == sorted(names)
    for p, decay in grouped:
        assert decay == (0.0 if p in norms else cfg.SOLVER.WEIGHT_DECAY), names[p]


@pytest.mark.parametrize("method", ["sgd", "adam", "adamw"])
def test_vectors_and_named_weights_are_not_decayed_on_either_host(tiny, method):
    cfg = tiny(*MVIT, "SOLVER.OPTIMIZING_METHOD", method, "SOLVER.ZERO_WD_1D_PARAM", True)
    model = host.build_model(cfg)
    optimizer = host.construct_optimizer(model, cfg)
    assert type(optimizer).__name__.lower() == method
    decays = {id(p): g["weight_decay"] for g in optimizer.param_groups for p in g["params"]}
    for name, p in model.named_parameters():
        free = p.ndim == 1 or name.endswith(".bias") or "pos_embed" in name or name == "cls_token"
        assert decays.pop(id(p)) == (0.0 if free else cfg.SOLVER.WEIGHT_DECAY), name
    assert not decays


def test_set_lr_reaches_groups_with_and_without_layer_decay():
    weights = [nn.Parameter(torch.zeros(1)) for _ in range(2)]
    groups = [{"params": weights[:1]}, {"params": weights[1:], "layer_decay": 0.5}]
    optimizer = torch.optim.SGD(groups, lr=1.0)
    host.set_lr(optimizer, 0.4)
    assert [group["lr"] for group in optimizer.param_groups] == [0.4, 0.2]


def reference_lr(epoch, base=0.2, epochs=10, start=0.01, warm=0.0, end=0.0, after=False):
    """Half a cosine from base to end, reached on a straight line from start in ``warm`` epochs."""

    def cosine(at):
        offset = warm if after else 0.0
        phase = (at - offset) / (epochs - offset)
        return end + (base - end) * 0.5 * (1 + math.cos(math.pi * phase))

    if epoch < warm:
        return start + (cosine(warm) - start) * epoch / warm
    return cosine(epoch)


@pytest.mark.parametrize("end", [0.0, 0.002])
@pytest.mark.parametrize(("warm", "after"), [(0.0, False), (2.5, False), (2.5, True)])
def test_cosine_policy(tiny, warm, end, after):
    cfg = tiny(
        "SOLVER.LR_POLICY", "cosine", "SOLVER.BASE_LR", 0.2, "SOLVER.MAX_EPOCH", 10,
        "SOLVER.WARMUP_EPOCHS", warm, "SOLVER.WARMUP_START_LR", 0.01,
        "SOLVER.COSINE_END_LR", end, "SOLVER.COSINE_AFTER_WARMUP", after,
    )  # fmt: skip
    for epoch in (0, 0.3, 1, 2.4, 2.5, 5, 9.99):
        wanted = reference_lr(epoch, warm=warm, end=end, after=after)
        assert host.lr_at(epoch, cfg) == pytest.approx(wanted, rel=1e-12)


def test_steps_policy(tiny):
    cfg = tiny(
        "SOLVER.LR_POLICY", "steps_with_relative_lrs", "SOLVER.BASE_LR", 0.2,
        "SOLVER.MAX_EPOCH", 10, "SOLVER.STEPS", [0, 4, 8], "SOLVER.LRS", [1, 0.1, 0.01],
    )  # fmt: skip
    got = [host.lr_at(epoch, cfg) for epoch in (0, 3.9, 4, 7.9, 8, 9.9)]
    assert got == pytest.approx([0.2, 0.2, 0.02, 0.02, 0.002, 0.002])


def test_rates_grow_with_the_number_of_machines_only_when_asked(tiny):
    one = tiny("NUM_SHARDS", 2, check=False)
    two = tiny("NUM_SHARDS", 2, "SOLVER.BASE_LR_SCALE_NUM_SHARDS", True, check=False)
    assert host.lr_at(0.5, two) == pytest.approx(2 * host.lr_at(0.5, one))
    model = nn.BatchNorm3d(2)
    model.no_weight_decay = lambda: ()
    rates = [host.construct_optimizer(model, cfg).defaults["lr"] for cfg in (one, two)]
    assert rates[1] == pytest.approx(2 * rates[0])


def test_loss_is_the_mean_over_the_batch(tiny):
    scores, labels = torch.randn(5, 4), torch.tensor([0, 1, 2, 3, 0])
    got = host.build_loss(tiny())(scores, labels)
    wanted = -scores.log_softmax(1)[torch.arange(5), labels].mean()
    torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize(
    ("blob", "name"),
    [
        ("conv1_w", "s1.pathway0_stem.conv.weight"),
        ("res_conv1_bn_s", "s1.pathway0_stem.bn.weight"),
        ("res2_0_branch2a_w", "s2.pathway0_res0.branch2.a.weight"),
        ("t_res3_1_branch2b_bn_rm", "s3.pathway1_res1.branch2.b_bn.running_mean"),
        ("pred_w", "head.projection.weight"),
    ],
)
def test_names_of_the_caffe2_zoo(blob, name):
    assert host.caffe2_name(blob) == name


@pytest.mark.parametrize("words", [[], SLOWFAST])
def test_a_batch_is_packed_on_a_gpu_as_on_a_cpu(tiny, words):
    cfg, clips = tiny(*words), torch.rand(2, 3, 8, 4, 4)
    places = packed_by_places(functools.partial(host.pack_pathways, cfg), clips)
    one_by_one = zip(*(host.pack_pathways(cfg, clip) for clip in clips), strict=True)
    assert all(map(torch.equal, places, map(torch.stack, one_by_one)))
    assert len(places) == len(host.pack_batch(cfg, clips)) == (2 if words else 1)


@pytest.mark.host_main
def test_our_frames_have_red_first_whatever_mains_own_loaders_of_pictures_need(tiny):
    frames = torch.rand(3, 8, 4, 4)
    for words in ([], SLOWFAST):
        plain, turned = tiny(*words), tiny(*words, "DATA.REVERSE_INPUT_CHANNEL", True)
        for a, b in zip(host.pack_pathways(plain, frames), host.pack_pathways(turned, frames),
                        strict=True):  # fmt: skip
            assert torch.equal(a, b)
        packed = host.pack_batch(turned, frames[None])
        assert all(map(torch.equal, packed, host.pack_batch(plain, frames[None])))
        there = packed_by_places(functools.partial(host.pack_pathways, turned), frames[None])
        assert all(map(torch.equal, packed, there))  # as on a GPU
        back = host.source_frames(turned, [x[0] for x in packed])
        torch.testing.assert_close(back, host.source_frames(plain, [x[0] for x in packed]))
