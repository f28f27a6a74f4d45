"""Reproductions: plans that load, a runner that goes on, pages from whatever there is."""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from support import ROOT
from support.huggingface import save_tiny

from slowfast_bias import cli, host
from slowfast_bias.config import load_cfg
from slowfast_bias.engine.studies.reproduction import (
    fig7,
    fig8,
    fig11b,
    fig14,
    fig15,
    published,
    table1,
)
from slowfast_bias.engine.studies.reproduction.figures import FIGURES, RUNS, plans_for, plans_of
from slowfast_bias.engine.studies.reproduction.found import Found
from slowfast_bias.engine.studies.reproduction.jobs import make_jobs
from slowfast_bias.engine.studies.reproduction.pages import write_pages
from slowfast_bias.engine.studies.reproduction.places import DATA, SEGMENTS, Places
from slowfast_bias.engine.studies.reproduction.planned import Planned, PlannedSweep
from slowfast_bias.engine.studies.reproduction.runner import intents, run_all
from slowfast_bias.engine.studies.reproduction.runs_masks import DATA_RUNS
from slowfast_bias.engine.studies.reproduction.slurm import write_script
from slowfast_bias.engine.studies.reproduction.tables import Table, beside
from slowfast_bias.engine.studies.sweep_runs import run_config
from slowfast_bias.engine.training import loop as training
from slowfast_bias.errors import OutputError, RequestError
from slowfast_bias.models.weights.published import FILES
from slowfast_bias.results import read_result

pytestmark = [pytest.mark.host, pytest.mark.filterwarnings("ignore:fewer than 500 pairs")]

WORLDS = ("toy", "data")
OF_MASKS = ("fig4", "table1", "fig8", "fig10b", "fig11b", "fig15")
HERE = ("NUM_GPUS", 0, "DATA_LOADER.NUM_WORKERS", 0)
SMALL = (
    "SOLVER.MAX_EPOCH", 2, "TRAIN.BATCH_SIZE", 4, "TRAIN.EVAL_PERIOD", 1, "TRAIN.CHECKPOINT_PERIOD",
    1, "BIAS.TOY.NUM_TRAIN", 8, "BIAS.TOY.NUM_VAL", 5, "BIAS.TOY.NUM_TEST", 5,
    "BIAS.ABLATION.FRACTIONS", "[0.0, 0.5]", "BIAS.ABLATION.SEEDS", "[0]",
)  # fmt: skip


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """Folders of every data set, and of a network of Hugging Face; no list is read here."""
    root = tmp_path_factory.mktemp("there")
    folders = [lists for lists, *_ in (*DATA.values(), *SEGMENTS.values())]
    for folder in dict.fromkeys(folders):
        (root / "data" / folder).mkdir(parents=True)
        (root / "data" / folder / "lists.txt").write_text("")
    if "hf" in host.capabilities:
        save_tiny(str(root / "weights" / "timesformer"), "timesformer")
    return root


@pytest.fixture(scope="module")
def places(there, tmp_path_factory):
    """{world: where its runs are}."""
    out, configs = tmp_path_factory.mktemp("out"), f"{ROOT}/"
    data, weights = f"{there}/data", f"{there}/weights"
    return {
        "toy": Places(f"{out}/toy", configs=configs, options=HERE),
        "data": Places(f"{out}/data", data, weights, configs, HERE),
    }


def every(world):
    return plans_for(list(FIGURES.values()), world)


# -- plans ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("world", WORLDS)
def test_every_figure_has_its_runs_and_every_run_a_figure(world):
    names = [plan.name for plan in RUNS[world]]
    assert len(set(names)) == len(names) and every(world) == list(RUNS[world])
    for figure in FIGURES.values():
        plans = plans_of(figure, world)
        assert plans and len({plan.title for plan in plans}) == len(plans)
        assert all((ROOT / plan.config).exists() for plan in plans)
    for plan in plans_of(FIGURES["fig7"], world):
        assert plan.name.removesuffix("_shuffled") in fig7.LABELS
    assert {plan.name for plan in plans_of(FIGURES["fig14"], world)} <= set(fig14.LABELS)


@pytest.mark.parametrize("world", WORLDS)
def test_every_run_loads_with_keys_that_this_host_knows_and_a_folder_of_its_own(
    places, world, caplog
):
    logger = logging.getLogger("slowfast_bias.config.load")
    logger.disabled = False
    logger.addHandler(caplog.handler)
    try:
        found = intents(make_jobs(every(world), places[world]))
    finally:
        logger.removeHandler(caplog.handler)
    assert not [r for r in caplog.records if "dropped" in r.getMessage()]
    assert {x.state for x in found if x.job.name != "kinetics_timesformer"} == {"to do"}
    folders = [x.cfg.OUTPUT_DIR for x in found if x.cfg]
    assert len(set(folders)) == len(folders)
    for x in found:
        if x.cfg is not None:
            assert x.cfg.OUTPUT_DIR.startswith(places[world].out)
            assert x.cfg.TRAIN.AUTO_RESUME and (x.left == ("sweep",)) == (x.job.setting is not None)


def test_steps_are_what_the_config_asks_for(places):
    jobs = {job.name: job for job in make_jobs(every("toy"), places["toy"])}
    cfg = jobs["motion_fast"].load()
    asked = cfg.TRAIN.ENABLE, cfg.BIAS.ENABLE, cfg.BIAS.SHUFFLE.TEST, cfg.BIAS.ABLATION.ENABLE
    assert asked == (True, True, True, True) and not cfg.TEST.ENABLE
    assert (cfg.MODEL.ARCH, cfg.BIAS.PERIOD, cfg.BIAS.ABLATION.LAYER) == ("fast", 1, "s4")
    twin = jobs["motion_fast_shuffled"].load()
    assert twin.BIAS.SHUFFLE.TRAIN and twin.BIAS.SHUFFLE.TEST and not twin.BIAS.ENABLE
    run = jobs["dropout/SLOW_debias-static-r0.3-t0.1-s0"].load()
    drop, start = run.BIAS.STATIC_DROPOUT, jobs["both_slow"].load()
    assert (drop.KIND, drop.RATE, drop.TEMPERATURE) == ("static", 0.3, 0.1)
    assert run.TRAIN.CHECKPOINT_FILE_PATH.startswith(start.OUTPUT_DIR)
    assert run.TRAIN.CHECKPOINT_FILE_PATH.endswith("checkpoint_epoch_00010.pyth")


def test_published_files_take_the_place_of_training(there, places, tmp_path):
    planned = {name for plan in RUNS["data"] if isinstance(plan, Planned) for name in plan.weights}
    listed = {file.file.partition(" ")[0] for file in FILES}
    of_masks = {name for plan in DATA_RUNS for name in plan.weights}  # without accuracies
    assert planned - of_masks - {"timesformer"} <= listed
    (tmp_path / "SLOWONLY_8x8_R50.pkl").write_bytes(b"")
    mine = dataclasses.replace(places["data"], weights=str(tmp_path))
    jobs = {job.name: job for job in make_jobs(every("data"), mine)}
    cfg = jobs["kinetics_slow"].load()
    assert not cfg.TRAIN.ENABLE and cfg.BIAS.ENABLE
    assert Path(cfg.TEST.CHECKPOINT_FILE_PATH) == tmp_path / "SLOWONLY_8x8_R50.pkl"
    assert jobs["kinetics_fast"].load().TRAIN.ENABLE
    assert jobs["kinetics_timesformer"].lacks == (
        f"{tmp_path}/TimeSformer_divST_8x32_224_K400.pyth or timesformer is not there"
    )


def test_data_are_found_by_their_folders(tmp_path):
    for folder in ("ssv2/videos", "kinetics", "diving48/rgb", "something_else"):
        (tmp_path / folder).mkdir(parents=True)
    for folder in ("ssv2", "kinetics", "something_else"):
        (tmp_path / folder / "lists.json").write_text("")
    (tmp_path / "diving48" / "train.csv").write_text("")
    place, root = Places("out", str(tmp_path)), str(tmp_path)
    lists, prefix, format = "DATA.PATH_TO_DATA_DIR", "DATA.PATH_PREFIX", "BIAS.DATA.FORMAT"
    keys = {name: place.data_keys(name) for name in DATA}
    assert keys["ssv2"] == [lists, f"{root}/ssv2", format, "ssv2", prefix, f"{root}/ssv2/videos"]
    assert keys["kinetics"] == [lists, f"{root}/kinetics", format, "csv"]
    assert keys["diving48"][3:] == ["csv", prefix, f"{root}/diving48/rgb"]
    assert keys["something_else"][-1] == f"{root}/ssv2/videos"
    assert [place.lacks(name) for name in DATA] == [""] * 4
    assert Places("out", "nowhere").lacks("ssv2") == "nowhere/ssv2 is not there"
    (tmp_path / "ssv2" / "lists.json").unlink()  # videos alone are no data
    assert place.lacks("ssv2") == f"{root}/ssv2 is empty, it should hold lists"


# -- published numbers ----------------------------------------------------------------------------
def test_published_numbers_are_typed_once_and_stand_in_the_docs():
    text = (ROOT / "docs" / "RESULTS.md").read_text()
    for table in (fig7.published_table(), fig14.published_table()):
        assert table.to_markdown() in text
    text = (ROOT / "docs" / "SEGMENTATION.md").read_text()
    tables = [x.published_table() for x in (table1, fig8, fig11b)]
    for table in (*tables, *fig15.published_tables()):
        assert table.to_markdown().partition("\n\n")[2] in text
    numbers = {f"{x.top1}" for x in published.DROPOUT.values()} - {"54.55"}
    for path in (ROOT / "slowfast_bias").rglob("*.py"):
        if path.name != "published.py":
            assert not [n for n in numbers if n in path.read_text()], path
    assert len(published.TRAINING_DATA) == 6 and len(published.DROPOUT) == 10


def test_a_difference_is_ours_minus_theirs():
    assert beside(25.0, 21.5) == (25.0, 21.5, 3.5)
    assert beside(None, 21.5) == (None, 21.5, None) and beside(25.0, None) == (25.0, None, None)
    assert beside(float("nan"), 1.0)[2] is None


def test_a_table_leaves_out_columns_of_which_nothing_is_known():
    columns = {"name": -1, "x": 1, "y": 2, "z": 3}
    table = Table("T", columns, [["a|b", (1.26, 0.04), None, None], ["c", -0.01, (3, 1, 4), None]])
    assert table.to_markdown().splitlines() == [
        "*T*", "", "| name | x | y |", "| --- | ---: | ---: |", r"| a\|b | 1.3 ± 0.0 | - |",
        "| c | 0.0 | 3.00 [1.00, 4.00] |",
    ]  # fmt: skip


# -- SLURM ----------------------------------------------------------------------------------------
def arguments_of(words):
    """What the command would see of a line."""
    command = __import__(f"slowfast_bias.cli.{words[1]}", fromlist=["main"])
    args, rest = cli.make_parser(words[1], command).parse_known_args(words[2:])
    return args, [*args.opts, *rest]


def test_a_slurm_script_has_a_command_per_index_that_does_the_run(places, tmp_path):
    names = ["fig7", "fig14"]
    found = intents(make_jobs(plans_for([FIGURES[x] for x in names], "data"), places["data"]))
    path = write_script(found, str(tmp_path), names)
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
    text = Path(path).read_text()
    lines = re.findall(r"^  set -- (slowfast_bias (?:run|sweep) .*)$", text, re.MULTILINE)
    indices = [int(n) for n in re.findall(r"^(\d+)\)", text, re.MULTILINE)]
    assert indices == list(range(len(found))) and len(lines) == len(found)
    assert f"#SBATCH --array=0-{len(found) - 1}\n" in text and "#SBATCH --requeue\n" in text
    picked = [0, 1, len(found) // 2, len(found) - 1]
    for x, line in ((found[i], lines[i]) for i in picked):
        words = shlex.split(line)
        args, options = arguments_of(words)
        if words[1] == "run":
            assert load_cfg(args.cfg_files, options).dump() == x.cfg.dump()
        else:
            (run,) = PlannedSweep("", "", args.networks[0], (vars_of(args),)).runs()
            assert run_config(args.out, run, options).dump() == x.cfg.dump()


def vars_of(args):
    return {key: getattr(args, key) for key in ("kinds", "rates", "temperatures", "seeds")}


def test_a_script_of_chained_runs_is_refused(places, tmp_path):
    found = intents(make_jobs(plans_for([FIGURES["fig13"]], "toy"), places["toy"]))
    with pytest.raises(RequestError, match="begins with the weights of both_slow"):
        write_script(found, str(tmp_path), ["fig13"])
    with pytest.raises(RequestError, match="all are done or lack something"):
        write_script([], str(tmp_path), ["fig13"])


# -- the runner -----------------------------------------------------------------------------------
NET = Planned(
    "motion_slow", "SlowOnly, motion", "configs/Toy/SLOW_motion.yaml", (("BIAS.PERIOD", 1),),
    ("train", "measure", "test_orders", "ablate"),
)  # fmt: skip
SWEEP = PlannedSweep(
    "dropout", "toy", "configs/Toy/SLOW_debias.yaml",
    ({"kinds": ("none",)}, {"kinds": ("static",), "rates": (0.3,), "temperatures": (0.1,)}),
    (("BIAS.STATIC_DROPOUT.FINETUNE_EPOCHS", 0),), "motion_slow",
)  # fmt: skip


@pytest.fixture
def epochs(monkeypatch):
    """Epochs that were really trained, as (folder, epoch); `epochs.stop` ends one before it."""

    class Epochs(list):
        stop = None

    seen, real = Epochs(), training.train_epoch

    def train_epoch(cfg, task, model, learner, train_list, epoch, *rest):
        place = Path(cfg.OUTPUT_DIR).name, epoch
        if place == seen.stop:
            raise KeyboardInterrupt
        seen.append(place)
        return real(cfg, task, model, learner, train_list, epoch, *rest)

    monkeypatch.setattr(training, "train_epoch", train_epoch)
    return seen


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A function that gives `reproduce ... --toy` two short runs in place of all; its words."""
    monkeypatch.setitem(RUNS, "toy", (NET, SWEEP))
    for name in OF_MASKS:
        monkeypatch.delitem(FIGURES, name)
    for name, figure in FIGURES.items():
        mine = (SWEEP.name,) if name in ("fig13", "fig14") else (NET.name,)
        monkeypatch.setitem(FIGURES, name, dataclasses.replace(figure, toy=mine))
    options = [str(word) for word in (*HERE, *SMALL)]
    return lambda *words: cli.main(["reproduce", *words, "--out", str(tmp_path / "out"), *options])


def test_a_reproduction_goes_on_where_it_was_stopped_and_then_has_nothing_to_do(
    small, epochs, tmp_path, capsys
):
    out, runs = tmp_path / "out", ["SLOW_debias-none-s0", "SLOW_debias-static-r0.3-t0.1-s0"]
    epochs.stop = "motion_slow", 1
    assert small("fig13", "--toy") == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert epochs == [("motion_slow", 0)]

    epochs.clear()
    epochs.stop = runs[1], 1
    assert small("fig13", "--toy") == 130
    assert re.search(r"motion_slow +goes on \(train, measure, ", capsys.readouterr().out)
    assert epochs == [("motion_slow", 1), (runs[0], 0), (runs[0], 1), (runs[1], 0)]

    assert small("fig13", "--toy", "--collect") == 0  # of what there is
    assert (out / "fig13.png").exists()
    page = (out / "fig13.md").read_text()
    assert f"- `dropout/{runs[1]}`: not done: sweep" in page and "| no dropout |" in page

    epochs.clear()
    epochs.stop = None
    bias = out / "runs" / "motion_slow" / "bias"
    (bias / "ablation.json").unlink()
    measured = (bias / "report.json").stat().st_mtime_ns
    assert small("all", "--toy") == 0
    assert re.search(r"motion_slow +goes on \(ablate\)", capsys.readouterr().out)
    assert epochs == [(runs[1], 1)]  # nothing that was done is done again
    assert (bias / "report.json").stat().st_mtime_ns == measured
    assert small("all", "--toy", "--dry-run") == 0
    assert [line.rpartition(": ")[2] for line in capsys.readouterr().out.splitlines()] == [
        "done", "done", "done"
    ]  # fmt: skip
    check_pages(out)


def check_pages(out):
    """Every figure has its picture, its page and its numbers, and the numbers are the runs'."""
    text = (out / "results.md").read_text()
    assert "not comparable with published ones" in text and "Missing runs" not in text
    for name in FIGURES:
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (out / f"{name}.md").read_text() in text and f"({name}.png)" in text
        result = read_result(out / f"{name}.json", "reproduction")
        assert result.meta["world"] == "toy" and result.data["missing"] == {}
        assert result.data["other_settings"] == {}
        assert all(
            len(row) == len(t["columns"]) for t in result.data["tables"] for row in t["rows"]
        )
    head = json.loads((out / "runs/motion_slow/bias/report.json").read_text())["data"]["head"]
    (row,) = read_result(out / "fig7.json", "reproduction").data["tables"][0]["rows"]
    weights = {name: math.exp(head[name]) for name in ("S_static", "S_dynamic")}
    share = 100 * weights["S_dynamic"] / (sum(weights.values()) + math.e)
    assert row[:3] == ["motion", "SlowOnly", pytest.approx(share, abs=1e-3)]
    orders = read_result(out / "runs/motion_slow/bias/orders.json", "frame_orders").data
    (row,) = read_result(out / "fig7.json", "reproduction").data["tables"][1]["rows"]
    assert row[2][0] == orders["ordered"]["accuracy"] and row[4] is None
    rows = read_result(out / "fig13.json", "reproduction").data["tables"][0]["rows"]
    assert [row[1:4] for row in rows] == [
        ["no dropout", None, None], ["StaticDropout", 0.1, 0.3]
    ]  # fmt: skip


def test_a_run_that_fails_is_named_and_the_others_go_on(small, monkeypatch, tmp_path, capsys):
    def broken(*_):
        raise RuntimeError("the machine went away")

    monkeypatch.setattr(training, "train_epoch", broken)
    assert small("fig13", "--toy") == 1
    err = capsys.readouterr().err
    assert "failed: motion_slow: the machine went away" in err
    assert err.count("Expected the weights of motion_slow, but it failed.") == 2
    page = (tmp_path / "out" / "results.md").read_text()
    assert "Missing runs" in page and not (tmp_path / "out" / "fig13.png").exists()


def test_other_settings_in_the_same_folder_are_refused(tmp_path, epochs):
    place = Places(str(tmp_path), configs=f"{ROOT}/", options=(*HERE, *SMALL))
    short = dataclasses.replace(NET, steps=("train",), keys=())
    assert run_all(intents(make_jobs([short], place)), place.out) == {}
    more = dataclasses.replace(place, options=(*place.options, "SOLVER.BASE_LR", 0.5))
    longer = dataclasses.replace(NET, steps=("train", "test_orders"), keys=())
    with pytest.raises(OutputError, match="BASE_LR: 0.5"):
        run_all(intents(make_jobs([longer], more)), place.out)
    assert len(epochs) == 2


def test_results_of_other_settings_are_named_so_and_not_as_missing(monkeypatch, tmp_path):
    place = Places(str(tmp_path), configs=f"{ROOT}/", options=(*HERE, *SMALL))
    short = dataclasses.replace(NET, steps=("train",), keys=())
    monkeypatch.setitem(RUNS, "toy", (short,))
    monkeypatch.setitem(FIGURES, "fig7", dataclasses.replace(FIGURES["fig7"], toy=(NET.name,)))
    assert run_all(intents(make_jobs([short], place)), place.out) == {}

    def lacking(*more):
        mine = dataclasses.replace(place, options=(*place.options, *more))
        write_pages(["fig7"], mine, intents(make_jobs([short], mine)), {}, "reproduce")
        data = read_result(tmp_path / "fig7.json", "reproduction").data
        return data["missing"], data["other_settings"], (tmp_path / "results.md").read_text()

    for more in ((), ("DATA_LOADER.NUM_WORKERS", 1)):  # as another machine may need it
        missing, otherwise, page = lacking(*more)
        assert missing == otherwise == {} and "other settings" not in page
    missing, otherwise, page = lacking("SOLVER.MAX_EPOCH", 3)
    how = "made with MAX_EPOCH: 2, while MAX_EPOCH: 3 is asked for"
    assert otherwise == {"motion_slow": how} and missing == {} and "Missing runs" not in page
    assert f"other settings, shown as they are:\n\n- `motion_slow`: {how}\n" in page


# -- the command ----------------------------------------------------------------------------------
def test_a_dry_run_prints_commands_and_does_nothing(small, epochs, tmp_path, capsys):
    assert small("fig13", "fig7", "--toy", "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[1::2]] == [
        ["slowfast_bias", "run"], ["slowfast_bias", "sweep"], ["slowfast_bias", "sweep"]
    ]  # fmt: skip
    assert [line[0] for line in lines[::2]] == ["#"] * 3
    assert small("fig13", "--toy", "--dry-run", "fig7") == 0  # also behind flags
    assert capsys.readouterr().out.splitlines() == lines
    assert epochs == [] and not (tmp_path / "out").exists()


def test_what_is_not_there_is_left_out_and_named(tmp_path, capsys):
    kinetics = tmp_path / "data" / "kinetics"
    kinetics.mkdir(parents=True)
    words = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "NUM_GPUS", "0"]
    assert cli.main(["reproduce", "fig3", "--slurm", str(tmp_path / "jobs"), *words]) == 2
    assert f"or lack something: {kinetics} is empty, " in capsys.readouterr().err
    assert cli.main(["reproduce", "fig3", "--dry-run", *words]) == 0
    assert f"left out: {kinetics} is empty" in capsys.readouterr().out
    (kinetics / "train.csv").write_text("")
    assert cli.main(["reproduce", "fig14", "--collect", *words]) == 0
    assert f"left out: {tmp_path}/data/ssv2 is not there" in capsys.readouterr().out
    assert "left out" in (tmp_path / "out" / "fig14.md").read_text()
    assert cli.main(["reproduce", "fig14", *words]) == 2
    assert f"but {tmp_path}/data/ssv2 is not there" in capsys.readouterr().err
    assert cli.main(["reproduce", "fig3", "--dry-run", *words]) == 0
    assert "# kinetics_timesformer: left out: --weights DIR/Time" in capsys.readouterr().out


def test_what_runs_nothing_asks_nothing_of_this_machine(there, tmp_path, capsys):
    words = ["reproduce", "fig14", "--data", f"{there}/data", "--out", str(tmp_path / "out")]
    many = ["NUM_GPUS", "4096", "TRAIN.BATCH_SIZE", "4096", "TEST.BATCH_SIZE", "4096"]
    many += ["BIAS.BATCH_SIZE", "4096"]
    for mode in (["--dry-run"], ["--slurm", str(tmp_path / "jobs")], ["--collect"]):
        assert cli.main([*words, *mode, *many]) == 0, capsys.readouterr().err
    assert "--gpus-per-node=4096" in (tmp_path / "jobs" / "runs.sbatch").read_text()
    capsys.readouterr()
    assert cli.main([*words, *many]) == 2
    assert "NUM_GPUS 4096: this machine has" in capsys.readouterr().err
    assert cli.main([*words, "--dry-run", "NUM_GPUS", "3", "TRAIN.BATCH_SIZE", "4"]) == 2
    assert "TRAIN.BATCH_SIZE 4 is not divisible" in capsys.readouterr().err  # wrong anywhere


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fig5", "--toy"], "among fig3, fig6, .* or all, but got 'fig5'"),
        (["fig3", "--toy", "--dry-run", "--collect"], "one of --dry-run, --slurm, --collect"),
        (["fig3", "--data", "nowhere"], "--data to be a folder"),
        (["fig3", "--toy", "--weights", "."], "no --weights with --toy"),
        (["fig3", "--toy", "NUM_GPUS"], "pairs behind .*'NUM_GPUS' is without a value"),
        (["fig3", "--toy", "NUM_GPUS", "0", "fig6"], "'fig6' is a figure: name it before the keys"),
        (["fig3", "--toy", "--dry-run", "fig5"], "or all, but got 'fig5'"),
        (["fig3", "--toy", "OUTPUT_DIR", "x"], "--out DIR in place of OUTPUT_DIR"),
        (["fig3", "--toy", "--dry-run", "SOLVER.MAX_EPOCHS", "3"], "motion_2d|SOLVER.MAX_EPOCH"),
    ],
)
def test_bad_requests_are_named_with_status_2(words, message, capsys):
    assert cli.main(["reproduce", *words]) == 2
    assert re.search(message, capsys.readouterr().err)


def test_nothing_found_makes_no_figure(places):
    for world in WORLDS:
        for figure in FIGURES.values():
            found = Found(plans_of(figure, world), places[world])
            assert figure.draw(found) == {}
            assert not any(t.rows for t in figure.tables(found) if "Published" not in t.title)
