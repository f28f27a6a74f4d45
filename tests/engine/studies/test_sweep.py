"""Sweeps: what is done is skipped, what broke off goes on, and rows hold what they say."""

import math
from pathlib import Path

import pytest
import torch
from torch import distributed as dist
from torch import nn

from slowfast_bias import engine
from slowfast_bias.bias.layer import LayerBias
from slowfast_bias.cli import main
from slowfast_bias.config import ConfigError
from slowfast_bias.engine.setup import checkpoint, network
from slowfast_bias.engine.setup.loaders import build_loader
from slowfast_bias.engine.studies import dose_response
from slowfast_bias.engine.studies import sweep as flow
from slowfast_bias.engine.studies.sweep import collect, sweep
from slowfast_bias.engine.studies.sweep_runs import KINDS, Run, plan, run_config
from slowfast_bias.engine.training import loop as training
from slowfast_bias.errors import DataError, OutputError
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import read_result

pytestmark = [pytest.mark.host, pytest.mark.filterwarnings("ignore:fewer than 500 pairs")]


@pytest.fixture
def net(tiny, tmp_path):
    """The path of a config that trains within a second."""
    path = tmp_path / "net.yaml"
    path.write_text(tiny("BIAS.NUM_VIDEOS", 4).dump())
    return str(path)


@pytest.fixture
def trained(monkeypatch):
    """Epochs that were really trained, as (folder, epoch); `trained.fail(...)` breaks one."""

    class Trained(list):
        broken = None

        def fail(self, folder, epoch):
            self.broken = folder, epoch

    seen, real = Trained(), training.train_epoch

    def train_epoch(cfg, task, model, learner, train_list, epoch, *rest):
        place = Path(cfg.OUTPUT_DIR).name, epoch
        if place == seen.broken:
            raise RuntimeError("the machine went away")
        seen.append(place)
        return real(cfg, task, model, learner, train_list, epoch, *rest)

    monkeypatch.setattr(training, "train_epoch", train_epoch)
    return seen


def weights(folder, epoch=2):
    return checkpoint.read_checkpoint(Outputs(str(folder)).checkpoint(epoch))["model_state"]


def test_a_plan_has_every_setting_that_matters_once():
    runs = plan(["a/X.yaml"], KINDS, [0.1, 0.3], [0.1, 1], [0, 1])
    assert len(runs) == 2 * (1 + 2 + 2 * 2) == len({run.name for run in runs})
    assert [run.seed for run in runs] == [0] * 7 + [1] * 7
    assert runs[0].name == "X-none-s0" and runs[1].name == "X-standard-r0.1-s0"
    assert runs[6].name == "X-static-r0.3-t1-s0"
    assert plan(["a/X.yaml"], ["none"], [0.1], seeds=[3, 3]) == [
        Run("a/X.yaml", "none", None, None, 3)
    ]


def test_a_run_is_its_config_with_its_settings(net):
    run = Run(net, "static", 0.3, 0.1, 7)
    cfg = run_config("out", run, ["SOLVER.MAX_EPOCH", 9])
    drop = cfg.BIAS.STATIC_DROPOUT
    assert (drop.ENABLE, drop.KIND, drop.RATE, drop.TEMPERATURE) == (True, "static", 0.3, 0.1)
    assert (cfg.RNG_SEED, cfg.SOLVER.MAX_EPOCH) == (7, 9)
    assert cfg.OUTPUT_DIR == "out/net-static-r0.3-t0.1-s7"


def test_nonsense_is_told_before_anything_runs(net, tmp_path, trained):
    with pytest.raises(ConfigError, match="some of none, standard, static, but got 'dynamic'"):
        plan([net], ["none", "dynamic"])
    with pytest.raises(ConfigError, match="share the folder X-none-s0"):
        plan(["a/X.yaml", "b/X.yaml"], ["none"])
    with pytest.raises(ConfigError, match="RATE.*1.5"):
        sweep(str(tmp_path / "out"), plan([net], ["none", "standard"], [1.5]))
    with pytest.raises(DataError, match=r"Expected the list .*nowhere/test\.csv"):
        there = ["TEST.DATASET", "videos", "DATA.PATH_TO_DATA_DIR", str(tmp_path / "nowhere")]
        sweep(str(tmp_path / "out"), plan([net], ["none"]), there)
    with pytest.raises(ConfigError, match="did you mean SOLVER.MAX_EPOCH"):
        sweep(str(tmp_path / "out"), plan([net], ["none"]), ["SOLVER.MAX_EPOCHS", 3])
    assert trained == [] and not (tmp_path / "out").exists()


def test_a_failed_run_is_counted_the_others_go_on_and_it_continues_next_time(
    net, tmp_path, trained
):
    runs = plan([net], ["none", "static"], [0.3, 0.5], [0.1])
    none, first, second = (run.name for run in runs)
    trained.fail(first, 1)
    out = tmp_path / "out"
    outcome = sweep(str(out), runs)
    assert outcome.failed == [first] and outcome.skipped == []
    assert [row["rate"] for row in outcome.rows] == [None, 0.5]
    assert not (out / first / "result.json").exists()
    assert trained == [(name, e) for name in (none, first, second) for e in (0, 1)
                       if (name, e) != (first, 1)]  # fmt: skip
    assert "the machine went away" in (out / "stdout.log").read_text()

    trained.clear()
    trained.broken = None
    outcome = sweep(str(out), runs)
    assert trained == [(first, 1)]  # nothing that was done is done again
    assert outcome.failed == [] and outcome.skipped == [none, second]
    assert [row["rate"] for row in outcome.rows] == [None, 0.3, 0.5]

    whole = sweep(str(tmp_path / "whole"), runs[1:2])
    changed = {"seconds"}
    assert {k: v for k, v in whole.rows[0].items() if k not in changed} == {
        k: v for k, v in outcome.rows[1].items() if k not in changed
    }
    ours, theirs = weights(out / first), weights(tmp_path / "whole" / first)
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)

    trained.clear()
    assert sweep(str(out), runs).skipped == [none, first, second]
    assert trained == []


def test_rows_tables_and_figures_are_collected_from_what_is_there(net, tmp_path):
    out = tmp_path / "out"
    outcome = sweep(str(out), plan([net], ["none"]))
    written = read_result(out / "rows.json", "sweep").data
    assert written == outcome.rows == collect(str(out))
    (row,) = outcome.rows
    expected = {
        "config", "kind", "rate", "temperature", "seed", "ordered", "shuffled", "dynamic_ratio",
        "dynamic_share", "cue_motion", "cue_texture", "least_common", "most_common", "top_k",
        "S_static", "S_dynamic", "seconds",
    }  # fmt: skip
    assert set(row) == expected
    assert (row["kind"], row["rate"], row["temperature"], row["seed"]) == ("none", None, None, 0)
    plain = run_config(str(out), plan([net], ["none"])[0])
    assert row["ordered"] == pytest.approx(engine.test(plain).top1)
    assert "| none | - | - | 1 |" in (out / "table.md").read_text()
    assert (out / "dose.png").stat().st_size > 1000
    assert collect(str(tmp_path / "nothing")) == []


def test_other_settings_in_the_same_folder_are_refused(net, tmp_path, trained):
    out, runs = str(tmp_path / "out"), plan([net], ["none"])
    sweep(out, runs)
    trained.clear()
    with pytest.raises(OutputError, match=r"BASE_LR: 0.5.*another folder"):
        sweep(out, runs, ["SOLVER.BASE_LR", 0.5])
    assert trained == []


def test_a_start_is_trained_once_a_seed_and_its_weights_are_taken(net, tmp_path, tiny, monkeypatch):
    other = tmp_path / "other.yaml"
    other.write_text(tiny("MODEL.NUM_CLASSES", 16, "BIAS.TOY.LABELS", "both").dump())
    out, begun, real = tmp_path / "out", [], training.train_epoch

    def train_epoch(cfg, task, model, *rest):
        begun.append((Path(cfg.OUTPUT_DIR).name, model.s1.pathway0_stem.conv.weight.clone()))
        return real(cfg, task, model, *rest)

    monkeypatch.setattr(training, "train_epoch", train_epoch)
    outcome = sweep(str(out), plan([net], ["none", "standard"], [0.5]), start=str(other))
    assert outcome.failed == [] and len(outcome.rows) == 2
    folders = [name for name, _ in begun]
    assert folders == ["start-other-s0"] * 2 + ["net-none-s0"] * 2 + ["net-standard-r0.5-s0"] * 2
    end = weights(out / "start-other-s0")["s1.pathway0_stem.conv.weight"]
    assert torch.equal(begun[2][1], end) and torch.equal(begun[4][1], end)


# -- what a row says ------------------------------------------------------------------------------
def head_of(static, dynamic):
    scores = {"static": torch.tensor(static), "dynamic": torch.tensor(dynamic)}
    return LayerBias(pairs={}, correlation=scores, pooled=scores, scores={}, stderr={})


NAN = float("nan")


def test_ratio_and_share_count_only_units_of_one_kind():
    #             static dynamic joint residual dead dynamic
    head = head_of([0.9, 0.1, 0.8, 0.0, NAN, -0.3], [0.2, 0.7, 0.9, 0.4, NAN, 0.6])
    assert dose_response.dynamic_ratio(head) == pytest.approx(2 / 3)
    assert dose_response.dynamic_share(head, torch.tensor([3.0, 1.0, 9.0, 9.0, 9.0, 2.0])) == 0.5
    none = head_of([0.9, 0.0], [0.9, 0.0])
    assert math.isnan(dose_response.dynamic_ratio(none))
    assert math.isnan(dose_response.dynamic_share(none, torch.ones(2)))


@pytest.mark.parametrize("pathways", [1, 2])
def test_evidence_is_the_norm_of_the_column_times_the_spread_of_the_unit(tiny, pathways, packed):
    two = ["MODEL.ARCH", "slowfast", "DATA.INPUT_CHANNEL_NUM", [3, 3], "SLOWFAST.ALPHA", 8,
           "SLOWFAST.BETA_INV", 1, "SLOWFAST.FUSION_CONV_CHANNEL_RATIO", 1,
           "RESNET.NUM_BLOCK_TEMP_KERNEL", [[2, 2]] * 4, "RESNET.SPATIAL_STRIDES",
           [[1, 1], [2, 2], [2, 2], [2, 2]], "RESNET.SPATIAL_DILATIONS", [[1, 1]] * 4,
           "NONLOCAL.LOCATION", [[[], []]] * 4, "NONLOCAL.GROUP", [[1, 1]] * 4]  # fmt: skip
    cfg = tiny("BIAS.TOY.NUM_TEST", 7, *(two if pathways == 2 else []))
    model = network.build_network(cfg).eval()
    seen = []
    hook = model.head.projection.register_forward_pre_hook(
        lambda _, args: seen.append(args[0].flatten(1, -2).mean(1))
    )
    with torch.no_grad():
        for batch in build_loader(cfg, "test"):
            model(packed(cfg, batch))
    hook.remove()
    z, w = torch.cat(seen).double(), model.head.projection.weight.detach().double()
    expected = [
        math.sqrt(sum(float(row[i]) ** 2 for row in w)) * float(z[:, i].std(correction=0))
        for i in range(z.shape[1])
    ]
    assert len(z) == 7 and max(expected) > 0
    assert dose_response.evidence(cfg, model).tolist() == pytest.approx(
        expected, rel=1e-4, abs=1e-9
    )


class Knows(nn.Module):
    """Gives each clip that it knows its class; another one is an error."""

    def __init__(self, clips, classes):
        super().__init__()
        self.clips, self.classes = clips, classes
        self.anchor = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        same = (x[:, None] == self.clips).flatten(2).all(2)
        assert same.sum(1).tolist() == [1] * len(x)
        return nn.functional.one_hot(self.classes[same.long().argmax(1)], 4).float()


@pytest.mark.parametrize("labels", ["dynamic", "correlated"])
def test_cue_choices_of_networks_that_follow_one_cue(tiny, labels, packed):
    words = ["BIAS.TOY.NUM_TEST", 24, "BIAS.TOY.LABELS", labels]
    cfg, conflict = tiny(*words), tiny(*words, "BIAS.TOY.CUE_CONFLICT", True)
    loader = build_loader(conflict, "test")
    clips = torch.cat([packed(conflict, batch)[0] for batch in loader])
    factors = [loader.dataset.world.factors(i) for i in range(24)]
    for cue in ("motion", "texture"):
        net = Knows(clips, torch.tensor([getattr(f, cue) for f in factors]))
        assert dose_response.cue_choices(cfg, net) == {
            "cue_motion": 100.0 * (cue == "motion"), "cue_texture": 100.0 * (cue == "texture"),
        }  # fmt: skip
    assert not cfg.BIAS.TOY.CUE_CONFLICT


def test_cue_choices_are_none_where_no_clip_has_cues_in_conflict(tiny):
    static = tiny("BIAS.TOY.LABELS", "static")
    kinetics = tiny("TEST.DATASET", "kinetics")
    for cfg in (static, kinetics):
        assert dose_response.cue_choices(cfg, None) == {"cue_motion": None, "cue_texture": None}


def test_least_and_most_common_are_of_the_training_list():
    labels = [0] * 5 + [1] + [2] * 3 + [3] * 9
    accuracy = {0: 10.0, 1: 20.0, 2: 40.0, 3: 80.0}
    found = dose_response.by_frequency(accuracy, labels)
    assert found["least_common"] == 30 and found["most_common"] == 45
    assert found["top_k"] == {"2 least common %": 30, "2 most common %": 45}
    many = {c: float(c) for c in range(30)}
    found = dose_response.by_frequency(many, [c for c in many for _ in range(c + 1)])
    assert found["least_common"] == 4.5 and found["most_common"] == 24.5  # ten each
    assert dose_response.by_frequency(accuracy, None) == {"least_common": None, "most_common": None}


def test_evidence_is_gathered_in_the_precision_of_the_test(tiny):
    cfg = tiny("TRAIN.MIXED_PRECISION", True)
    model, seen = network.build_network(cfg), set()
    hook = lambda module, inputs, output: seen.add(output.dtype)  # noqa: E731
    handle = model.s5.pathway0_res0.branch2.a.register_forward_hook(hook)
    dose_response.evidence(cfg, model)
    handle.remove()
    assert seen == {torch.bfloat16}


def test_train_labels_are_read_without_a_clip(tiny, monkeypatch):
    cfg = tiny("BIAS.TOY.NUM_TRAIN", 32)
    monkeypatch.setattr("slowfast_bias.datasets.toy.dataset.Toyvideos.clip", None)
    assert sorted(dose_response.labels_of_training(cfg)) == sorted(list(range(4)) * 8)


@pytest.mark.ddp
def test_two_processes_find_the_figures_of_one(tiny, two_ranks):
    words = ["BIAS.TOY.NUM_TEST", 7, "BIAS.TOY.NUM_VAL", 7, "SOLVER.MAX_EPOCH", 1]
    engine.train(tiny(*words))
    one = dose_response.dose_figures(tiny(*words))
    two, _ = two_ranks.run(dose_response.dose_figures, tiny(*words, "NUM_GPUS", 2))
    for key, value in one.items():
        if isinstance(value, float):
            assert two[key] == pytest.approx(value, abs=1e-4, nan_ok=True), key
        else:
            assert two[key] == value


def sweep_of_a_scheduler(out, runs):
    """`sweep`, in a process that torchrun started."""
    rank = str(dist.get_rank())
    given = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2",
             "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        return sweep(out, runs)


@pytest.mark.ddp
def test_a_scheduler_s_processes_share_every_run_of_a_sweep(net, tmp_path, two_ranks):
    runs, out = plan([net], ["none", "static"], [0.3]), str(tmp_path / "out")
    first, second = two_ranks.run(sweep_of_a_scheduler, out, runs)
    assert first == second and not first.failed and not first.skipped
    assert [row["kind"] for row in first.rows] == ["none", "static"]
    for run in runs:  # neither process worked alone
        stats = Path(Outputs(out).run(run.name).stats).read_text()
        assert stats.count('"_type": "train_epoch"') == 2
    again, _ = two_ranks.run(sweep_of_a_scheduler, out, runs)
    assert again.skipped == [run.name for run in runs] and again.rows == first.rows


# -- the command ----------------------------------------------------------------------------------
def test_the_command_passes_on_everything_and_its_status_tells(net, monkeypatch, capsys):
    asked = []

    def fake(out, runs, opts, start):
        asked.append((out, [run.name for run in runs], opts, start))
        return flow.Outcome([], [], ["net-none-s1"] if "BAD" in opts else [])

    monkeypatch.setattr(flow, "sweep", fake)
    words = ["sweep", "--networks", net, "--kinds", "none", "static", "--rates", "0.5",
             "--seeds", "1", "--out", "there"]  # fmt: skip
    assert main([*words, "SOLVER.MAX_EPOCH", "3"]) == 0
    names = ["net-none-s1", "net-static-r0.5-t1-s1"]
    assert asked == [("there", names, ["SOLVER.MAX_EPOCH", "3"], "")]
    assert main([*words, "--opts", "BAD", "1"]) == 1
    assert "failed: net-none-s1" in capsys.readouterr().err
    assert main(["sweep", "--networks", net, "--kinds", "odd", "--out", "there"]) == 2
    assert "error: " in capsys.readouterr().err
