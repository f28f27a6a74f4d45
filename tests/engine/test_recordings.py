"""Parts of recordings through tests and measurements: they count, but not as independent."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from support.videos import write_video

from slowfast_bias import engine
from slowfast_bias.bias import BiasReport
from slowfast_bias.bias.intervals import effective_n, wilson
from slowfast_bias.cli import main
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.steps import check_data
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.testing.frame_orders import accuracy_by_order, order_table
from slowfast_bias.engine.testing.silencing_plan import UnitSet, accuracy_curves
from slowfast_bias.engine.testing.vote import as_filmed, vote
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import read_result

pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    for number in range(3):
        write_video(folder / f"{number}.mp4", list(range(1000 * number, 1000 * number + 60)), 30)
    return folder


@pytest.fixture
def config(tiny, films, tmp_path):
    """A function: words of a config whose lists hold parts of some films."""

    def make(*opts, names=("0.mp4", "1.mp4", "2.mp4"), parts=4):
        rows = "".join(
            f"{name}#frames={15 * part},{15 * part + 15} {part % 2}\n"
            for part in range(parts)
            for name in names
        )
        for split in ("train", "val", "test"):
            (tmp_path / f"{split}.csv").write_text(rows)
        return [
            *tiny.words, "OUTPUT_DIR", str(tmp_path / "run"), "TRAIN.DATASET", "videos",
            "TEST.DATASET", "videos", "MODEL.NUM_CLASSES", 2, "DATA.NUM_FRAMES", 4,
            "DATA.PATH_TO_DATA_DIR", str(tmp_path), "DATA.PATH_PREFIX", str(films),
            "DATA.TRAIN_JITTER_SCALES", [36, 40], "DATA.SAMPLING_RATE", 2,
            "TEST.NUM_ENSEMBLE_VIEWS", 2, "TEST.NUM_SPATIAL_CROPS", 1, "TEST.BATCH_SIZE", 8,
            "SOLVER.MAX_EPOCH", 1, *opts,
        ]  # fmt: skip

    return make


def with_weights(words, folder):
    """The config with a checkpoint of an untrained network."""
    cfg = engine.load_cfg((), words)
    path = str(folder / "weights.pyth")
    torch.save({"model_state": network.build_network(cfg).state_dict()}, path)
    return engine.load_cfg((), [*words, "TEST.CHECKPOINT_FILE_PATH", path])


def test_a_vote_knows_the_recording_of_each_complete_video(config):
    cfg = engine.load_cfg((), config())
    model = network.build_network(cfg)
    task = make_task(cfg, model)
    votes = vote(cfg, task, as_filmed(task, model), "test")
    assert votes.recordings.tolist() == [0, 1, 2] * 4  # the list goes by part, and has two views
    assert votes.meta["videos"] == 12 and votes.meta["recordings"] == 3


def test_a_video_that_cannot_be_read_leaves_the_others_their_recordings(config, films):
    names = ("0.mp4", "none.mp4", "2.mp4")
    cfg = engine.load_cfg((), config(names=names))
    Path(cfg.OUTPUT_DIR).mkdir()
    model = network.build_network(cfg)
    task = make_task(cfg, model)
    votes = vote(cfg, task, as_filmed(task, model), "test")
    assert votes.recordings.tolist() == [0, 2] * 4 and votes.meta["recordings"] == 2


def test_accuracies_by_order_have_intervals_over_recordings(config):
    cfg = engine.load_cfg((), config())
    torch.manual_seed(0)
    model = network.build_network(cfg)
    figures = accuracy_by_order(cfg, model)
    assert (figures["videos"], figures["recordings"]) == (12, 3)
    for order in ("ordered", "shuffled", "reversed", "frozen"):
        found = figures[order]
        assert found["effective_n"] <= 12
        assert found["interval"] == wilson(found["accuracy"] / 100, found["effective_n"])
    assert order_table(figures).startswith("12 videos of 3 recordings\n")


def test_whole_files_are_counted_as_ever(config):
    cfg = engine.load_cfg((), config(parts=1))
    figures = accuracy_by_order(cfg, network.build_network(cfg))
    assert (figures["videos"], figures["recordings"]) == (3, 3)
    assert figures["ordered"]["effective_n"] == 3 and "recordings" not in order_table(figures)


def test_silenced_units_have_intervals_over_recordings():
    hits = {(): (torch.arange(12) < 8), (0,): (torch.arange(12) % 3 == 0)}
    sets = [UnitSet("static", None, 0.0, ()), UnitSet("static", None, 0.5, (0,))]
    recordings = torch.arange(12) // 4
    for point, right in zip(
        accuracy_curves(sets, hits, recordings)["static"], hits.values(), strict=True
    ):
        n = effective_n(right.double(), recordings)
        assert point["effective_n"] == n and point["interval"] == wilson(point["accuracy"] / 100, n)
    assert accuracy_curves(sets, hits)["static"][0]["effective_n"] == 12


def test_check_says_how_many_files_the_videos_are_parts_of(config):
    def text(words):
        cfg = engine.load_cfg((), words)
        return check_data(cfg, processes=1, quick=True, progress=lambda steps, *_: steps)[0].text

    assert "train: 12 videos (parts of 3 files), 0 unreadable" in text(config())
    assert "train: 3 videos, 0 unreadable" in text(config(parts=1))


def test_a_report_warns_of_parts(config, tmp_path):
    cfg = with_weights(config(), tmp_path)
    report = engine.measure(cfg)
    said = "12 videos are parts of 3 recordings: errors are over recordings"
    assert said in report.warnings and report.meta["recordings"] == 3
    assert not math.isnan(report["s5"].score_error("static"))


def test_one_recording_gives_numbers_without_errors_everywhere(config, tmp_path, capsys):
    cfg = with_weights(config(names=("0.mp4",)), tmp_path)
    report = engine.measure(cfg)
    assert "all videos are parts of one recording: no error can be given" in report.warnings
    assert math.isnan(report["s5"].score_error("static"))
    assert not math.isnan(report["s5"].score("static"))
    path = Outputs(cfg.OUTPUT_DIR).report()
    loaded = BiasReport.load(path)
    for text in (loaded.table(), loaded.to_markdown(), loaded.to_csv()):
        assert "nan" not in text
    assert "±-" in loaded.table()
    (tmp_path / "b.json").write_bytes((tmp_path / "run" / "bias" / "report.json").read_bytes())
    files = [path, str(tmp_path / "b.json"), "--names", "a", "b"]
    assert main(["compare", *files]) == 0
    said = capsys.readouterr().out
    assert "no error can be given" in said and "nan" not in said
    for kind in ("curves", "page"):
        assert main(["plot", *files, "--kind", kind, "--out", str(tmp_path / "a.png")]) == 0
    engine.test_orders(cfg)
    orders = read_result(Outputs(cfg.OUTPUT_DIR).frame_orders, "frame_orders")
    assert orders.meta["recordings"] == 1 and orders.data["ordered"]["effective_n"] == 1
    assert "nan" not in order_table(accuracy_by_order(cfg, network.build_network(cfg)))


def test_the_groups_of_ucf101_reach_votes_and_reports(config, tmp_path, films):
    words = config("BIAS.DATA.FORMAT", "ucf101", "BIAS.SPLIT", "val")
    names = [f"A/v_A_g{group:02d}_c{clip:02d}.mp4" for group in (1, 2) for clip in (1, 2)]
    (tmp_path / "classInd.txt").write_text("1 A\n2 B\n")
    for split in ("train", "test"):
        (tmp_path / f"{split}list01.txt").write_text("".join(f"{name}\n" for name in names))
    (tmp_path / "videos" / "A").mkdir(parents=True)
    for name in names:
        (tmp_path / "videos" / name).symlink_to(films / "0.mp4")
    cfg = with_weights([*words, "DATA.PATH_PREFIX", str(tmp_path / "videos")], tmp_path)
    assert engine.measure(cfg).meta["recordings"] == 2
    model = network.build_network(cfg)
    task = make_task(cfg, model)
    assert vote(cfg, task, as_filmed(task, model), "test").recordings.tolist() == [0, 0, 1, 1]
