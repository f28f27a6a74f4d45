"""Segmentation through the same steps: trained, measured, tested, and refused."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support.masks import shared
from support.segments import SMALL, TOY, write, write_flows, write_sequences

from slowfast_bias import engine
from slowfast_bias.config import ConfigError
from slowfast_bias.datasets.contract import open_dataset
from slowfast_bias.datasets.loader import Loader
from slowfast_bias.engine.measuring.measurement import measure_networks
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.steps import check_data
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.testing.mirrored import with_mirror
from slowfast_bias.engine.testing.vote import as_filmed
from slowfast_bias.files import write_whole
from slowfast_bias.metrics import MaskFigures
from slowfast_bias.models.segmentation import Segmentation
from slowfast_bias.models.weights.readers import CheckpointError
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import read_result

LENGTHS = {"a": 4, "b/deep": 3}


@pytest.fixture
def toy(tiny):
    return functools.partial(tiny, *TOY)


@pytest.fixture
def filmed(tiny, tmp_path):
    """A function: the config of two sequences on disk, of frames of 36 x 48 shown at 32 x 40."""
    write_sequences(tmp_path / "data", LENGTHS)
    write_flows(tmp_path / "data", LENGTHS)
    return functools.partial(
        tiny, *SMALL, "TRAIN.DATASET", "segments", "TEST.DATASET", "segments",
        "DATA.PATH_TO_DATA_DIR", str(tmp_path / "data"), "BIAS.SEGMENTS.SIZE", [32, 40],
    )  # fmt: skip


def save(cfg, change=lambda state: state):
    """A checkpoint of random weights in OUTPUT_DIR."""
    path = Outputs(cfg.OUTPUT_DIR).checkpoint(1)
    model = network.build_network(cfg)
    with write_whole(path, "wb") as file:
        torch.save({"model_state": change(model.state_dict()), "epoch": 0}, file)
    return model.eval()


def test_a_run_trains_measures_and_tests(toy):
    cfg = toy("BIAS.ENABLE", True, "BIAS.MASKS.DECODER_RATE", 2.0, "SOLVER.LR_POLICY", "poly")
    found = engine.run(cfg)
    assert found["train"].val["J_err"] == pytest.approx(
        json_line(cfg, "val_epoch")["J_err"], abs=1e-3
    )
    report = found["measure"]
    assert list(report.layers) == [f"{s}{k}" for k in (2, 3, 4, 5) for s in ("app", "mot", "fuse")]
    assert report.meta["pairs_made"] == "flow_jitter" and "order" not in report.meta
    assert report.meta["model"] == "MATNet matnet fusion gated crossing up boundaries True"
    result = read_result(Outputs(cfg.OUTPUT_DIR).segmentation(), "segmentation")
    assert result.data["frames"] == result.meta["videos"] == 5
    assert result.data["masks"]["means"]["J_mean"] == pytest.approx(
        100 - found["test"].figures.compute()["J_err"]
    )
    assert (Outputs(cfg.OUTPUT_DIR).checkpoint(1)) == found["test"].checkpoint


def json_line(cfg, kind):
    lines = Path(Outputs(cfg.OUTPUT_DIR).stats).read_text().splitlines()
    return next(line for line in map(json.loads, lines) if line["_type"] == kind)


def test_masks_are_written_in_their_pictures_size_and_scored_as_they_are(filmed):
    cfg = filmed()
    save(cfg)
    engine.test(cfg)
    found, root = MaskFigures(), cfg.DATA.PATH_TO_DATA_DIR
    for name, length in LENGTHS.items():
        for frame in range(length - 1):  # the last has no flow
            path = Outputs(cfg.OUTPUT_DIR).mask(name, f"{frame:05d}")
            picture = Image.open(path)
            assert picture.mode == "P" and picture.getpalette()[:6] == [0, 0, 0, 128, 0, 0]
            truth = np.array(Image.open(f"{root}/Annotations/{name}/{frame:05d}.png"))
            mask = np.array(picture)
            found = found.merge(MaskFigures.of(name, frame, length, mask, truth))
    means = read_result(Outputs(cfg.OUTPUT_DIR).segmentation(), "segmentation").data["masks"]
    assert means["means"] == pytest.approx(found.means()) and not found.missing()
    assert set(means["sequences"]) == set(LENGTHS)


def test_both_shares_of_two_processes_come_to_what_one_counts(filmed, two_ranks):
    cfg = filmed("BIAS.MASKS.SAVE", False)
    save(cfg)
    alone = engine.test(cfg)
    for result in two_ranks.run(engine.test, filmed("NUM_GPUS", 2, "BIAS.MASKS.SAVE", False)):
        assert result.figures.result() == alone.figures.result() and result.videos == 5


@pytest.mark.parametrize("flip", ["picture", "recode"])
def test_a_mirrored_frame_has_the_mirrored_mask(filmed, flip):
    cfg = filmed("BIAS.MASKS.MIRROR", True, "BIAS.SEGMENTS.FLIP", flip)
    model = save(cfg)
    task, data = make_task(cfg, model), open_dataset("segments", cfg, "test")
    batch = next(iter(Loader(data, 2, training=False, seed=0)))
    turned = task.mirrored(batch)
    assert torch.equal(turned.inputs[0], batch.inputs[0].flip(3))
    same = torch.equal(turned.inputs[1], batch.inputs[1].flip(3))
    assert same == (flip == "picture")
    if same:
        with torch.no_grad():
            (found,), (other,) = (
                with_mirror(task, model).outputs(x, "cpu") for x in (batch, turned)
            )
            plain = as_filmed(task, model).outputs(batch, "cpu")[0]
        assert torch.allclose(found, other.flip(-1), atol=1e-6)
        assert not torch.allclose(found, plain, atol=1e-6)
    assert engine.test(cfg).figures.result()["rule"]["mirror"] is True


# Which streams stay ignorant of the other, by network: all stages, or stage 2 alone.
IGNORANT = {
    "fusionseg": {"app": (2, 3, 4, 5), "mot": (2, 3, 4, 5)},
    "no crossing": {"app": (2, 3, 4, 5), "mot": (2, 3, 4, 5)},
    "up": {"app": (2,), "mot": (2, 3, 4, 5)},
    "both": {"app": (2,), "mot": (2,)},
}


@pytest.mark.parametrize("kind", ["flow_jitter", "flow_swap"])
@pytest.mark.parametrize("name", IGNORANT)
def test_streams_that_do_not_cross_are_scored_exactly(toy, kind, name):
    """Appearance: S_static 1 and motion-only 0; motion: S_dynamic 1 and look-only 0."""
    cfg = toy("BIAS.PAIRS", kind, "BIAS.TOY.NUM_VAL", 6, "BIAS.ENABLE", True)
    report = measure_networks(cfg, {"trained": shared(name)}, "x")["trained"]
    assert report.meta["pairs_made"] == kind
    for stream, own, other in (("app", "static", "motion"), ("mot", "dynamic", "look")):
        for stage in IGNORANT[name][stream]:
            layer = report.layers[f"{stream}{stage}"]
            assert abs(layer.score(own) - 1) < 1e-9, (stream, stage)
            assert layer.unit_scores(other).nan_to_num(0).abs().max() < 1e-9, (stream, stage)
    for fused in ("fuse2", "fuse5"):
        assert min(abs(report.layers[fused].score(x)) for x in ("motion", "look")) > 1e-4


def test_scores_of_weights_at_random_are_refused(toy):
    cfg = toy("BIAS.ALLOW_PARTIAL_WEIGHTS", True, "BIAS.ENABLE", True)
    save(cfg, lambda state: {k: v for k, v in state.items() if k.startswith("encoder")})
    with pytest.raises(CheckpointError, match="Expected all weights .*masks are to be scored"):
        engine.test(cfg)
    report = engine.measure(cfg)
    assert "fuse5" in report.layers and any("partial weights" in x for x in report.meta["warnings"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["BIAS.TASK", "classification"], "BIAS.TASK: expected segmentation .*MATNet"),
        (["MODEL.ARCH", "slow", "MODEL.MODEL_NAME", "ResNet"], "BIAS.TASK: expected classific"),
        (["BIAS.PAIRS", "static_dynamic"], "BIAS.PAIRS: expected flow_jitter"),
        (["BIAS.SEGMENTS.BACKWARD", True], "BIAS.SEGMENTS.BACKWARD: expected False"),
        (["BIAS.STATIC_DROPOUT.ENABLE", True], "BIAS.STATIC_DROPOUT.ENABLE: .*classification"),
        (["MODEL.ARCH", "rtnet_r34", "MODEL.MODEL_NAME", "RTNetR34"], "NUM_FRAMES: expected 2"),
        (["BIAS.SEGMENTS.SIZES", [[16, 16], [48, 32]]], "SIZES: expected none above .*32, 32"),
        (["BIAS.SEGMENTS.SIZES", [16, 16]], "SIZES: expected heights and widths"),
    ],
)
def test_a_config_of_another_task_is_refused(toy, options, says):
    with pytest.raises(ConfigError, match=says):
        toy(*options)


@pytest.mark.parametrize("frames", [1, 2])
def test_steps_that_count_hits_are_refused(toy, frames):
    cfg = toy("DATA.NUM_FRAMES", frames, "BIAS.SHUFFLE.TEST", True)
    with pytest.raises(ConfigError, match="BIAS.TASK segmentation: .*right or wrong"):
        engine.run(cfg)


def test_frames_are_read_before_a_run_and_what_is_bad_is_named(filmed):
    cfg = filmed("TRAIN.ENABLE", False)
    how = {"processes": 2, "progress": lambda steps, *_: steps}
    (good,) = check_data(cfg, quick=False, **how)
    assert not good.bad and good.text.startswith("test: 5 frames of 2 sequences, 5 tried, 0 unread")
    assert "48x36 (5); shown at 40x32" in good.text and "masks    5" in good.text
    path = Path(cfg.DATA.PATH_TO_DATA_DIR, "FlowImages_gap1/a/00001.png")
    path.write_bytes(b"no picture")
    (found,) = check_data(cfg, quick=True, **how)
    (name, reason), *_ = found.bad.items()
    assert name.endswith("JPEGImages/a/00001.png") and "00001.png" in reason and len(found.bad) == 1


def test_edges_beside_the_object_weigh_more_in_training(filmed):
    cfg = filmed("BIAS.MASKS.EDGES", "edges", "BIAS.SEGMENTS.FLIP", "none")
    root = Path(cfg.DATA.PATH_TO_DATA_DIR)
    (root / "ImageSets").mkdir()
    (root / "ImageSets/train.txt").write_text("\n".join(LENGTHS))
    edges = np.zeros((32, 40), np.uint8)
    edges[:, 5], edges[10] = 255, 102
    write(root / "edges/a/00001.png", edges)
    data = open_dataset("segments", cfg, "train")
    batch = next(iter(Loader(data, 5, training=False, seed=0)))
    mask, weights = batch.targets.masks[1], batch.targets.weights[1]
    near = torch.nn.functional.max_pool2d(mask[None].float(), 11, 1, 5)[0] > 0
    hard = torch.where(near, 0, torch.from_numpy(edges).float() / 255)
    expected = 1 + torch.nn.functional.max_pool2d(hard[None], 5, 1, 2)[0]
    assert torch.equal(weights[0], expected) and 1 < float(weights.mean()) < 2
    whole = batch.targets.stacked_weights()
    assert torch.equal(whole[1], weights) and whole[[0, 2, 3, 4]].eq(1).all()
    output = Segmentation(torch.randn(5, 1, 32, 40))
    task = make_task(cfg, network.build_network(cfg))
    plain = batch._replace(targets=batch.targets._replace(weights=[torch.zeros(0)] * 5))
    assert float(task.loss(output, batch)) > float(task.loss(output, plain))
