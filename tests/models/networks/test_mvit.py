"""MViT of our own: its parameters, its laws, and the same numbers as SlowFast main's."""

from __future__ import annotations

import functools
import inspect

import pytest
import torch
from support import twins

from slowfast_bias import host
from slowfast_bias.bias import tapped
from slowfast_bias.errors import RequestError
from slowfast_bias.models.families import family_of
from slowfast_bias.models.networks import mvit
from slowfast_bias.models.networks.drop_path import drop_path
from slowfast_bias.models.networks.mvit import MViT
from slowfast_bias.models.networks.mvit_attention import pool_tokens
from slowfast_bias.models.networks.mvit_positions import add_relative
from slowfast_bias.models.networks.round_width import round_width
from slowfast_bias.models.static_dropout import attach_static_dropout

# What the published networks of 16 blocks have in common, and what each version adds.
B = {
    "frames": 16, "patch_padding": (1, 3, 3), "pool_kernel": (3, 3, 3),
    "first_key_stride": (1, 8, 8), "width_factors": [[1, 2.0], [3, 2.0], [14, 2.0]],
    "head_factors": [[1, 2.0], [3, 2.0], [14, 2.0]],
}  # fmt: skip
V1 = B | {
    "separate_positions": True,
    "query_strides": [[1, 1, 2, 2], [3, 1, 2, 2], [14, 1, 2, 2]],
}
V2 = B | {
    "absolute_positions": False, "relative_space": True, "relative_time": True,
    "widen_in_attention": True, "residual_pooling": True,
    "query_strides": [[i, 1, *([2, 2] if i in (1, 3, 14) else [1, 1])] for i in range(16)],
}  # fmt: skip
TINY = {
    "frames": 4, "size": 32, "classes": 5, "depth": 3, "width": 16, "patch_padding": (1, 3, 3),
    "pool_kernel": (3, 3, 3), "query_strides": [[1, 1, 2, 2]], "first_key_stride": (1, 4, 4),
    "width_factors": [[1, 2.0]], "head_factors": [[1, 2.0]], "drop_path": 0.0, "head_dropout": 0.0,
}  # fmt: skip
TINY_V2 = {
    "absolute_positions": False, "relative_space": True, "relative_time": True,
    "widen_in_attention": True, "residual_pooling": True,
}  # fmt: skip


def clips(batch=2, frames=4, size=32):
    shape = batch, 3, frames, size, size
    return [torch.randn(shape, generator=torch.Generator().manual_seed(0))]


def tiny(**changes):
    torch.manual_seed(0)
    return MViT(**(TINY | changes))


def full(arguments):
    with torch.device("meta"):
        model = MViT(**arguments)
    shapes = {name: tuple(x.shape) for name, x in model.state_dict().items()}
    return shapes, round(sum(p.numel() for p in model.parameters()) / 1e6, 2)


def test_parameters_of_version_1():
    shapes, millions = full(V1)
    assert (len(shapes), millions) == (313, 36.61)
    assert shapes["cls_token"] == shapes["pos_embed_class"] == (1, 1, 96)
    assert shapes["pos_embed_spatial"] == (1, 56 * 56, 96)
    assert shapes["pos_embed_temporal"] == (1, 8, 96)
    assert shapes["patch_embed.proj.weight"] == (96, 3, 3, 7, 7)
    widths = [96] + [192] * 2 + [384] * 11 + [768] * 2
    for i, width in enumerate(widths):
        assert shapes[f"blocks.{i}.attn.qkv.weight"] == (3 * width, width)
        assert shapes[f"blocks.{i}.attn.pool_k.weight"] == (96, 1, 3, 3, 3)
        assert shapes[f"blocks.{i}.attn.norm_v.bias"] == (96,)
        assert (f"blocks.{i}.attn.pool_q.weight" in shapes) == (i in (1, 3, 14))
        assert (f"blocks.{i}.proj.weight" in shapes) == (i in (0, 2, 13))
        out = widths[min(i + 1, 15)]
        assert shapes[f"blocks.{i}.mlp.fc2.weight"] == (out, 4 * width)
    assert shapes["norm.weight"] == (768,) and shapes["head.projection.weight"] == (400, 768)


def test_parameters_of_version_2():
    shapes, millions = full(V2)
    assert (len(shapes), millions) == (397, 34.54)
    assert not [name for name in shapes if name.startswith("pos_embed")]
    outs = [96] + [192] * 2 + [384] * 11 + [768] * 2
    for i, (width, out) in enumerate(zip([96, *outs], outs, strict=False)):
        assert shapes[f"blocks.{i}.attn.qkv.weight"] == (3 * out, width)
        assert shapes[f"blocks.{i}.attn.pool_q.weight"] == (96, 1, 3, 3, 3)
        assert shapes[f"blocks.{i}.attn.rel_pos_t"] == (15, 96)
        rows = {0: 111, 1: 55, 2: 55, 15: 13}.get(i, 27)
        assert shapes[f"blocks.{i}.attn.rel_pos_h"] == (rows, 96)
        assert (f"blocks.{i}.proj.weight" in shapes) == (i in (1, 3, 14))


@pytest.mark.parametrize("class_token", [True, False])
@pytest.mark.parametrize("version", [{}, TINY_V2, {"separate_positions": True}])
def test_it_is_read_and_trained_as_the_family_says(version, class_token):
    model = tiny(class_token=class_token, **version)
    family = family_of(model)
    assert family.name == "mvit"
    drop = attach_static_dropout(model.head, rate=0.25)
    taps = family.layers(model)
    assert [tap.skip_tokens for tap in taps] == [int(class_token)] * 3 + [0]
    with tapped(model, taps) as features:
        loss = torch.nn.functional.cross_entropy(model.train()(clips()), torch.tensor([0, 1]))
    loss.backward()
    first = 16 if version is TINY_V2 else 32
    widths = {"blocks.0": first, "blocks.1": 32, "blocks.2": 32, "head": 32}
    assert {n: tuple(x.shape) for n, x in features.items()} == {
        n: (2, w) for n, w in widths.items()
    }
    assert drop.statistics()["drop_rate"] == 0.25
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("class_token", [True, False])
def test_tokens_of_the_blocks(class_token):
    model, seen = tiny(class_token=class_token).eval(), []
    x, grid = model.patch_embed(clips()[0])
    assert (x.shape, grid) == ((2, 2 * 8 * 8, 16), (2, 8, 8))
    x = torch.cat((model.cls_token.expand(2, 1, 16), x), 1) if class_token else x
    for block in model.blocks:
        x, grid = block(x, grid)
        seen.append((x.shape[1] - class_token, grid))
    assert seen == [(128, (2, 8, 8)), (32, (2, 4, 4)), (32, (2, 4, 4))]
    assert any("class" in name or "cls" in name for name in model.state_dict()) == class_token


def test_the_classifier_gets_the_class_token_or_the_mean():
    tokens = torch.randn(2, 5, 32)
    for class_token, mean_pooling in [(True, False), (True, True), (False, False), (False, True)]:
        model = tiny(class_token=class_token, mean_pooling=mean_pooling).eval()
        model.blocks = torch.nn.ModuleList([Says(tokens)])
        kept = tokens[:, 1:] if class_token else tokens
        if mean_pooling:
            expected = model.norm(kept.mean(1))
        else:
            expected = model.norm(tokens)[:, 0] if class_token else model.norm(tokens).mean(1)
        torch.testing.assert_close(model(clips()), model.head(expected))


class Says(torch.nn.Module):
    """A block that returns the same tokens whatever it gets."""

    def __init__(self, tokens):
        super().__init__()
        self.tokens = tokens

    def forward(self, x, grid):
        return self.tokens, grid


@pytest.mark.parametrize("mode", ["conv", "avg", "max"])
def test_modes_of_pooling(mode):
    model = tiny(mode=mode, pool_kernel=None)  # a kernel of 3 over rows and columns, 1 over time
    names = {name.split(".")[-2] for name in model.state_dict() if name.startswith("blocks.1.attn")}
    assert ({"pool_q", "norm_q", "pool_k", "norm_v"} <= names) == (mode == "conv")
    assert model.blocks[1].attn.pool_q.kernel_size == (1, 3, 3)
    assert model.train()(clips()).shape == (2, 5)


@pytest.mark.parametrize("skip", [0, 1])
def test_tokens_are_pooled_in_their_grid_and_the_class_token_is_not(skip):
    volume = torch.randn(2, 3, 4, 4, 6, 5)  # (B, N, T, H, W, C)
    first = torch.randn(2, 3, skip, 5)
    tokens = torch.cat((first, volume.flatten(2, 4)), 2)
    found, grid = pool_tokens(tokens, (4, 4, 6), torch.nn.AvgPool3d((1, 2, 3)), None, skip)
    assert grid == (4, 2, 2)
    expected = volume.unflatten(4, (2, 3)).unflatten(3, (2, 2)).mean((4, 6))
    torch.testing.assert_close(found[:, :, skip:], expected.flatten(2, 4))
    assert torch.equal(found[:, :, :skip], first)


def test_the_list_of_pathways_stays_as_it_is():
    inputs = clips()
    same, copy = inputs[0], inputs[0].clone()
    tiny().eval()(inputs)
    assert inputs[0] is same and torch.equal(same, copy)
    with pytest.raises(RequestError, match="one pathway of clips, but got 2"):
        tiny()(inputs * 2)


@pytest.mark.parametrize("version", [{}, TINY_V2])
@pytest.mark.parametrize(("frames", "size"), [(8, 32), (4, 64)])
def test_another_clip_size_names_the_right_one(version, frames, size):
    with pytest.raises(RequestError, match="4 frames of 32 x 32.*got") as caught:
        tiny(**version)(clips(frames=frames, size=size))
    assert f"{frames} frames of {size} x {size}" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"patch_padding": (2, 4, 4)}, "MVIT.PATCH_PADDING"),
        ({"width_factors": [[9, 2.0]]}, "MVIT.DIM_MUL to have rows of blocks 0 to 3, .* block 9"),
        ({"query_strides": [[3, 1, 2, 2]]}, "MVIT.POOL_Q_STRIDE .* 0 to 2, .* block 3"),
        ({"heads": 3}, "16 channels and 3 heads"),
    ],
)
def test_tables_that_do_not_fit_are_refused_by_key(change, says):
    with pytest.raises(RequestError, match=says):
        tiny(**change)


def test_stochastic_depth_is_off_in_evaluation_and_rises_linearly():
    model, inputs = tiny(drop_path=0.5), clips()
    assert [block.drop_path.rate for block in model.blocks] == [0.0, 0.25, 0.5]
    assert torch.equal(model.eval()(inputs), model(inputs))
    model.train()
    assert not torch.equal(model(inputs), model(inputs))


def test_stochastic_depth_drops_whole_clips_at_its_rate():
    torch.manual_seed(0)
    ones = torch.ones(4000, 2, 3)
    dropped = drop_path(ones, 0.25, training=True)
    rows = dropped.flatten(1)
    assert ((rows == 0).all(1) | (rows == rows.max()).all(1)).all()
    assert rows.max() == pytest.approx(1 / 0.75)
    assert (rows == 0).all(1).float().mean().item() == pytest.approx(0.25, abs=0.035)  # 5 sigma
    assert drop_path(ones, 0.25, training=False) is ones


def test_relative_positions_are_looked_up_by_distance():
    """The score of a query and a key has the query times the vector of their distance, per axis."""
    grid, keys, channels = (2, 4, 4), (2, 2, 2), 3
    torch.manual_seed(0)
    queries = torch.randn(1, 1, 32, channels)
    tables = {"h": torch.randn(7, channels), "t": torch.randn(3, channels)}
    found = add_relative(torch.zeros(1, 1, 32, 8), queries, grid, keys, tables)[0, 0]
    for q, (t, h, _) in enumerate(torch.cartesian_prod(*map(torch.arange, grid)).tolist()):
        for k, (kt, kh, _) in enumerate(torch.cartesian_prod(*map(torch.arange, keys)).tolist()):
            along_h = tables["h"][h - 2 * kh + 2]  # one key for two rows of queries
            along_t = tables["t"][t - kt + 1]
            expected = (queries[0, 0, q] * (along_h + along_t)).sum()
            torch.testing.assert_close(found[q, k], expected)


@pytest.mark.parametrize("from_zero", [True, False])
def test_first_weights(from_zero):
    model = tiny(relative_from_zero=from_zero, head_init_scale=0.5, **TINY_V2)
    fc1 = model.blocks[2].mlp.fc1
    assert fc1.weight.std().item() == pytest.approx(0.02, rel=0.05)  # 4096 of them: 1 %
    assert (fc1.bias == 0.02).all() and (model.norm.bias == 0.02).all()
    assert (model.head.projection.bias == 0.01).all()
    assert model.blocks[0].attn.rel_pos_h.any() != from_zero


def test_positions_are_not_decayed_if_asked():
    names = {"pos_embed_spatial", "pos_embed_temporal", "pos_embed_class", "cls_token"}
    assert set(tiny(separate_positions=True).no_weight_decay()) == names
    relative = {"rel_pos_h", "rel_pos_w", "rel_pos_t"}
    assert set(tiny(class_token=False, **TINY_V2).no_weight_decay()) == relative
    assert tiny(undecayed_positions=False).no_weight_decay() == []


@pytest.mark.parametrize(
    ("width", "factor", "divisor", "rounded"),
    [(24, 2.0, 8, 48), (12, 2.0, 8, 24), (10, 1.0, 8, 16), (96, 0.0, 1, 96), (30, 1.5, 4, 44)],
)
def test_widths_are_rounded(width, factor, divisor, rounded):
    assert round_width(width, factor, divisor) == rounded


def test_arguments_have_the_defaults_of_their_keys():
    defaults = {n: p.default for n, p in inspect.signature(MViT).parameters.items()}
    assert set(defaults) == set(mvit.ARGUMENTS)
    known = {n: mvit.DEFAULTS[key] for n, key in mvit.ARGUMENTS.items() if key in mvit.DEFAULTS}
    plain = {n: list(x) if isinstance(x, tuple) else x for n, x in defaults.items()}
    assert {n: plain[n] for n in known} == known
    for key, values in mvit.ONLY.items():
        assert mvit.DEFAULTS.get(key, values[0]) in values


@pytest.mark.host
@pytest.mark.skipif("host.name != 'pypi'", reason="not the release")
def test_the_release_has_all_other_keys():
    cfg = host.get_cfg()
    for key in (set(mvit.ARGUMENTS.values()) | set(mvit.ONLY)) - set(mvit.DEFAULTS):
        section, name = key.split(".")
        assert name in cfg[section], key


# -- beside main's -------------------------------------------------------------------------------

SMALL = [
    "DATA.NUM_FRAMES", 8, "DATA.TRAIN_CROP_SIZE", 64, "DATA.TEST_CROP_SIZE", 64,
    "MVIT.EMBED_DIM", 16,
]  # fmt: skip
# Grids of 18, 9 and 5: tables for 4 are interpolated, as in the large network (78, 39, 20).
ODD = ["DATA.TRAIN_CROP_SIZE", 72, "DATA.TEST_CROP_SIZE", 72]
# Grids no smaller than the kernel, as averaging wants.
WIDE = [
    "DATA.TRAIN_CROP_SIZE", 96, "DATA.TEST_CROP_SIZE", 96, "MVIT.POOL_KVQ_KERNEL", [1, 3, 3],
]  # fmt: skip
FULL = ["MVIT_B_16x4_CONV", "MVIT_B_32x3_CONV", "MVITv2_S_16x4", "MVITv2_B_32x3"]


def flat(node, prefix):
    """{key: value} of a node and of the nodes inside it."""
    found = {}
    for name, x in node.items():
        found |= flat(x, f"{prefix}.{name}") if isinstance(x, dict) else {f"{prefix}.{name}": x}
    return found


@pytest.mark.host_main
def test_defaults_are_mains():
    assert flat(host.get_cfg().MVIT, "MVIT") == mvit.DEFAULTS


@pytest.mark.host_main
@pytest.mark.parametrize("file", [*FULL, "MVITv2_L_40x3_test"])
def test_full_size_has_mains_parameters(file, monkeypatch):
    cfg = twins.load(
        f"Kinetics/{file}.yaml", "MODEL.ACT_CHECKPOINT", False, "MVIT.ZERO_DECAY_POS_CLS", True
    )
    for name in ("linspace", "ones"):  # main reads numbers from such tensors
        monkeypatch.setattr(torch, name, functools.partial(getattr(torch, name), device="cpu"))
    with torch.device("meta"):
        theirs, our = host.build_model(cfg), twins.ours(cfg)
    shapes = [{k: x.shape for k, x in net.state_dict().items()} for net in (theirs, our)]
    assert shapes[0] == shapes[1]
    rates = [block.drop_path.rate for block in our.blocks]
    assert rates == pytest.approx([getattr(b.drop_path, "drop_prob", 0) for b in theirs.blocks])
    skipped = {"rel_pos_hw"}  # main names it, and has no such parameter
    assert set(our.no_weight_decay()) == set(theirs.no_weight_decay()) - skipped


@pytest.mark.host_main
@pytest.mark.parametrize(
    ("file", "opts"),
    [
        *((file, []) for file in FULL),
        ("MVITv2_S_16x4", [*ODD, "MVIT.CLS_EMBED_ON", False, "MVIT.NORM_STEM", True]),
        ("MVITv2_S_16x4", ["MVIT.USE_MEAN_POOLING", True]),
        ("MVIT_B_16x4_CONV", ["MVIT.SEP_POS_EMBED", False, "MVIT.MODE", "max"]),
        ("MVIT_B_16x4_CONV", [*WIDE, "MVIT.MODE", "avg", "MVIT.CLS_EMBED_ON", False]),
    ],
)
def test_same_scores_and_gradients_as_mains(file, opts):
    cfg, theirs, our = twins.twins(f"Kinetics/{file}.yaml", *SMALL, *opts)
    twins.check_scores(theirs, our, twins.clips(cfg))
    twins.check_gradients(theirs, our, twins.clips(cfg))


@pytest.mark.host_main
@pytest.mark.parametrize(
    ("file", "opts"),
    [
        ("MVIT_B_16x4_CONV", ["MVIT.HEAD_INIT_SCALE", 0.1]),
        ("MVITv2_S_16x4", []),
        ("MVITv2_S_16x4", ["MVIT.REL_POS_ZERO_INIT", True]),
    ],
)
def test_first_weights_are_spread_as_mains(file, opts):
    cfg = twins.load(f"Kinetics/{file}.yaml", *SMALL, "MVIT.DEPTH", 16, *opts)
    torch.manual_seed(0)
    twins.check_first_weights(host.build_model(cfg), twins.ours(cfg))
