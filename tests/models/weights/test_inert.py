"""Nothing that a file holds is run: whatever is no tensor, array, number or text stays inert."""

from __future__ import annotations

import argparse
import builtins
import collections
import contextlib
import importlib
import io
import pickle
import zipfile

import numpy as np
import pytest
import torch
from fvcore.common.config import CfgNode
from support.pickles import FORMS, WEIGHTS, body, build, call, numbers, write
from torch import nn

from slowfast_bias.models.weights.readers import CheckpointError, read_checkpoint

pytestmark = pytest.mark.host


class SetsState:
    """Opens a file when its state is set."""

    def __init__(self, path=None):
        self.path = path

    def __setstate__(self, state):
        open(state["path"], "w").close()


class IsMade:
    """Opens a file when it is made."""

    def __new__(cls, path):
        open(path, "w").close()
        return object.__new__(cls)


class Reduces:
    """Opens a file when it is rebuilt."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def nested(path):
    """A pickle of torch inside a pickle, as plain pickles keep tensors."""
    file = io.BytesIO()
    torch.save(Reduces(path), file, _use_new_zipfile_serialization=False)
    return file.getvalue()


HERE = __name__
PROGRAMS = {
    "system": lambda path: call("os", "system", f"touch '{path}'"),
    "eval": lambda path: call("builtins", "eval", f"open({path!r}, 'w')"),
    "exec": lambda path: call("builtins", "exec", f"open({path!r}, 'w')"),
    "getattr": lambda path: (
        b"cbuiltins\ngetattr\n(cos\npath\n" + body("os") + b"tR0"  # a chain of attributes
        + call("builtins", "open", path, "w")
    ),
    "imported": lambda path: (
        b"cbuiltins\ngetattr\n(" + call("importlib", "import_module", "os") + body("system")
        + b"tR" + body((f"touch '{path}'",)) + b"R"
    ),
    "dotted": lambda path: b"\x80\x04" + body("os") + body("path.os.system") + b"\x93" + body(
        (f"touch '{path}'",)
    ) + b"R",
    "inst": lambda path: b"(" + body(path) + body("w") + b"ibuiltins\nopen\n",
    "obj": lambda path: b"(cio\nFileIO\n" + body(path) + body("w") + b"o",
    "newobj": lambda path: f"c{HERE}\nIsMade\n".encode("latin1") + body((path,)) + b"\x81",
    "setstate": lambda path: f"c{HERE}\nSetsState\n)\x81".encode("latin1") + body({"path": path})
    + b"b",
    "reduced": lambda path: call("builtins", "open", path, "w") + b"}b",
    "partial": lambda path: call("functools", "partial", 1)[:-1].replace(body((1,)), b"(")
    + b"cbuiltins\nopen\n" + body(path) + body("w") + b"tR)R",
    "copyreg": lambda path: b"ccopyreg\n__newobj__\n(cio\nFileIO\n" + body(path) + b"tR0"
    + call("builtins", "open", path, "w"),
    "from bytes": lambda path: call("torch.storage", "_load_from_bytes", nested(path)),
}  # fmt: skip


def weights_of(path):
    (value,) = read_checkpoint(str(path))["model_state"].values()
    return value


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_not_run_and_the_weights_beside_it_are_read(tmp_path, name, form):
    path, trace = tmp_path / "file", tmp_path / "trace"
    program = PROGRAMS[name](str(trace))
    write(form, path, program)
    assert torch.equal(weights_of(path), WEIGHTS["w"])
    assert not trace.exists()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_in_place_of_a_weight_is_refused(tmp_path, name, form):
    path, trace = tmp_path / "file", tmp_path / "trace"
    write(form, path, PROGRAMS[name](str(trace)), within=True)
    with pytest.raises(CheckpointError, match="is not built because that could run code"):
        read_checkpoint(str(path))
    assert not trace.exists()


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_ordinary_unpickler_would_run_it(tmp_path, name):
    trace = tmp_path / "trace"
    pickled = write("pickle", tmp_path / "file", PROGRAMS[name](str(trace)))
    with contextlib.suppress(Exception):  # some fail once they have run
        pickle.loads(pickled)
    assert trace.exists()


REBUILD = vars(importlib.import_module("torch._utils"))["_rebuild_tensor_v2"]


# -- what is real cannot be changed from within a file ---------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_parameter"),
        ("collections", "OrderedDict"), ("torch", "FloatStorage"), ("torch", "float32"),
        ("torch", "Size"), ("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode"),
        ("numpy._core.multiarray", "_reconstruct"), ("builtins", "dict"),
    ],
)  # fmt: skip
def test_what_a_name_stands_for_keeps_its_state(tmp_path, form, module, name):
    def state():
        kinds = (collections.OrderedDict, builtins.dict, np.ndarray, np.dtype, torch.Size)
        return [dict(vars(REBUILD)), REBUILD.__defaults__, *(dict(vars(kind)) for kind in kinds)]

    before = state()
    for change in ({"marked": 1}, (None, {"__defaults__": (1,), "marked": 1})):
        write(form, tmp_path / "file", build(module, name, change))
        with contextlib.suppress(CheckpointError):  # some are refused as a whole
            read_checkpoint(str(tmp_path / "file"))
    assert state() == before
    write(form, tmp_path / "file", body(1))  # and the next file is read as ever
    assert torch.equal(weights_of(tmp_path / "file"), WEIGHTS["w"])


def record_of(dtype):
    """An array whose type says that its bytes are pointers to objects, or has fields."""
    return (
        b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n"
        + body((0,)) + body(b"b") + b"tR(" + body(1) + body((1,)) + dtype + b"\x89"
        + body(b"\x41" * 8) + b"tb"
    )  # fmt: skip


@pytest.mark.parametrize("text", ["O8", "O", "V8", "M8[ns]", "S8", "|O"])
def test_bytes_of_a_file_never_become_objects(tmp_path, text):
    dtype = call("numpy", "dtype", text, False, True)
    write("caffe2", tmp_path / "file", record_of(dtype))
    assert set(read_checkpoint(str(tmp_path / "file"))["model_state"]) == {"head.projection.weight"}
    write("caffe2", tmp_path / "file", record_of(dtype), within=True)
    with pytest.raises(CheckpointError, match="'x' is"):
        read_checkpoint(str(tmp_path / "file"))


@pytest.mark.parametrize("form", ["zip", "legacy"])
@pytest.mark.parametrize(
    ("size", "stride", "offset"), [((9,), (1,), 0), ((2, 3), (3, 1), 1), ((2,), (-1,), 3)]
)
def test_a_tensor_outside_of_its_storage_is_refused(tmp_path, form, size, stride, offset):
    outside = (
        b"ctorch._utils\n_rebuild_tensor_v2\n((" + body("storage") + b"ctorch\nFloatStorage\n"
        + body("0") + body("cpu") + body(6) + (b"N" if form == "legacy" else b"") + b"tQ"
        + body(offset) + body(size) + body(stride) + b"\x89)t"
    )  # fmt: skip
    write(form, tmp_path / "file", outside + b"R")
    with pytest.raises(CheckpointError):
        read_checkpoint(str(tmp_path / "file"))


# -- what people have beside their weights --------------------------------------------------------


class HistoryBuffer:
    """As loggers keep: arrays, and functions by name."""

    def __init__(self):
        self.history, self.functions = np.arange(3.0), {"mean": np.mean}


def beside():
    return {
        "args": argparse.Namespace(lr=1e-3, model="vit"),
        "cfg": CfgNode({"A": CfgNode({"B": 1})}),
        "lr": np.float64(0.1),
        "epoch": np.int64(3),
        "message_hub": {"loss": HistoryBuffer()},
        "network": nn.Sequential(nn.Conv3d(1, 2, 1), nn.ReLU()),
        "counts": collections.defaultdict(list, a=[1]),
        "random": np.random.default_rng(0).bit_generator.state,
        "names": np.array(["a", "b"]),
        "objects": np.array([1, "x", None], dtype=object),
    }


KINDS = [
    torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
    torch.uint8, torch.bool, torch.complex64,
]  # fmt: skip


def various():
    torch.manual_seed(0)
    found = {str(kind): torch.randn(3, 4).to(kind) for kind in KINDS}
    wide = torch.randn(10)
    found |= {"part": wide[2:5], "other part": wide[4:], "turned": torch.randn(4, 6).t()}
    found |= {"parameter": nn.Parameter(torch.randn(3)), "number": torch.tensor(3.0)}
    found |= {"empty": torch.zeros(0, 3), "nothing": torch.zeros(2, 0)}
    return found


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("name", sorted(beside()))
def test_tensors_beside_any_object_are_identical(tmp_path, name, zipped, protocol):
    path, weights = tmp_path / "file.pth", various()
    state = {"model": weights, name: beside()[name]}
    torch.save(state, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    found = read_checkpoint(str(path))["model_state"]
    assert list(found) == list(weights)
    for key, value in weights.items():
        assert found[key].dtype == value.dtype and torch.equal(found[key], value), key


def test_a_plain_pickle_of_tensors_and_of_arrays_is_read(tmp_path):
    path, weights = tmp_path / "file.pkl", various()
    path.write_bytes(pickle.dumps({"state_dict": weights, "args": argparse.Namespace(a=1)}))
    found = read_checkpoint(str(path))["model_state"]
    assert all(torch.equal(found[key], value) for key, value in weights.items())
    arrays = {
        "big": numbers(4, ">"),
        "small": numbers(4),
        "columns": np.eye(3)[:2].T,
        "n": np.eye(2),
    }
    path.write_bytes(pickle.dumps({"model": arrays}, protocol=4))
    found = read_checkpoint(str(path))["model_state"]
    for key, value in arrays.items():
        assert found[key].tolist() == value.tolist(), key


def test_numbers_of_numpy_become_numbers(tmp_path):
    state = {"model_state": various(), "epoch": np.int64(3), "best": np.float32(0.5), "x": set()}
    torch.save({**state, "args": argparse.Namespace()}, tmp_path / "file")
    found = read_checkpoint(str(tmp_path / "file"))
    assert (found["epoch"], found["best"]) == (3, 0.5) and type(found["epoch"]) is int


def test_the_classes_that_were_left_out_are_named(tmp_path, caplog):
    caplog.set_level("INFO", "slowfast_bias")
    torch.save({"model": various(), "args": argparse.Namespace()}, tmp_path / "file")
    read_checkpoint(str(tmp_path / "file"))
    assert "argparse.Namespace" in caplog.text


@pytest.mark.parametrize("zipped", [True, False])
def test_a_whole_network_is_named_and_not_built(tmp_path, zipped):
    for content in (nn.Linear(2, 2), {"model": nn.Linear(2, 2)}):
        torch.save(content, tmp_path / "file", _use_new_zipfile_serialization=zipped)
        with pytest.raises(CheckpointError, match=r"Linear.*not built.*torch.save\(network.state"):
            read_checkpoint(str(tmp_path / "file"))


def test_depth_without_end_is_refused(tmp_path):
    program = b"]" * 100_000 + b"a" * 99_999
    write("pickle", tmp_path / "file", program)
    with pytest.raises(CheckpointError):
        read_checkpoint(str(tmp_path / "file"))
    itself = b"]q\x63h\x63a"  # a list that contains itself
    write("pickle", tmp_path / "file", itself)
    assert torch.equal(weights_of(tmp_path / "file"), WEIGHTS["w"])


@pytest.mark.parametrize("form", [True, False])
def test_a_name_that_no_class_can_have_is_not_given_to_torch(tmp_path, form, monkeypatch):
    path, file = tmp_path / "w.pyth", io.BytesIO()
    torch.save({"model_state": {"a": torch.ones(2)}}, file, _use_new_zipfile_serialization=form)
    long = b"_rebuild_t" + b"[" * 60_000  # minutes, if a message about it is searched
    if form:
        with zipfile.ZipFile(file) as whole, zipfile.ZipFile(path, "w") as spoilt:
            for name in whole.namelist():
                spoilt.writestr(name, whole.read(name).replace(b"_rebuild_tensor_v2", long))
    else:
        path.write_bytes(file.getvalue().replace(b"_rebuild_tensor_v2", long))
    monkeypatch.setattr(torch, "load", None)
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(str(path))
    assert "_rebuild_t[[[" in str(caught.value) and len(str(caught.value)) < 1000
