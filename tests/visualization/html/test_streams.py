"""The page of networks of image and flow: a line per stream, words of flow, masks, battery."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
from support.pages import (
    ABOUT,
    STREAMS,
    mask_battery,
    masks,
    orders,
    silencing,
    write_streams_run,
)
from support.parsed_page import ParsedPage
from support.reports import META, report_with_motion

from slowfast_bias.bias.report_text import titles_of
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import ResultError, write_result
from slowfast_bias.visualization.drawing.layer_axis import by_stream
from slowfast_bias.visualization.html import write_html
from slowfast_bias.visualization.html.flow_verdict import flow_sentence, share_sentence
from slowfast_bias.visualization.html.grounds import Looks, Motion, Score
from slowfast_bias.visualization.plot import plot_files
from slowfast_bias.visualization.reading.epoch_files import chosen_stages
from slowfast_bias.visualization.reading.flow_words import change_of
from slowfast_bias.visualization.reading.mask_answers import answers, leaning
from slowfast_bias.visualization.reading.mask_results import overall_of
from slowfast_bias.visualization.reading.run_folder import read_runs

JITTER, SWAP = ({"pairs_made": kind} for kind in ("flow_jitter", "flow_swap_folders"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    report = report_with_motion(STREAMS, meta={**META, **JITTER}, frame_wise=("app2", "app3"))
    return write_streams_run(tmp_path_factory.mktemp("streams") / "net", report)


@pytest.fixture(scope="module")
def page(run, tmp_path_factory):
    return ParsedPage(Path(write_html([run], tmp_path_factory.mktemp("p") / "r.html")).read_text())


def text_of(page):
    (main,) = page.all("main")
    return re.sub(r"\s+", " ", main.text)


def test_panels_of_silenced_layers_name_each_layer_once_and_the_random_baseline(tmp_path):
    further = [{**silencing(), "layer": "fuse4"}]
    for name in "ab":
        Path(tmp_path, name, "bias").mkdir(parents=True)
        path = Outputs(str(tmp_path / name)).silencing()
        about = {**ABOUT, "random_from": "least_biased: the share + 0.05"}
        write_result(path, "silencing", about, {**silencing(), "further": further})
    one, two = (
        text_of(ParsedPage(Path(write_html(given, tmp_path / "p.html")).read_text()))
        for given in ([str(tmp_path / "a")], [str(tmp_path / x) for x in "ab"])
    )
    assert "fuse4, 16 units" in one and "fuse4: fuse4" not in one and "a: fuse4" not in one
    assert "a: fuse4, 16 units" in two and "b: head, 16 units" in two
    assert "of those least biased" in one


def test_each_stream_is_a_line_of_its_own_in_the_order_of_the_axis(page):
    (section,) = [x for x in page.all("section") if x.attributes["id"] == "layers"]
    lines = [x for x in section.all("path") if x.attributes.get("class") == "line"]
    lines = [x for x in lines if x.attributes["d"] != "M0 6H26"]  # of the legend
    assert len(lines) == 3 * 3  # scores, streams
    for line in lines:
        xs = [float(x) for x in re.findall(r"[ML]([\d.]+) ", line.attributes["d"])]
        assert len(xs) == 4 and xs == sorted(xs)


def test_the_page_speaks_of_flow_and_not_of_shuffled_frames(page):
    text = text_of(page)
    assert "Flow in other colours" in text and "It follows flow" in text
    for never in ("shuffl", "one by one", "recording", "accuracy", "video"):
        assert never not in text.lower(), never
    assert "standard error over sequences" in text and "40 frames" in page.all("header")[0].text


def test_masks_and_their_battery_are_shown_with_every_number(page):
    ids = {x.attributes["id"]: re.sub(r"\s+", " ", x.text) for x in page.all("section")}
    assert {"masks", "battery"} <= set(ids) and "orders" not in ids
    for said in ("71.5 %", "68.5 %", "77.3 %", "58.1 %", "threshold 0.5", "3 frames", "flounder"):
        assert said in ids["masks"], said
    for said in (*answers(mask_battery())[0].split(), "flow of a scene at rest", "−75.0", "9.0 %"):
        assert said in ids["battery"], said
    files = {x.attributes.get("id") for x in page.all("script")}
    assert {"file-1-segmentation", "file-1-battery", "report"} <= files


@pytest.mark.parametrize(
    ("share", "own", "cue", "says"),
    [
        (95.0, 80.0, "flow", "It follows flow."),
        (5.0, 80.0, "image", "It follows the image."),
        (52.0, 80.0, "", "It is not seen to follow flow or the image throughout."),
        (95.0, 3.0, "", "It finds too little"),
    ],
)
def test_what_a_network_follows_rests_on_intervals(share, own, cue, says):
    data = mask_battery(share, own)
    assert leaning(data) == cue and answers(data)[0].startswith(says)


@pytest.mark.parametrize(
    ("rest", "says"),
    [(5.0, "It needs"), (76.5, "It hardly needs"), (79.5, "It does not need"),
     (75.2, "Whether it needs the flow is not seen")],
)  # fmt: skip
def test_a_network_needs_what_it_loses_without(rest, says):
    assert any(x.startswith(says) and "rest" in x for x in answers(mask_battery(rest=rest)))


def test_the_verdict_of_a_swap_names_it_and_claims_only_what_is_seen():
    change = change_of(SWAP)
    looks = Looks("fuse5", Score(0.04, 0.02), None, (64, 3))
    assert str(flow_sentence(looks, change)).startswith(
        "The flow of another sequence changes all of what it gives: S_static of fuse5 is 0.040"
    )
    motion = Motion(Score(0.9, 0.01), Score(0.3, 0.01), Score(0.6, 0.01))
    assert share_sentence(motion, change).says.endswith("survives the flow of another sequence")
    assert share_sentence(motion, change).says.startswith("33\N{NO-BREAK SPACE}%")
    unseen = Motion(Score(0.9, 0.01), Score(0.8, 0.2), Score(0.1, 0.2))
    assert share_sentence(unseen, change).says == (
        "None of its motion score is seen to be of the flow"
    )
    unknown = Motion(Score(0.9), Score(0.3), Score(0.6, math.nan))
    assert "cannot be told" in share_sentence(unknown, change).says


def test_titles_of_effects_name_what_was_changed():
    assert titles_of(SWAP)["order_share"] == "flow share"
    assert titles_of({"pairs_made": "static_dynamic"})["order_share"] == "order share"


def test_streams_share_the_panels_of_epochs_and_one_axis():
    down = [f"fuse{k}" for k in (5, 4, 3, 2)]  # of a decoder, from deep to shallow
    assert by_stream([*down, "app2", "mot2"]) == ["app2", "mot2", *down[::-1]]
    assert by_stream(["s1", "s2", "head"]) == ["s1", "s2", "head"]
    report = report_with_motion(STREAMS)
    chosen = chosen_stages(list(STREAMS), report, None, 6)
    assert list(chosen) == ["app2", "app5", "mot2", "mot5", "fuse2", "fuse5"]


def test_means_over_sequences_have_intervals_over_them():
    found = overall_of(masks())
    assert (found.measure, found.mean, found.sequences) == ("J", 71.5, 4)
    assert 70 <= found.interval[0] < 71.5 < found.interval[1] <= 73
    assert overall_of({"frames": 1}) is None


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        (lambda d: d.update(frames="many"), "frames"),
        (lambda d: d["masks"].update(sequences=[1]), "masks"),
        (lambda d: d["masks"]["sequences"].update(dog="good"), "masks.sequences.dog"),
        (lambda d: d["masks"]["sequences"]["dog 0"].update(J_mean="70"), "dog 0.J_mean"),
        (lambda d: d["boxes"]["means"].update(mIoU=1e9), "boxes.means.mIoU"),
    ],
)
def test_a_damaged_test_of_masks_is_named_with_its_place(tmp_path, damage, place):
    data = masks(boxes=True)
    damage(data)
    write_result(Outputs(str(tmp_path)).segmentation(), "segmentation", {}, data)
    with pytest.raises(ResultError, match=f"`[^`]*{re.escape(place)}` of .*segmentation.json"):
        read_runs([str(tmp_path)])


def test_plot_draws_batteries_of_masks_and_checks_what_it_reads(run, tmp_path):
    path = Outputs(run).battery()
    plot_files({"battery": [path]}, str(tmp_path / "one.svg"))
    plot_files({"battery": [path, path]}, str(tmp_path / "two.svg"), names=["a", "b"])
    assert "its own image and flow" in (tmp_path / "one.svg").read_text()
    bad = Outputs(str(tmp_path))
    data = {**orders(), "relative_drop": "much"}
    write_result(bad.frame_orders, "frame_orders", {}, data)
    with pytest.raises(ResultError, match="`relative_drop` of .*orders.json"):
        plot_files({"orders": [bad.frame_orders]}, str(tmp_path / "x.png"))
    content = json.loads(Path(path).read_text())
    content["data"]["variants"]["swapped_flow"]["follows"]["flow_share"] = 140
    Path(bad.battery()).write_text(json.dumps(content))
    with pytest.raises(ResultError, match="follows.flow_share"):
        plot_files({"battery": [bad.battery()]}, str(tmp_path / "x.png"))
