"""Weights of Hugging Face folders: all of them, or an error that says what to do."""

from __future__ import annotations

import os
import pickle
import shutil

import pytest
import torch
from support.huggingface import CLASSES, call, clips, edit_json, save_tiny, tiny_network

from slowfast_bias.models.networks.huggingface import Huggingface, missing
from slowfast_bias.models.weights.fit import load_weights
from slowfast_bias.models.weights.huggingface_folder import is_pretrained, read_pretrained
from slowfast_bias.models.weights.readers import CheckpointError, read_checkpoint

pytestmark = pytest.mark.skipif(bool(missing()), reason="no transformers here")


@pytest.fixture(scope="module")
def videomae(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videomae")
    save_tiny(folder, "videomae")
    return folder


@pytest.fixture(scope="module")
def model(videomae):
    return Huggingface(str(videomae), CLASSES).eval()


@pytest.fixture
def folder(videomae, tmp_path):
    """A copy that a test may break."""
    return shutil.copytree(videomae, tmp_path / "copy")


def rewrite(folder, change):
    """Changes the {name: tensor} of a folder."""
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def cut(folder):
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])


def lose_a_shard(folder):
    network = tiny_network("videomae")
    (folder / "model.safetensors").unlink()
    network.save_pretrained(folder, max_shard_size="50KB")
    next(folder.glob("model-00002-*")).unlink()


def lose_the_biases(folder):
    """As some versions of transformers do with published files."""
    rewrite(folder, lambda w: [w.pop(k) for k in list(w) if k.endswith(("q_bias", "v_bias"))])


BROKEN = [
    (lambda f: rewrite(f, lambda w: w.pop("videomae.embeddings.patch_embeddings.projection.bias")),
     "lack 1 weights (videomae.embeddings.patch_embeddings.projection.bias)"),
    (lambda f: rewrite(f, lambda w: w.update(extra=torch.ones(1))), "1 of no use (extra)"),
    (lambda f: rewrite(f, lambda w: w.update({"classifier.bias": torch.ones(7)})),
     "1 have other shapes (classifier.bias)"),
    (lambda f: rewrite(f, lambda w: w["fc_norm.bias"].fill_(float("nan"))),
     "NaN or Inf (model.fc_norm.bias)"),
    (lose_the_biases, "would leave at zero"),
    (cut, "cut short"),
    (lambda f: (f / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1"),
     "Git LFS"),
    (lambda f: (f / "model.safetensors").unlink(), "but it has none"),
    (lose_a_shard, "model-00002-of-00002.safetensors is not there"),
    (lambda f: (f / "model.safetensors.index.json").write_text("{}"), "names no files"),
    (lambda f: (f / "model.safetensors.index.json").write_text('{"weight_map": {"a": 5}}'),
     "but got 5 for 'a'"),
    (lambda f: edit_json(f / "config.json", model_type="vivit"), "holds ViViT"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "says"), BROKEN)
def test_a_folder_that_is_not_whole_is_refused(spoil, says, folder, model):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    spoil(folder)
    with pytest.raises(CheckpointError) as error:
        read_pretrained(str(folder), model)
    assert says in str(error.value) and str(folder) in str(error.value)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_pickles_run_nothing(folder, model, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"classifier.bias": Evil()}))
    with pytest.raises(CheckpointError, match="something else than tensors"):
        read_pretrained(str(folder), model)
    torch.save({"classifier.bias": Evil()}, folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="something else than tensors"):
        read_pretrained(str(folder), model)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("form", ["half", "shards", "bin"])
def test_every_form_of_a_folder_gives_the_same_network(form, tmp_path, model):
    network = tiny_network("videomae")
    if form == "half":
        network = network.half()
    network.save_pretrained(tmp_path, max_shard_size="20KB" if form == "shards" else "1GB")
    if form == "bin":
        from safetensors.torch import load_file

        torch.save(load_file(tmp_path / "model.safetensors"), tmp_path / "pytorch_model.bin")
        (tmp_path / "model.safetensors").unlink()
    assert len(list(tmp_path.glob("model-*"))) > 1 or form != "shards"
    load_weights(model, read_pretrained(str(tmp_path), model)["model_state"], "folder")
    assert {value.dtype for value in model.state_dict().values()} == {torch.float32}
    with torch.no_grad():
        torch.testing.assert_close(model([clips()]), call(network.float(), clips()).softmax(1))


ENCODERS = [
    ("videomae", "AutoModel"),
    ("videomae", "AutoModelForPreTraining"),
    ("vjepa2", "AutoModel"),
]


@pytest.mark.parametrize(("kind", "auto"), ENCODERS)
def test_an_encoder_alone_loads_only_if_asked_for(kind, auto, tmp_path):
    encoder = tiny_network(kind, auto)
    encoder.save_pretrained(tmp_path)
    model = Huggingface(str(tmp_path), CLASSES)
    fresh = {k: v.clone() for k, v in model.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"encoder without a classifier.*NEW_CLASSIFIER"):
        read_pretrained(str(tmp_path), model)
    new = read_pretrained(str(tmp_path), model, new_classifier=True)["model_state"]
    load_weights(model, new, "folder")
    part = read_pretrained(str(tmp_path), model, partial=True)["model_state"]
    head = set(new) - set(part)
    assert head and {"head.projection.weight", "head.projection.bias"} <= head
    assert all(torch.equal(new[name], fresh[name]) for name in head)
    assert all("encoder" in k or "embeddings" in k or "layernorm" in k for k in part), part.keys()
    theirs = {k.rpartition("encoder.layer.")[2]: v for k, v in encoder.state_dict().items()}
    last = "1.attention.value.weight" if kind == "vjepa2" else "1.attention.attention.value.weight"
    ours = next(v for k, v in part.items() if k.endswith(f"layer.{last}"))
    torch.testing.assert_close(ours, theirs[last])


def test_other_classes_are_an_error_or_start_afresh(videomae):
    model = Huggingface(str(videomae), CLASSES + 3)
    fresh = model.head.projection.weight.clone()
    with pytest.raises(CheckpointError, match=f"{CLASSES} classes"):
        load_weights(model, read_pretrained(str(videomae), model)["model_state"], "folder")
    load_weights(
        model, read_pretrained(str(videomae), model, new_classifier=True)["model_state"], "folder"
    )
    assert torch.equal(model.head.projection.weight, fresh)
    own = read_pretrained(str(videomae), Huggingface(str(videomae), CLASSES))["model_state"]
    assert torch.equal(model.model.fc_norm.weight, own["model.fc_norm.weight"])


@pytest.mark.parametrize("partial", [False, True])
def test_a_file_of_the_folder_says_that_the_folder_will_do(videomae, model, partial):
    weights = read_checkpoint(str(videomae / "model.safetensors"))["model_state"]
    with pytest.raises(CheckpointError, match="those of a Hugging Face folder: give the folder"):
        load_weights(model, weights, "model.safetensors", partial=partial)


def test_only_a_folder_for_this_kind_of_network_is_read_by_transformers(videomae, model):
    assert is_pretrained(str(videomae), model)
    assert not is_pretrained(str(videomae / "model.safetensors"), model)
    assert not is_pretrained(str(videomae), torch.nn.Linear(1, 1))
