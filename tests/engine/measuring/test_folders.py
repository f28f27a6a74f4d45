"""Measuring styled folders: the laws of every measurement, and the report of what was shown."""

from __future__ import annotations

import json
import shutil

import cv2
import pytest
import torch

from slowfast_bias import engine
from slowfast_bias.bias import BiasReport
from slowfast_bias.config import ConfigError
from slowfast_bias.datasets.decoding.read_frames import backend_version
from slowfast_bias.datasets.pairs.request import pair_maker
from slowfast_bias.datasets.pairs.static_dynamic import draw_styles
from slowfast_bias.datasets.source_clips import SourceClips
from slowfast_bias.datasets.styles.bank import make_styles
from slowfast_bias.engine.measuring import measurement as measuring
from slowfast_bias.engine.measuring.film_strips import Shown, read_strips
from slowfast_bias.engine.measuring.measurement import measure_networks
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.styling.folder_writer import Options, stylize
from slowfast_bias.engine.styling.stylers import Recipe
from slowfast_bias.errors import DataError
from slowfast_bias.visualization.drawing.film_strip import make_strip

pytestmark = [
    pytest.mark.host,
    pytest.mark.filterwarnings("ignore:fewer than 500 pairs"),
]
VIDEOS = 9


def config(*opts):
    words = ["NUM_GPUS", 0, "BIAS.TOY.NUM_VAL", VIDEOS, "TEST.BATCH_SIZE", 4]
    words += ["DATA.TRAIN_JITTER_SCALES", [32, 32]]
    return engine.load_cfg("configs/Toy/SLOW_motion.yaml", [*words, *opts])


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """The toy clips as folders of PNG frames, by number."""
    folder = tmp_path_factory.mktemp("films")
    source = SourceClips(config(), "val")
    for video in range(VIDEOS):
        (frames,) = source.sample(video).inputs
        (folder / f"v{video}").mkdir()
        for place, frame in enumerate(frames.numpy(), 1):
            cv2.imwrite(str(folder / f"v{video}" / f"{place:06d}.png"), frame[..., ::-1])
    return folder


@pytest.fixture(scope="module")
def styled(films, tmp_path_factory):
    """The same in the four styles of the default bank."""
    out = tmp_path_factory.mktemp("styled")
    stylize([str(films)], str(out), Options(Recipe("colour", 4, 0), png=True))
    return [str(out / f"style_{k}") for k in range(4)]


def measured(dirs, *opts, model=None):
    folders = ["BIAS.STYLES.SOURCE", "folders", "BIAS.STYLES.DIRS", dirs]
    cfg = config(*(folders if dirs else []), *opts)
    return measure_networks(cfg, {"net": model or network.build_network(cfg)}, "config")["net"]


def biggest_change(a, b):
    assert list(a.layers) == list(b.layers)
    return max(
        (a[layer].correlation[f] - b[layer].correlation[f]).abs().nan_to_num(0).max().item()
        for layer in a.layers
        for f in ("static", "dynamic")
    )


def test_folders_of_generated_styles_measure_as_the_styles_rounded_to_bytes(styled, monkeypatch):
    class Rounded:
        num = 4

        def about(self):
            return {}

        def __call__(self, clips, styles):
            return make_styles("colour", 4, 0)(clips, styles).mul(255).round() / 255

    folders = measured(styled)
    monkeypatch.setattr("slowfast_bias.datasets.source_clips.make_styles", lambda *_: Rounded())
    assert biggest_change(folders, measured([])) < 1e-6


def test_folders_of_generated_styles_measure_nearly_as_the_generated_styles(styled):
    folders, generated = measured(styled), measured([])
    assert (
        folders["s5"].pairs
        == generated["s5"].pairs
        == dict.fromkeys(("static", "dynamic", "neither"), VIDEOS)
    )
    for layer in generated.layers:
        for factor in ("static", "dynamic"):
            there, here = folders[layer].score(factor), generated[layer].score(factor)
            assert there == pytest.approx(here, abs=0.01)  # frames are rounded to 1 / 255
    assert 0 < biggest_change(folders, generated) < 0.05


@pytest.mark.parametrize(
    "options", [("TEST.BATCH_SIZE", 5), ("TEST.BATCH_SIZE", 1), ("DATA_LOADER.NUM_WORKERS", 2)]
)
def test_batch_size_and_workers_change_no_number(styled, options):
    assert biggest_change(measured(styled), measured(styled, *options)) < 1e-5


def test_shares_of_two_processes_add_up_to_the_whole(styled, monkeypatch):
    net = network.build_network(config())
    meters = []
    monkeypatch.setattr(ranks, "world_size", lambda: 2)
    monkeypatch.setattr(measuring, "all_merge", lambda meter: meters.append(meter) or meter)
    for rank in (0, 1):
        monkeypatch.setattr(ranks, "rank", lambda rank=rank: rank)
        share = measured(styled, model=net)
        assert share["s5"].pairs["static"] == (5, 4)[rank]
    monkeypatch.undo()
    both = meters[0].merge(meters[1]).compute()
    assert biggest_change(both, measured(styled, model=net)) < 1e-5


def test_a_film_strip_is_the_video_in_its_first_style(styled):
    cfg = config("BIAS.STYLES.SOURCE", "folders", "BIAS.STYLES.DIRS", styled)
    maker = pair_maker("static_dynamic_folders")
    shown = Shown(maker.source(cfg, "val"), maker, "styled")
    strips, unreadable = read_strips(cfg, shown, [0, 5, 8])
    assert list(strips) == [0, 5, 8] and not unreadable
    for video, strip in strips.items():
        name = shown.source.bank.names[video]
        first = styled[draw_styles(4, cfg.BIAS.SEED, video)[0]]
        frames = [cv2.imread(f"{first}/{name}/frame_{k:05d}.png")[..., ::-1] for k in range(1, 9)]
        clip = torch.stack([torch.tensor(frame.copy()) for frame in frames]) / 255
        assert strip.webp == make_strip(clip.permute(3, 0, 1, 2)).webp


def test_the_seed_of_the_measurement_draws_other_styles(styled):
    assert biggest_change(measured(styled), measured(styled, "BIAS.SEED", 1)) > 1e-4


def test_without_temporal_kernels_static_is_one(styled):
    report = measured(styled, "MODEL.ARCH", "2d", "BIAS.REUSE_PREFIX", False)
    for layer in report.layers.values():
        assert layer.score("static") == pytest.approx(1.0, abs=1e-6)


def test_reusing_frame_wise_stages_changes_no_number(styled):
    full = measured(styled, "BIAS.REUSE_PREFIX", False)
    assert full.meta["reused_stages"] == []
    assert biggest_change(measured(styled), full) < 1e-6


def test_the_report_names_folders_decoder_and_what_was_dropped(styled, tmp_path):
    mine = [shutil.copytree(folder, tmp_path / f"style_{k}") for k, folder in enumerate(styled)]
    (mine[3] / "v2" / "frame_00008.png").unlink()
    (mine[1] / "v4" / "frame_00005.png").unlink()
    shutil.rmtree(mine[0] / "v7")
    dirs = [str(folder) for folder in mine]
    report = measured(dirs)
    meta = json.loads(json.dumps(report.meta))
    assert meta["styles"] == {"source": "folders", "dirs": dirs, "num": 4}
    assert meta["decoder"] == backend_version()
    assert meta["missing_videos"] == ["v7"]
    assert (meta["videos"], meta["dropped_videos"]) == (VIDEOS - 3, [2, 4])
    unequal, hole = (bad["reason"] for bad in meta["dropped_because"])
    assert "style_3/v2 has 7" in unequal and "style_0/v2 has 8" in unequal
    assert "frame_00005.png is missing" in hole
    assert report["s5"].pairs == dict.fromkeys(("static", "dynamic", "neither"), VIDEOS - 3)


def test_a_listed_video_that_a_style_lacks_is_dropped_and_named(styled, tmp_path):
    (tmp_path / "list").write_text("v0\nv1\nelsewhere\nv2\n")
    mine = [shutil.copytree(folder, tmp_path / f"style_{k}") for k, folder in enumerate(styled)]
    shutil.rmtree(mine[0] / "v1")
    listed = ["BIAS.STYLES.LIST", str(tmp_path / "list")]
    meta = measured([str(folder) for folder in mine], *listed).meta
    assert meta["dropped_videos"] == [1, 2] and meta["videos"] == 2
    first, second = meta["dropped_because"]
    assert first["path"] == str(mine[1] / "v1") and "style_0 lacks it" in first["reason"]
    assert second["path"] == "elsewhere"


def test_a_bank_without_one_readable_video_says_why(styled, tmp_path):
    (tmp_path / "list").write_text("v0\nv1\n")
    mine = [shutil.copytree(folder, tmp_path / f"style_{k}") for k, folder in enumerate(styled)]
    for name in ("v0", "v1"):
        (mine[2] / name / "frame_00003.png").unlink()
    with pytest.raises(DataError, match="readable video.*is missing"):
        measured([str(folder) for folder in mine], "BIAS.STYLES.LIST", str(tmp_path / "list"))


def test_a_run_through_the_front_door_leaves_its_files(styled, tmp_path):
    weights = str(tmp_path / "weights.pyth")
    options = ["OUTPUT_DIR", str(tmp_path), "TEST.CHECKPOINT_FILE_PATH", weights]
    folders = ["BIAS.STYLES.SOURCE", "folders", "BIAS.STYLES.DIRS", str(styled)]  # as typed
    cfg = config(*options, *folders, "BIAS.NUM_VIDEOS", 4)
    torch.save({"model_state": network.build_network(cfg).state_dict()}, weights)
    report = engine.measure(cfg)
    loaded = BiasReport.load(str(tmp_path / "bias" / "report.json"))
    assert loaded.meta["styles"]["dirs"] == styled and loaded.meta["videos"] == 4
    assert biggest_change(report, loaded) == 0


@pytest.mark.parametrize(
    ("dirs", "says"),
    [
        ([], "two folders or more"),
        (["{}"], "two folders or more"),
        (["{}", "{}/nowhere"], "expected a folder of styled videos, but got '.*nowhere'"),
        (["{}", "{}"], "another folder for each style"),
    ],
)
def test_folders_that_cannot_be_a_bank_are_refused_by_the_config(tmp_path, dirs, says):
    dirs = [folder.format(tmp_path) for folder in dirs]
    with pytest.raises(ConfigError, match=f"BIAS.STYLES.DIRS: .*{says}"):
        config("BIAS.STYLES.SOURCE", "folders", "BIAS.STYLES.DIRS", dirs)


def test_a_list_that_is_not_there_is_refused_by_the_config(styled, tmp_path):
    with pytest.raises(ConfigError, match="BIAS.STYLES.LIST: .*nowhere"):
        config(
            "BIAS.STYLES.SOURCE", "folders", "BIAS.STYLES.DIRS", styled,
            "BIAS.STYLES.LIST", str(tmp_path / "nowhere"),
        )  # fmt: skip
