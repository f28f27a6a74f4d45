"""X3D of our own: its parameters, its laws, and the same numbers as SlowFast main's."""

from __future__ import annotations

import inspect

import pytest
import torch
from support import twins

from slowfast_bias import host
from slowfast_bias.bias import tapped
from slowfast_bias.errors import RequestError
from slowfast_bias.models.families import family_of
from slowfast_bias.models.networks import x3d
from slowfast_bias.models.networks.x3d import X3D
from slowfast_bias.models.static_dropout import attach_static_dropout

# The published sizes: arguments, and blocks of the stages s2 to s5.
ZOO = {"width_factor": 2.0, "bottleneck_factor": 2.25}
SIZES = {
    "XS": ({"depth_factor": 2.2, "frames": 4, "size": 160}, (3, 5, 11, 7)),
    "S": ({"depth_factor": 2.2, "frames": 13, "size": 160}, (3, 5, 11, 7)),
    "M": ({"depth_factor": 2.2, "frames": 16, "size": 224}, (3, 5, 11, 7)),
    "L": ({"depth_factor": 5.0, "frames": 16, "size": 312}, (5, 10, 25, 15)),
}
TINY = {"bottleneck_factor": 2.25, "last_width": 16, "classes": 5, "frames": 4, "size": 64}


def clips(batch=2, frames=4, size=64):
    shape = batch, 3, frames, size, size
    return [torch.randn(shape, generator=torch.Generator().manual_seed(0))]


def tiny(**changes):
    torch.manual_seed(0)
    return X3D(**(TINY | changes))


@pytest.mark.parametrize("size", SIZES)
def test_blocks_of_the_published_sizes(size):
    arguments, blocks = SIZES[size]
    with torch.device("meta"):
        model = X3D(**ZOO, **arguments)
    stages = [model.get_submodule(f"s{n}") for n in (2, 3, 4, 5)]
    assert tuple(len(list(stage.children())) for stage in stages) == blocks


def test_parameters_of_the_medium_size():
    with torch.device("meta"):
        model = X3D(**ZOO, **SIZES["M"][0])
    shapes = {name: tuple(x.shape) for name, x in model.state_dict().items()}
    assert len(shapes) == 568
    assert round(sum(p.numel() for p in model.parameters()) / 1e6, 2) == 3.79
    assert shapes["s1.pathway0_stem.conv_xy.weight"] == (24, 3, 1, 3, 3)
    assert shapes["s1.pathway0_stem.conv.weight"] == (24, 1, 5, 1, 1)
    widths = {2: (24, 54, 8), 3: (48, 108, 8), 4: (96, 216, 16), 5: (192, 432, 32)}
    for stage, (out, inner, squeezed) in widths.items():
        first = f"s{stage}.pathway0_res0"
        inside = widths[stage - 1][0] if stage > 2 else 24
        assert shapes[f"{first}.branch1.weight"] == (out, inside, 1, 1, 1)
        assert shapes[f"{first}.branch2.a.weight"] == (inner, inside, 1, 1, 1)
        assert shapes[f"{first}.branch2.b.weight"] == (inner, 1, 3, 3, 3)
        assert shapes[f"{first}.branch2.c.weight"] == (out, inner, 1, 1, 1)
        assert shapes[f"{first}.branch2.se.fc1.weight"] == (squeezed, inner, 1, 1, 1)
        assert f"s{stage}.pathway0_res1.branch1.weight" not in shapes
        assert f"s{stage}.pathway0_res1.branch2.se.fc1.weight" not in shapes
    assert sum(name.endswith("se.fc2.bias") for name in shapes) == 15
    assert shapes["head.conv_5.weight"] == (432, 192, 1, 1, 1)
    assert shapes["head.lin_5.weight"] == (2048, 432, 1, 1, 1)
    assert shapes["head.projection.weight"] == (400, 2048)


def test_it_is_read_and_trained_as_the_family_says():
    model = tiny()
    family = family_of(model)
    assert family.name == "x3d"
    drop = attach_static_dropout(model.head, rate=0.25)
    with tapped(model, family.layers(model)) as features:
        loss = torch.nn.functional.cross_entropy(model.train()(clips()), torch.tensor([0, 1]))
    loss.backward()
    shapes = {name: tuple(x.shape) for name, x in features.items()}
    widths = {"s1": 12, "s2": 12, "s3": 24, "s4": 48, "s5": 96, "head": 16}
    assert shapes == {name: (2, width) for name, width in widths.items()}
    assert drop.statistics()["drop_rate"] == 0.25
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert model.s1.pathway0_stem.conv_xy.weight.grad.any()


def test_the_list_of_pathways_stays_as_it_is():
    inputs = clips()
    same, copy = inputs[0], inputs[0].clone()
    tiny().eval()(inputs)
    assert inputs[0] is same and torch.equal(same, copy)
    with pytest.raises(RequestError, match="one pathway of clips, but got 2"):
        tiny()(inputs * 2)


def test_a_larger_clip_is_the_mean_over_the_places_of_the_window():
    head = tiny(classifier_std=1.0).eval().head  # scores far from equal: the softmax matters
    features = torch.randn(2, 96, 5, 3, 3)
    places = [
        head([features[:, :, t : t + 4, h : h + 2, w : w + 2]])
        for t in (0, 1) for h in (0, 1) for w in (0, 1)
    ]  # fmt: skip
    torch.testing.assert_close(head([features]), torch.stack(places).mean(0))
    assert not torch.allclose(places[0], places[-1])


@pytest.mark.parametrize(("training", "size"), [(True, 128), (True, 32), (False, 32)])
def test_a_clip_that_does_not_fit_names_the_keys(training, size):
    with pytest.raises(RequestError, match=r"\(4, 2, 2\).*DATA.TRAIN_CROP_SIZE"):
        tiny().train(training)(clips(size=size))


def test_stochastic_depth_is_off_in_evaluation_and_rises_over_the_stages():
    model, inputs = tiny(drop_path=0.5), clips()
    rates = [next(model.get_submodule(f"s{n}").children()).drop_path.rate for n in (2, 3, 4, 5)]
    assert rates == pytest.approx([0.2, 0.3, 0.4, 0.5])
    assert torch.equal(model.eval()(inputs), model(inputs))
    model.train()
    assert not torch.equal(model(inputs), model(inputs))


def test_first_weights_are_hes():
    model = tiny(classifier_std=0.1)
    conv = model.s5.pathway0_res0.branch2.a.weight  # 216 outputs: He's variance is 2 / 216
    assert conv.std().item() == pytest.approx((2 / 216) ** 0.5, rel=0.05)
    assert model.head.projection.weight.std().item() == pytest.approx(0.1, rel=0.3)
    assert not any(p.any() for name, p in model.named_parameters() if name.endswith("bias"))


@pytest.mark.parametrize("zero", [True, False])
def test_blocks_may_begin_as_the_identity(zero):
    model = tiny(zero_init=zero)
    last = [m.weight for name, m in model.named_modules() if name.endswith(".c_bn")]
    assert len(last) == 11 and all((weight == (0 if zero else 1)).all() for weight in last)


@pytest.mark.parametrize(
    ("change", "name", "shape"),
    [
        (
            {"channelwise": False, "groups": 9},
            "s2.pathway0_res0.branch2.b.weight",
            (27, 3, 3, 3, 3),
        ),
        ({"norm_last": True}, "head.lin_5_bn.weight", (16,)),
        ({"widen_second": True}, "s2.pathway0_res0.branch2.c.weight", (24, 27 * 2, 1, 1, 1)),
    ],
)
def test_other_options_change_what_they_name(change, name, shape):
    assert tiny(**change).state_dict()[name].shape == shape


def test_arguments_have_the_defaults_of_their_keys():
    defaults = {n: p.default for n, p in inspect.signature(X3D).parameters.items()}
    assert set(defaults) == set(x3d.ARGUMENTS)
    known = {n: key for n, key in x3d.ARGUMENTS.items() if key in x3d.DEFAULTS}
    assert {n: defaults[n] for n in known} == {n: x3d.DEFAULTS[key] for n, key in known.items()}


@pytest.mark.host
@pytest.mark.skipif("host.name != 'pypi'", reason="not the release")
def test_the_release_has_all_other_keys():
    cfg = host.get_cfg()
    for key in (set(x3d.ARGUMENTS.values()) | set(x3d.ONLY)) - set(x3d.DEFAULTS):
        section, name = key.split(".")
        assert name in cfg[section], key


# -- beside main's -------------------------------------------------------------------------------

SMALL = [
    "X3D.WIDTH_FACTOR", 1.0, "X3D.DIM_C5", 32, "DATA.TRAIN_CROP_SIZE", 64,
    "DATA.TEST_CROP_SIZE", 64,
]  # fmt: skip
FULL = ["X3D_XS", "X3D_S", "X3D_M", "X3D_L"]


@pytest.mark.host_main
def test_defaults_are_mains():
    cfg = host.get_cfg()
    theirs = {f"X3D.{name}": default for name, default in cfg.X3D.items()}
    assert theirs | {"MODEL.DROPCONNECT_RATE": cfg.MODEL.DROPCONNECT_RATE} == x3d.DEFAULTS


@pytest.mark.host_main
@pytest.mark.parametrize("file", FULL)
def test_full_size_has_mains_parameters(file):
    cfg = twins.load(f"Kinetics/{file}.yaml", "MODEL.DROPCONNECT_RATE", 0.3)
    with torch.device("meta"):
        theirs, our = host.build_model(cfg), twins.ours(cfg)
    shapes = [[(k, x.shape) for k, x in net.state_dict().items()] for net in (theirs, our)]
    assert shapes[0] == shapes[1]
    found = [
        block.drop_path.rate for n in "2345" for block in our.get_submodule(f"s{n}").children()
    ]
    blocks = [block for n in "2345" for block in theirs.get_submodule(f"s{n}").children()]
    assert found == pytest.approx([vars(block)["_drop_connect_rate"] for block in blocks])


@pytest.mark.host_main
@pytest.mark.parametrize(
    ("file", "opts"),
    [
        ("X3D_M", []),
        ("X3D_XS", []),
        (
            "X3D_M",
            [
                "DATA.NUM_FRAMES",
                4,
                "X3D.SCALE_RES2",
                True,
                "X3D.BN_LIN5",
                True,
                "RESNET.STRIDE_1X1",
                True,
            ],
        ),
        ("X3D_M", ["DATA.NUM_FRAMES", 4, "X3D.CHANNELWISE_3x3x3", False, "RESNET.NUM_GROUPS", 3]),
    ],
)
def test_same_scores_and_gradients_as_mains(file, opts):
    cfg, theirs, our = twins.twins(f"Kinetics/{file}.yaml", *SMALL, *opts)
    twins.check_scores(theirs, our, twins.clips(cfg))
    twins.check_gradients(theirs, our, twins.clips(cfg))


@pytest.mark.host_main
def test_a_larger_clip_has_mains_scores():
    cfg, theirs, our = twins.twins("Kinetics/X3D_M.yaml", *SMALL)
    twins.check_scores(theirs, our, twins.clips(cfg, size=96))


@pytest.mark.host_main
def test_first_weights_are_spread_as_mains():
    cfg = twins.load("Kinetics/X3D_M.yaml", *SMALL)
    torch.manual_seed(0)
    twins.check_first_weights(host.build_model(cfg), twins.ours(cfg))
