"""Figures of networks of masks, from result files whose numbers are known; plans of their runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support import ROOT
from support.reports import report_with_motion, text_is_clear

from slowfast_bias.engine.studies.mask_demo import summary
from slowfast_bias.engine.studies.reproduction import fig15, published, table1
from slowfast_bias.engine.studies.reproduction.figures import FIGURES, RUNS, plans_for, plans_of
from slowfast_bias.engine.studies.reproduction.found import Found
from slowfast_bias.engine.studies.reproduction.jobs import make_jobs
from slowfast_bias.engine.studies.reproduction.places import Places
from slowfast_bias.engine.studies.reproduction.runner import intents
from slowfast_bias.engine.studies.reproduction.slurm import later, write_script
from slowfast_bias.engine.studies.toy_masks import KINDS, LAYERS
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import write_result
from slowfast_bias.visualization.figures.centre import centre_figure
from slowfast_bias.visualization.figures.mask_demo import mask_demo_figure
from slowfast_bias.visualization.figures.silencing import ablation_figure
from slowfast_bias.visualization.figures.stream_panels import stream_panels
from slowfast_bias.visualization.figures.unit_rows import unit_rows

pytestmark = pytest.mark.host
OF_MASKS = ("fig4", "fig8", "fig10b", "fig11b", "fig15", "table1")
UNITS = {f"{stream}{stage}": 6 for stage in (2, 3, 4, 5) for stream in ("app", "mot", "fuse")}
HERE = ("NUM_GPUS", 0, "DATA_LOADER.NUM_WORKERS", 0)


def curves(score):
    points = [
        {"fraction": x, "units": round(6 * x), score: 60 - 50 * x, "interval": [5.0, 70.0]}
        for x in (0.0, 0.4)
    ]
    return {order: points for order in ("static", "dynamic", "random")}


def silencing(score="mIoU"):
    parts = [
        {"layer": f"fuse{k}", "channels": 6, "score": score, "dominant": "static",
         "curves": curves(score)}
        for k in (2, 3, 4, 5)
    ]  # fmt: skip
    return {**parts[0], "further": parts[1:]}


def centre():
    heat = np.outer(np.hanning(12), np.hanning(20)) * 40
    image = np.full((12, 20, 3), 120)
    return {
        "frames": 9, "sequences": 3, "size": [12, 20], "object_share": 8.0, "centroid": [50, 50],
        "central": 61.0, "interval": [55.0, 70.0], "fixed_mask": {"J": 21.0, "threshold": 15.0},
        "map": heat.tolist(), "image": image.tolist(),
    }  # fmt: skip


def leave(outputs, report):
    """Leaves what a run of every step leaves."""
    report.save(outputs.report())
    for epoch in (2, 4):
        report.save(outputs.epoch_report(epoch))
    meta = {"random_from": "least_biased: ..."}
    write_result(outputs.silencing(), "silencing", meta, silencing())
    write_result(outputs.centre(), "centre_bias", {}, centre())
    means = {"J_mean": 51.0, "F_mean": 40.0}
    boxes = {"mIoU": 44.0, **{f"SR_0.{n}": 10.0 * (10 - n) for n in (5, 6, 7, 8, 9)}}
    data = {"frames": 9, "masks": {"means": means}, "boxes": {"means": boxes}}
    write_result(outputs.segmentation(), "segmentation", {}, data)


def test_figures_and_tables_hold_the_numbers_of_the_runs_beside_the_published(tmp_path):
    places = Places(str(tmp_path / "out"), str(tmp_path), configs=f"{ROOT}/", options=HERE)
    report = report_with_motion(UNITS)
    for name in ("davis_fusionseg", "moca_matnet", "moca_fusionseg", "davis_matnet"):
        leave(places.run(name), report)
    found = {name: Found(plans_of(FIGURES[name], "data"), places) for name in OF_MASKS}
    drawn = {name: FIGURES[name].draw(x) for name, x in found.items()}
    assert all("" in figures for figures in drawn.values())
    assert set(drawn["fig4"]) == {"", "shares"} and set(drawn["fig8"]) == {"", "units"}
    assert [FIGURES[x].title for x in ("table1", "fig11b")] == ["Table 1", "Figure 11, lower part"]
    (row, *_) = table1.tables(found["table1"])[0].rows
    share = report["fuse5"].percent()["dynamic"]
    known = published.FUSIONSEG["DAVIS", 5]
    assert row[:5] == ["DAVIS", 5, share, known.dynamic, share - known.dynamic]
    silenced = FIGURES["fig11b"].tables(found["fig11b"])[0].rows
    row = next(x for x in silenced if x[1] == "fuse4" and x[3] == 40)
    left = published.SILENCED[4, 40]
    assert row[4:] == [(40.0, 5.0, 70.0), left.static, (40.0, 5.0, 70.0), left.dynamic,
                       (40.0, 5.0, 70.0), left.random]  # fmt: skip
    masks = {row[0]: row for row in fig15.tables(found["fig15"])[1].rows}
    moca = published.MOCA["FusionSeg"]
    assert masks["FusionSeg, on MoCA"][3:7] == [44.0, moca.overlap, 50.0, moca.success[0]]


def test_runs_on_other_data_take_the_weights_of_their_training_or_a_published_file(tmp_path):
    for folder in ("DAVIS/x", "MoCA/x", "TAO-VOS/x"):
        (tmp_path / folder).mkdir(parents=True)
    places = Places(str(tmp_path / "out"), str(tmp_path), str(tmp_path), f"{ROOT}/", HERE)
    plans = plans_for([FIGURES["fig15"], FIGURES["table1"]], "data")
    jobs = {job.name: job for job in make_jobs(plans, places)}
    trained = Outputs(places.run("davis_matnet").root).checkpoint(25)
    cfg = jobs["moca_matnet"].load()
    assert trained == cfg.TEST.CHECKPOINT_FILE_PATH and not cfg.TRAIN.ENABLE
    assert (cfg.BIAS.SEGMENTS.FORMAT, jobs["moca_matnet"].after) == ("moca", "davis_matnet")
    assert jobs["tao_vos_fusionseg"].after == "tao_vos_training"
    for name in ("youtube_vos_training", "youtube_vos_fusionseg"):
        assert jobs[name].lacks.endswith("YouTube-VOS is not there")
    found = intents(jobs.values())
    text = Path(write_script(found, str(tmp_path), ["fig15"])).read_text()
    assert "# davis_matnet\n" in text and "# moca_matnet\n" not in text
    assert "moca_matnet" in {x.job.name for x in later(found)}
    (tmp_path / "encoder_0.pt").write_bytes(b"")
    again = {job.name: job for job in make_jobs(plans, places)}["moca_matnet"]
    assert again.after == "" and again.load().TEST.CHECKPOINT_FILE_PATH.endswith("encoder_0.pt")


def test_every_run_of_masks_stands_for_something():
    for world in ("data", "toy"):
        known = {plan.name for plan in RUNS[world]}
        for name in OF_MASKS:
            assert set(getattr(FIGURES[name], world)) <= known
    assert set(fig15.SAME.values()) <= {*published.FUSION5_UNITS, *published.MOCA}


def example():
    square = np.zeros((8, 8), int)
    square[2:5, 2:5] = 1
    picture = np.zeros((8, 8, 3), int).tolist()
    masks = dict.fromkeys(("camouflage", "appearance"), square.tolist())
    return {"image": picture, "flow": picture, "truth": square.tolist(), "masks": masks}


def demo():
    asked = {"own": 85.0, "other flow": 8.0, "other image": 84.0, "follows flow %": 100.0}
    layers = {layer: {"static": 0.4, "dynamic": 0.6} for layer in LAYERS}
    row = {"asked": asked, "scores": dict.fromkeys(KINDS, layers)}
    return {"networks": {"camouflage": row, "appearance": row}, "examples": [example()]}


def test_the_table_of_the_demo_has_a_row_per_network():
    head, *rows = summary(demo()["networks"])
    assert head.split()[:3] == ["learnt", "J", "own"] and len(rows) == 2
    assert rows[0].split() == [
        "camouflage",
        "85.0",
        "8.0",
        "84.0",
        "100",
        "%",
        *["0.40"] * 6,
        "0.60",
    ]


@pytest.mark.parametrize("name", ["centre", "demo", "streams", "silencing", "rows"])
def test_texts_of_the_figures_can_be_read(name):
    figures = {
        "centre": lambda: centre_figure({"DAVIS": centre(), "YouTube-VOS": centre()}),
        "demo": lambda: mask_demo_figure(demo()),
        "streams": lambda: stream_panels({"MATNet": report_with_motion(UNITS)}),
        "silencing": lambda: ablation_figure({**silencing(), "meta": {}}),
    }
    known = {"MATNet": published.FUSION5_UNITS["MATNet"]._asdict()}
    figures["rows"] = lambda: unit_rows({"MATNet": report_with_motion(UNITS)}, "fuse5", known)
    figure = figures[name]()
    text_is_clear(figure)
    if name == "silencing":
        shown = [ax for ax in figure.axes if ax.get_visible()]
        assert len(shown) == 4 and {ax.get_ylabel() for ax in shown} == {"mIoU (%)", ""}
