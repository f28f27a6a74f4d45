"""The battery: exact where the answer is known, one decode, one forward for each input."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import pytest
import scipy.stats
import torch
from support.videos import write_video
from torch import nn

from slowfast_bias import engine
from slowfast_bias.bias.intervals import wilson
from slowfast_bias.config import ConfigError
from slowfast_bias.datasets.pairs.frame_order import few_frames, shuffled, window_shuffled
from slowfast_bias.datasets.styles.bank import make_styles
from slowfast_bias.datasets.toy.dataset import Toyvideos
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.setup.loaders import build_loader
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.testing.battery import battery_of
from slowfast_bias.engine.testing.battery_questions import read_questions
from slowfast_bias.engine.testing.battery_table import battery_markdown, battery_table
from slowfast_bias.engine.testing.battery_variants import ChangedClips, plan_of
from slowfast_bias.engine.testing.frame_orders import accuracy_by_order
from slowfast_bias.engine.training import loop
from slowfast_bias.errors import DataError, RequestError
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import read_result

pytestmark = pytest.mark.host
TINY = ["NUM_GPUS", 0, "BIAS.TOY.NUM_TEST", 24, "TEST.BATCH_SIZE", 6, "BIAS.BEHAVIOUR.ENABLE", True]


def config(*options, name="SLOW_motion"):
    return engine.load_cfg(f"configs/Toy/{name}.yaml", [*TINY, *options])


def figures_of(cfg, model):
    return battery_of(cfg, model, read_questions(cfg))


class Network(nn.Module):
    """Probabilities of a function of the last pathway; counts its calls and clips."""

    def __init__(self, logits):
        super().__init__()
        self.logits, self.calls = logits, 0
        self.anchor = nn.Parameter(torch.zeros(()))

    def forward(self, *pathways):
        self.calls += 1
        return self.logits(pathways[-1]).softmax(-1)


def hops(x):
    """Logits of the four hops of the orbit, read off the pixels: right for every clip."""
    size = x.shape[-1]
    grid = torch.arange(size, dtype=x.dtype) - (size - 1) / 2
    angle = torch.atan2(*torch.meshgrid(grid, grid, indexing="ij"))
    energy = (x - x.mean(2, keepdim=True)).square().sum(1)
    z = (energy * torch.exp(1j * angle)).sum((2, 3))
    hop = (z[:, 1:] * z[:, :-1].conj()).sum(1)
    return 5 * torch.cos(hop.angle()[:, None] - torch.tensor([1, -1, 3, -3]) * math.pi / 4)


def texture(x):
    """Logits that are averages of what single frames give."""
    return (x.mean((3, 4)).sin() * 4).mean(2) @ torch.tensor(
        [[1.0, 2, 0, 1], [0, 1, 3, 0], [1, 0, 0, 2]]
    )


def late_light(x):
    """Logits that depend on every frame, each with a weight of its own."""
    light = x.mean((1, 3, 4))
    ramp = torch.linspace(-1, 1, light.shape[1])
    late = (light * ramp).sum(1, keepdim=True)
    return torch.cat([late, light[:, :1], light[:, -1:], light.mean(1, keepdim=True)], 1) * 3


# -- laws ------------------------------------------------------------------------------------------
def test_a_network_that_reads_hops_names_the_partner_of_every_reversed_clip(tmp_path):
    (tmp_path / "partners.txt").write_text("0\t1\n2,3\n")
    path = str(tmp_path / "partners.txt")
    found = figures_of(config("BIAS.BEHAVIOUR.PARTNERS", path), Network(hops))
    rates = {name: entry["accuracy"] for name, entry in found["variants"].items()}
    assert rates["ordered"] == rates["styled"] == rates["look0"] == 100
    assert rates["reversed"] == 0 and rates["frozen"] == rates["frames1"] < 50
    assert rates["shuffled"] < 50
    assert found["partners"] == {
        "rate": 100.0, "interval": wilson(1, 24), "videos": 24,
        "pairs": [["0", "1"], ["2", "3"]], "file": path,
    }  # fmt: skip
    assert found["variants"]["reversed"]["against_ordered"]["difference"] == -100
    assert found["divergence"]["reversed"]["mean"] > 1


def test_a_network_that_averages_frames_is_moved_by_no_order_of_them():
    found = figures_of(config(), Network(texture))
    variants = found["variants"]
    for name in ("shuffled", "windows2", "windows4", "reversed"):
        assert variants[name]["per_class"] == variants["ordered"]["per_class"]
        assert variants[name]["against_ordered"]["difference"] == 0
    assert variants["shuffled"]["spread"] == 0
    for name in ("reversed", "shuffled"):  # the square of float32's rounding
        assert found["divergence"][name]["mean"] < 1e-10
        assert found["divergence"][name]["interval"][1] < 1e-10


def test_all_frames_are_the_clip_and_one_is_the_frozen_one():
    cfg = config("BIAS.BEHAVIOUR.K_FRAMES", [8, 1, 3])
    variants = figures_of(cfg, Network(late_light))["variants"]
    assert [name for name in variants if name.startswith("frames")] == [
        "frames1", "frames3", "frames8",
    ]  # fmt: skip
    for a, b in (("frames8", "ordered"), ("frames1", "frozen")):
        assert variants[a]["accuracy"] == variants[b]["accuracy"]
        assert variants[a]["per_class"] == variants[b]["per_class"]


def test_the_entries_are_those_that_were_agreed_in_their_order():
    found = figures_of(config("BIAS.STYLES.NUM", 2), Network(texture))
    assert list(found["variants"]) == [
        "ordered", "shuffled", "windows2", "windows4", "reversed", "frozen", "best_frame",
        "frames1", "frames2", "frames4", "styled", "look0", "look1",
    ]  # fmt: skip
    entry = found["variants"]["frozen"]
    assert set(entry) == {"accuracy", "interval", "effective_n", "per_class", "against_ordered"}
    assert "against_ordered" not in found["variants"]["ordered"]
    assert set(found["variants"]["shuffled"]) == set(entry) | {"spread"}
    assert set(found["variants"]["best_frame"]) == set(entry) | {"frames", "guess"}


@pytest.mark.parametrize("name", ["SLOW_motion", "SLOWFAST_motion"])
def test_every_entry_is_what_clips_made_by_hand_give(packed, name):
    cfg = config("TEST.BATCH_SIZE", 24, name=name)
    found = figures_of(cfg, Network(late_light))
    (batch,) = build_loader(cfg, "test")
    x, clips, labels = packed(cfg, batch)[-1], batch.indices.tolist(), batch.targets

    def moved(orders):
        return torch.stack([clip[:, order] for clip, order in zip(x, orders, strict=True)])

    def scores(clip):
        return late_light(clip).softmax(-1)

    def hits(clip):
        return scores(clip).argmax(1) == labels

    draws = [moved(shuffled(8, cfg.BIAS.SEED, clips, number)) for number in range(3)]
    frames = torch.stack([hits(x[:, :, [j] * 8]) for j in range(8)])
    mean, std = (torch.tensor(v).view(3, 1, 1, 1) for v in (cfg.DATA.MEAN, cfg.DATA.STD))
    bank, filmed = make_styles("colour", 4, 0), (x * std + mean).clamp(0, 1)
    looks = [hits((bank(filmed, k) - mean) / std).double() for k in range(4)]
    wanted = {
        "ordered": hits(x),
        "shuffled": torch.stack([hits(draw).double() for draw in draws]).mean(0),
        "windows2": hits(moved(window_shuffled(8, 2, cfg.BIAS.SEED, clips))),
        "reversed": hits(x.flip(2)),
        "frozen": frames[4],
        "best_frame": frames.any(0),
        "frames2": hits(moved(few_frames(8, 2, 24))),
        "styled": torch.stack(looks).mean(0),
        "look3": looks[3],
    }
    for entry, right in wanted.items():
        got = found["variants"][entry]
        assert got["accuracy"] == pytest.approx(100 * right.double().mean().item()), entry
        for c, one in got["per_class"].items():
            assert one["accuracy"] == pytest.approx(100 * right[labels == c].double().mean().item())
            assert one["videos"] == int((labels == c).sum())
    p = scores(x).double()
    apart = scipy.stats.entropy(p, scores(x.flip(2)).double(), axis=1)
    assert found["divergence"]["reversed"]["mean"] == pytest.approx(apart.mean(), rel=1e-5)
    each = [scipy.stats.entropy(p, scores(draw).double(), axis=1) for draw in draws]
    mean_apart = sum(each) / 3
    assert found["divergence"]["shuffled"]["mean"] == pytest.approx(mean_apart.mean(), rel=1e-5)
    median = torch.from_numpy(mean_apart).quantile(0.5).item()
    assert found["divergence"]["shuffled"]["median"] == pytest.approx(median, rel=1e-5)


def test_orders_agree_with_the_test_of_frame_orders_over_all_views():
    cfg = config("TEST.NUM_ENSEMBLE_VIEWS", 2, "BIAS.TOY.NUM_TEST", 10)
    orders = accuracy_by_order(cfg, Network(late_light))
    variants = figures_of(cfg, Network(late_light))["variants"]
    for name in ("ordered", "shuffled", "reversed", "frozen"):
        keys = ("accuracy", "interval", "effective_n")
        assert {key: variants[name][key] for key in keys} == {k: orders[name][k] for k in keys}
    spread = orders["shuffled"]["spread"]
    assert spread > 0 and variants["shuffled"]["spread"] == pytest.approx(spread)


def test_batches_change_nothing():
    one, other = (
        figures_of(config("TEST.BATCH_SIZE", size), Network(late_light)) for size in (5, 24)
    )
    assert one == other


# -- cost ------------------------------------------------------------------------------------------
def test_a_clip_is_decoded_once_and_no_input_runs_twice(monkeypatch):
    decoded, sample = [], Toyvideos.sample

    def counted(self, index):
        decoded.append(index)
        return sample(self, index)

    monkeypatch.setattr(Toyvideos, "sample", counted)
    model = Network(texture)
    cfg = config("TEST.BATCH_SIZE", 12, "TEST.NUM_ENSEMBLE_VIEWS", 2)
    figures_of(cfg, model)
    assert sorted(decoded) == list(range(48))
    # as filmed, 3 shuffles, 2 windows, reversed, 8 single frames (frozen and frames1 among them),
    # frames2, frames4, 4 looks
    assert model.calls == 4 * (1 + 3 + 2 + 1 + 8 + 2 + 4)


def test_orders_that_few_frames_make_equal_share_a_forward():
    cfg = config(
        "DATA.NUM_FRAMES", 2, "BIAS.TOY.MOTION", "ramp2", "MODEL.NUM_CLASSES", 2,
        "TEST.BATCH_SIZE", 24, "BIAS.BEHAVIOUR.STYLES", False,
    )  # fmt: skip
    (batch,) = build_loader(config("TEST.BATCH_SIZE", 24), "test")
    batch = batch._replace(inputs=[batch.inputs[0][:, :2]])
    model = Network(texture)
    clips = ChangedClips(make_task(cfg, model), model, plan_of(cfg))
    outputs = dict(zip(clips.names, clips.outputs(batch, torch.device("cpu")), strict=True))
    assert model.calls == 4  # as filmed, reversed, either frame
    assert outputs["windows2"] is outputs["shuffled2"] is outputs["reversed"]
    assert outputs["frames1"] is outputs["frozen"] is outputs["single1"]


def test_fewer_single_frames_can_be_tried():
    cfg = config("BIAS.BEHAVIOUR.SINGLE_FRAMES", 1)
    variants = figures_of(cfg, Network(late_light))["variants"]
    assert variants["best_frame"]["accuracy"] == variants["frozen"]["accuracy"]
    names = [x for x in plan_of(config("BIAS.BEHAVIOUR.SINGLE_FRAMES", 3)).names if "single" in x]
    assert names == ["single1", "single4", "single6"]
    assert (variants["best_frame"]["frames"], variants["best_frame"]["guess"]) == (1, 25.0)


def test_the_best_frame_stands_beside_what_a_guess_would_have():
    found = figures_of(config("BIAS.BEHAVIOUR.SINGLE_FRAMES", 3), Network(late_light))
    found["meta"], best = {}, found["variants"]["best_frame"]
    draws = list(itertools.product(range(4), repeat=3))  # every outcome of three guesses
    assert best["guess"] == pytest.approx(100 * sum(0 in draw for draw in draws) / len(draws))
    row = next(x for x in battery_table(found).splitlines() if x.startswith("best_frame"))
    assert row.endswith("any of 3 single frames right: an upper bound, a guess has 57.8 %")


# -- files, processes, lists -----------------------------------------------------------------------
@pytest.fixture
def weights(tmp_path, packed):
    """Words that name a checkpoint of a network with fresh weights that names several classes."""
    path, model = str(tmp_path / "weights.pyth"), network.build_network(config()).eval()
    batch, head = next(iter(build_loader(config(), "test"))), model.head.projection
    with torch.no_grad():
        for factor in (1, 100):
            head.weight *= factor
            head.bias *= factor
            head.bias -= model(packed(config(), batch)).log().mean(0)
    torch.save({"model_state": model.state_dict()}, path)
    return ["TEST.CHECKPOINT_FILE_PATH", path, "OUTPUT_DIR", str(tmp_path / "run")]


@pytest.mark.ddp
def test_the_flow_leaves_its_files_and_two_processes_agree(weights, tmp_path, two_ranks):
    (tmp_path / "some.txt").write_text("# two of four\n0\n3\n")
    (tmp_path / "ids.json").write_text('{"few": ["toy video 1", "toy video 10"]}')
    (tmp_path / "partners.txt").write_text("0,1\n")
    words = [
        *weights, "BIAS.TOY.NUM_TEST", 11, "TEST.NUM_ENSEMBLE_VIEWS", 2, "TEST.BATCH_SIZE", 4,
        "BIAS.BEHAVIOUR.SINGLE_FRAMES", 2, "BIAS.STYLES.NUM", 2,
        "BIAS.BEHAVIOUR.LISTS", [str(tmp_path / "some.txt"), str(tmp_path / "ids.json")],
        "BIAS.BEHAVIOUR.PARTNERS", str(tmp_path / "partners.txt"),
    ]  # fmt: skip
    one = engine.battery(config(*words))
    two, _ = two_ranks.run(engine.battery, config(*words, "NUM_GPUS", 2))  # share every video
    for found in (one, two):
        assert found["meta"].pop("seconds") > 0
    assert [found["meta"].pop("processes") for found in (one, two)] == [1, 2]
    moved = [found.pop("divergence") for found in (one, two)]
    assert json.dumps(one) == json.dumps(two)
    assert 0 < one["variants"]["ordered"]["accuracy"] != one["variants"]["shuffled"]["accuracy"]
    for name, values in moved[0].items():  # the rounding of a forward depends on its batch
        assert values["mean"] == pytest.approx(moved[1][name]["mean"], rel=1e-4)
        assert values["interval"] == pytest.approx(moved[1][name]["interval"], rel=1e-4)
    outputs = Outputs(str(tmp_path / "run"))
    data = read_result(outputs.battery(), "battery").data
    assert data["videos"] == 11 and data["benchmarks"] == {} and data["class_names"] == {}
    assert data["lists"]["some"]["classes"] == [0, 3]
    assert data["lists"]["ids/few"]["videos"] == 2 and data["lists"]["ids/few"]["classes"] is None
    for found in data["lists"].values():
        assert list(found["variants"]) == ["ordered", "shuffled", "reversed", "frozen", "styled"]
        assert found["note"] == ""
    assert Path(outputs.battery("png")).read_bytes().startswith(b"\x89PNG")
    assert engine.load_cfg(outputs.battery("yaml")).BIAS.BEHAVIOUR.ENABLE
    assert "| best_frame |" in Path(outputs.battery("md")).read_text()
    lines = [json.loads(x) for x in Path(outputs.stats).read_text().splitlines()]
    (first, second) = (x for x in lines if x["_type"] == "battery")
    rate = data["variants"]["reversed"]["accuracy"]
    assert first["reversed_acc"] == second["reversed_acc"] == round(rate, 6)
    assert first["divergence_reversed"] == round(moved[0]["reversed"]["mean"], 6)


def test_the_accuracy_of_a_list_is_that_of_its_videos(tmp_path):
    (tmp_path / "some.txt").write_text("1\n2\n")
    (tmp_path / "ids.json").write_text('{"few": ["toy video 3", "toy video 4", "toy video 9"]}')
    lists = [str(tmp_path / "some.txt"), str(tmp_path / "ids.json")]
    cfg = config("BIAS.BEHAVIOUR.LISTS", lists, "TEST.BATCH_SIZE", 24)
    found = figures_of(cfg, Network(late_light))["lists"]
    (batch,) = build_loader(cfg, "test")
    whole = batch.inputs[0].float() / 255
    x = (whole - torch.tensor(cfg.DATA.MEAN)) / torch.tensor(cfg.DATA.STD)
    right = late_light(x.permute(0, 4, 1, 2, 3)).argmax(1) == batch.targets
    chosen = {
        "some": (batch.targets == 1) | (batch.targets == 2),
        "ids/few": torch.zeros(24).bool(),
    }
    chosen["ids/few"][[3, 4, 9]] = True
    for name, mask in chosen.items():
        share, n = right[mask].double().mean().item(), int(mask.sum())
        got = found[name]["variants"]["ordered"]
        assert got == {"accuracy": pytest.approx(100 * share), "interval": wilson(share, n)}
        assert found[name]["videos"] == n


@pytest.fixture
def films(tmp_path):
    """A folder of four videos, one of which cannot be read."""
    folder = tmp_path / "films"
    folder.mkdir()
    for number in range(3):
        write_video(folder / f"{number}.mp4", list(range(40 * number, 40 * number + 16)))
    (folder / "broken.mp4").write_text("no video")
    return folder


def videos(tiny, films, *opts):
    return tiny(
        "TRAIN.DATASET", "videos", "TEST.DATASET", "videos", "DATA.PATH_TO_DATA_DIR", str(films),
        "DATA.TRAIN_JITTER_SCALES", [36, 40], "DATA.NUM_FRAMES", 4, "BIAS.BEHAVIOUR.ENABLE", True,
        *opts,
    )  # fmt: skip


def test_a_list_without_labels_has_divergences_alone(tiny, films):
    cfg = videos(tiny, films, "BIAS.DATA.FORMAT", "unlabelled")
    Path(cfg.OUTPUT_DIR).mkdir()
    model = Network(late_light)
    found = figures_of(cfg, model)
    assert model.calls == 1 + 3 + 1  # nothing that has no use
    assert found["videos"] == 3 and found["meta"]["dropped_videos"] == [3]
    assert found["labelled"] is False
    assert all(math.isnan(entry["accuracy"]) for entry in found["variants"].values())
    assert found["divergence"]["reversed"]["mean"] > 0
    for text in (battery_table(found), battery_markdown(found)):
        assert "no labels: accuracies are not given" in text and "nan" not in text.lower()
    for key, value in (("PARTNERS", "p.csv"), ("LISTS", ["k400_static"])):
        with pytest.raises(ConfigError, match=f"BIAS.BEHAVIOUR.{key}: expected a test list with"):
            read_questions(videos(tiny, films, "BIAS.DATA.FORMAT", "unlabelled",
                                  f"BIAS.BEHAVIOUR.{key}", value))  # fmt: skip


def test_a_video_of_a_list_that_cannot_be_read_is_counted(tiny, films, tmp_path):
    rows = "".join(f"{name}.mp4 {label}\n" for name, label in
                   (("0", "walk"), ("broken", "run"), ("1", "walk"), ("2", "sit")))  # fmt: skip
    for split in ("train", "val", "test"):
        (films / f"{split}.csv").write_text(rows)
    (tmp_path / "l.json").write_text('{"two": ["0", "broken"], "lost": ["broken.mp4"]}')
    (tmp_path / "runs.txt").write_text("run\n")
    lists = [str(tmp_path / "l.json"), str(tmp_path / "runs.txt")]
    cfg = videos(tiny, films, "MODEL.NUM_CLASSES", 3, "BIAS.BEHAVIOUR.LISTS", lists)
    Path(cfg.OUTPUT_DIR).mkdir()
    found = figures_of(cfg, Network(lambda x: late_light(x)[:, :3]))
    assert found["class_names"] == {"0": "run", "1": "sit", "2": "walk"}
    two, lost, runs = found["lists"].values()
    assert (two["videos"], two["note"]) == (1, "1 of its videos could not be read")
    assert lost["videos"] == 0 and "no video of it could be tested" in lost["note"]
    assert runs["classes"] == [0] and runs["videos"] == 0
    assert "0" not in map(str, found["variants"]["ordered"]["per_class"])  # a class without videos
    assert all(math.isnan(x["accuracy"]) for x in lost["variants"].values())
    assert "nan" not in battery_table(found).lower()


def test_looks_of_folders_are_left_out_and_that_is_said(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    dirs = ["BIAS.STYLES.DIRS", [str(tmp_path / "a"), str(tmp_path / "b")]]
    found = figures_of(config("BIAS.STYLES.SOURCE", "folders", *dirs), Network(texture))
    assert "styled" not in found["variants"] and "other looks are left out" in battery_table(found)
    off = figures_of(config("BIAS.BEHAVIOUR.STYLES", False), Network(texture))
    assert "styled" not in off["variants"] and "notes" not in off["meta"]


# -- bad input -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("K_FRAMES", [9], "from 1 to 8 .DATA.NUM_FRAMES., but got .9."),
        ("K_FRAMES", [2, 2], "different whole numbers"), ("K_FRAMES", ["auto", 2], "expected auto"),
        ("WINDOWS", [1], "from 2 on, but got .1."), ("WINDOWS", [2.5], "whole numbers"),
        ("BOOTSTRAP", 5, "at least 100"), ("LISTS", [3], "a list of texts"),
    ],
)  # fmt: skip
def test_wrong_keys_are_named(key, value, says):
    with pytest.raises(ConfigError, match=f"BIAS.BEHAVIOUR.{key}: expected.*{says}|{says}"):
        config(f"BIAS.BEHAVIOUR.{key}", value)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [("PARTNERS", "none.csv", "none.csv"), ("LISTS", ["k400_temporal"], "CLASS_NAMES"),
     ("CLASS_NAMES", "none.txt", "none.txt")],
)  # fmt: skip
def test_a_bad_file_is_an_error_before_training(tmp_path, monkeypatch, key, value, says):
    monkeypatch.setattr(loop, "train_epoch", None)
    with pytest.raises(DataError, match=says):
        engine.run(config("OUTPUT_DIR", str(tmp_path), f"BIAS.BEHAVIOUR.{key}", value))


def test_a_network_of_other_classes_is_refused():
    with pytest.raises(RequestError, match=r"4 classes .MODEL.NUM_CLASSES., but .* \(6, 3\)"):
        figures_of(config(), Network(lambda x: x.mean((2, 3, 4))))
