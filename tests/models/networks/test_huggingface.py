"""The wrapper around networks of transformers: what it builds, how it is read, what it refuses."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import socket

import pytest
import torch
from support import ROOT
from support.huggingface import (
    BLOCKS,
    CLASSES,
    FRAMES,
    KINDS,
    SIDE,
    call,
    clips,
    edit_json,
    save_tiny,
)

from slowfast_bias import attach_static_dropout, silenced
from slowfast_bias.bias import tapped
from slowfast_bias.errors import MissingPackageError, UserError
from slowfast_bias.models.bf16 import prepared_for_bf16
from slowfast_bias.models.families import family_of
from slowfast_bias.models.networks.huggingface import Huggingface, missing
from slowfast_bias.models.networks.huggingface_files import describe
from slowfast_bias.models.networks.huggingface_folders import find_folder
from slowfast_bias.models.silenced_sets import SilencedSets
from slowfast_bias.models.weights.fit import load_weights
from slowfast_bias.models.weights.huggingface_folder import read_pretrained

needs_transformers = pytest.mark.skipif(bool(missing()), reason="no transformers here")


@pytest.fixture(scope="module", params=KINDS)
def both(request, tmp_path_factory):
    """(kind, the wrapper with a folder's weights, transformers' own network of that folder)."""
    if missing():
        pytest.skip("no transformers here")
    folder = tmp_path_factory.mktemp(request.param)
    network = save_tiny(folder, request.param)
    model = Huggingface(str(folder), CLASSES)
    load_weights(model, read_pretrained(str(folder), model)["model_state"], "folder")
    return request.param, model.eval(), network


def test_scores_are_those_of_transformers(both):
    _, model, network = both
    x = clips()
    with torch.no_grad():
        probabilities, logits = model([x]), model.train()([x])
    model.eval()
    torch.testing.assert_close(logits, call(network, x))
    torch.testing.assert_close(probabilities, call(network, x).softmax(1))


def test_layers_are_the_blocks_and_the_head_averaged_over_a_clip(both):
    """Against transformers' own blocks, without the class token; VideoPrism's rows folded."""
    kind, model, network = both
    blocks, class_tokens = BLOCKS[kind]
    reference, x = {}, clips()
    handles = [
        network.get_submodule(name.removeprefix("model.")).register_forward_hook(
            lambda _, __, out, name=name: reference.update({name: out})
        )
        for name in blocks
    ]
    call(network, x)
    for handle in handles:
        handle.remove()
    with torch.no_grad(), tapped(model, family_of(model).layers(model)) as features:
        scores = model([x])
    assert list(features) == [*blocks, "head"]
    for name in blocks:
        out = reference[name][0] if isinstance(reference[name], tuple) else reference[name]
        rows = out[:, class_tokens:].reshape(len(x), -1, out.shape[-1])
        torch.testing.assert_close(features[name], rows.mean(1))
    logits = model.head.projection(features["head"])
    torch.testing.assert_close(logits.softmax(1), scores)


def test_every_weight_learns(both):
    """A weight without a gradient would stop training by several processes."""
    _, model, _ = both
    model.train()
    torch.nn.functional.cross_entropy(model([clips()]), torch.tensor([0, 1])).backward()
    model.eval()
    assert [name for name, weight in model.named_parameters() if weight.grad is None] == []
    model.zero_grad()


def test_silenced_units_are_zero_in_every_layer(both):
    _, model, _ = both
    taps = family_of(model).layers(model)
    for tap in taps:
        with torch.no_grad(), silenced(model, tap.label, [3], taps=taps), tapped(model, taps) as f:
            model([clips()])
        assert not f[tap.label][:, 3].any() and f[tap.label][:, 4].all()


def test_sets_of_units_replay_the_network_before_the_head(both):
    _, model, _ = both
    taps = {tap.label: tap for tap in family_of(model).layers(model)}
    sets = SilencedSets(model, "head", taps["head"])
    whole, without = sets.scores([clips()], [(), (2, 5)])
    assert sets.reused == ["model"]
    with torch.no_grad(), silenced(model, "head", [2, 5]):
        torch.testing.assert_close(model([clips()]), without)
    assert not torch.equal(whole, without)


def test_bf16_reads_the_same_features(both):
    _, model, _ = both
    x, taps = clips(), family_of(model).layers(model)
    fast = prepared_for_bf16(model)
    with torch.no_grad(), tapped(model, taps) as exact:
        model([x])
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16), tapped(fast, taps) as rough:
        fast([x.to(memory_format=torch.channels_last_3d)])
    for label, features in exact.items():
        assert (features - rough[label]).abs().max() < 0.1 * features.abs().max()


def test_static_dropout_takes_the_slot_before_the_classifier(both):
    _, model, _ = both
    slot, x = model.head.dropout, clips()
    drop = attach_static_dropout(model.head, rate=0.25)
    try:
        model.train()
        with torch.no_grad(), tapped(model, ["head.dropout"]) as features:
            model([x])
        assert features["head.dropout"].eq(0).sum(1).tolist() == [drop.dropped] * 2
    finally:
        model.eval().head.dropout = slot


@needs_transformers
def test_fresh_weights_follow_from_the_seed_and_are_blind_to_order_where_said(tmp_path):
    for kind, word in (("timesformer", "time_embeddings"), ("videomae", "")):
        save_tiny(tmp_path / kind, kind)
        models = []
        for _ in range(2):
            torch.manual_seed(3)
            models.append(Huggingface(str(tmp_path / kind), CLASSES).eval())
        one, other = (model.state_dict() for model in models)
        assert all(torch.equal(one[name], other[name]) for name in one)
        x, warned = clips(), family_of(models[0]).warnings(models[0])
        with torch.no_grad():
            same = torch.allclose(models[0]([x]), models[0]([x.flip(2)]), atol=1e-5)
        assert same == bool(word) == bool(warned) and word in " ".join(warned)


@needs_transformers
def test_a_folder_without_network_is_all_it_takes(tmp_path, monkeypatch):
    """No connection is opened, whatever config.json names."""
    save_tiny(tmp_path, "vjepa2")
    edit_json(tmp_path / "config.json", _name_or_path="facebook/vjepa2-vitl-fpc16-256-ssv2")

    def connect(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", connect)
    model = Huggingface(str(tmp_path), CLASSES)
    assert len(read_pretrained(str(tmp_path), model)["model_state"]) == len(model.state_dict())


@needs_transformers
def test_what_config_json_says_of_outputs_changes_nothing(tmp_path):
    network = save_tiny(tmp_path, "timesformer")
    edit_json(tmp_path / "config.json", return_dict=False, output_attentions=True)
    model = Huggingface(str(tmp_path), CLASSES)
    load_weights(model, read_pretrained(str(tmp_path), model)["model_state"], "folder")
    with torch.no_grad():
        torch.testing.assert_close(model([clips()]), call(network, clips()))


# -- what the files say, without transformers ----------------------------------------------------


def folder_of(path, kind, processor=None, name="preprocessor_config.json", **changes):
    """A folder with a config.json and perhaps a processor's JSON; no weights."""
    path.mkdir(exist_ok=True)
    config = {"model_type": kind, "architectures": ["XForVideoClassification"], **KINDS[kind]}
    edit_json(path / "config.json", **{**config, **changes})
    if processor is not None:
        edit_json(path / name, **processor)
    return str(path)


def test_frames_pixels_and_classes_come_from_config_json(tmp_path):
    labels = {str(i): f"class {i}" for i in range(7)}
    for kind in KINDS:
        found = describe(folder_of(tmp_path / kind, kind, id2label=labels))
        assert found.values["DATA.NUM_FRAMES"] == FRAMES
        assert found.values["DATA.TRAIN_CROP_SIZE"] == found.values["DATA.TEST_CROP_SIZE"] == SIDE
        assert found.values["MODEL.NUM_CLASSES"] == 7
        assert set(found.fixed) >= {"DATA.TRAIN_CROP_SIZE", "DATA.TEST_CROP_SIZE"}
        assert ("DATA.NUM_FRAMES" in found.fixed) == (kind != "vjepa2")
        assert "preprocessor_config.json" in found.notes[0]


def test_a_config_for_one_kind_refuses_the_folder_of_another(tmp_path):
    folder = folder_of(tmp_path, "videomae")
    assert describe(folder, wanted="videomae").values["DATA.NUM_FRAMES"] == FRAMES
    with pytest.raises(UserError, match="expected a TimeSformer.* holds a VideoMAE"):
        describe(folder, wanted="timesformer")


def test_an_encoder_alone_says_no_classes(tmp_path):
    folder = folder_of(tmp_path, "videomae", architectures=["VideoMAEForPreTraining"])
    assert "MODEL.NUM_CLASSES" not in describe(folder).values


IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
PROCESSORS = [
    ("videomae", IMAGENET, 1 / 255, 0),
    ("timesformer", {"image_mean": [0.45] * 3, "image_std": [0.225] * 3}, 1 / 255, 0),
    ("vivit", {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "offset": True,
               "rescale_factor": 1 / 127.5}, 1 / 127.5, 1),
    ("vivit", {"do_normalize": False}, 1 / 127.5, 1),
    ("vivit", {"offset": False, "rescale_factor": 1 / 255, **IMAGENET}, 1 / 255, 0),
    ("videomae", {"do_rescale": False, "image_mean": [127.5] * 3, "image_std": [50.0] * 3}, 1, 0),
    ("videoprism_vision_model", {"do_normalize": True, **IMAGENET}, 1 / 255, 0),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "processor", "scale", "offset"), PROCESSORS)
def test_mean_and_std_do_to_clips_what_the_processor_does_to_bytes(
    kind, processor, scale, offset, tmp_path
):
    values = describe(folder_of(tmp_path, kind, processor)).values
    frames = torch.arange(0.0, 256).repeat(3, 1)
    # VideoPrism's own processor sets do_normalize False, whatever the file says
    plain = not processor.get("do_normalize", True) or kind == "videoprism_vision_model"
    mean = [0.0] * 3 if plain else processor["image_mean"]
    std = [1.0] * 3 if plain else processor["image_std"]
    mean, std = (torch.tensor(x)[:, None] for x in (mean, std))
    expected = (frames * scale - offset - mean) / std
    ours = (frames / 255 - torch.tensor(values["DATA.MEAN"])[:, None]) / torch.tensor(
        values["DATA.STD"]
    )[:, None]
    torch.testing.assert_close(ours, expected, atol=1e-3, rtol=1e-4)  # six decimals are kept


def test_short_side_and_the_file_that_counts(tmp_path):
    old = folder_of(tmp_path, "vjepa2", {"size": {"shortest_edge": 40}, "image_mean": 0.1})
    assert describe(old).values["DATA.TRAIN_JITTER_SCALES"] == [40, 50]
    edit_json(tmp_path / "video_preprocessor_config.json", size=36, image_mean=0.2)
    values = describe(old).values
    assert values["DATA.TRAIN_JITTER_SCALES"] == [36, 45] and values["DATA.MEAN"] == [0.2] * 3
    whole = {"video_processor": {"size": {"height": 8, "width": 8}}}
    new = folder_of(tmp_path / "new", "videomae", whole, "processor_config.json")
    assert describe(new).values["DATA.TRAIN_JITTER_SCALES"] == [SIDE, 40]  # not below the clip
    assert not describe(new).notes


@pytest.mark.parametrize(
    "processor",
    [
        {"image_mean": "abc"}, {"image_mean": [0.5, 0.5]}, {"image_mean": [0.5, 0.5, "a"]},
        {"image_std": {"r": 1}}, {"image_std": float("nan")}, {"rescale_factor": "1/255"},
        {"rescale_factor": 0}, {"size": "big"}, {"size": {"shortest_edge": [224]}},
        {"size": [224, 224]},
    ],
)  # fmt: skip
def test_what_prepares_clips_is_numbers_or_refused_by_its_key(processor, tmp_path):
    both = ((processor, "preprocessor_config.json"), ({"image_processor": processor},
            "processor_config.json"))  # fmt: skip
    for i, (content, name) in enumerate(both):
        with pytest.raises(UserError, match=f"BIAS.HF.FOLDER: expected `{next(iter(processor))}`"):
            describe(folder_of(tmp_path / str(i), "videomae", content, name))
    for part in ("video_processor", "image_processor"):
        with pytest.raises(UserError, match=f"expected `{part}`.*but got 3"):
            describe(folder_of(tmp_path / part, "videomae", {part: 3}, "processor_config.json"))


REFUSED = [
    ({"model_type": "xclip"}, "TimeSformer (timesformer), VideoMAE (videomae), ViViT (vivit), V-J"),
    ({"model_type": None}, "`model_type` None"),
    ({"attention_type": "space_only"}, "classifies frames, not clips"),
    ({"auto_map": {"AutoModel": "evil.Model"}}, "never run"),
    ({"image_size": [32, 48]}, "square"),
]


@pytest.mark.parametrize(("changes", "says"), REFUSED)
def test_what_cannot_be_built_is_refused_by_its_json(changes, says, tmp_path):
    folder = folder_of(tmp_path, "timesformer", **changes)
    with pytest.raises(UserError) as error:
        describe(folder)
    assert says in str(error.value) and "BIAS.HF.FOLDER" in str(error.value)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p: "", "got ''"),
        (lambda p: "google/vivit", "BIAS.HF.DOWNLOAD True"),
        (lambda p: str(p), "no config.json"),
        (lambda p: (p / "config.json").write_text("{") and str(p), "JSON"),
        (lambda p: (p / "config.json").write_text("[]") and str(p), "{...}"),
    ],
)
def test_a_folder_that_is_none_is_named(make, says, tmp_path):
    with pytest.raises(UserError) as error:
        describe(make(tmp_path))
    assert says in str(error.value)


@needs_transformers
def test_the_hub_is_asked_only_if_told_and_for_json_first(tmp_path, monkeypatch):
    import huggingface_hub

    asked = []

    def snapshot(name, allow_patterns):
        asked.append((name, allow_patterns[1]))
        if name == "a/none":
            raise OSError("404 Client Error")
        return str(tmp_path)

    folder_of(tmp_path, "vivit")
    (tmp_path / "pytorch_model.bin").touch()
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    with pytest.raises(UserError):
        find_folder("google/vivit")
    assert asked == []
    assert describe("google/vivit", download=True).values["DATA.NUM_FRAMES"] == FRAMES
    assert asked == [("google/vivit", "*.json")]
    assert find_folder("google/vivit", download=True, weights=True) == tmp_path
    assert [pattern for _, pattern in asked[1:]] == ["*.safetensors", "pytorch_model*.bin"]
    with pytest.raises(UserError, match="cannot be downloaded: OSError: 404"):
        find_folder("a/none", download=True)


@pytest.mark.parametrize("version", [None, "4.57.6", "5.17.0"])
def test_an_absent_or_old_library_is_said_without_importing_it(version, monkeypatch, tmp_path):
    found = importlib.util.find_spec("json") if version else None
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: version)
    assert "pip install 'slowfast_bias[hf]'" in missing() and (version or "none") in missing()
    with pytest.raises(MissingPackageError, match="transformers 5.18 or newer"):
        Huggingface(folder_of(tmp_path, "vivit"), 4)


@pytest.mark.parametrize("version", ["5.18.0", "5.24.0.dev0", "6.0"])
def test_newer_versions_will_do(version, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(importlib.metadata, "version", lambda name: version)
    assert missing() == ""


def test_no_module_imports_transformers_when_it_is_imported():
    for path in (ROOT / "slowfast_bias").rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            names = [alias.name for alias in getattr(node, "names", ())]
            for name in (getattr(node, "module", None) or "", *names):
                assert name.partition(".")[0] not in ("transformers", "huggingface_hub"), path
