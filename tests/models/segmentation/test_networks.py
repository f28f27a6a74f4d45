"""Networks of masks: what they return, how they are trained, silenced and refused."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from support.masks import NETWORKS, SIZE, inputs_for, make, shared

from slowfast_bias.bias import tapped
from slowfast_bias.errors import RequestError
from slowfast_bias.models.families import FAMILIES, family_of
from slowfast_bias.models.replay import frame_wise_prefix
from slowfast_bias.models.segmentation import LAYERS, FusionSeg, MATNet, RTNet
from slowfast_bias.models.segmentation.crossing import CROSSINGS
from slowfast_bias.models.segmentation.fusion import FUSIONS
from slowfast_bias.models.segmentation.resnet import DESIGNS, ResNet
from slowfast_bias.models.silenced_sets import SilencedSets
from slowfast_bias.models.silencing import silenced

KINDS = {"fusionseg": "fusionseg", "r34": "rtnet_r34", "rx50": "rtnet_rx50"}


def loss_of(output):
    """A loss of every map that a network is trained on."""
    maps = [output.mask, output.boundaries, output.masks]
    return sum(F.softplus(-x).mean() for x in maps if x is not None)


@pytest.mark.parametrize("name", NETWORKS)
def test_masks_have_the_size_of_the_pictures(name):
    model = shared(name)
    family, frames = family_of(model), model.frames or 1
    assert family.name == KINDS.get(name, "matnet") and family.head(model) is None
    with torch.no_grad():
        output = family.call(model, inputs_for(model, batch=2))
    assert output.mask.shape == (2, frames, *SIZE)
    assert output.boundaries is None and output.masks is None  # in training alone
    assert torch.equal(family.logits(output), output.mask)
    scores = family.scores(output)
    torch.testing.assert_close(scores, 1 / (1 + (-output.mask).exp()))
    assert 0 <= scores.min() < scores.max() <= 1


@pytest.mark.parametrize("name", NETWORKS)
def test_all_weights_that_are_trained_get_a_gradient(name):
    model = make(name).train()
    before = copy.deepcopy(dict(model.named_buffers()))
    output = model(inputs_for(model, batch=2))
    frames = model.frames or 1
    boundaries = isinstance(model, MATNet) and model.decoder.boundaries
    assert (output.boundaries is not None) == boundaries
    assert not boundaries or output.boundaries.shape == (2, 5, frames, *SIZE)
    assert not isinstance(model, RTNet) or output.masks.shape == (2, 7, frames, *SIZE)
    loss_of(output).backward()
    for weight, p in model.named_parameters():
        assert (p.grad is not None) == p.requires_grad, weight
        assert p.grad is None or p.grad.isfinite().all(), weight
    assert not any(p.requires_grad for k, p in model.named_parameters() if k in model.unread)
    moved = {k for k, x in model.named_buffers() if not torch.equal(x, before[k])}
    norms = [(k, m) for k, m in model.named_modules() if isinstance(m, torch.nn.BatchNorm2d)]
    trained = {f"{k}.running_mean" for k, m in norms if m.weight.requires_grad}
    assert {k for k in moved if k.endswith("running_mean")} == trained


@pytest.mark.parametrize("name", ["fusionseg", "up", "r34"])
def test_evaluation_changes_nothing_and_repeats_itself(name):
    model = make(name)
    inputs = inputs_for(model)
    before = copy.deepcopy(model.state_dict())
    with torch.no_grad():
        assert torch.equal(model(inputs).mask, model(inputs).mask)
    assert all(torch.equal(x, before[k]) for k, x in model.state_dict().items())


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_are_read_under_their_names(name):
    model = shared(name)
    taps = family_of(model).layers(model)
    absent = {"fuse3", "fuse4"} if name == "fusionseg" else set()
    labels = [layer for layer in LAYERS if layer not in absent]
    assert [tap.label for tap in taps] == [tap.module for tap in taps] == labels
    assert not any(name.startswith(tuple(LAYERS)) for name in model.state_dict())
    with torch.no_grad(), tapped(model, labels) as features:
        model(inputs_for(model, batch=2))
    assert set(features) == set(labels) and all(len(x) == 2 for x in features.values())
    if isinstance(model, MATNet):
        widths = {f"fuse{k}": 16 * 2 ** (k - 2) for k in (2, 3, 4, 5)}
        assert {k: features[k].shape[1] for k in widths} == widths


@pytest.mark.parametrize("name", ["up", "r34"])
def test_sets_of_units_are_silenced_as_in_whole_forwards(name):
    """What a batch reuses must not depend on the layer: its order in the network says so."""
    model = shared(name)
    inputs = inputs_for(model)
    for layer in ("app2", "mot3", "fuse5"):
        with torch.no_grad(), silenced(model, layer, range(5)):
            mask = family_of(model).scores(model(inputs))
        sets = SilencedSets(model, layer, next(t for t in family_of(model).layers(model)
                                               if t.label == layer))  # fmt: skip
        found = sets.scores(inputs, [(), range(5), ()])  # its own check compares the last
        assert torch.equal(found[1], mask) and not torch.equal(found[0], mask)
    assert frame_wise_prefix(model, LAYERS) == []


def test_gates_change_what_they_are_between():
    """With gates of zero weights and a bias so low that they are shut, each place counts once."""
    model = make("both, gates")
    inputs = inputs_for(model)
    with torch.no_grad():
        first = model(inputs).mask
        for stage in (3, 4, 5):
            gate = model.encoder.get_submodule(f"coa_res{stage}").rgating.conv[0]
            gate.weight.zero_()
            gate.bias.fill_(-1e4)
        assert not torch.allclose(model(inputs).mask, first)
        a, m = torch.rand(2, 16, 3, 3), torch.rand(2, 16, 3, 3)
        shut = model.encoder.coa_res3.rgating(a, m)
    assert torch.equal(shut[0], a) and torch.equal(shut[1], m)


def test_shares_of_a_convex_fusion_sum_to_one():
    from slowfast_bias.models.segmentation.fusion import Convex

    torch.manual_seed(0)
    x = torch.rand(2, 16, 5, 5)
    added, beside = Convex(16, 4, add=True), Convex(16, 4)
    beside.load_state_dict(added.state_dict())
    assert beside(x, -x).shape == (2, 32, 5, 5)
    app, mot = beside(x, 2 * x).chunk(2, 1)
    torch.testing.assert_close(added(x, 2 * x), app + mot)
    # channel share f, place share p: app = f p x, mot = (1 - f) (1 - p) x
    app, mot = (y / x for y in beside(x, x).chunk(2, 1))
    assert ((app.sqrt() + mot.sqrt()) <= 1 + 1e-5).all()  # by Cauchy and Schwarz


def test_a_resnet_has_strides_and_dilation_where_they_belong():
    torch.manual_seed(0)
    x = torch.rand(1, 3, 64, 64)
    for dilated, last in ((False, 2), (True, 4)):
        net = ResNet("resnet50", 8, dilated=dilated).eval()
        y, sizes = net.stem(x), []
        for i in (1, 2, 3, 4):
            y = net.get_submodule(f"layer{i}")(y)
            sizes.append(y.shape[1:])
        assert sizes == [(32, 16, 16), (64, 8, 8), (128, 4, 4), (256, last, last)]
    dilations = [block.conv2.dilation[0] for block in net.layer4]
    assert dilations == [1, 2, 2] and net.layer4[0].conv2.stride == (1, 1)
    assert net.layer3[0].conv2.stride == (2, 2) and net.layer3[0].conv1.stride == (1, 1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda i, f: [i], "but got"),
        (lambda i, f: [i, f[..., :-1]], "of one size"),
        (lambda i, f: [i[:, :, 0], f[:, :, 0]], r"\(B, 3, T, H, W\) and flow \(B, 3, T, H, W\)"),
        (lambda i, f: [i, torch.cat([f, f], 1)], r"\(1, 6, 1, 33, 49\)"),
        (lambda i, f: [i, torch.cat([f, f])], r"\(2, 3, 1, 33, 49\)"),
    ],
)
def test_other_inputs_are_refused_with_what_was_expected(change, says):
    model = shared("fusionseg")
    with pytest.raises(RequestError, match=f"Expected FusionSeg to get pictures .*{says}"):
        model(change(*inputs_for(model)))


def test_rtnet_takes_two_frames_and_both_flows():
    model = shared("r34")
    image, flow = inputs_for(model)
    with pytest.raises(RequestError, match=r"\(B, 3, 2, H, W\) and flow \(B, 6, 2, H, W\)"):
        model([image[:, :, :1], flow[:, :, :1]])
    with pytest.raises(RequestError, match=r"flow \(B, 6, 2, H, W\)"):
        model([image, flow[:, :3]])


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: MATNet(fusion="sum"), "`fusion` to be one of gated, convex, but got 'sum'"),
        (lambda: MATNet(crossing="down"), "`crossing` to be one of none, up, both"),
        (lambda: MATNet(crossing="none", gates=True), "a `crossing` for its `gates`"),
        (lambda: FusionSeg("resnet7"), "`trunk` to be one of resnet18"),
        (lambda: RTNet("resnet101"), "`trunk` to be one of resnet34"),
    ],
)
def test_unknown_words_are_refused(build, says):
    with pytest.raises(RequestError, match=says):
        build()


@pytest.mark.host
def test_configs_build_them():
    from slowfast_bias import engine
    from slowfast_bias.config.options import find_option, get_cfg

    for key, words in (("FUSION", FUSIONS), ("CROSSING", CROSSINGS), ("TRUNK", tuple(DESIGNS))):
        assert find_option(f"BIAS.SEGMENTATION.{key}").choices == words
    cfg = get_cfg()
    cfg.NUM_GPUS, cfg.BIAS.SEGMENTATION.TRUNK, cfg.BIAS.SEGMENTATION.WIDTH = 0, "resnet18", 8
    cfg.BIAS.SEGMENTATION.CROSSING, cfg.BIAS.SEGMENTATION.FUSION = "both", "convex"
    for family in (f for f in FAMILIES if f.task == "segmentation"):
        cfg.MODEL.ARCH, cfg.MODEL.MODEL_NAME = family.own.arch, family.own.model_name
        model = engine.build_network(cfg)
        assert family_of(model) is family
        assert tuple(s.channels for s in family.input_spec.streams) == model.colours
        assert family.input_spec.frames == model.frames
        if isinstance(model, MATNet):
            assert model.encoder.coa_res3.both and not hasattr(
                model.encoder.gated_res3, "excitation_1"
            )
