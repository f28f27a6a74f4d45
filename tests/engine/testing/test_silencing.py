"""Silenced units through a host: replays equal whole forwards, and the known answers."""

import json
import logging

import pytest
import torch
from torch import nn

from slowfast_bias import BiasReport, engine, host
from slowfast_bias.bias import evaluating, tapped
from slowfast_bias.bias.layer import LayerBias
from slowfast_bias.config import ConfigError
from slowfast_bias.engine.measuring.layers import find_layer, make_taps
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.setup.loaders import build_loader
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.testing import unit_ranking
from slowfast_bias.engine.testing.silencing import ablate
from slowfast_bias.engine.testing.silencing_plan import (
    UnitSet,
    accuracy_curves,
    dominant,
    plan_sets,
    unit_order,
)
from slowfast_bias.engine.testing.vote import WithoutUnits, vote
from slowfast_bias.models.replay import steps_until
from slowfast_bias.models.silenced_sets import SilencedSets
from slowfast_bias.models.silencing import silenced

pytestmark = [pytest.mark.host, pytest.mark.filterwarnings("ignore:fewer than 500 pairs")]

ROUNDS = [(), (0,), (1, 3), tuple(range(8))]
PLACES = [
    ("SLOW_motion", "s1", ["s1"]),
    ("SLOW_motion", "s4", ["s1", "s2", "pathway0_pool", "s3", "s4"]),
    ("SLOW_motion", "s5", ["s1", "s2", "pathway0_pool", "s3", "s4", "s5"]),
    ("SLOW_motion", "head", ["s1", "s2", "pathway0_pool", "s3", "s4", "s5"]),
    ("SLOW_motion", "s5.pathway0_res0", ["s1", "s2", "pathway0_pool", "s3", "s4"]),
    ("SLOW_motion", "s1.pathway0_stem", []),
    ("SLOWFAST_motion", "s5/1", None),
    ("SLOWFAST_motion", "s3/0", None),
    ("SLOWFAST_motion", "s2_fuse/0", None),
    ("SLOWFAST_motion", "head", None),
]  # fmt: skip


def config(name="SLOW_motion", *options):
    return engine.load_cfg(f"configs/Toy/{name}.yaml", ["NUM_GPUS", 0, *options])


def built(name):
    """A network whose units all matter, and a batch for it."""
    cfg = config(name)
    model = network.build_network(cfg).eval()
    torch.manual_seed(1)
    inputs = host.pack_batch(cfg, torch.randn(2, 3, 8, 32, 32))
    wake(model, inputs)
    return model, inputs


@torch.no_grad()
def wake(model, inputs):
    """Fresh blocks end with zeros, and a fresh classifier says nearly the same of everything."""
    torch.manual_seed(0)
    for key, value in model.named_parameters():
        if "bn" in key:
            value.uniform_(0.5, 1.0)
    with tapped(model, make_taps(model, ["head"])) as features:
        model(list(inputs))
    model.head.projection.weight.normal_().div_(features["head"].norm(dim=1).mean())


def report_of(correlation, layer="s5", **meta):
    """A report of one layer with these unit scores {factor: [...]}."""
    scores = {k: torch.tensor(v, dtype=torch.float64) for k, v in correlation.items()}
    means = {k: float(v.nanmean()) for k, v in scores.items()}
    bias = LayerBias(
        pairs=dict.fromkeys(scores, 9), correlation=scores, pooled=scores,
        scores={"pearson": means, "pooled": means},
        stderr={**dict.fromkeys(scores, 0.1), "pooled": dict.fromkeys(scores, 0.1)},
    )  # fmt: skip
    return BiasReport({layer: bias}, meta)


def traces(model):
    hooks = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())
    return hooks + sum("forward" in vars(m) for m in model.modules())


@pytest.mark.parametrize(("name", "layer", "reused"), PLACES)
def test_replayed_scores_are_those_of_whole_forwards(name, layer, reused):
    model, inputs = built(name)
    tap = find_layer(model, layer)
    sets = SilencedSets(model, layer, tap)
    if reused is not None:
        assert sets.reused == reused
    before = [x.clone() for x in inputs]
    got = [sets.scores(inputs, ROUNDS), sets.scores(inputs, ROUNDS[::-1])[::-1]]
    assert sets.reused == steps_until(model, tap.module, tap.of == "output")  # all of it held
    with torch.no_grad():
        for i, units in enumerate(ROUNDS):
            with silenced(model, layer, units, taps=[tap]):
                whole = model(list(inputs))
            assert all(torch.equal(scores[i], whole) for scores in got)
        assert not torch.equal(got[0][0], got[0][-1])  # silencing does something
    assert all(torch.equal(a, b) for a, b in zip(before, inputs, strict=True))
    assert traces(model) == 0


@pytest.mark.skipif("mvit" not in host.capabilities, reason="this host has no mvit")
@pytest.mark.parametrize("layer", ["blocks.1", "head"])
def test_blocks_of_a_transformer_are_replayed_one_by_one(layer):
    words = ["NUM_GPUS", 0, "DATA.TRAIN_CROP_SIZE", 32, "DATA.TEST_CROP_SIZE", 32,
             "MVIT.EMBED_DIM", 16]  # fmt: skip
    cfg = engine.load_cfg("configs/Kinetics/MVIT_B_16x4.yaml", words)
    model = network.build_network(cfg).eval()
    inputs = [torch.randn(1, 3, 16, 32, 32)]
    wake(model, inputs)
    tap = find_layer(model, layer)
    sets = SilencedSets(model, layer, tap)
    assert "blocks.0" in sets.reused
    got = sets.scores(inputs, ROUNDS)
    assert "blocks.0" in sets.reused
    with torch.no_grad():
        for scores, units in zip(got, ROUNDS, strict=True):
            with silenced(model, layer, units, taps=[tap]):
                assert torch.equal(scores, model(list(inputs)))
    assert not torch.equal(got[0], got[-1])


def test_what_comes_before_the_layer_runs_once_a_batch():
    model, inputs = built("SLOW_motion")
    names = ["s1.pathway0_stem.conv", "s5.pathway0_res0.branch2.a", "head.projection"]
    runs = dict.fromkeys(names, 0)
    sets = SilencedSets(model, "s5")
    sets.scores(inputs, ROUNDS)  # the first batch is held against a whole forward

    def count(name):
        runs[name] += 1

    for name in names:
        module = model.get_submodule(name)
        module.register_forward_pre_hook(lambda *_, name=name: count(name))
    sets.scores(inputs, ROUNDS)
    assert list(runs.values()) == [1, 1, len(ROUNDS)]


class Winding(nn.Module):
    """Its forward does not run its children in their order, and one of them twice."""

    def __init__(self, twice):
        super().__init__()
        self.twice = twice
        self.first, self.second = nn.Conv3d(3, 4, 1), nn.Conv3d(4, 4, 1)

    def forward(self, x):
        x = self.first(x)
        x = self.second(self.second(x).relu() if self.twice else x)
        return (x + self.first.weight.sum()).mean((2, 3, 4))


@pytest.mark.parametrize("twice", [False, True])
def test_a_replay_that_would_change_scores_is_found_and_left_off(twice, caplog):
    torch.manual_seed(0)
    model, inputs = Winding(twice).eval(), [torch.randn(2, 3, 2, 4, 4)]
    sets = SilencedSets(model, "second")
    package = logging.getLogger("slowfast_bias")
    package.propagate = True
    got = sets.scores(inputs, [(), (0, 2)])
    with torch.no_grad(), silenced(model, "second", (0, 2)):
        assert torch.equal(got[1], model(*inputs))
    assert bool(sets.reused) is not twice
    assert ("nothing is replayed" in caplog.text) is twice


def test_steps_are_children_and_entries_of_module_lists():
    net = nn.Module()
    net.stem, net.blocks = nn.Identity(), nn.ModuleList([nn.ReLU(), nn.Sequential(nn.ReLU())])
    net.head = nn.Sequential(nn.Identity())
    assert steps_until(net, "blocks.1") == ["stem", "blocks.0", "blocks.1"]
    assert steps_until(net, "blocks.1", included=False) == ["stem", "blocks.0"]
    assert steps_until(net, "blocks.1.0") == ["stem", "blocks.0"]
    assert steps_until(net, "head.0") == ["stem", "blocks.0", "blocks.1"]
    assert steps_until(net, "blocks") == steps_until(net, "nowhere") == []


NAN = float("nan")


def test_the_most_static_go_first_and_the_dead_last_in_every_order():
    report = report_of({"static": [0.1, NAN, 0.9, 0.5], "dynamic": [0.7, NAN, 0.2, 0.4]})
    assert unit_order(report, "s5", "static") == [2, 3, 0, 1]
    assert unit_order(report, "s5", "dynamic") == [0, 3, 2, 1]
    shuffles = [unit_order(report, "s5", "random", seed) for seed in range(30)]
    assert all(sorted(s) == [0, 1, 2, 3] and s[-1] == 1 for s in shuffles)
    assert len({tuple(s) for s in shuffles}) == 6  # all orders of the three
    assert unit_order(report, "s5", "random", 4) == shuffles[4]


def test_fractions_are_rounded_to_units_and_random_has_a_set_a_seed():
    scores = [float(i) / 10 for i in range(10)]
    report = report_of({"static": scores, "dynamic": scores[::-1]})
    cfg = config(
        "SLOW_motion", "BIAS.ABLATION.FRACTIONS", [0.26, 0, 1], "BIAS.ABLATION.SEEDS", [5, 7]
    )
    sets = plan_sets(cfg, report, "s5")
    assert [(s.order, s.seed, len(s.units)) for s in sets] == [
        (order, seed, count)
        for order, seed in [("static", None), ("dynamic", None), ("random", 5), ("random", 7)]
        for count in (0, 3, 10)
    ]
    assert sets[1].units == (7, 8, 9) and sets[4].units == (0, 1, 2)


@pytest.mark.parametrize("factor", ["static", "dynamic"])
def test_restricted_random_units_are_among_those_least_biased_to_the_dominant_factor(factor):
    other = {"static": "dynamic", "dynamic": "static"}[factor]
    scores = torch.rand(100, generator=torch.Generator().manual_seed(1)).tolist()
    scores[3] = NAN
    report = report_of({factor: scores, other: [0.0] * 100})
    assert dominant(report["s5"]) == factor
    options = ["BIAS.ABLATION.RANDOM_FROM", "least_biased", "BIAS.ABLATION.SEEDS", [0, 1, 2]]
    options += ["BIAS.ABLATION.FRACTIONS", [0.4, 1.0], "BIAS.ABLATION.FACTORS", ["random"]]
    sets = plan_sets(config("SLOW_motion", *options), report, "s5")
    least = sorted(set(range(100)) - {3}, key=lambda i: scores[i])[:45]
    some = [set(x.units) for x in sets if x.fraction == 0.4]
    assert all(len(x) == 40 and x <= set(least) for x in some)
    assert len(set(map(frozenset, some))) == 3  # a draw for each seed
    assert all(len(x.units) == 100 for x in sets if x.fraction == 1)


def test_points_are_means_over_seeds_with_their_spread():
    sets = [
        UnitSet("static", None, 0.5, (0,)),
        UnitSet("random", 0, 0.5, (0,)),
        UnitSet("random", 1, 0.5, (1,)),
    ]
    hits = {(0,): torch.tensor([True, False]), (1,): torch.tensor([True, True])}
    found = accuracy_curves(sets, hits)
    (static,), (random,) = found["static"], found["random"]
    assert static["accuracy"] == 50 and "seeds" not in static
    assert random["seeds"] == [50, 100] and random["accuracy"] == 75
    assert random["spread"] == pytest.approx(50 / 2**0.5)
    assert random["interval"][0] < 75 < random["interval"][1]


def test_accuracies_are_those_of_whole_forwards_over_all_views(packed):
    cfg = config("SLOW_motion", "BIAS.TOY.NUM_TEST", 10, "TEST.NUM_ENSEMBLE_VIEWS", 2)
    model = network.build_network(cfg)
    wake(model, packed(cfg, next(iter(build_loader(cfg, "test")))))
    sets = [(), tuple(range(256))]
    ways = [SilencedSets(model, "s5", reuse=reuse) for reuse in (True, False)]
    assert ways[0].reused and not ways[1].reused
    task = make_task(cfg, model)
    votes = [vote(cfg, task, WithoutUnits(task, [(way, sets)]), "test") for way in ways]
    assert all(v.complete.all() and v.tally.clips_of().tolist() == [2] * 10 for v in votes)
    replayed, whole = (torch.stack([v.hits(name) for name in v.names]) for v in votes)
    assert torch.equal(replayed, whole) and whole.shape == (2, 10)
    assert not torch.equal(whole[0], whole[1])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Options of a run with a checkpoint of one epoch, in a folder for all tests."""
    out = str(tmp_path_factory.mktemp("ablate"))
    options = [
        "OUTPUT_DIR", out, "SOLVER.MAX_EPOCH", 1, "BIAS.TOY.NUM_TRAIN", 32,
        "BIAS.TOY.NUM_VAL", 12, "BIAS.TOY.NUM_TEST", 9, "TEST.BATCH_SIZE", 4,
        "BIAS.ABLATION.FRACTIONS", [0.0, 0.5, 1.0],
    ]  # fmt: skip
    engine.train(config("SLOW_motion", *options))
    return options


def test_files_curves_and_lines_of_a_run(trained, tmp_path):
    cfg = config("SLOW_motion", *trained)
    data = ablate(cfg)
    out = cfg.OUTPUT_DIR
    with open(f"{out}/bias/ablation.json") as file:
        written = json.load(file)
    assert (written["format"], written["kind"]) == (1, "silencing")
    assert {**written["data"], "meta": written["meta"]} == data
    with open(f"{out}/bias/ablation.png", "rb") as file:
        assert len(file.read()) > 1000
    assert data["layer"] == "s5" and data["channels"] == 256
    assert data["meta"]["videos"] == 9 and data["meta"]["classes"] == 4
    assert list(data["curves"]) == ["static", "dynamic", "random"]
    plain = engine.test(cfg).top1
    for points in data["curves"].values():
        assert [p["units"] for p in points] == [0, 128, 256]
        assert points[0]["accuracy"] == pytest.approx(plain)  # nobody is silenced
        assert points[-1] == {**points[-1], "accuracy": data["curves"]["static"][-1]["accuracy"]}
    with open(f"{out}/json_stats.log") as file:
        lines = [line for line in map(json.loads, file) if line["_type"] == "ablation"]
    assert len(lines) == 9 and lines[0]["order"] == "static" and lines[0]["units"] == 0


def test_a_report_of_these_weights_serves_and_another_does_not(trained, monkeypatch):
    cfg = config("SLOW_motion", *trained)
    path = f"{cfg.OUTPUT_DIR}/bias/report.json"
    first = engine.measure(cfg)
    measured, real = [], unit_ranking.measure_networks
    counted = lambda *a: measured.append(a) or real(*a)  # noqa: E731
    monkeypatch.setattr(unit_ranking, "measure_networks", counted)
    ablate(cfg)
    assert not measured
    BiasReport(first.layers, {**first.meta, "checkpoint": "another.pyth"}).save(path)
    ablate(cfg)
    assert len(measured) == 1
    assert BiasReport.load(path).meta["checkpoint"] == first.meta["checkpoint"]
    ablate(cfg)
    assert len(measured) == 1  # the new one serves from now on
    block = config("SLOW_motion", *trained, "BIAS.ABLATION.LAYER", "s5.pathway0_res0")
    assert ablate(block)["channels"] == 256
    assert len(measured) == 2 and "s5.pathway0_res0" in BiasReport.load(path).layers


@pytest.mark.ddp
def test_two_processes_find_what_one_finds(trained, two_ranks):
    options = [*trained, "BIAS.ABLATION.LAYER", "head"]
    one = ablate(config("SLOW_motion", *options))
    two, same = two_ranks.run(ablate, config("SLOW_motion", *options, "NUM_GPUS", 2))
    assert one["curves"] == two["curves"] == same["curves"]
    assert one["meta"]["videos"] == two["meta"]["videos"] == 9


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["BIAS.ABLATION.FRACTIONS", [0.5, 1.5]], "FRACTIONS: expected shares .* 0 to 1"),
        (["BIAS.ABLATION.FRACTIONS", []], "FRACTIONS"),
        (["BIAS.ABLATION.FRACTIONS", ["half"]], "FRACTIONS"),
        (["BIAS.ABLATION.FACTORS", []], "FACTORS: expected some of static, dynamic, random"),
        (["BIAS.ABLATION.FACTORS", ["static", "shape"]], "FACTORS.*shape"),
        (["BIAS.ABLATION.SEEDS", []], "SEEDS"),
    ],
)
def test_options_that_make_no_sense_are_told(options, words):
    with pytest.raises(ConfigError, match=words):
        config("SLOW_motion", *options)


def test_a_layer_that_is_not_there_is_told_before_any_work(trained, monkeypatch):
    cfg = config("SLOW_motion", *trained, "BIAS.ABLATION.LAYER", "s5.pathway0_res")
    monkeypatch.setattr("slowfast_bias.datasets.toy.dataset.Toyvideos.clip", None)
    with pytest.raises(ConfigError, match=r"BIAS\.ABLATION\.LAYER.*did you mean 's5.pathway0_res"):
        ablate(cfg)


def test_a_layer_of_several_pathways_needs_one_of_them(trained, tmp_path):
    cfg = config("SLOWFAST_motion", "BIAS.TOY.NUM_VAL", 4, "OUTPUT_DIR", str(tmp_path))
    model = network.build_network(cfg)
    with evaluating(model), pytest.raises(ConfigError, match="one of s5/0, s5/1, .*'s5'"):
        unit_ranking.report_for(cfg, model, "weights.pyth", {"s5": find_layer(model, "s5")})
