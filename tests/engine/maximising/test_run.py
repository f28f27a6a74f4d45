"""A run of activation maximisation: files, what is not made again, and what is refused before."""

from __future__ import annotations

import functools
import os

import numpy as np
import pytest
import torch
from support.huggingface import save_tiny
from support.networks import SLOWFAST
from support.segments import TOY

from slowfast_bias import engine
from slowfast_bias.cli import main
from slowfast_bias.config import ConfigError
from slowfast_bias.engine.maximising.choosing import confused_pairs
from slowfast_bias.engine.maximising.natural import canvas_of, open_source, show_natural
from slowfast_bias.engine.maximising.packing import has_flow, packing
from slowfast_bias.engine.maximising.run import maximise as make_clips
from slowfast_bias.engine.maximising.twins import best_correlated
from slowfast_bias.engine.measuring.layers import make_taps
from slowfast_bias.optvis import SPEEDS, Recipe, Responder, Row, Unit, maximise, quantised
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import read_result

QUICK = [
    "BIAS.MAXIMISE.ENABLE", True, "TRAIN.ENABLE", False, "TEST.ENABLE", False,
    "BIAS.MAXIMISE.STEPS", 3, "BIAS.MAXIMISE.SEEDS", [0, 1], "BIAS.MAXIMISE.NUM_VIDEOS", 12,
    "BIAS.MAXIMISE.TOP_CLIPS", 2, "BIAS.NUM_VIDEOS", 12,
]  # fmt: skip


@pytest.fixture(scope="module")
def toy(trained_toy):
    return functools.partial(trained_toy, "SLOW_motion", *QUICK)


def test_a_run_leaves_numbers_and_clips_and_goes_on_from_them(toy):
    weights = Outputs(toy().OUTPUT_DIR).list_checkpoints()[0]
    words = ["BIAS.MAXIMISE.UNITS", ["7", "class:2"], "BIAS.MAXIMISE.TWINS", [weights]]
    cfg = toy(*words)
    engine.run(cfg)
    outputs = Outputs(cfg.OUTPUT_DIR)
    data = read_result(outputs.maximised, "maximised").data
    unit, of_class = data["units"]
    assert (unit["layer"], unit["unit"], of_class["layer"], of_class["unit"]) == (
        "s5",
        7,
        "class",
        2,
    )
    assert data["speeds"] == [speed.name for speed in SPEEDS] == list(unit["by_speed"])
    for row in (unit, of_class):
        free = row["by_speed"]["unconstrained"]
        assert [len(x) for x in free.values()] == [2] * 8 and len(row["natural"]) == 2
        assert row["by_speed"]["frozen"]["frame_difference"] == [0, 0]
        assert free["ratio"] == pytest.approx([x / row["natural_max"] for x in free["activation"]])
        with np.load(f"{cfg.OUTPUT_DIR}/{row['file']}") as clips:
            assert clips["rgb"].shape == (5, 2, 8, 32, 32, 3) and clips["rgb"].dtype == np.uint8
            assert clips["natural"].shape == (2, 8, 32, 32, 3)
            shown = clips["rgb"][0]
    # the numbers are those of the clips in the file, and a twin with the same weights agrees
    model = engine.trained_network(cfg)
    scores = Responder(model, make_taps(model, ["s5"]), packing(cfg, model)).measure(
        [torch.from_numpy(shown).permute(0, 4, 1, 2, 3).float() / 255]
    )
    agrees = (scores.scores.argmax(1) == 2).float().tolist()
    assert of_class["by_speed"]["unconstrained"]["transfer"] == agrees
    ratios = unit["by_speed"]["frozen"]
    assert ratios["transfer"] == pytest.approx(ratios["ratio"], rel=1e-4)

    drawn = [outputs.maximised_figure, f"{outputs.maximised_folder}/class/unit_00002.gif"]
    assert all(os.path.getsize(path) for path in drawn)
    made = os.stat(f"{cfg.OUTPUT_DIR}/{unit['file']}").st_mtime_ns
    again = engine.run(toy(*words[:1], ["class:2", "7"], *words[2:]))["maximise"]["units"]
    assert again == [unit, of_class]
    assert os.stat(f"{cfg.OUTPUT_DIR}/{unit['file']}").st_mtime_ns == made


@pytest.mark.ddp
def test_two_processes_share_the_units_and_make_what_one_makes(toy, tmp_path, two_ranks):
    words = ["BIAS.MAXIMISE.UNITS", ["7", "8", "9"], "BIAS.MAXIMISE.SPEEDS", ["slow", "frozen"]]
    words += ["TEST.CHECKPOINT_FILE_PATH", Outputs(toy().OUTPUT_DIR).list_checkpoints()[0]]
    one, two = (toy(*words, "OUTPUT_DIR", str(tmp_path / name)) for name in ("one", "two"))
    expected = make_clips(one)["units"]
    for found in two_ranks.run(make_clips, two):
        assert [row["unit"] for row in found["units"]] == [7, 8, 9]
    assert read_result(Outputs(two.OUTPUT_DIR).maximised, "maximised").meta["processes"] == 2
    for row, other in zip(found["units"], expected, strict=True):
        assert row["natural_max"] == pytest.approx(other["natural_max"], rel=1e-4)
        shown = [[clip["video"] for clip in x["natural"]] for x in (row, other)]
        assert shown[0] == shown[1]
        paths = [f"{cfg.OUTPUT_DIR}/{row['file']}" for cfg in (one, two)]
        clips = [np.load(path)["rgb"].astype(int) for path in paths]
        off = np.abs(clips[0] - clips[1])
        assert off.max() <= 2  # levels of 256: three steps of Adam grow what rounding begins


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["BIAS.MAXIMISE.UNITS", ["256"]], "units from 0 to 255 of s5, but got 256"),
        (["BIAS.MAXIMISE.UNITS", ["quick:3"]], "pairs:N, but got 'quick:3'"),
        (["BIAS.MAXIMISE.UNITS", ["class:walking"]], "number of a class, 0 to 3"),
        (["BIAS.MAXIMISE.UNITS", ["3"], "BIAS.MAXIMISE.LAYER", "s9"], "BIAS.MAXIMISE.LAYER"),
        (["BIAS.MAXIMISE.SPEEDS", ["quick"]], "all, but got 'quick'"),
        (["BIAS.MAXIMISE.SEEDS", [1, 1]], "different whole numbers"),
    ],
)
def test_what_cannot_be_made_is_said_before_anything_is(toy, words, says, capsys):
    cfg = toy(*words)
    with pytest.raises(ValueError, match=says):
        engine.run(cfg)


def test_more_units_of_a_kind_than_there_are_is_an_error(toy):
    with pytest.raises(ConfigError, match=r"999 dynamic units in s5, but its report has \d+ that"):
        engine.run(toy("BIAS.MAXIMISE.UNITS", ["dynamic:999"]))


def test_the_command_takes_its_config_by_place(capsys):
    assert main(["maximise", "--layer", "s5"]) == 2
    assert "Expected a config, but got none" in capsys.readouterr().err
    assert (
        main(["maximise", "configs/Toy/SLOW_motion.yaml", "--units", "no:1", "--speeds", "slow"])
        == 2
    )
    assert "but got 'no:1'" in capsys.readouterr().err


def test_pairs_are_the_classes_that_are_mixed_up_most_either_way():
    scores = torch.eye(3)[[0, 1, 0, 2, 1, 2]]
    labels = [1, 0, 0, 1, 1, 2]  # 0 and 1 twice, 1 and 2 once
    assert confused_pairs(scores, labels, 2) == [(0, 1), (1, 2)]
    with pytest.raises(ConfigError, match="3 pairs .* but of 6 clips it mixes up 2"):
        confused_pairs(scores, labels, 3)


def test_the_twins_unit_is_the_one_that_is_correlated_best():
    values = torch.tensor([0.0, 1.0, 2.0])
    features = torch.tensor([[5.0, 1.0, 9.0], [5.0, 1.1, 6.0], [5.0, 1.2, 0.0]])
    assert best_correlated(values, features) == 1


def made_of(cfg, layer):
    """What a fresh network of any family gives: its responder, and two clips of its unit 0."""
    model = engine.build_network(cfg)
    flow = has_flow(model)
    source = open_source(cfg, flow)
    responder = Responder(model, make_taps(model, [layer]), packing(cfg, model))
    natural = show_natural(cfg, source, responder)
    label = next(iter(natural.response.features))
    canvas = canvas_of(source, 0, flow)
    rows = [Row(SPEEDS[0], 0), Row(SPEEDS[-1], 0)]
    target = Unit(label, 0, float(natural.values(label, 0).abs().max()))
    scene = quantised(maximise(responder, target, rows, canvas, Recipe(steps=4, jitter=0)).scene)
    before = maximise(responder, target, rows, canvas, Recipe(steps=0)).scene
    rises = target.value(responder.measure(scene)) - target.value(responder.measure(before))
    return scene, rises


def test_both_pathways_of_slowfast_are_made_of_one_clip(tiny):
    scene, rises = made_of(tiny(*SLOWFAST), "s4")
    assert len(scene) == 1 and scene[0].shape == (2, 3, 8, 32, 32)
    assert rises[0] > 0


@pytest.mark.parametrize(("layer", "moves"), [("app4", False), ("mot4", True)])
def test_of_two_streams_the_one_that_a_unit_reads_is_made(tiny, layer, moves):
    (clips, flow), rises = made_of(tiny(*TOY), layer)
    assert rises[0] > 0
    length, contrast = flow[0].norm(dim=0).mean(), clips[0].std()
    assert (length > 0.05, contrast > 0.01) == (moves, not moves)
    assert not flow[1].any()  # the control: flow at rest


def test_a_network_of_tokens_is_read_as_it_is_measured(tmp_path, tiny):
    pytest.importorskip("transformers")
    save_tiny(tmp_path / "hf", "timesformer")
    cfg = tiny("MODEL.ARCH", "hf", "BIAS.HF.FOLDER", str(tmp_path / "hf"))
    assert made_of(cfg, "auto")[1][0] > 0
