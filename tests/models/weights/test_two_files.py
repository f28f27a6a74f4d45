"""Files of networks of masks: halves that are one network, prefixes, and files of others."""

from __future__ import annotations

import re
import shutil

import pytest
import torch
from support.masks import SMALL, make, randomise, shared

from slowfast_bias.models.segmentation import MATNet
from slowfast_bias.models.segmentation.resnet import ResNet
from slowfast_bias.models.weights.describe import describe
from slowfast_bias.models.weights.fit import load_weights
from slowfast_bias.models.weights.readers import CheckpointError, read_checkpoint


@pytest.fixture(scope="module")
def source():
    """A network whose weights are in the files."""
    return make("up", seed=1)


def save_halves(folder, model, epoch=0, prefix="", lacking=()):
    folder.mkdir(exist_ok=True)
    for half in ("encoder", "decoder"):
        weights = model.get_submodule(half).state_dict()
        kept = {f"{prefix}{k}": x for k, x in weights.items() if f"{half}.{k}" not in lacking}
        torch.save(kept, folder / f"{half}_{epoch}.pt")
    return folder


def load(path, model, **more):
    return load_weights(model, read_checkpoint(str(path))["model_state"], str(path), **more)


def same(a, b, without=()):
    mine, theirs = a.state_dict(), b.state_dict()
    return all(torch.equal(mine[k], theirs[k]) for k in theirs if k not in without)


@pytest.mark.parametrize(
    ("given", "prefix"), [("encoder_0.pt", "module."), ("decoder_0.pt", ""), ("", "module.")]
)
def test_two_files_are_read_as_one(tmp_path, source, given, prefix):
    folder, model = save_halves(tmp_path / "files", source, prefix=prefix), make("up")
    assert not same(model, source)
    assert load(folder / given, model).untouched == []
    assert same(model, source)


def test_the_newest_epoch_of_a_folder_is_taken_that_is_whole(tmp_path, source):
    folder = save_halves(tmp_path / "files", make("up", seed=2), epoch=9)
    save_halves(folder, source, epoch=10)
    shutil.copy(folder / "encoder_9.pt", folder / "encoder_11.pt")
    (folder / "args.pkl").write_bytes(b"never read")
    model = make("up")
    load(folder, model)
    assert same(model, source)


def test_the_decoder_of_the_study_is_whole(tmp_path, source, caplog):
    folder = save_halves(tmp_path / "files", source, lacking=source.unread)
    model, before = make("up"), shared("up")
    assert load(folder, model).untouched == []
    assert same(model, source, without=model.unread)
    assert all(torch.equal(model.state_dict()[k], before.state_dict()[k]) for k in model.unread)


def test_any_other_weight_that_lacks_is_an_error(tmp_path, source):
    some = set(sorted(source.unread)[:-1])
    for lacking in (some, source.unread | {"decoder.pred2.bias"}, {"decoder.pred5.bias"}):
        folder, model = save_halves(tmp_path / "files", source, lacking=lacking), make("up")
        with pytest.raises(CheckpointError, match=f"It lacks {len(lacking)} weights"):
            load(folder, model)
        assert same(model, shared("up"))  # none was loaded


@pytest.mark.parametrize(
    ("half", "other", "whole_folder"), [("encoder", "decoder", True), ("decoder", "encoder", False)]
)
def test_half_a_network_is_refused_with_what_it_is(tmp_path, source, half, other, whole_folder):
    folder = save_halves(tmp_path / "files", source)
    (folder / f"{other}_0.pt").unlink()
    path, model = folder if whole_folder else folder / f"{half}_0.pt", make("up")
    with pytest.raises(CheckpointError) as caught:
        load(path, model)
    message = str(caught.value)
    assert f"of the kind half a MATNet, the {half}, and the config builds MATNet" in message
    assert "Put the other half beside it, encoder_<epoch>.pt and decoder_<epoch>.pt" in message
    assert "classifier" not in message and same(model, shared("up"))
    left = load(path, model, partial=True).untouched  # to measure: said in reports
    assert left and all(name.startswith(f"{other}.") for name in left)


def test_a_file_beside_it_that_is_no_decoder_is_an_error(tmp_path, source):
    folder = save_halves(tmp_path / "files", source)
    shutil.copy(folder / "encoder_0.pt", folder / "decoder_0.pt")
    with pytest.raises(CheckpointError, match=r"decoder_0\.pt to be the decoder of a MATNet"):
        read_checkpoint(str(folder / "encoder_0.pt"))
    (folder / "decoder_0.pt").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"decoder_0\.pt .*empty file"):
        read_checkpoint(str(folder / "encoder_0.pt"))


@pytest.mark.parametrize(
    ("name", "save"),
    [
        ("fusionseg", lambda w: {"model_state": w, "cur_itrs": 9, "best_score": 0.5}),
        ("r34", lambda w: {"state_dict": {f"module.{k}": x for k, x in w.items()}}),
        ("up", lambda w: {"model_state": w, "epoch": 3}),  # our own: in one file
    ],
)
def test_files_of_one_network_load_strictly(tmp_path, name, save):
    theirs, model = make(name, seed=1), make(name)
    torch.save(save(theirs.state_dict()), tmp_path / "file.pth")
    assert load(tmp_path / "file.pth", model).untouched == []
    assert same(model, theirs)


def small(names):
    return {name: torch.zeros(2) for name in names}


def imagenet():
    return {**ResNet("resnet18", 8).state_dict(), "fc.weight": torch.zeros(1000, 64),
            "fc.bias": torch.zeros(1000)}  # fmt: skip


OTHERS = {
    "DETR": (
        lambda: {"model": small([
            "transformer.encoder.layers.0.self_attn.in_proj_weight",
            "transformer.decoder.layers.0.multihead_attn.in_proj_weight",
            "backbone.0.body.layer1.0.conv1.weight", "class_embed.bias",
        ])},
        "DETR",
    ),
    "VisTR": (
        lambda: {"model": small(["vistr.class_embed.bias", "vistr.backbone.0.body.conv1.weight",
                                 "vistr.transformer.decoder.layers.0.multihead_attn.in_proj_bias"])},
        "VisTR",
    ),
    "ImageNet": (imagenet, r"ResNet,.* It tells 1000 classes \(as ImageNet\) apart"),
    "DeepLab": (
        lambda: {"model_state": small(["backbone.layer1.0.conv1.weight",
                                       "classifier.aspp.convs.0.0.weight"])},
        r"DeepLabv3\+",
    ),
    "FusionSeg": (lambda: shared("fusionseg").state_dict(), "FusionSeg"),
    "RTNet": (lambda: shared("r34").state_dict(), "RTNet"),
    "a stream": (lambda: shared("r34").spatial_net.state_dict(), "RTNet's streams, one alone"),
}  # fmt: skip


@pytest.mark.parametrize("kind", OTHERS)
def test_a_file_of_something_else_is_refused_with_what_it_is(tmp_path, kind):
    content, says = OTHERS[kind]
    torch.save(content(), tmp_path / "file.pth")
    model = make("up")
    says = f"of the kind {says}" if "," in says else f"of the kind {says}, and the config builds"
    with pytest.raises(CheckpointError, match=says) as caught:
        load(tmp_path / "file.pth", model)
    assert "no classifier" not in str(caught.value) and "MATNet" in str(caught.value)


@pytest.mark.parametrize("other", ["up, gates", "both, gates", "fusionseg"])
def test_a_file_of_another_variant_names_the_keys(other):
    model, weights = make("up"), shared(other).state_dict()
    with pytest.raises(CheckpointError, match=r"Check MODEL\.ARCH, BIAS\.SEGMENTATION\.FUSION, "):
        load_weights(model, weights, "file")


def test_our_own_networks_are_described():
    with torch.device("meta"):
        model = MATNet(**SMALL)
    assert describe(model.state_dict()) == "MATNet"
    assert describe(shared("fusionseg").state_dict()) == "FusionSeg"
    assert describe(shared("rx50").state_dict()) == "RTNet"
    assert re.match("half a MATNet", describe(model.encoder.state_dict()))


def test_other_folders_and_files_are_read_as_before(tmp_path):
    net = ResNet("resnet18", 4)
    randomise(net)
    (tmp_path / "encoders").mkdir()
    path = tmp_path / "encoders" / "encoder_0.pt"
    torch.save(net.state_dict(), path)
    torch.save({"other": torch.zeros(1)}, tmp_path / "encoders" / "decoder_0.pt")
    found = read_checkpoint(str(path))["model_state"]
    assert set(found) == set(net.state_dict())
