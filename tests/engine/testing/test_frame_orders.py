"""Frames out of order at test time: exact where the answer is known, and its statistics."""

import json
import math
from pathlib import Path

import pytest
import torch
from support.videos import write_video
from torch import nn
from torch.nn.modules.module import register_module_forward_hook

from slowfast_bias import engine
from slowfast_bias.bias.intervals import relative_drop, wilson
from slowfast_bias.datasets.decoding.read_frames import backend_version
from slowfast_bias.datasets.pairs.frame_order import shuffled
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.setup.loaders import build_loader
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.testing.frame_orders import accuracy_by_order, order_table
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import read_result

TINY = ["NUM_GPUS", 0, "BIAS.TOY.NUM_TEST", 24, "TEST.BATCH_SIZE", 6]


def config(name="SLOW_motion", *options):
    return engine.load_cfg(f"configs/Toy/{name}.yaml", [*TINY, *options])


class ByFrames(nn.Module):
    """Scores class 0 when a fixed frame is brighter than another, class 1 otherwise."""

    def __init__(self, first, second):
        super().__init__()
        self.first, self.second = first, second
        self.anchor = nn.Parameter(torch.zeros(()))

    def forward(self, *pathways):
        light = pathways[-1].mean((1, 3, 4))
        gap = light[:, self.first] - light[:, self.second]
        zero = torch.zeros_like(gap)
        return torch.stack([gap, zero, zero - 1, zero - 1], 1)


def test_a_network_blind_to_order_loses_nothing():
    cfg = config("2D_motion")
    figures = accuracy_by_order(cfg, network.build_network(cfg))
    assert figures["shuffled"]["accuracy"] == figures["ordered"]["accuracy"]
    assert figures["reversed"]["accuracy"] == figures["ordered"]["accuracy"]
    assert figures["shuffled"]["spread"] == 0


def test_reversed_frozen_and_shuffled_are_what_they_say(packed):
    cfg = config()
    loader = build_loader(cfg, "test")
    frames = torch.cat([packed(cfg, b)[-1] for b in loader]).mean((1, 3, 4))  # light of (V, T)
    labels = torch.cat([b.targets for b in loader])

    def accuracy(gap):
        predicted = (gap < 0).long()  # class 0 wins a tie
        return 100 * float((predicted == labels).double().mean())

    figures = accuracy_by_order(cfg, ByFrames(0, 7))
    assert figures["ordered"]["accuracy"] == pytest.approx(accuracy(frames[:, 0] - frames[:, 7]))
    assert figures["reversed"]["accuracy"] == pytest.approx(accuracy(frames[:, 7] - frames[:, 0]))
    assert figures["frozen"]["accuracy"] == pytest.approx(accuracy(torch.zeros(len(labels))))
    assert figures["videos"] == len(labels) == 24


def test_per_class_accuracies_average_to_the_whole():
    cfg = config()
    figures = accuracy_by_order(cfg, network.build_network(cfg))
    loader = build_loader(cfg, "test")
    labels = torch.cat([b.targets for b in loader])
    for order in ("ordered", "shuffled", "reversed", "frozen"):
        rates = figures[order]["per_class"]
        whole = sum(rates[int(c)] * int((labels == c).sum()) for c in labels.unique())
        assert whole / len(labels) == pytest.approx(figures[order]["accuracy"])


def test_shuffling_a_batch_keeps_each_clip_s_frames_and_moves_pathways_alike(packed):
    cfg = config("SLOWFAST_motion")
    batch = next(iter(build_loader(cfg, "test")))
    task = make_task(cfg, network.build_network(cfg))

    def shuffle(batch):
        orders = shuffled(batch.frames(), 0, batch.indices.tolist())
        return task.inputs(batch, torch.device("cpu"), orders)

    slow, fast = shuffle(batch)
    for clip, other in zip(packed(cfg, batch)[-1], fast, strict=True):
        before, after = clip.mean((0, 2, 3)), other.mean((0, 2, 3))
        assert torch.equal(before.sort().values, after.sort().values)
        assert not torch.equal(before, after)
    assert torch.equal(slow[:, :, 0], fast[:, :, 0])
    (clips,) = batch.inputs
    one = shuffle(batch._replace(inputs=[clips[2:3]], indices=batch.indices[2:3]))
    assert torch.equal(one[-1][0], fast[2])


def test_wilson_against_its_definition():
    # the bounds p solve |share - p| = z sqrt(p (1 - p) / n)
    for share, n in ((0.3, 40), (0.0, 12), (1.0, 12)):
        for bound in wilson(share, n):
            p = bound / 100
            assert abs(share - p) == pytest.approx(
                1.96 * math.sqrt(max(p * (1 - p), 0) / n), abs=1e-7
            )


def test_relative_drop_and_its_interval():
    ordered = torch.ones(400, dtype=torch.float64)
    shuffled = (torch.arange(400) % 4 == 0).double()
    drop, (low, high) = relative_drop(ordered, shuffled, seed=0)
    assert drop == pytest.approx(75.0)
    half = 196 * math.sqrt(0.25 * 0.75 / 400)  # normal approximation
    assert (low, high) == (pytest.approx(75 - half, abs=1), pytest.approx(75 + half, abs=1))
    assert math.isnan(relative_drop(ordered * 0, shuffled, seed=0)[0])


@pytest.fixture
def autocasts():
    """Whether mixed precision was on, for each convolution that ran; and in which precision."""
    seen = []

    def look(module, inputs, output):
        if isinstance(module, nn.Conv3d):
            seen.append((torch.is_autocast_enabled(inputs[0].device.type), output.dtype))

    handle = register_module_forward_hook(look)
    yield seen
    handle.remove()


@pytest.mark.parametrize("mixed", [True, False])
def test_ordered_is_the_ordinary_test_in_the_same_precision(tmp_path, autocasts, mixed):
    options = [
        "OUTPUT_DIR", str(tmp_path), "SOLVER.MAX_EPOCH", 1, "TRAIN.MIXED_PRECISION", mixed,
        "BIAS.TOY.NUM_TRAIN", 64,
        "TEST.NUM_ENSEMBLE_VIEWS", 2, "BIAS.TOY.NUM_VAL", 8, "BIAS.ABLATION.FRACTIONS", [0.0],
        "BIAS.ABLATION.SEEDS", [0],
    ]  # fmt: skip
    cfg = config("SLOW_motion", *options)
    engine.train(cfg)
    dtype = torch.bfloat16 if mixed else torch.float32
    answers = []
    for ask in (
        lambda: engine.test(cfg).top1,
        lambda: accuracy_by_order(cfg, engine.trained_network(cfg))["ordered"]["accuracy"],
        lambda: engine.test_orders(cfg)["ordered"]["accuracy"],
    ):
        autocasts.clear()
        answers.append(ask())
        assert autocasts and set(autocasts) == {(mixed, dtype)}
    assert answers[0] == pytest.approx(answers[1]) == answers[2]
    without_none = engine.ablate(cfg)["curves"]["random"][0]["accuracy"]
    assert without_none == pytest.approx(answers[0])


@pytest.mark.ddp
def test_the_flow_writes_its_file_and_two_processes_agree(tmp_path, two_ranks):
    options = ("OUTPUT_DIR", str(tmp_path), "SOLVER.MAX_EPOCH", 1, "BIAS.TOY.NUM_TRAIN", 16)
    engine.train(config("SLOW_motion", *options))
    one = engine.test_orders(config("SLOW_motion", *options, "BIAS.TOY.NUM_TEST", 11))
    two, _ = two_ranks.run(
        engine.test_orders,
        config("SLOW_motion", *options, "BIAS.TOY.NUM_TEST", 11, "NUM_GPUS", 2),
    )
    assert [figures["meta"].pop("processes") for figures in (one, two)] == [1, 2]
    assert one == two
    assert read_result(Outputs(str(tmp_path)).frame_orders, "frame_orders").data["videos"] == 11
    assert "relative drop" in order_table(one)
    assert order_table(one).count("class ") == len(one["ordered"]["per_class"])
    lines = [json.loads(x) for x in (tmp_path / "json_stats.log").read_text().splitlines()]
    assert [x["_type"] for x in lines].count("shuffled_test") == 2


def test_what_could_not_be_read_and_how_the_rest_was_stands_in_both_reports(tiny, tmp_path):
    for name in ("a", "b", "c"):
        write_video(tmp_path / f"{name}.mp4", 12)
    (tmp_path / "no.mp4").write_text("no video")
    for split in ("train", "val", "test"):
        rows = [f"{name}.mp4 {k % 2}\n" for k, name in enumerate(("a", "no", "b", "c"))]
        (tmp_path / f"{split}.csv").write_text("".join(rows))
    cfg = tiny(
        "TRAIN.DATASET", "videos", "TEST.DATASET", "videos", "MODEL.NUM_CLASSES", 2,
        "DATA.PATH_TO_DATA_DIR", str(tmp_path), "DATA.TRAIN_JITTER_SCALES", [36, 40],
        "DATA.NUM_FRAMES", 4, "TEST.NUM_ENSEMBLE_VIEWS", 2, "BIAS.ABLATION.FRACTIONS", [0.0, 0.5],
    )  # fmt: skip
    model = network.build_network(cfg)
    path = f"{tmp_path}/weights.pyth"
    torch.save({"model_state": model.state_dict()}, path)
    cfg.defrost()
    cfg.TEST.CHECKPOINT_FILE_PATH = path
    engine.test_orders(cfg)
    engine.ablate(cfg)
    outputs = Outputs(cfg.OUTPUT_DIR)
    orders = read_result(outputs.frame_orders, "frame_orders")
    for meta in (orders.meta, read_result(outputs.silencing(), "silencing").meta):
        assert meta["decoder"] == backend_version("pyav")
        assert meta["sampling"] == "window, host stride, clamp"
        assert meta["list"] == f"{tmp_path}/test.csv" and meta["data"] == "videos/test"
        assert (meta["classes"], meta["videos"], meta["views"]) == (2, 3, 2)
        assert meta["dropped_videos"] == [1]
        (bad,) = meta["dropped_because"]
        assert bad["path"] == f"{tmp_path}/no.mp4" and "row 2" in bad["row"] and bad["reason"]
    assert orders.data["classes"] == 2
    lines = [json.loads(x) for x in Path(outputs.stats).read_text().splitlines()]
    told = [x["dropped"] for x in lines if x["_type"] in ("shuffled_test", "ablation")]
    assert set(told) == {1} and len(told) > 1


def test_a_dataset_that_tells_nothing_has_a_report_all_the_same():
    cfg = config("2D_motion")
    meta = accuracy_by_order(cfg, network.build_network(cfg))["meta"]
    assert (meta["videos"], meta["dropped_videos"], meta["dropped_because"]) == (24, [], [])
    assert "decoder" not in meta
