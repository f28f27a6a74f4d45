"""Numbers that are not finite are never an answer, and the error's advice leads out of them."""

from __future__ import annotations

import os

import pytest
import torch

from slowfast_bias import engine, host
from slowfast_bias.bias import BiasReport
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.setup import checkpoint, network
from slowfast_bias.engine.tasks import Accuracy, make_task
from slowfast_bias.engine.testing.frame_orders import accuracy_by_order
from slowfast_bias.engine.testing.vote import FrameOrders, WithoutUnits, as_filmed, vote
from slowfast_bias.engine.training import loop
from slowfast_bias.engine.training.lists import ListInUse
from slowfast_bias.engine.training.validation import validate
from slowfast_bias.errors import NotFiniteError, UserError
from slowfast_bias.models.silenced_sets import SilencedSets
from slowfast_bias.models.weights.readers import CheckpointError, not_finite, read_checkpoint
from slowfast_bias.outputs import Outputs

pytestmark = pytest.mark.host

NAME = "s3.pathway0_res0.branch2.a.weight"


def ruined(cfg):
    """A network with one weight that is NaN."""
    model = network.build_network(cfg)
    with torch.no_grad():
        model.state_dict()[NAME].view(-1)[0] = float("nan")
    return model


class OddForOne(FrameOrders):
    """A network that gives NaN for one clip of a list alone."""

    def outputs(self, batch, device):
        odd = batch.indices.eq(3).view(-1, 1)
        return [scores.masked_fill(odd, float("nan")) for scores in super().outputs(batch, device)]


def said(error):
    text = str(error.value)
    assert isinstance(error.value, UserError) and "\n" not in text
    return text


def test_a_network_of_nan_is_refused_by_every_evaluation(tiny):
    cfg = tiny()
    model = ruined(cfg)
    task = make_task(cfg, model)
    sets = WithoutUnits(task, [(SilencedSets(model, "s5"), [(), (0, 1)])])
    asks = {
        "test": lambda: vote(cfg, task, as_filmed(task, model), "test"),
        "frame orders": lambda: accuracy_by_order(cfg, model),
        "silenced units": lambda: vote(cfg, task, sets, "test", "silenced units"),
        "validation": lambda: validate(cfg, task, model, ListInUse(cfg, "val"), 0),
    }
    for step, ask in asks.items():
        with pytest.raises(NotFiniteError, match=f"finite scores in the {step}") as error:
            ask()
        text = said(error)
        assert "5 of 5" in text and "BASE_LR" in text
        assert ListInUse(cfg, "test").loader.dataset.describe(0)[0] in text or step == "validation"


def test_one_video_of_nan_is_named_and_no_accuracy_is_made_of_the_others(tiny):
    cfg = tiny()
    model = network.build_network(cfg)
    task = make_task(cfg, model)
    with pytest.raises(NotFiniteError, match="1 of 5 videos") as error:
        vote(cfg, task, OddForOne(task, model, {"ordered": None}), "test")
    named = ListInUse(cfg, "test").loader.dataset.describe
    assert named(3)[0] in said(error) and named(2)[0] not in said(error)


def ask_both(cfg):
    """What each rank raises when the odd clip is one rank's alone."""
    found = []
    model = network.build_network(cfg)
    task = make_task(cfg, model)
    for ask in (
        lambda: vote(cfg, task, OddForOne(task, model, {"ordered": None}), "test"),
        lambda: validate(cfg, task, ruined(cfg), ListInUse(cfg, "val"), 0),
    ):
        try:
            ask()
        except NotFiniteError as error:
            found.append(str(error))
    ranks.wait()
    return found


@pytest.mark.ddp
def test_all_processes_come_to_the_same_decision(tiny, two_ranks):
    one, two = two_ranks.run(ask_both, tiny("NUM_GPUS", 2))
    assert one == two and len(one) == 2 and "1 of 5 videos" in one[0]


def test_nan_is_never_right():
    scores = torch.tensor([[float("nan"), 0.0], [1.0, 0.0], [float("inf"), 0.0]])
    assert Accuracy.of(scores, torch.zeros(3, dtype=torch.long)) == Accuracy(3, 1, 1)


# -- weights -------------------------------------------------------------------------------------


def save(cfg, epoch, model):
    return checkpoint.save_checkpoint(cfg, epoch, model, host.construct_optimizer(model, cfg))


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("name", [NAME, "s1.pathway0_stem.bn.running_var"])
def test_one_such_number_is_never_saved_and_the_one_before_stays_the_newest(tiny, name, value):
    cfg = tiny()
    model = network.build_network(cfg)
    first = save(cfg, 0, model)
    with torch.no_grad():
        model.state_dict()[name].view(-1)[-1] = float(value)
    with pytest.raises(NotFiniteError, match="after epoch 2") as error:
        save(cfg, 1, model)
    text = said(error)
    assert name in text and first in text and "SOLVER.BASE_LR" in text
    assert os.listdir(Outputs(cfg.OUTPUT_DIR).checkpoints) == [os.path.basename(first)]
    assert checkpoint.last_good_checkpoint(cfg.OUTPUT_DIR)[0] == first


def test_masks_and_counts_are_as_they_should_be():
    mask = torch.full((3, 3), float("-inf")).triu(1)
    assert not_finite({"mask": mask, "count": torch.tensor(3), "weight": torch.ones(2)}) == []
    assert not_finite({"mask": mask + 1, "half": torch.tensor([float("nan")]).half()}) == [
        "mask", "half",
    ]  # fmt: skip


def test_such_weights_are_refused_by_name_wherever_they_are_read(tiny, tmp_path):
    cfg, path = tiny(), str(tmp_path / "odd.pyth")
    weights = ruined(cfg).state_dict()
    for state in ({"epoch": 0, "model_state": weights}, weights):
        torch.save(state, path)
        for ask in (
            lambda: engine.test(tiny("TEST.CHECKPOINT_FILE_PATH", path)),
            lambda: engine.measure(tiny("TEST.CHECKPOINT_FILE_PATH", path)),
            lambda: engine.train(tiny("TRAIN.CHECKPOINT_FILE_PATH", path)),
        ):
            with pytest.raises(CheckpointError, match="finite weights") as error:
                ask()
            assert path in said(error) and NAME in said(error)


def test_a_run_passes_over_such_a_checkpoint_of_its_own(tiny):
    cfg = tiny()
    path = engine.train(cfg).checkpoint
    state = torch.load(path, weights_only=True)
    state["model_state"][NAME].view(-1)[0] = float("inf")
    torch.save(state, path)
    assert engine.train(cfg).train["epoch"] == "2/2"  # from the one before
    assert not not_finite(read_checkpoint(path)["model_state"])


# -- in training ---------------------------------------------------------------------------------


def diverging(monkeypatch, epoch, spoil):
    """Lets training spoil the weights at the end of an epoch (0-based)."""
    real = loop.train_epoch

    def train_epoch(cfg, task, model, learner, train_list, number, middle):
        found = real(cfg, task, model, learner, train_list, number, middle)
        if number == epoch:
            with torch.no_grad():
                spoil(learner.model.state_dict()[NAME])
        return found

    monkeypatch.setattr(loop, "train_epoch", train_epoch)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        pytest.param(lambda w: w.fill_(float("nan")), "finite weights after epoch 2", id="nan"),
        # finite, but the network overflows
        pytest.param(lambda w: w.fill_(3e38), "finite scores in the validation", id="huge"),
    ],
)
def test_training_stops_and_its_advice_leads_out(tiny, monkeypatch, spoil, says):
    diverging(monkeypatch, 1, spoil)
    with pytest.raises(NotFiniteError, match=says) as error:
        engine.train(tiny())
    text, outputs = said(error), Outputs(tiny().OUTPUT_DIR)
    assert outputs.list_checkpoints() == [outputs.checkpoint(1)]
    assert outputs.checkpoint(1) in text and "SOLVER.CLIP_GRAD_L2NORM" in text
    monkeypatch.undo()
    again = engine.train(tiny("SOLVER.BASE_LR", 0.001, "SOLVER.CLIP_GRAD_L2NORM", 1.0))
    assert again.train["epoch"] == "2/2" and again.checkpoint == outputs.checkpoint(2)


def diverge(cfg):
    """What training raises on this rank when its weights diverge in the second epoch."""
    with pytest.MonkeyPatch.context() as patch:
        diverging(patch, 1, lambda weight: weight.fill_(float("nan")))
        with pytest.raises(NotFiniteError) as error:
            loop.train(cfg)
    ranks.wait()
    return str(error.value)


@pytest.mark.ddp
def test_no_process_waits_for_one_that_does_not_save(tiny, two_ranks):
    one, two = two_ranks.run(diverge, tiny("NUM_GPUS", 2))
    assert one == two and "after epoch 2" in one


def test_the_advice_after_a_loss_of_nan_leads_out(tiny):
    with pytest.raises(NotFiniteError, match="epoch 1, iteration 2") as error:
        engine.train(tiny("SOLVER.BASE_LR", 1e30))
    assert "now 1e+30" in said(error) and "begins anew" in said(error)
    assert engine.train(tiny("SOLVER.BASE_LR", 0.01)).epochs == 2


def test_a_measurement_of_finite_weights_still_works(tiny):
    cfg = tiny("BIAS.ENABLE", True)
    engine.train(cfg)
    assert isinstance(engine.measure(cfg), BiasReport)
