"""What a file is follows from its content; each that holds no weights has a sentence of its own."""

from __future__ import annotations

import errno
import gzip
import io
import json
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import pytest
import torch

from slowfast_bias.models.weights.readers import CheckpointError, read_checkpoint
from slowfast_bias.models.weights.safetensors_files import INDEX

pytestmark = pytest.mark.host

WEIGHTS = {"s5.weight": torch.arange(6.0).reshape(2, 3), "head.bias": torch.ones(4)}
SUFFIXES = (".pyth", ".pkl", ".safetensors", ".zip", "")


def saved(content, **options):
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def tensors(weights, **changes):
    """A file of safetensors, written by its own rules: length, header, numbers."""
    header, data = {"__metadata__": {"format": "pt"}}, b""
    names = {torch.float32: "F32", torch.float16: "F16", torch.int64: "I64", torch.bool: "BOOL"}
    for name, value in weights.items():
        numbers = value.contiguous().numpy().tobytes()
        span = [len(data), len(data) + len(numbers)]
        header[name] = {"dtype": names[value.dtype], "shape": list(value.shape)}
        header[name]["data_offsets"] = span
        data += numbers
    for name, change in changes.items():
        header[name].update(change)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def archive(**files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as found:
        for name, content in files.items():
            found.writestr(name, content)
    return file.getvalue()


def tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as found:
        found.addfile(tarfile.TarInfo("weights.pth"))
    return file.getvalue()


def script():
    class Program(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + 1

    file = io.BytesIO()
    torch.jit.save(torch.jit.trace(Program(), torch.ones(1)), file)
    return file.getvalue()


def npz(arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


ARRAYS = {name: value.numpy() for name, value in WEIGHTS.items()}
GOOD = {
    "torch zip": saved({"model_state": WEIGHTS}),
    "torch legacy": saved({"model_state": WEIGHTS}, _use_new_zipfile_serialization=False),
    "pickle 2": pickle.dumps({"model": ARRAYS}, protocol=2),
    "pickle 4": pickle.dumps({"model": ARRAYS}, protocol=4),
    "pickle 0": pickle.dumps({"model": ARRAYS}, protocol=0),
    "safetensors": tensors(WEIGHTS),
    "npz": npz(ARRAYS),
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", GOOD)
def test_a_file_is_read_whatever_it_is_called(tmp_path, kind, suffix):
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(GOOD[kind])
    found = read_checkpoint(str(path))["model_state"]
    assert list(found) == list(WEIGHTS)
    assert all(torch.equal(found[name], value) for name, value in WEIGHTS.items())


BAD = {
    "gzip": (gzip.compress(b"weights"), "compressed by gzip.*Unpack it"),
    "bzip2": (b"BZh91AY&SY", "bzip2.*Unpack it"),
    "tar": (tar(), "tar archive.*Unpack it"),
    "page": (b"\n<!DOCTYPE html><html>Sign in", "page of the web.*Download the file itself"),
    "page 2": (b"<html><head>", "page of the web"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
    "script": (script(), r"TorchScript.*run when it is loaded.*torch\.jit\.load"),
    "npy": (b"\x93NUMPY\x01\x00", "one numpy array"),
    "hdf5": (b"\x89HDF\r\n\x1a\n", "HDF5"),
    "zip": (archive(**{"a/weights.pth": b"1"}), r"zip archive of other files \(a/weights.pth"),
    "empty": (b"", "empty file.*Copy it again"),
    "text": (b"SLOWFAST_8x8_R50.yaml", "not a PyTorch file: it begins with b'SLOWFAST"),
    "short": (b"PK", "half a file"),
    "answer": (b'{"error": "rate limit exceeded"}', "text in JSON.*Download the file of weights"),
    "cut text": (b'{"weight_map": {"a"', "half a file"),
}


@pytest.mark.parametrize("suffix", [".pyth", ".pkl"])
@pytest.mark.parametrize("kind", BAD)
def test_a_file_without_weights_has_a_sentence_of_its_own(tmp_path, kind, suffix):
    path = tmp_path / f"weights{suffix}"
    content, says = BAD[kind]
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=f"^Expected {path} .*, but .*{says}") as caught:
        read_checkpoint(str(path))
    assert "\n" not in str(caught.value)


def test_the_sentences_differ(tmp_path):
    said = set()
    for content, _ in BAD.values():
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(CheckpointError) as caught:
            read_checkpoint(str(tmp_path / "file"))
        said.add(str(caught.value))
    assert len(said) == len(BAD) - 1  # a page of the web is one however it begins


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.98])
@pytest.mark.parametrize("kind", GOOD)
def test_a_part_of_a_file_is_half_a_file(tmp_path, kind, share):
    path = tmp_path / "weights.pyth"
    path.write_bytes(GOOD[kind][: max(5, int(len(GOOD[kind]) * share))])
    with pytest.raises(CheckpointError, match="cut short.*Copy it again"):
        read_checkpoint(str(path))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "may not read it"),
        (OSError(errno.EIO, "Input/output error"), "file system refuses: .*Input/output error"),
    ],
)
def test_a_file_that_the_system_does_not_give_is_not_called_damaged(
    tmp_path, monkeypatch, error, says
):
    from iopath.common.file_io import g_pathmgr

    def refuse(path, mode):
        error.filename = path
        raise error

    (tmp_path / "model.safetensors").write_bytes(GOOD["safetensors"])
    monkeypatch.setattr(g_pathmgr, "open", refuse)
    for path in (tmp_path, tmp_path / "model.safetensors"):
        with pytest.raises(CheckpointError, match=says) as caught:
            read_checkpoint(str(path))
        assert "damaged" not in str(caught.value) and str(tmp_path) in str(caught.value)


# -- safetensors ---------------------------------------------------------------------------------


def test_numbers_of_any_kind_and_place_are_read(tmp_path):
    weights = {
        "a": torch.tensor([True, False, True]), "b": torch.randn(3, 2),  # begins at byte 3
        "c": torch.randn(2, 2).half(), "d": torch.arange(3), "e": torch.zeros(0, 4),
        "f": torch.tensor(2.0),
    }  # fmt: skip
    (tmp_path / "w").write_bytes(tensors(weights))
    found = read_checkpoint(str(tmp_path / "w"))["model_state"]
    for name, value in weights.items():
        assert found[name].dtype == value.dtype and torch.equal(found[name], value), name


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"dtype": "F4"}, "known dtype"),
        ({"shape": [2, 4]}, "fill its bytes"),
        ({"shape": [-2, -3]}, "fill its bytes"),
        ({"shape": "23"}, "fill its bytes"),
        ({"data_offsets": [0]}, "known dtype"),
        ({"data_offsets": [4, 28]}, "two share byte"),
        ({"data_offsets": [-24, 0]}, "fill its bytes"),
        ({"data_offsets": [400, 424]}, "half a file"),
        ({"data_offsets": None}, "known dtype"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(tmp_path, change, says):
    (tmp_path / "w").write_bytes(tensors(WEIGHTS, **{"s5.weight": change}))
    with pytest.raises(CheckpointError, match=says):
        read_checkpoint(str(tmp_path / "w"))


def sharded(folder, **files):
    index = {name: file for file, weights in files.items() for name in weights}
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": index}))
    for file, weights in files.items():
        (folder / file).write_bytes(tensors(weights))


def test_a_folder_of_several_files_is_read_and_a_missing_one_is_named(tmp_path):
    one, two = ({name: WEIGHTS[name]} for name in WEIGHTS)
    sharded(tmp_path, **{"model-1.safetensors": one, "model-2.safetensors": two})
    for path in (tmp_path, tmp_path / INDEX):
        found = read_checkpoint(str(path))["model_state"]
        assert set(found) == set(WEIGHTS)
    (tmp_path / "model-2.safetensors").unlink()
    for path in (tmp_path, tmp_path / INDEX):
        with pytest.raises(CheckpointError, match="but model-2.safetensors is not there"):
            read_checkpoint(str(path))


def test_a_folder_of_one_file_is_read_and_one_of_none_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="model.safetensors is not there"):
        read_checkpoint(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(tensors(WEIGHTS))
    assert set(read_checkpoint(str(tmp_path))["model_state"]) == set(WEIGHTS)


def test_an_index_names_files_of_its_own_folder_only(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    sharded(folder, **{"../secret": WEIGHTS})
    with pytest.raises(CheckpointError, match=r"got '\.\./secret'"):
        read_checkpoint(str(folder))


NOT_INDICES = {
    "{}": "names no files",
    "[1]": "names no files",
    '{"weight_map": {}}': "names no files",
    '{"weight_map": ["model.safetensors"]}': "names no files",
    '{"weight_map": {"a": 5}}': "got 5 for 'a'",
    '{"weight_map": {"a": ["model.safetensors"]}}': "for 'a'",
    '{"weight_map": {"a": ""}}': "got '' for 'a'",
    '{"weight_map": {"a": ".."}}': r"got '\.\.' for 'a'",
    '{"error": "rate limit exceeded"}': "names no files",
}


@pytest.mark.parametrize("text", NOT_INDICES)
def test_what_lies_beside_a_text_that_is_no_index_is_never_taken(tmp_path, text):
    (tmp_path / "model.safetensors").write_bytes(tensors(WEIGHTS))
    (tmp_path / "x3d_s.pyth").write_text(text)
    (tmp_path / INDEX).write_text(text)
    for path in (tmp_path / "x3d_s.pyth", tmp_path / INDEX, tmp_path):
        with pytest.raises(CheckpointError, match=NOT_INDICES[text]) as caught:
            read_checkpoint(str(path))
        assert "\n" not in str(caught.value)


def test_the_index_that_is_given_is_read_and_no_other(tmp_path):
    sharded(tmp_path, **{"one.safetensors": {"a": torch.ones(1)}})
    (tmp_path / INDEX).rename(tmp_path / "one.json")
    sharded(tmp_path, **{"two.safetensors": {"b": torch.ones(1)}})
    assert list(read_checkpoint(str(tmp_path / "one.json"))["model_state"]) == ["a"]
    assert list(read_checkpoint(str(tmp_path))["model_state"]) == ["b"]


def test_an_index_of_other_files_than_safetensors_is_refused(tmp_path):
    (tmp_path / "part.bin").write_bytes(GOOD["torch zip"])
    (tmp_path / "index.json").write_text('{"weight_map": {"a": "part.bin"}}')
    with pytest.raises(CheckpointError, match=r"part\.bin to be a file of safetensors.*torch zip"):
        read_checkpoint(str(tmp_path / "index.json"))


# -- containers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        {"state_dict": WEIGHTS, "meta": {"epoch": 3}},
        {"model": WEIGHTS, "optimizer": {}, "epoch": 3},
        {"module": WEIGHTS},
        {"encoder": {"a": torch.zeros(1)}, "target_encoder": WEIGHTS},
        {"encoder": WEIGHTS, "predictor": {"a": torch.zeros(1)}},
        {"classifiers": [WEIGHTS, {"a": torch.zeros(1)}], "opt": None},
        WEIGHTS,
    ],
    ids=lambda content: next(iter(content)),
)
def test_weights_are_found_under_every_key_that_people_use(tmp_path, content):
    torch.save(content, tmp_path / "w")
    found = read_checkpoint(str(tmp_path / "w"))
    assert (found["epoch"], set(found["model_state"])) == (-1, set(WEIGHTS))
    assert torch.equal(found["model_state"]["s5.weight"], WEIGHTS["s5.weight"])


def test_a_probe_is_told(tmp_path, caplog):
    caplog.set_level("INFO", "slowfast_bias")
    torch.save({"classifiers": [WEIGHTS]}, tmp_path / "w")
    read_checkpoint(str(tmp_path / "w"))
    assert "1 probe(s) and no encoder" in caplog.text
