"""The battery of masks: what each variant shows, which object a mask follows, and what is refused.

Masks that are one object exactly have known answers; a network with weights at random is compared
with calls made by hand.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from support.masks import shared
from support.segments import SMALL, TOY, write_flows, write_sequences

from slowfast_bias import engine
from slowfast_bias.config import ConfigError
from slowfast_bias.datasets.contract import Batch, open_dataset
from slowfast_bias.datasets.flow.wheel import coded
from slowfast_bias.datasets.loader import Loader
from slowfast_bias.datasets.segments.exchanged import BothTruths, Exchanged
from slowfast_bias.datasets.segments.truth import Truth
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.tasks.mask_scores import MaskRule
from slowfast_bias.engine.testing.mask_figures import Interval, by_sequence, follows
from slowfast_bias.engine.testing.mask_variants import ExchangedStreams
from slowfast_bias.engine.testing.mask_votes import SwapTally
from slowfast_bias.errors import DataError
from slowfast_bias.files import write_whole
from slowfast_bias.models.families import family_of
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import read_result
from slowfast_bias.visualization.reading.mask_answers import answers

LENGTHS = {"a": 4, "b/deep": 3, "c": 4}
NAMES = ["own", "swapped_flow", "swapped_image"]


@pytest.fixture
def toy(tiny):
    return functools.partial(tiny, *TOY, "TRAIN.ENABLE", False)


@pytest.fixture
def filmed(tiny, tmp_path):
    """A function: the config of three sequences on disk."""
    write_sequences(tmp_path / "data", LENGTHS)
    write_flows(tmp_path / "data", LENGTHS)
    return functools.partial(
        tiny, *SMALL, "TRAIN.DATASET", "segments", "TEST.DATASET", "segments", "TRAIN.ENABLE",
        False, "DATA.PATH_TO_DATA_DIR", str(tmp_path / "data"), "BIAS.SEGMENTS.SIZE", [32, 40],
        "BIAS.MASKS.SAVE", False, "BIAS.BEHAVIOUR.BOOTSTRAP", 100, "BIAS.MASKS.CUT", 0.45,
    )  # fmt: skip


def exchanged(cfg, name="toysegments"):
    """The frames of the test list, each beside its partner, as one batch."""
    data = Exchanged(open_dataset(name, cfg, "test"), cfg.BIAS.SEED)
    (batch,) = Loader(data, len(data), training=False, seed=0)
    return data, batch


def test_a_frame_stands_beside_one_of_another_sequence(filmed):
    cfg = filmed()
    plain = open_dataset("segments", cfg, "test")
    data, batch = exchanged(cfg, "segments")
    own, other = batch.targets
    assert [*own.sequences] != [*other.sequences] and len(data) == len(plain) == 8
    places = {(plain.target(i).sequence, plain.target(i).frame): i for i in range(len(plain))}
    for row in range(len(plain)):
        assert own.sequences[row] != other.sequences[row]
        beside = plain.sample(places[other.sequences[row], other.frames[row]])
        for found, expected in zip(batch.inputs[2:], beside.inputs, strict=True):
            assert torch.equal(found[row], expected)
    assert [s.holds for s in data.streams] == ["rgb", "flow"] * 2


def test_each_variant_is_the_network_called_with_these_inputs(toy):
    cfg = toy("BIAS.STYLES.NUM", 2)
    model = shared("up")
    task = make_task(cfg, model)
    _, batch = exchanged(cfg)
    bank = network_bank(cfg)
    streams = ExchangedStreams(task, model, bank, mirror=False)
    image, flow, image2, flow2 = batch.inputs
    white = torch.from_numpy(coded(np.zeros((*image.shape[2:4], 2), np.float32)))
    look = (bank(image.permute(0, 4, 1, 2, 3).float() / 255, 1) * 255).permute(0, 2, 3, 4, 1)
    shown = {
        "own": (image, flow), "swapped_flow": (image, flow2), "swapped_image": (image2, flow),
        "frozen_flow": (image, white.expand_as(flow)), "look1": (look, flow),
        "grey_image": (torch.tensor(cfg.DATA.MEAN).mul(255).expand_as(image), flow),
    }  # fmt: skip
    with torch.no_grad():
        found = dict(zip(streams.names, streams.outputs(batch, torch.device("cpu")), strict=True))
        for name, inputs in shown.items():
            planes = [normalised(cfg, x) for x in inputs]
            expected = family_of(model).scores(family_of(model).call(model, planes))
            assert torch.allclose(found[name], expected, atol=1e-5), name
    assert set(found) == {*shown, "look0"}
    assert not torch.equal(found["own"], found["swapped_flow"])


def network_bank(cfg):
    from slowfast_bias.datasets.styles.bank import make_styles

    return make_styles(cfg.BIAS.STYLES.FAMILY, 2, cfg.BIAS.STYLES.SEED)


def normalised(cfg, frames):
    planes = (frames.float() / 255 - torch.tensor(cfg.DATA.MEAN)) / torch.tensor(cfg.DATA.STD)
    return planes.permute(0, 4, 1, 2, 3).contiguous()


@pytest.mark.parametrize("cue", ["camouflage", "conflict"])
@pytest.mark.parametrize("leader", ["flow", "image", "nothing"])
def test_masks_that_are_one_object_follow_it(toy, cue, leader):
    """Masks are drawn from the truths: of the flow's sequence, of the image's, or empty."""
    cfg = toy("BIAS.TOY.CUE", cue, "BIAS.TOY.NUM_TEST", 6)
    _, batch = exchanged(cfg)
    own, other = (torch.stack(x.masks) for x in batch.targets)
    whose = {"own": (own, own), "swapped_flow": (other, own), "swapped_image": (own, other)}
    tally = SwapTally(NAMES, 6, MaskRule())
    conflict = cue == "conflict"
    outputs = []
    for name in NAMES:
        flow, image = whose[name]
        mask = {"flow": flow == 1, "image": image == (2 if conflict else 1)}.get(leader, flow == 9)
        outputs.append(mask.float()[:, None])
    tally.add(outputs, batch, batch.indices)
    tally.merge_over_ranks()
    assert set(tally.followed) == {*NAMES[0 if conflict else 1 :], "truths"}
    for name in NAMES[0 if conflict else 1 :]:
        found = follows(tally.followed[name], Interval(0, 100))
        shares = {cue: found[f"{cue}_share"] for cue in ("flow", "image")}
        assert shares == {x: 100.0 * (x == leader) for x in shares} and found["sequences"] == 6
        if leader == "nothing":
            assert np.isnan(found["flow_pixels"]) and found["flow_J"] == 0
        else:
            assert found[f"{leader}_J"] == 100
            assert found["flow_pixels"] == 100.0 * (leader == "flow")


def test_boxes_are_followed_as_masks_are_and_scored_by_their_overlap():
    """The partner's picture is twice as large: its box is taken to the size of the frame's own."""
    none, own, other = torch.zeros(0, 0, dtype=torch.uint8), (2, 2, 10, 8), (20, 30, 36, 60)
    truths = BothTruths(
        Truth(none, own, (40, 48), "crab", 0, 9, "0"),
        Truth(none, other, (80, 96), "eel", 4, 9, "4"),
    )
    batch = Batch([], BothTruths.in_batch([truths]), torch.tensor([0]), {})
    mask = torch.zeros(1, 1, 40, 48)
    mask[..., 15:30, 10:18] = 1  # the partner's, halved
    tally = SwapTally(NAMES, 1, MaskRule())
    tally.add([mask] * 3, batch, batch.indices)
    flow = tally.followed["swapped_flow"]["crab"][0]
    assert flow == (1.0, 0.0, 120, 0)
    assert tally.followed["swapped_image"]["crab"][0] == (0.0, 1.0, 0, 120)
    scores = tally.figures(0, torch.tensor([True]))
    assert by_sequence(scores, "mIoU") == {"crab": 0.0} and not scores.masks.lengths


def save(cfg):
    with write_whole(Outputs(cfg.OUTPUT_DIR).checkpoint(1), "wb") as file:
        model = network.build_network(cfg)
        torch.save({"model_state": model.state_dict(), "epoch": 0}, file)


def test_own_masks_are_those_of_the_test_and_two_processes_count_the_same(filmed, two_ranks):
    words = ["BIAS.BEHAVIOUR.ENABLE", True, "TEST.ENABLE", True, "BIAS.MASKS.MIRROR", True]
    words += ["BIAS.STYLES.NUM", 2]
    cfg = filmed(*words)
    save(cfg)
    found = engine.run(cfg)["battery"]
    outputs = Outputs(cfg.OUTPUT_DIR)
    test = read_result(outputs.segmentation(), "segmentation").data
    assert found["variants"]["own"]["mean"] == pytest.approx(test["masks"]["means"]["J_mean"])
    data = read_result(outputs.battery(), "battery").data
    assert data["task"] == "segmentation" and data["sequences"] == 3 and data["frames"] == 8
    assert not data["cues_in_conflict"] and set(data["variants"]) >= {"styled", "look1"}
    change = data["variants"]["grey_image"]["against_own"]["difference"]
    means = {name: x["mean"] for name, x in data["variants"].items()}
    assert change == pytest.approx(means["grey_image"] - means["own"])
    for path in (outputs.battery("md"), outputs.html):
        text = " ".join(Path(path).read_text().split())
        assert all(" ".join(x.split()[:5]) in text for x in answers(data))
    assert Path(outputs.battery("png")).is_file()
    line = json.loads(Path(outputs.stats).read_text().splitlines()[-1])
    assert line["_type"] == "battery" and line["own_J"] == pytest.approx(means["own"])
    for other in two_ranks.run(engine.battery, filmed(*words, "NUM_GPUS", 2)):
        kept = [{k: v for k, v in x.items() if k != "meta"} for x in (other, found)]
        assert repr(kept[0]) == repr(kept[1])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["BIAS.BEHAVIOUR.WINDOWS", [3]], "WINDOWS: .*segmentation.*order cannot change"),
        (["BIAS.BEHAVIOUR.K_FRAMES", [1]], "K_FRAMES: .*order cannot change"),
        (["BIAS.BEHAVIOUR.LISTS", ["k400_static"]], "LISTS: .*a mask has no class"),
        (["BIAS.BEHAVIOUR.SCUBA", "toy"], "SCUBA: .*a mask has no class"),
    ],
)
def test_keys_that_mean_nothing_for_masks_are_refused(toy, options, says):
    with pytest.raises(ConfigError, match=f"BIAS.BEHAVIOUR.{says}"):
        toy("BIAS.BEHAVIOUR.ENABLE", True, *options)


def test_one_sequence_is_refused_before_any_work(toy):
    cfg = toy("BIAS.BEHAVIOUR.ENABLE", True, "BIAS.TOY.NUM_TEST", 1, "TRAIN.ENABLE", True)
    with pytest.raises(DataError, match="Expected two sequences or more in the test list"):
        engine.run(cfg)
    assert not Path(cfg.OUTPUT_DIR, "checkpoints").exists()
