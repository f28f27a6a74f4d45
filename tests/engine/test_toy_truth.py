"""The toy world's answer is known, and the whole chain must find it: train, measure, read."""

import pytest

from slowfast_bias import engine


def trained_and_measured(path, name, epochs):
    options = ["OUTPUT_DIR", str(path), "SOLVER.MAX_EPOCH", epochs, "NUM_GPUS", 0]
    cfg = engine.load_cfg(f"configs/Toy/{name}.yaml", options)
    assert engine.train(cfg).val["top1_err"] < 10
    return engine.measure(cfg)["head"]


def share(layer, kind):
    units = layer.units()
    return len(units[kind]) / (layer.channels - len(units["dead"]))


@pytest.mark.parametrize(
    ("name", "epochs", "kind", "at_least", "gap"),
    [("SLOW_texture", 3, "static", 0.7, 0.4), ("SLOW_motion", 4, "dynamic", 0.9, 0.5)],
)
def test_units_are_what_the_labels_asked_for(tmp_path, name, epochs, kind, at_least, gap):
    layer = trained_and_measured(tmp_path, name, epochs)
    other = {"static": "dynamic", "dynamic": "static"}[kind]
    assert share(layer, kind) >= at_least
    assert layer.score(kind) - layer.score(other) > gap
    # motion-only: most of a network that learnt motion, 0 within error if it learnt looks
    if kind == "dynamic":
        assert layer.score("motion") > 0.5  # .85 after all epochs
    else:
        assert abs(layer.score("motion")) < 4 * layer.score_error("motion") + 0.02
