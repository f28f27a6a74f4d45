"""Checkpoints: written whole, read without running anything, the newest good one first."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from slowfast_bias import host
from slowfast_bias.engine.setup import checkpoint
from slowfast_bias.engine.setup.checkpoint import (
    CheckpointError,
    last_good_checkpoint,
    read_checkpoint,
)
from slowfast_bias.errors import UserError
from slowfast_bias.outputs import Outputs

pytestmark = pytest.mark.host


@pytest.fixture
def saved(tiny):
    """A function: a checkpoint after an epoch, and what went into it."""

    def save(epoch=0, scale=1.0):
        cfg = tiny()
        torch.manual_seed(0)
        model = host.build_model(cfg)
        with torch.no_grad():
            for weight in model.parameters():
                weight.mul_(scale)
        optimizer = host.construct_optimizer(model, cfg)
        return checkpoint.save_checkpoint(cfg, epoch, model, optimizer), model, cfg

    return save


def test_the_format_is_the_hosts(saved):
    path, model, cfg = saved(epoch=4)
    assert path == f"{cfg.OUTPUT_DIR}/checkpoints/checkpoint_epoch_00005.pyth"
    state = torch.load(path, weights_only=True)
    assert set(state) == {"epoch", "model_state", "optimizer_state", "cfg", "slowfast_bias"}
    assert state["epoch"] == 4 and state["cfg"] == cfg.dump()
    for name, value in model.state_dict().items():
        assert torch.equal(state["model_state"][name], value)


def test_the_hosts_own_loader_reads_it(saved, tiny):
    import importlib

    path, model, cfg = saved()
    host_checkpoint = importlib.import_module("slowfast.utils.checkpoint")
    other = host.build_model(cfg)
    host_checkpoint.load_checkpoint(path, other, data_parallel=False)
    for name, value in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name


def test_an_error_while_saving_leaves_the_old_checkpoint(saved, monkeypatch):
    path, *_ = saved(scale=1.0)
    before = Path(path).read_bytes()

    def half(state, file):
        file.write(b"half of it")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(OSError, match="disk full"):
        saved(scale=2.0)
    assert Path(path).read_bytes() == before
    assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)]


def test_the_newest_good_one_is_found_and_the_bad_ones_are_named(saved, caplog, monkeypatch):
    import logging

    monkeypatch.setattr(logging.getLogger("slowfast_bias"), "propagate", True)
    paths = [saved(epoch)[0] for epoch in (0, 1, 9)]
    cfg = saved(1)[2]
    with open(paths[2], "r+b") as file:
        file.truncate(os.path.getsize(paths[2]) // 2)
    open(f"{paths[2]}.123.tmp", "w").close()  # left behind by a killed process
    path, state = last_good_checkpoint(cfg.OUTPUT_DIR)
    assert (path, state["epoch"]) == (paths[1], 1)
    assert any(paths[2] in record.getMessage() for record in caplog.records)


def test_epochs_are_ordered_as_numbers(saved):
    for epoch in (8, 99998, 99999, 9):
        path, _, cfg = saved(epoch)
    newest = Outputs(cfg.OUTPUT_DIR).list_checkpoints()
    assert [int(p[-10:-5].lstrip("_")) for p in newest[1:]] == [99999, 10, 9]
    assert newest[0].endswith("_100000.pyth")


def test_an_empty_folder_has_none(tmp_path):
    assert last_good_checkpoint(str(tmp_path)) is None


# -- bad files -----------------------------------------------------------------------------------


def refusal(path):
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(str(path))
    assert str(path) in str(caught.value) and isinstance(caught.value, UserError)
    return str(caught.value)


class Trap:
    """Creates a file when unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_a_missing_file(tmp_path):
    assert "no such file" in refusal(tmp_path / "none.pyth")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_file_that_was_cut_short(saved, share):
    path, *_ = saved()
    with open(path, "r+b") as file:
        file.truncate(int(os.path.getsize(path) * share))
    message = refusal(path)
    assert "cut short" in message and "Copy it again" in message


def test_something_else_altogether(tmp_path):
    path = tmp_path / "text.pyth"
    path.write_text("SLOWFAST_8x8_R50.yaml, not a checkpoint at all")
    assert "not a PyTorch file" in refusal(path)


@pytest.mark.parametrize("legacy", [False, True])
def test_pickled_code_is_never_executed(tmp_path, legacy):
    path, trace = tmp_path / "trap.pyth", tmp_path / "trace"
    state = {"epoch": 0, "model_state": {"w": torch.zeros(1)}, "cfg": Trap(trace)}
    torch.save(state, path, _use_new_zipfile_serialization=not legacy)
    assert torch.equal(read_checkpoint(str(path))["model_state"]["w"], torch.zeros(1))
    assert not trace.exists()
    torch.load(path, weights_only=False)  # the trap does work
    assert trace.exists()


def test_a_plain_pickle_is_not_executed_either(tmp_path):
    path, trace = tmp_path / "trap.pyth", tmp_path / "trace"
    path.write_bytes(pickle.dumps({"model_state": Trap(trace)}))
    refusal(path)
    assert not trace.exists()


def test_a_file_of_tensors_that_is_no_checkpoint_is_described(tmp_path):
    torch.save({"weights": {"w": torch.zeros(1)}, "step": 3}, tmp_path / "a.pyth")
    assert "['weights', 'step']" in refusal(tmp_path / "a.pyth")
    torch.save([1, 2], tmp_path / "b.pyth")
    assert "list" in refusal(tmp_path / "b.pyth")


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        (None, "it is a NoneType"),
        ([torch.zeros(1)], "it is a list"),
        (3, "it is a int"),
        ({"w": 3}, "'w' is a int"),
        ({"w": {"deeper": torch.zeros(1)}}, "'w' is a dict"),
        ({1: torch.zeros(1)}, "1 is"),
        ({"w": torch.eye(3).to_sparse()}, "'w' is sparse"),
    ],
)
def test_weights_that_are_none_are_described(tmp_path, weights, says):
    path = tmp_path / "odd.pyth"
    torch.save({"epoch": 1, "model_state": weights}, path)
    message = refusal(path)
    assert says in message and "\n" not in message


def test_a_dict_of_anything_is_described(tmp_path):
    path = tmp_path / "odd.pyth"
    torch.save({"a": 1, 2: 3}, path)
    message = refusal(path)
    assert "['a', '2']" in message and "\n" not in message
    torch.save({2: torch.zeros(1)}, path)  # nor are these a state_dict
    assert "2 is" in refusal(path)


def test_a_bare_state_dict_is_taken(saved, tmp_path):
    _, model, _ = saved()
    torch.save(model.state_dict(), tmp_path / "bare.pyth")
    state = read_checkpoint(str(tmp_path / "bare.pyth"))
    assert state["epoch"] == -1 and set(state["model_state"]) == set(model.state_dict())


# -- caffe2 --------------------------------------------------------------------------------------

BLOBS = {
    "conv1_w": "s1.pathway0_stem.conv.weight",
    "res_conv1_bn_s": "s1.pathway0_stem.bn.weight",
    "res_conv1_bn_b": "s1.pathway0_stem.bn.bias",
    "res_conv1_bn_rm": "s1.pathway0_stem.bn.running_mean",
    "res_conv1_bn_riv": "s1.pathway0_stem.bn.running_var",
    "res2_0_branch2b_w": "s2.pathway0_res0.branch2.b.weight",
    "res5_1_branch2c_bn_s": "s5.pathway0_res1.branch2.c_bn.weight",
    "pred_w": "head.projection.weight",
    "pred_b": "head.projection.bias",
}


def zoo_file(path, model, extra=(), protocol=2):
    state = model.state_dict()
    blobs = {blob: state[name].numpy() for blob, name in BLOBS.items()}
    blobs["res_conv1_bn_s_momentum"] = np.ones(3)
    blobs["lr"], blobs["model_iter"] = np.float32(0.1), np.int64(7)
    path.write_bytes(pickle.dumps({"blobs": {**blobs, **dict(extra)}}, protocol=protocol))
    return state


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_caffe2_file_of_the_zoo_is_read_under_pytorch_names(saved, tmp_path, protocol):
    _, model, _ = saved()
    state = zoo_file(tmp_path / "zoo.pkl", model, protocol=protocol)
    got = read_checkpoint(str(tmp_path / "zoo.pkl"))
    assert set(got["model_state"]) == set(BLOBS.values())
    for name, value in got["model_state"].items():
        assert torch.equal(value, state[name])


def test_a_caffe2_file_with_code_in_it_is_refused(saved, tmp_path):
    path, trace = tmp_path / "zoo.pkl", tmp_path / "trace"
    zoo_file(path, saved()[1], extra={"x": Trap(trace)})
    module = open.__module__  # another one since Python 3.12
    assert f"`{module}.open`, which is not built because that could run code" in refusal(path)
    assert not trace.exists()


def test_a_caffe2_file_that_is_none(tmp_path):
    path = tmp_path / "zoo.pkl"
    path.write_bytes(pickle.dumps({"weights": 1}))
    assert "blobs" in refusal(path)
