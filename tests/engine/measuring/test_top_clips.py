"""Top clips of a measurement: the right videos, the view that was shown, and no other number."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from slowfast_bias import engine
from slowfast_bias.bias.scores import HEADLINE
from slowfast_bias.config import ConfigError
from slowfast_bias.datasets.contract import Sample
from slowfast_bias.datasets.pairs.request import PairsError, Views, register_pairs
from slowfast_bias.datasets.pairs.static_dynamic import draw_styles, static_dynamic
from slowfast_bias.datasets.source_clips import SourceClips
from slowfast_bias.datasets.styles.bank import make_styles
from slowfast_bias.datasets.toy.dataset import Toyvideos
from slowfast_bias.engine.measuring import report_files
from slowfast_bias.engine.setup import network
from slowfast_bias.errors import OutputError
from slowfast_bias.outputs import Outputs
from slowfast_bias.visualization.drawing.film_strip import read_strip

VIDEOS, CLIPS = 14, 3
pytestmark = [pytest.mark.host, pytest.mark.filterwarnings("ignore:fewer than 500 pairs")]


def config(folder, *options, name="SLOW_motion", check=True):
    words = ["NUM_GPUS", 0, "BIAS.TOY.NUM_VAL", VIDEOS, "TEST.BATCH_SIZE", 4]
    words += ["OUTPUT_DIR", str(folder), "BIAS.TOP_CLIPS", CLIPS, "BIAS.TOP_UNITS", 2]
    words += ["TEST.CHECKPOINT_FILE_PATH", f"{folder}/weights.pyth"]
    return engine.load_cfg(f"configs/Toy/{name}.yaml", [*words, *options], check=check)


def without_figures(folder, reports):
    """What a measurement leaves behind, but for what takes its time."""
    for name, report in reports.items():
        report.save(Outputs(folder).report("report" if name == "trained" else name))


def measured(folder, *options, name="SLOW_motion", measure=engine.measure):
    """The report and the top clips of a network of fresh weights, and their files."""
    folder.mkdir(exist_ok=True)
    cfg = config(folder, *options, name=name)
    torch.save({"model_state": network.build_network(cfg).state_dict()}, folder / "weights.pyth")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_files, "write_reports", without_figures)
        report = measure(cfg)
    content = json.loads((folder / "bias" / "top_clips.json").read_text())
    return report, content


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("top_clips") / "run"
    return folder, *measured(folder)


def styled(cfg, video):
    """The first view of a video, from its clip and its style: (3, T, H, W) in [0, 1]."""
    clip = Toyvideos(cfg, "val").clip(video).permute(3, 0, 1, 2).float() / 255
    bank = make_styles("colour", 4, 0)
    return bank(clip[None], draw_styles(4, cfg.BIAS.SEED, video)[0])[0]


def values_of(cfg):
    """{layer: (videos, units)}: what s4 and the classifier get for the first views, one by one."""
    model = network.build_network(cfg).eval()
    found = {"s4": [], "head": []}
    model.s4.register_forward_hook(lambda m, i, out: found["s4"].append(out[0].mean((2, 3, 4))))
    model.head.projection.register_forward_hook(
        lambda m, i, out: found["head"].append(i[0].flatten(1, -2).mean(1))
    )
    with torch.no_grad():
        for video in range(VIDEOS):
            model([(styled(cfg, video)[None] - 0.45) / 0.225])
    return {layer: torch.cat(rows) for layer, rows in found.items()}


def check_ends(cfg, content):
    """Every unit of s4 and the head has the ends of the list of values computed one by one."""
    units = [unit for unit in content["data"]["units"] if unit["layer"] in ("s4", "head")]
    values = values_of(cfg)
    assert len(units) > 3
    for unit in units:
        column = values[unit["layer"]][:, unit["unit"]]
        for end, sign in (("most", 1), ("least", -1)):
            own = torch.tensor([clip["value"] for clip in unit[end]])
            named = column[[clip["video"] for clip in unit[end]]]
            torch.testing.assert_close(own, named, rtol=1e-4, atol=1e-5)
            ends = sign * (sign * column).sort(descending=True).values[:CLIPS]
            torch.testing.assert_close(own, ends, rtol=1e-4, atol=1e-5)


def test_clips_are_those_with_the_largest_and_smallest_values_of_their_unit(run):
    folder, _, content = run
    check_ends(config(folder), content)


def test_units_are_of_the_report_and_have_its_scores(run):
    _, report, content = run
    units = content["data"]["units"]
    assert {unit["layer"] for unit in units} == set(report.layers)
    for unit in units:
        layer = report[unit["layer"]]
        assert unit["unit"] in layer.units()[unit["kind"]]
        wanted = {s: float(layer.unit_scores(s)[unit["unit"]]) for s in HEADLINE}
        assert unit["scores"] == pytest.approx(wanted, abs=0)
        assert len(unit["most"]) == len(unit["least"]) == CLIPS
        assert ("classes" in unit) == (unit["layer"] == "head")


def test_a_strip_shows_the_view_that_the_value_is_of(run):
    folder, _, content = run
    cfg, data = config(folder), content["data"]
    assert (data["view"], data["frames"], data["size"]) == ("styled", 8, [32, 32])
    clips = {c["video"]: c for u in data["units"] for c in (*u["most"], *u["least"])}
    assert len(clips) > 5
    views = np.stack([styled(cfg, v).permute(1, 2, 3, 0).numpy() for v in range(VIDEOS)]) * 255
    for video, clip in clips.items():
        assert clip["path"] == f"toy video {video}" and clip["row"] == f"clip {video}"
        frames = np.stack(read_strip(str(folder / "bias" / clip["strip"]), data["frames"]))
        gaps = np.abs(views - frames).mean((1, 2, 3, 4))
        assert gaps.argmin() == video  # colours of a video differ by far more than WebP changes


def test_the_report_is_that_of_a_measurement_without_them(run, tmp_path):
    folder, _, _ = run
    cfg = config(folder, "BIAS.TOP_CLIPS", 0)
    with_clips = json.loads((folder / "bias" / "report.json").read_text())
    cfg.defrost()
    cfg.OUTPUT_DIR = str(tmp_path)
    engine.measure(cfg)
    without = json.loads((tmp_path / "bias" / "report.json").read_text())
    for report in (with_clips, without):
        del report["meta"]["seconds"]  # nothing else differs
        report["meta"]["config"] = Path(report["meta"]["config"]).name
    assert with_clips == without
    left = {path.name for path in (tmp_path / "bias").iterdir()}
    assert "report.json" in left and not {name for name in left if "top_clips" in name}


def test_classes_are_the_rows_of_the_classifier_with_most_evidence(run, tmp_path, monkeypatch):
    folder, _, _ = run
    names = {"left": 0, "right": 1, "round": 3}
    monkeypatch.setattr(Toyvideos, "about", lambda self: {"class_names": names})
    _, content = measured(tmp_path / "named")
    cfg = config(folder)
    z = values_of(cfg)["head"].double()
    weight = network.build_network(cfg).head.projection.weight.detach().double()
    evidence = weight * z.std(0, correction=0)
    units = [unit for unit in content["data"]["units"] if unit["layer"] == "head"]
    assert units
    for unit in units:
        column = evidence[:, unit["unit"]]
        found = [entry["evidence"] for entry in unit["classes"]]
        wanted = column[[entry["class"] for entry in unit["classes"]]]
        assert found == pytest.approx(wanted.tolist(), rel=1e-3, abs=1e-7)
        assert found == pytest.approx(column.sort(descending=True).values[:3].tolist(), rel=1e-3)
        against = column.min().item()  # nothing is against if no weight is below 0
        found = [entry["evidence"] for entry in unit["against"]]
        assert found == ([pytest.approx(against, rel=1e-3, abs=1e-7)] if against < 0 else [])
        for entry in unit["classes"] + unit["against"]:
            assert entry["name"] == {0: "left", 1: "right", 2: "", 3: "round"}[entry["class"]]


def test_only_the_trained_network_has_them_and_every_pathway(tmp_path):
    _, content = measured(tmp_path / "two", "BIAS.BASELINE", True, name="SLOWFAST_motion")
    assert (tmp_path / "two" / "bias" / "untrained.json").exists()
    assert content["meta"]["name"] == "trained"
    layers = {unit["layer"] for unit in content["data"]["units"]}
    assert {"s5/0", "s5/1", "head"} <= layers


@pytest.mark.ddp
def test_two_processes_find_the_ends_of_the_whole_list(run, tmp_path, two_ranks):
    folder, _, _ = run

    def measure(cfg):
        return two_ranks.run(engine.measure, cfg)[0]

    report, content = measured(tmp_path / "two", "NUM_GPUS", 2, measure=measure)
    assert content["meta"]["processes"] == 2
    check_ends(config(folder), content)
    for unit in content["data"]["units"]:
        assert unit["unit"] in report[unit["layer"]].units()[unit["kind"]]
    one, two = (path / "bias" / "top_clips" for path in (folder, tmp_path / "two"))
    both = {path.name for path in one.iterdir()} & {path.name for path in two.iterdir()}
    assert both
    for name in both:  # each rank reads some of them
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_a_video_that_cannot_be_read_again_is_left_out_and_named(run, tmp_path, monkeypatch):
    _, _, content = run
    gone = content["data"]["units"][0]["most"][0]["video"]
    get, seen = SourceClips.sample, []

    def sample(self, position):
        seen.append(position)
        if position == gone and seen.count(gone) > 1:
            return Sample((), None, position, {position: "it has gone"})
        return get(self, position)

    monkeypatch.setattr(SourceClips, "sample", sample)
    _, fewer = measured(tmp_path / "gone")
    (bad,) = fewer["meta"]["unreadable_again"]
    assert bad == {
        "video": gone, "path": f"toy video {gone}", "row": f"clip {gone}", "reason": "it has gone"
    }  # fmt: skip
    for unit, every in zip(fewer["data"]["units"], content["data"]["units"], strict=True):
        for end in ("most", "least"):
            kept = [clip["video"] for clip in every[end] if clip["video"] != gone]
            assert [clip["video"] for clip in unit[end]] == kept


def test_a_folder_that_cannot_be_written_to_is_an_error_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(SourceClips, "sample", lambda self, i: pytest.fail("work was begun"))
    (tmp_path / "bias").mkdir()
    (tmp_path / "bias" / "top_clips").write_text("a file")
    with pytest.raises(OutputError, match=r"top_clips, but.*another folder"):
        measured(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [("TOP_CLIPS", -1, "from 0 to 100"), ("TOP_UNITS", 0, "at least 1")],
)
def test_numbers_out_of_range_are_errors(tmp_path, key, value, wanted):
    with pytest.raises(ConfigError, match=f"BIAS.{key}: expected a?.*{wanted}, but got {value}"):
        config(tmp_path, f"BIAS.{key}", value)


@register_pairs()
def packed_by_itself(asked):
    """Pairs that are normalised by their maker."""
    views = static_dynamic(replace(asked, pack=lambda clips: [clips / 0.225 - 2]))
    return Views(views.inputs, views.pairs, views.reordered)


def test_pairs_without_pictures_say_so(tmp_path):
    with pytest.raises(PairsError, match=r"packed_by_itself.*set BIAS\.TOP_CLIPS to 0"):
        measured(tmp_path / "own", "BIAS.PAIRS", "packed_by_itself")
    assert (tmp_path / "own" / "bias" / "report.json").exists()
