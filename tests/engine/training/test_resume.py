"""What a run begins with: checkpoints of any other form are told in one line, by their file."""

from __future__ import annotations

import copy

import pytest
import torch

from slowfast_bias import engine
from slowfast_bias.cli import main
from slowfast_bias.errors import UserError
from slowfast_bias.models.weights.readers import CheckpointError
from slowfast_bias.outputs import Outputs

pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The content of a checkpoint after an epoch, once `start` has made it."""
    return {}


@pytest.fixture
def start(tiny, tmp_path, whole):
    """A function: trains from a changed copy of the checkpoint, `odd.pyth`."""
    if not whole:
        first = tiny("OUTPUT_DIR", str(tmp_path / "first"), "SOLVER.MAX_EPOCH", 1)
        whole.update(torch.load(engine.train(first).checkpoint, weights_only=True))

    def train(spoil, *opts):
        state = copy.deepcopy(whole)
        path = str(tmp_path / "odd.pyth")
        torch.save(spoil(state) or state, path)
        return engine.train(tiny("TRAIN.CHECKPOINT_FILE_PATH", path, *opts))

    return train


def put(key, value):
    def spoil(state):
        state[key] = value

    return spoil


def drop(key):
    return lambda state: {name: value for name, value in state.items() if name != key}


def refused(start, tmp_path, spoil, *opts):
    with pytest.raises(CheckpointError) as caught:
        start(spoil, *opts)
    message = str(caught.value)
    assert isinstance(caught.value, UserError)
    assert str(tmp_path / "odd.pyth") in message and "\n" not in message
    return message


def test_a_whole_checkpoint_goes_on(start):
    result = start(lambda state: None)
    assert result.checkpoint.endswith("checkpoint_epoch_00002.pyth")


@pytest.mark.parametrize(
    "weights",
    [
        pytest.param(lambda good: None, id="none"),
        pytest.param(lambda good: list(good.values()), id="list"),
        pytest.param(lambda good: {**good, "head.projection.bias": 3}, id="number"),
        pytest.param(lambda good: dict(enumerate(good.values())), id="int-keys"),
        pytest.param(
            lambda good: {k: v.to_sparse() if v.dim() == 2 else v for k, v in good.items()},
            id="sparse",
        ),
    ],
)
@pytest.mark.parametrize("partial", [False, True])
def test_weights_of_another_form_are_refused(start, tmp_path, whole, weights, partial):
    spoil = put("model_state", weights(whole["model_state"]))
    refused(start, tmp_path, spoil, "BIAS.ALLOW_PARTIAL_WEIGHTS", partial)


@pytest.mark.parametrize(
    "optimizer",
    [
        pytest.param(lambda good: None, id="none"),
        pytest.param(lambda good: [good], id="list"),
        pytest.param(lambda good: {**good, "param_groups": None}, id="no-groups"),
        pytest.param(lambda good: {**good, "param_groups": [1]}, id="number"),
        pytest.param(lambda good: {**good, "param_groups": [{}]}, id="empty-group"),
        pytest.param(lambda good: {"param_groups": good["param_groups"]}, id="no-state"),
    ],
)
def test_an_optimiser_of_another_form_is_refused(start, tmp_path, whole, optimizer):
    spoil = put("optimizer_state", optimizer(whole["optimizer_state"]))
    assert "CHECKPOINT_EPOCH_RESET" in refused(start, tmp_path, spoil)
    start(spoil, "TRAIN.CHECKPOINT_EPOCH_RESET", True)  # the advice helps


@pytest.mark.parametrize(
    "spoil",
    [
        drop("epoch"), put("epoch", "1"), put("epoch", None), put("epoch", 1.5),
        put("epoch", True), put("epoch", -2),
    ],
)  # fmt: skip
def test_an_epoch_that_is_no_number_is_refused(start, tmp_path, spoil):
    message = refused(start, tmp_path, spoil)
    assert "`epoch`" in message and "CHECKPOINT_EPOCH_RESET" in message
    start(spoil, "TRAIN.CHECKPOINT_EPOCH_RESET", True)  # the advice helps


def test_a_dict_of_anything_is_refused(start, tmp_path):
    assert "model_state" in refused(start, tmp_path, lambda state: {"a": 1, 2: 3})


def test_weights_that_have_all_their_epochs_behind_them_are_not_trained_on_silently(
    start, tmp_path
):
    message = refused(start, tmp_path, lambda state: None, "SOLVER.MAX_EPOCH", 1)
    assert "1 of 1 epochs" in message and "CHECKPOINT_EPOCH_RESET" in message
    again = ("SOLVER.MAX_EPOCH", 1, "TRAIN.CHECKPOINT_EPOCH_RESET", True)
    assert start(lambda state: None, *again).train["epoch"] == "1/1"  # the advice helps


def test_scores_of_another_form_are_refused(tiny, tmp_path):
    words = ["BIAS.STATIC_DROPOUT.ENABLE", True, "BIAS.STATIC_DROPOUT.RATE", 0.3]
    cfg = tiny(*words, "SOLVER.MAX_EPOCH", 1)
    path = engine.train(cfg).checkpoint
    state = torch.load(path, weights_only=True)
    kept = state["slowfast_bias"]
    short = {**kept, "static_scores": kept["static_scores"][:-1]}
    lacking = {"static_scores": kept["static_scores"]}
    for odd in (None, [kept], short, lacking, {**kept, "static_scores": None}):
        torch.save({**state, "slowfast_bias": odd}, path)
        with pytest.raises(CheckpointError, match=path) as caught:
            engine.train(tiny(*words))
        assert "\n" not in str(caught.value)
    torch.save(state, path)
    assert engine.train(tiny(*words)).train["epoch"] == "2/2"


def test_the_command_says_it_in_one_line(tiny, tmp_path, capsys):
    path = str(tmp_path / "odd.pyth")
    torch.save({"a": 1, 2: 3}, path)
    (tmp_path / "empty.yaml").write_text("{}")
    words = [*tiny.words, "OUTPUT_DIR", tmp_path / "run", "TRAIN.CHECKPOINT_FILE_PATH", path]
    assert main(["run", "--cfg", str(tmp_path / "empty.yaml"), *map(str, words)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1


def test_weights_with_all_their_epochs_behind_them_are_refused(tiny, tmp_path):
    engine.train(tiny())
    start = ["OUTPUT_DIR", str(tmp_path / "next"), "TRAIN.CHECKPOINT_FILE_PATH"]
    start.append(Outputs(tiny().OUTPUT_DIR).checkpoint(2))
    with pytest.raises(CheckpointError, match=r"2 of 2 epochs.*CHECKPOINT_EPOCH_RESET True"):
        engine.train(tiny(*start))
    assert engine.train(tiny(*start, "TRAIN.CHECKPOINT_EPOCH_RESET", True)).epochs == 2
    assert engine.train(tiny(*start, "SOLVER.MAX_EPOCH", 3)).epochs == 3


def test_an_own_checkpoint_of_another_form_is_refused_or_passed_over(tiny, tmp_path):
    cfg = tiny()
    engine.train(cfg)
    outputs = Outputs(cfg.OUTPUT_DIR)
    path = outputs.checkpoint(2)
    state = torch.load(path, weights_only=True)
    torch.save({**state, "optimizer_state": None}, path)  # its weights are good
    with pytest.raises(CheckpointError, match=path):
        engine.train(tiny("SOLVER.MAX_EPOCH", 3))
    torch.save({**state, "model_state": None}, path)
    assert engine.train(cfg).train["epoch"] == "2/2"  # from the one before
    again = torch.load(path, weights_only=True)["model_state"]
    assert all(torch.equal(again[name], state["model_state"][name]) for name in again)
