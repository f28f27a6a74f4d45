"""A GPU changes the seconds, not the numbers: each flow on one is compared with the CPU's."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import pytest
import torch
from support.segments import TOY

import slowfast_bias
from slowfast_bias import engine
from slowfast_bias.bias import BiasReport
from slowfast_bias.engine.measuring.measurement import measure_networks
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.models.families import family_of
from slowfast_bias.outputs import Outputs

SMALL = ["BIAS.ENABLE", True, "BIAS.TOY.NUM_VAL", 40, "TEST.BATCH_SIZE", 8]
pytestmark = [
    pytest.mark.host,
    pytest.mark.gpu,
    pytest.mark.filterwarnings("ignore:fewer than 500 pairs"),
]


def measured(cfg):
    model = engine.trained_network(cfg)
    return measure_networks(cfg, {"net": model}, "config")["net"]


def biggest_change(a, b):
    assert list(a.layers) == list(b.layers)
    return max(
        (a[layer].correlation[factor] - b[layer].correlation[factor]).abs().nan_to_num(0).max()
        for layer in a.layers
        for factor in ("static", "dynamic")
    )


@pytest.fixture
def on(trained_toy):
    """A function (device, name, *options): the config of a toy network trained on the CPU."""

    def config(device, name="SLOW_motion", *options):
        trained_toy(name)
        return trained_toy(name, *SMALL, "NUM_GPUS", int(device == "cuda"), *options)

    return config


@pytest.mark.parametrize("name", ["SLOW_motion", "SLOW_texture"])
def test_a_measurement_is_that_of_the_cpu(on, name):
    cpu, gpu = (measured(on(device, name)) for device in ("cpu", "cuda"))
    assert gpu.meta["device"] == torch.cuda.get_device_name()
    assert (gpu.meta["precision"], "tf32" in gpu.meta) == ("fp32", False)
    assert gpu.meta["forwards"] != [] and "channels last" not in gpu.meta["forwards"]
    assert 0 < biggest_change(cpu, gpu) < 1e-3


@pytest.mark.parametrize(("precision", "bound"), [("tf32", 0.05), ("bf16", 0.2)])
def test_rounded_arithmetic_is_named_and_close(on, precision, bound):
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    exact = measured(on("cuda"))
    rounded = measured(on("cuda", "SLOW_motion", "BIAS.PRECISION", precision))
    assert (exact.meta["precision"], rounded.meta["precision"]) == ("fp32", precision)
    assert 0 < biggest_change(exact, rounded) < bound
    assert (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32) == before


def test_a_gpu_out_of_memory_halves_the_batch_to_the_same_numbers(on, monkeypatch, caplog):
    monkeypatch.setattr(logging.getLogger("slowfast_bias"), "propagate", True)
    words = "SLOW_motion", "BIAS.TOY.NUM_VAL", 256, "BIAS.BATCH_SIZE"
    sizes = {size: on("cuda", *words, size) for size in (8, 256)}
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    few = measured(sizes[8])
    room = int(1.25 * torch.cuda.max_memory_allocated())
    measured(sizes[256])
    assert torch.cuda.max_memory_allocated() > 2 * room, "the whole batch has room, too"
    torch.cuda.empty_cache()
    share = room / torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(share)
    try:
        halved = measured(sizes[256])
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "out of memory with 256 videos at once" in caplog.text
    assert biggest_change(few, halved) < 1e-3


def test_accuracies_are_those_of_the_cpu(on):
    assert engine.test(on("cpu")) == engine.test(on("cuda"))


@pytest.mark.parametrize("mixed", [False, True])
def test_training_continues_as_unbroken(tiny, tmp_path, mixed):
    words = ["NUM_GPUS", 1, "TRAIN.MIXED_PRECISION", mixed, "BIAS.TOY.NUM_TRAIN", 32]
    engine.train(tiny(*words, "OUTPUT_DIR", str(tmp_path / "a")))
    first, last = (f"checkpoints/checkpoint_epoch_0000{n}.pyth" for n in (1, 2))
    (tmp_path / "b/checkpoints").mkdir(parents=True)
    shutil.copy(tmp_path / "a" / first, tmp_path / "b" / first)
    engine.train(tiny(*words, "OUTPUT_DIR", str(tmp_path / "b")))
    whole, broken, before = (
        torch.load(tmp_path / path, map_location="cpu", weights_only=True)
        for path in (f"a/{last}", f"b/{last}", f"a/{first}")
    )
    assert set(whole) == set(broken)
    assert whole.get("scaler_state") == broken.get("scaler_state")
    moved, apart = (
        sum((a[key].double() - b[key].double()).square().sum() for key in a)
        for a, b in (
            (whole["model_state"], before["model_state"]),
            (whole["model_state"], broken["model_state"]),
        )
    )
    # sums of a GPU's backward pass have no fixed order, so that no two runs are equal
    assert apart < 1e-2 * moved
    cpu = tiny("TEST.CHECKPOINT_FILE_PATH", str(tmp_path / "a" / last))
    assert next(engine.trained_network(cpu).parameters()).device.type == "cpu"


EVERYTHING = [
    "TRAIN.ENABLE", False, "TEST.ENABLE", True, "BIAS.ENABLE", True, "BIAS.SHUFFLE.TEST", True,
    "BIAS.ABLATION.ENABLE", True, "BIAS.BEHAVIOUR.ENABLE", True, "BIAS.TOP_CLIPS", 2,
    "BIAS.BASELINE", True, "BIAS.EFFECT", True,
]  # fmt: skip
# What differs between two machines, and ranks of clips that a rounding may exchange.
OWN = {
    "seconds",
    "report",
    "device",
    "tf32",
    "forwards",
    "config",
    "checkpoint",
    "weights",
    "top",
    "bottom",
}


def results_of(folder):
    return {
        str(path.relative_to(folder)): json.loads(path.read_text())
        for path in sorted(Path(folder).rglob("*.json"))
    }


def differences_of(a, b, where=""):
    """Yields the places where two results say something else."""
    if isinstance(a, dict) and isinstance(b, dict):
        if a.keys() - OWN != b.keys() - OWN:
            yield f"{where}: {sorted(a.keys() ^ b.keys())}"
        for key in (a.keys() & b.keys()) - OWN:
            yield from differences_of(a[key], b[key], f"{where}/{key}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for k, pair in enumerate(zip(a, b, strict=True)):
            yield from differences_of(*pair, f"{where}/{k}")
    elif isinstance(a, float) and isinstance(b, float):
        if abs(a - b) > 0.02 * max(1.0, abs(a)):
            yield f"{where}: {a} and {b}"
    elif a != b:
        yield f"{where}: {a} and {b}"


def test_every_flow_gives_the_results_of_the_cpu(on, tmp_path):
    checkpoint = sorted(Path(on("cpu").OUTPUT_DIR).glob("checkpoints/*.pyth"))[-1]
    found = []
    for device in ("cpu", "cuda"):
        out = str(tmp_path / device)
        own = ["TEST.CHECKPOINT_FILE_PATH", str(checkpoint), "OUTPUT_DIR", out]
        engine.run(on(device, "SLOW_motion", *EVERYTHING, *own, "BIAS.TOY.NUM_TEST", 32))
        found.append(results_of(out))
    assert len(found[0]) >= 5
    assert list(differences_of(*found)) == []


@pytest.mark.parametrize("name", ["SLOWFAST_motion", "2D_noise", "C2D_motion", "I3D_motion"])
def test_networks_at_random_are_measured_as_on_the_cpu(name):
    words = [*SMALL, "BIAS.TOY.NUM_VAL", 16]
    reports = []
    for gpus in (0, 1):
        cfg = engine.load_cfg(f"configs/Toy/{name}.yaml", [*words, "NUM_GPUS", gpus])
        torch.manual_seed(0)
        model = network.build_network(cfg)
        reports.append(measure_networks(cfg, {"net": model}, "config")["net"])
    assert 0 < biggest_change(*reports) < 1e-2


def test_units_are_maximised_to_what_the_cpu_finds(on, tmp_path):
    words = [
        "TRAIN.ENABLE", False, "TEST.ENABLE", False, "BIAS.ENABLE", False,
        "BIAS.MAXIMISE.ENABLE", True, "BIAS.MAXIMISE.LAYER", "s5", "BIAS.MAXIMISE.STEPS", 60,
        "BIAS.MAXIMISE.UNITS", ["0", "class:0"], "BIAS.MAXIMISE.SEEDS", [0],
        "BIAS.MAXIMISE.SPEEDS", ["unconstrained", "frozen"], "BIAS.MAXIMISE.NUM_VIDEOS", 32,
    ]  # fmt: skip
    checkpoint = sorted(Path(on("cpu").OUTPUT_DIR).glob("checkpoints/*.pyth"))[-1]
    found = []
    for device in ("cpu", "cuda"):
        own = ["TEST.CHECKPOINT_FILE_PATH", str(checkpoint), "OUTPUT_DIR", str(tmp_path / device)]
        cfg = on(device, "SLOW_motion", *words[:6], *own, *words[6:])
        engine.run(cfg)
        found.append(results_of(cfg.OUTPUT_DIR)["maximised.json"]["data"]["units"])
    for cpu, gpu in zip(*found, strict=True):
        assert (cpu["unit"], gpu["failed"]) == (gpu["unit"], None)
        assert gpu["natural_max"] == pytest.approx(cpu["natural_max"], rel=1e-2)
        for speed, numbers in cpu["by_speed"].items():  # another path upwards, as high
            assert gpu["by_speed"][speed]["ratio"] == pytest.approx(numbers["ratio"], rel=0.3)


@pytest.mark.parametrize("kind", ["flow_jitter", "flow_swap"])
def test_masks_are_learnt_measured_and_tested(tiny, tmp_path, kind):
    words = [*TOY, "BIAS.ENABLE", True, "BIAS.PAIRS", kind, "SOLVER.MAX_EPOCH", 1]
    words += ["BIAS.ABLATION.ENABLE", True, "BIAS.ABLATION.LAYERS", ["fuse5"]]
    words += ["BIAS.BEHAVIOUR.ENABLE", True, "BIAS.MASKS.CENTRE", "test"]
    out = ["OUTPUT_DIR", str(tmp_path / "gpu")]
    found = engine.run(tiny(*words, *out, "NUM_GPUS", 1))
    alone = ["TRAIN.ENABLE", False, "TEST.CHECKPOINT_FILE_PATH", found["test"].checkpoint]
    cpu = engine.run(tiny(*words, *alone, "OUTPUT_DIR", str(tmp_path / "cpu")))
    assert biggest_change(found["measure"], cpu["measure"]) < 2e-2
    there, here = (run["test"].figures.compute()["J_err"] for run in (found, cpu))
    assert there == pytest.approx(here, abs=1.0)


def test_static_dropout_and_two_pathways_train(tmp_path):
    words = [*SMALL, "NUM_GPUS", 1, "SOLVER.MAX_EPOCH", 1, "OUTPUT_DIR", str(tmp_path)]
    words += ["BIAS.STATIC_DROPOUT.ENABLE", True, "BIAS.PERIOD", 1, "BIAS.TOY.NUM_TRAIN", 32]
    found = engine.run(engine.load_cfg("configs/Toy/SLOWFAST_motion.yaml", words))
    assert found["measure"].meta["device"] == torch.cuda.get_device_name()


def test_a_network_of_ones_own_is_measured_as_on_the_cpu():
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv3d(3, 8, 3, stride=2), torch.nn.ReLU(), torch.nn.Conv3d(8, 8, 3)
    )
    clips = torch.rand(12, 3, 8, 32, 32)
    cpu = slowfast_bias.measure(net, clips, layers=["0", "2"], progress=False)
    gpu = slowfast_bias.measure(net.cuda(), clips, layers=["0", "2"], progress=False)
    assert biggest_change(cpu, gpu) < 1e-3


def test_one_step_of_training_is_that_of_the_cpu(tiny):
    losses = []
    for gpus in (0, 1):
        cfg = tiny("NUM_GPUS", gpus)
        torch.manual_seed(0)
        model = network.build_network(cfg)
        torch.manual_seed(0)
        x = torch.rand(4, 3, 8, 32, 32).to(next(model.parameters()).device)
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            scores = family_of(model).call(model.train(), make_task(cfg, model).pack(x))
            loss = torch.nn.functional.cross_entropy(scores, torch.arange(4, device=x.device))
            loss.backward()
        grads = torch.cat([p.grad.flatten().cpu() for p in model.parameters()])
        losses.append((loss.detach().cpu(), grads))
    (cpu, cpu_grads), (gpu, gpu_grads) = losses
    torch.testing.assert_close(cpu, gpu, rtol=1e-4, atol=1e-5)
    assert (cpu_grads - gpu_grads).norm() < 1e-2 * cpu_grads.norm()


GROUP = """
import sys
import torch.distributed as dist
from slowfast_bias import cli
dist.init_process_group("nccl", init_method="file://" + sys.argv[1], rank=0, world_size=1)
status = cli.main(sys.argv[2:])
print("backend", dist.get_backend())
dist.destroy_process_group()
sys.exit(status)
"""


def test_a_group_that_talks_by_nccl_gives_the_same_report(on, tmp_path, run_python):
    cfg = on("cuda")
    path = tmp_path / "config.yaml"
    path.write_text(cfg.dump())
    checkpoint = sorted(Path(cfg.OUTPUT_DIR).glob("checkpoints/*.pyth"))[-1]
    options = ["TRAIN.ENABLE", False, "TEST.ENABLE", False, "BIAS.BASELINE", False]
    options += ["TEST.CHECKPOINT_FILE_PATH", checkpoint, "OUTPUT_DIR", tmp_path / "out"]
    done = run_python(GROUP, tmp_path / "store", "run", "--cfg", path, *options)
    assert "backend nccl" in done.stdout
    report = BiasReport.load(Outputs(str(tmp_path / "out")).report())
    assert biggest_change(report, measured(cfg)) < 1e-3
