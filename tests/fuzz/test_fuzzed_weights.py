"""Files of weights by chance: read or refused, never run, and cheap either way."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.fuzzing import bounded, fuzzed, spoilt, spoilt_json
from support.pickles import FORMS, body, call, write
from torch import nn

from slowfast_bias.datasets.benchmarks.swaps import read_swaps
from slowfast_bias.engine.styling.stylers import read_generator
from slowfast_bias.errors import UserError
from slowfast_bias.models.weights.fit import load_weights
from slowfast_bias.models.weights.readers import CheckpointError, read_checkpoint

pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("weights")


def arrays():
    file = io.BytesIO()
    np.savez(file, w=np.arange(6.0), b=np.zeros((2, 2), np.float32))
    return file.getvalue()


def safetensors():
    header = {"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
              "b": {"dtype": "I64", "shape": [1], "data_offsets": [24, 32]}}  # fmt: skip
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(32)


def read(path, content):
    """Reads a file, and gives what it holds to a network; only our own errors are let through."""
    path.write_bytes(content)
    with bounded():
        try:
            weights = read_checkpoint(str(path))["model_state"]
            load_weights(nn.Sequential(nn.Linear(3, 2)), weights, str(path))
        except CheckpointError as error:
            assert "\n" not in str(error).strip() or str(path) in str(error)


@pytest.mark.parametrize("form", FORMS)
@fuzzed()
@given(data=st.data())
def test_pickles(place, form, data):
    """With a program in it: whatever becomes of the rest, it is not run."""
    path, trace = place / "file", place / "trace"
    program = call("os", "system", f"touch '{trace}'")
    pickled = write("pickle" if form == "zip" else form, path, program)
    if form == "zip":  # with checksums that are right
        pickled = write(form, path, body(1) if data.draw(st.booleans()) else program)
        whole = path.read_bytes()
        read(path, rezipped(whole, data.draw(spoilt(pickled))))
    else:
        read(path, data.draw(spoilt(path.read_bytes())))
    assert not trace.exists()


def rezipped(whole, pickled):
    """The archive with another pickle in it."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, pickled if name.endswith("data.pkl") else old.read(name))
    return target.getvalue()


@fuzzed()
@given(data=st.data())
def test_archives(place, data):
    """What an archive says of its parts: their sizes, places and names."""
    write("zip", place / "file", body(1))
    read(place / "file", data.draw(spoilt((place / "file").read_bytes())))


@pytest.mark.parametrize("make", [arrays, safetensors])
@fuzzed()
@given(data=st.data())
def test_arrays_and_safetensors(place, make, data):
    read(place / "file", data.draw(spoilt(make())))


@fuzzed()
@given(content=spoilt_json({"weight_map": {"w": "model.safetensors", "b": "model.safetensors"}}))
def test_the_index_of_several_files(place, content):
    (place / "model.safetensors").write_bytes(safetensors())
    read(place / "model.safetensors.index.json", content)


@fuzzed(2)
@given(data=st.data())
def test_pickles_beside_weights(place, data):
    """Generators of styles, and the swaps of a benchmark."""
    path = place / "file"
    file = io.BytesIO()
    torch.save({"model.1.weight": torch.zeros(64, 3, 7, 7), "x": 1}, file)
    swaps = b"\x80\x02" + body({"a": ["b", 3, 1]}) + b"."
    for content, reader in (
        (file.getvalue(), lambda: read_generator(str(path))),
        (swaps, lambda: read_swaps(str(path), ["a"], 2)),
        (b'{"a": ["b", 3, 1]}', lambda: read_swaps(str(path), ["a"], 2)),
    ):
        path.write_bytes(data.draw(spoilt(content)))
        with bounded(), contextlib.suppress(UserError):
            reader()


HUNGRY = b"\x80\x02}r" + (400_000_000).to_bytes(4, "little") + b"."  # a table of 3 GB


def test_a_few_bytes_that_ask_for_gigabytes_are_refused_wherever_a_pickle_may_stand(place):
    path = place / "file"
    path.write_bytes(HUNGRY)
    for reader in (
        lambda: read_checkpoint(str(path)),
        lambda: read_generator(str(path)),
        lambda: read_swaps(str(path), ["a"], 2),
    ):
        with bounded(), pytest.raises(UserError):
            reader()


def test_tuples_that_hold_each_other_twice_and_twice_again_are_read_once(place):
    pairs = b"(t" + b"2\x86" * 60  # of which each is the one before it, twice
    write("pickle", place / "file", pairs)
    with bounded():
        assert set(read_checkpoint(str(place / "file"))["model_state"]) == {"w"}


def test_archives_that_unpack_to_gigabytes_are_refused(place):
    path = place / "file"
    for name in ("archive/data/0", "w.npy"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(name, bytes(8))
            if name != "w.npy":
                archive.writestr("archive/data.pkl", body({}) + b".")
            archive.infolist()[0].file_size = 3 << 30  # as its table of contents says
        with bounded(), pytest.raises(CheckpointError, match="would unpack to"):
            read_checkpoint(str(path))
