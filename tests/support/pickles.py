"""Files of weights with a program of one's own in their pickle, which ought not to run."""

from __future__ import annotations

import io
import pickle
import pickletools
import zipfile

import numpy as np
import torch

WEIGHTS = {"w": torch.arange(6.0).reshape(2, 3)}
FORMS = ("zip", "legacy", "pickle", "caffe2")
CLASSIFIER = "pred_w"  # a blob of Caffe2


def body(value):
    """The commands of the pickle of a value, without its first and its last one."""
    return pickle.dumps(value, protocol=2)[2:-1]


def call(module, name, *arguments):
    """The commands that call a function by its name."""
    return f"c{module}\n{name}\n".encode() + body(arguments) + b"R"


def build(module, name, state):
    """The commands that set the state of what a name stands for: attributes of a function, say."""
    return f"c{module}\n{name}\n".encode() + body(state) + b"b"


def write(form, path, program, key="x", within=False):
    """Writes a file of weights whose pickle also holds what `program` leaves.

    It is a value of its own, called `key`, or, with `within`, one of the weights.
    """
    pickled = _split(_saved(form))
    at = 3 if form == "legacy" else 0  # before it come its magic number, protocol and system
    weights, name = pickled[at], "blobs" if form == "caffe2" else "model_state"
    if within:
        inner = weights[2:-1] + body(key) + program + b"s"
        whole = b"\x80\x02(" + body(name) + inner + b"d."
    else:
        whole = b"\x80\x02(" + body(name) + weights[2:-1] + body(key) + program + b"d."
    pickled[at] = whole
    content = b"".join(pickled)
    path.write_bytes(_zipped(content) if form == "zip" else content)
    return whole


def _saved(form):
    file = io.BytesIO()
    if form in ("pickle", "caffe2"):
        name = "w" if form == "pickle" else CLASSIFIER
        return pickle.dumps({name: WEIGHTS["w"].numpy()}, protocol=2)
    torch.save(WEIGHTS, file, _use_new_zipfile_serialization=form == "zip")
    if form == "legacy":
        return file.getvalue()
    with zipfile.ZipFile(file) as archive:
        return archive.read("archive/data.pkl")


def _split(data):
    """The pickles of a file one by one, then the bytes behind them."""
    parts = []
    while data[:1] == b"\x80":
        end = next(at + 1 for code, _, at in pickletools.genops(data) if code.name == "STOP")
        parts.append(data[:end])
        data = data[end:]
    return [*parts, data]


def _zipped(pickled):
    source, target = io.BytesIO(), io.BytesIO()
    torch.save(WEIGHTS, source)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, pickled if name.endswith("data.pkl") else old.read(name))
    return target.getvalue()


def numbers(count, order="<"):
    """An array of numbers in an order of bytes."""
    return np.arange(count, dtype=f"{order}f4")
