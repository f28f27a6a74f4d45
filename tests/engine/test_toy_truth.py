"""The toy world's answer is known, and the whole chain must find it: train, measure, read."""

from dataclasses import replace

import pytest
import torch

from slowfast_bias import engine
from slowfast_bias.datasets.contract import Batch
from slowfast_bias.datasets.toy.world import ToyWorld
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.testing.cue_benchmarks import cue_benchmarks
from slowfast_bias.engine.testing.frame_orders import accuracy_by_order
from slowfast_bias.outputs import Outputs


def share(layer, kind):
    units = layer.units()
    return len(units[kind]) / (layer.channels - len(units["dead"]))


@pytest.mark.parametrize(
    ("name", "kind", "at_least", "gap"),
    [("SLOW_texture", "static", 0.7, 0.4), ("SLOW_motion", "dynamic", 0.9, 0.5)],
)
def test_units_are_what_the_labels_asked_for(trained_toy, tmp_path, name, kind, at_least, gap):
    cfg = trained_toy(name)
    assert engine.test(cfg).top1 > 70
    weights = Outputs(cfg.OUTPUT_DIR).checkpoint(cfg.SOLVER.MAX_EPOCH)
    there = ["OUTPUT_DIR", str(tmp_path), "TEST.CHECKPOINT_FILE_PATH", weights]
    layer = engine.measure(trained_toy(name, *there))["head"]
    other = {"static": "dynamic", "dynamic": "static"}[kind]
    assert share(layer, kind) >= at_least
    assert layer.score(kind) - layer.score(other) > gap
    # motion-only: most of a network that learnt motion, 0 within error if it learnt looks
    if kind == "dynamic":
        assert layer.score("motion") > 0.5  # .85 after all epochs
    else:
        assert abs(layer.score("motion")) < 4 * layer.score_error("motion") + 0.02


def accuracies(figures):
    return {name: figures[name]["accuracy"] for name in ("scuba", "scufo", "contrasted")}


def asked(cfg):
    model = engine.trained_network(cfg)
    return cue_benchmarks(cfg, make_task(cfg, model), model), accuracy_by_order(cfg, model)


CLIPS = ["BIAS.TOY.NUM_TEST", 256, "BIAS.SHUFFLE.ORDERS", 1]
CUES = ["BIAS.BEHAVIOUR.SCUBA", "toy", "BIAS.BEHAVIOUR.CONFLFG", "toy", *CLIPS]


def test_a_motion_network_keeps_its_accuracy_before_new_backgrounds_and_needs_frames(trained_toy):
    """On frozen clips chance is 25 %; over 256 clips 40 % is more than five sigma above it."""
    figures, orders = asked(trained_toy("SLOW_motion", *CUES))
    found = accuracies(figures)
    filmed = orders["ordered"]["accuracy"]
    assert filmed > 60 and abs(found["scuba"] - filmed) < 12
    assert found["scufo"] < 40 and orders["frozen"]["accuracy"] < 40
    assert 35 < found["contrasted"] <= found["scuba"]
    conflict = figures["conflfg"]
    assert conflict["dynamic"] > 50 and conflict["static"] < 25
    assert conflict["prefers_dynamic"] > 65


def test_a_texture_network_is_the_reverse(trained_toy):
    figures, orders = asked(trained_toy("SLOW_texture", *CUES))
    found = accuracies(figures)
    assert orders["ordered"]["accuracy"] > 75 and orders["frozen"]["accuracy"] > 75
    assert found["scuba"] < 40 and found["scufo"] < 40  # whatever the frame
    assert found["contrasted"] < 15  # the same wrong class, with and without motion
    conflict = figures["conflfg"]
    assert conflict["static"] > 75 and conflict["dynamic"] < 25
    assert conflict["prefers_dynamic"] < 25


def test_noise_is_seen_by_temporal_kernels(trained_toy):
    """Played backwards it wanders the other way, and the network says so."""
    cfg = trained_toy("SLOW_noise", *CLIPS)
    orders = accuracy_by_order(cfg, engine.trained_network(cfg))
    assert orders["ordered"]["accuracy"] > 75 and orders["reversed"]["accuracy"] < 25
    for order in ("shuffled", "frozen"):  # chance is 50 %, and 66 % five sigma above it
        assert 34 < orders[order]["accuracy"] < 66


def both_ways(arch):
    """Scores (B, classes) of clips of noise, and of the same noise that wanders the other way."""
    cfg = engine.load_cfg("configs/Toy/2D_noise.yaml", ["NUM_GPUS", 0, "MODEL.ARCH", arch])
    model = engine.build_network(cfg).double()
    torch.manual_seed(0)
    for name, weight in model.named_parameters():
        if name.endswith("bn.weight") or "projection" in name:
            torch.nn.init.normal_(weight)  # of what begins at zero
    task, world = make_task(cfg, model), ToyWorld(motion=cfg.BIAS.TOY.MOTION)
    for motion in (0, 1):
        clips = [world.render(replace(world.factors(i), motion=motion)) for i in range(4)]
        batch = Batch([torch.stack(clips)], torch.zeros(4), torch.arange(4), {})
        with torch.no_grad():
            yield model([x.double() for x in task.inputs(batch, torch.device("cpu"))])


def test_without_temporal_kernels_noise_that_wanders_either_way_is_the_same():
    """Whatever the weights: of each clip and its twin it gets one right, which is chance."""
    right, left = both_ways("2d")
    assert (right - left).abs().max() < 1e-9 * right.std()
    right, left = both_ways("slow")
    assert (right - left).abs().max() > 0.01 * right.std()
