"""The measurement through a host: exact laws, invariances, and its files."""

import json

import pytest
import torch

from slowfast_bias import BiasReport, engine, host
from slowfast_bias.bias import evaluating, tapped
from slowfast_bias.bias.origin import is_reference
from slowfast_bias.config import ConfigError
from slowfast_bias.datasets.contract import Sample
from slowfast_bias.datasets.source_clips import SourceClips, spread
from slowfast_bias.engine.measuring.layers import make_taps
from slowfast_bias.engine.measuring.measurement import measure_networks
from slowfast_bias.engine.measuring.probe import Probe
from slowfast_bias.engine.setup import checkpoint, network

TINY = ["NUM_GPUS", 0, "BIAS.TOY.NUM_VAL", 12, "BIAS.TOY.NUM_TRAIN", 16, "TEST.BATCH_SIZE", 4]
pytestmark = pytest.mark.filterwarnings("ignore:fewer than 500 pairs")


def config(name="SLOW_motion", *options):
    return engine.load_cfg(f"configs/Toy/{name}.yaml", [*TINY, *options])


def measured(*options, name="SLOW_motion"):
    cfg = config(name, *options)
    return measure_networks(cfg, {"net": network.build_network(cfg)}, "config")["net"]


def biggest_change(a, b):
    """The largest difference of any unit score that is not dead in either report."""
    assert list(a.layers) == list(b.layers)
    gaps = [
        (a[layer].correlation[f] - b[layer].correlation[f]).abs().nan_to_num(0).max().item()
        for layer in a.layers
        for f in ("static", "dynamic")
    ]
    return max(gaps)


def test_without_temporal_kernels_and_pooling_static_is_one():
    report = measured("BIAS.REUSE_PREFIX", False, name="2D_motion")
    for layer in report.layers.values():
        assert layer.score("static") == pytest.approx(1.0, abs=1e-6)


def test_temporal_kernels_are_noticed():
    report = measured()
    assert report["s3"].score("static") == pytest.approx(1.0, abs=1e-6)
    assert report["s5"].score("static") < 0.99


@pytest.mark.parametrize(
    "options", [("TEST.BATCH_SIZE", 5), ("TEST.BATCH_SIZE", 1), ("DATA_LOADER.NUM_WORKERS", 2)]
)
def test_batch_size_and_workers_change_no_number(options):
    assert biggest_change(measured(), measured(*options)) < 1e-5


def test_reusing_frame_wise_stages_changes_no_number():
    with_reuse, without = measured(), measured("BIAS.REUSE_PREFIX", False)
    assert with_reuse.meta["reused_stages"][:1] == ["s1"]
    assert without.meta["reused_stages"] == []
    assert biggest_change(with_reuse, without) < 1e-6


def test_a_reuse_that_would_change_numbers_is_found_and_left_off(monkeypatch):
    # a prefix that is wrong: s4 looks across time
    wrong = lambda model, inside: ["s1", "s2", "pathway0_pool", "s3", "s4"]  # noqa: E731
    monkeypatch.setattr("slowfast_bias.engine.measuring.probe.frame_wise_prefix", wrong)
    mended = measured()
    monkeypatch.undo()
    assert biggest_change(mended, measured("BIAS.REUSE_PREFIX", False)) < 1e-6
    assert mended.meta["reused_stages"] == []


def test_bias_seed_changes_the_pairs_and_global_seeds_do_not():
    torch.manual_seed(1)
    first = measured()
    torch.manual_seed(2)
    assert biggest_change(first, measured()) == 0
    assert biggest_change(first, measured("BIAS.SEED", 1)) > 1e-4


def test_measuring_leaves_no_trace_on_the_network():
    cfg = config()
    model = network.build_network(cfg)
    model.train()
    model.s3.eval()
    modes = [module.training for module in model.modules()]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    measure_networks(cfg, {"net": model}, "config")
    assert modes == [module.training for module in model.modules()]
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in model.modules())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SLOW_motion", ["s1", "s2", "s3", "s4", "s5", "head"]),
        ("SLOWFAST_motion", [f"s{i}/{p}" for i in range(1, 6) for p in (0, 1)] + ["head"]),
    ],
)
def test_auto_layers_are_stages_pathways_and_what_the_classifier_sees(name, expected):
    report = measured("BIAS.NUM_VIDEOS", 4, name=name)
    assert list(report.layers) == expected
    last = [report[layer].channels for layer in expected if layer.startswith("s5")]
    assert report["head"].channels == sum(last)


def test_slowfast_is_read_before_fusion():
    cfg = config("SLOWFAST_motion")
    model = network.build_network(cfg)
    width = cfg.RESNET.WIDTH_PER_GROUP
    report = measure_networks(cfg, {"net": model}, "config")["net"]
    assert report["s1/0"].channels == width  # after the fusion it would be wider


def test_layers_by_name_and_a_typo():
    cfg = config("SLOW_motion", "BIAS.LAYERS", ["s4", "s5.pathway0_res0.branch2.a", "head"])
    model = network.build_network(cfg)
    assert [t.label for t in make_taps(model, cfg.BIAS.LAYERS)][1] == "s5.pathway0_res0.branch2.a"
    measure_networks(cfg, {"net": model}, "config")
    with pytest.raises(ValueError, match=r"s5\.pathway0_res0"):
        wrong = config("SLOW_motion", "BIAS.LAYERS", ["s5.pathway0_res_0"])
        measure_networks(wrong, {"net": model}, "config")


def test_auto_reads_what_the_classifier_multiplies():
    cfg = config()
    model = network.build_network(cfg).eval()
    x = [torch.randn(2, 3, 8, 32, 32)]
    with torch.no_grad(), tapped(model, make_taps(model, ["auto"])) as features:
        out = model(x)
    logits = model.head.projection(features["head"])
    assert torch.allclose(out, logits.softmax(1), atol=1e-6)


def test_files_of_a_run_and_the_untrained_twin(tmp_path):
    cfg = config(
        "SLOW_motion", "OUTPUT_DIR", str(tmp_path), "SOLVER.MAX_EPOCH", 1, "BIAS.BASELINE", True
    )
    engine.train(cfg)
    report = engine.measure(cfg)
    for suffix in ("json", "csv", "md", "png"):
        assert (tmp_path / "bias" / f"report.{suffix}").stat().st_size > 100
    loaded = BiasReport.load(str(tmp_path / "bias" / "report.json"))
    assert biggest_change(report, loaded) == 0
    untrained = BiasReport.load(str(tmp_path / "bias" / "untrained.json"))
    assert biggest_change(untrained, measured()) < 1e-6
    meta = json.loads((tmp_path / "bias" / "report.json").read_text())["meta"]
    assert meta["checkpoint"].endswith("checkpoint_epoch_00001.pyth")
    assert meta["styles"] == {"family": "colour", "num": 4, "seed": 0}
    assert meta["host"].endswith(host.name)
    assert meta["dropped_videos"] == []
    assert is_reference(untrained) and not is_reference(loaded)
    page = (tmp_path / "bias" / "report.md").read_text()
    assert page == loaded.to_markdown({"untrained": untrained}) and "| untrained, s5 |" in page


def test_measuring_without_weights_is_refused(tmp_path):
    with pytest.raises(checkpoint.CheckpointError, match="TEST.CHECKPOINT_FILE_PATH"):
        engine.measure(config("SLOW_motion", "OUTPUT_DIR", str(tmp_path)))


def test_an_unreadable_video_is_dropped_counted_and_named(monkeypatch):
    get, none = SourceClips.sample, Sample((), None, 3, {3: "it is torn"})
    monkeypatch.setattr(SourceClips, "sample", lambda self, i: none if i == 3 else get(self, i))
    report = measured()
    assert report.meta["dropped_videos"] == [3]
    (bad,) = report.meta["dropped_because"]
    assert (bad["path"], bad["reason"]) == ("toy video 3", "it is torn")
    assert report["s5"].pairs == dict.fromkeys(("static", "dynamic", "neither"), 11)


def test_not_a_number_names_layer_and_video(monkeypatch):
    cfg = config()
    model = network.build_network(cfg)
    model.s4.pathway0_res0.branch2.a.weight.data.fill_(float("nan"))
    with pytest.raises(ValueError, match=r"s4.*"):
        measure_networks(cfg, {"net": model}, "config")


def test_a_subset_is_spread_over_the_list():
    assert list(spread(10, 0)) == list(range(10))
    assert list(spread(10, 5)) == [0, 2, 4, 6, 8]
    assert list(spread(3, 9)) == [0, 1, 2]


def test_bf16_moves_the_scores_little_and_keeps_the_network():
    cfg = config("SLOW_motion", "BIAS.PRECISION", "bf16!")
    model = network.build_network(cfg)
    keys = list(model.state_dict())
    half = measure_networks(cfg, {"net": model}, "config")["net"]
    full = measure_networks(config(), {"net": model}, "config")["net"]
    assert list(model.state_dict()) == keys
    for layer in full.layers:
        for factor in ("static", "dynamic"):
            assert half[layer].score(factor) == pytest.approx(full[layer].score(factor), abs=0.05)
    assert biggest_change(half, full) > 0  # it really ran in bf16


def test_a_folded_copy_computes_the_same_in_fp32():
    cfg = config()
    model = network.build_network(cfg)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name.endswith(("running_mean", "running_var")):
                value.uniform_(0.5, 1.5)
    fast = Probe(config("SLOW_motion", "BIAS.PRECISION", "bf16!"), model).model
    x = [torch.randn(2, 3, 8, 32, 32)]
    with evaluating(model), torch.no_grad():
        assert torch.allclose(model(list(x)), fast(list(x)), atol=1e-5)


@pytest.mark.ddp
def test_two_processes_give_the_report_of_one(tmp_path, two_ranks):
    cfg = config("SLOW_motion", "OUTPUT_DIR", str(tmp_path), "SOLVER.MAX_EPOCH", 1)
    engine.train(cfg)
    options = ("OUTPUT_DIR", str(tmp_path), "BIAS.TOY.NUM_VAL", 11)
    one = engine.measure(config("SLOW_motion", *options))
    two, same = two_ranks.run(engine.measure, config("SLOW_motion", *options, "NUM_GPUS", 2))
    assert two.meta["processes"] == 2 and biggest_change(two, same) == 0
    assert two["s5"].pairs == dict.fromkeys(("static", "dynamic", "neither"), 11)
    assert biggest_change(one, two) < 1e-5


@pytest.mark.parametrize(
    ("name", "order"),
    [("SLOWFAST_motion", "clip"), ("SLOW_motion", "clip"), ("SLOW_motion", "pathway")],
)
def test_the_effect_of_the_order_is_a_fourth_view_that_changes_no_other_number(name, order):
    plain, report = (
        measured("BIAS.EFFECT", on, "BIAS.ORDER", order, name=name) for on in (False, True)
    )
    assert "order_share" not in plain["head"].measured
    for name, layer in report.layers.items():
        for score in plain[name].measured:
            assert layer.score(score) == plain[name].score(score)
            assert layer.score_error(score) == plain[name].score_error(score)
    assert 0 < report["head"].score("order_share") <= 1
    assert "order share" in report.table() and "order share" not in plain.table()


def test_reusing_stages_does_not_change_the_effect_of_the_order():
    full, reused = (measured("BIAS.EFFECT", True, "BIAS.REUSE_PREFIX", on) for on in (False, True))
    assert reused.meta["reused_stages"]
    for name, layer in full.layers.items():
        for score in ("order_share", "order_agreement"):
            a, b = layer.score(score), reused[name].score(score)
            assert a == pytest.approx(b, abs=1e-5, nan_ok=True), (name, score)


def test_layers_are_named_by_pattern_and_what_matches_nothing_is_named():
    assert list(measured("BIAS.LAYERS", "['s5', 's*']").layers) == ["s1", "s2", "s3", "s4", "s5"]
    with pytest.raises(
        ConfigError, match=r"BIAS.LAYERS: Expected a module of .* but got 'block\*'"
    ):
        measured("BIAS.LAYERS", "['block*']")


def test_the_report_says_how_layers_were_read_and_what_is_recognised():
    report = measured("BIAS.TOY.NUM_VAL", 130)
    assert set(report.meta["layers_read"]) == set(report.layers)
    assert report.meta["layers_read"]["s5"].endswith("as (B, C, ?, ?, ?)")
    assert report.meta["recognition"]["clips"] == 44  # every third of 130
    small, odd = (measured("TEST.BATCH_SIZE", n).meta["recognition"] for n in (4, 5))
    assert small == pytest.approx(odd, abs=1e-5)
