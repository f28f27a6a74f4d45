"""A GPU changes the seconds, not the numbers: each flow on one is compared with the CPU's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from slowfast_bias import engine
from slowfast_bias.engine.measuring.measurement import measure_networks
from slowfast_bias.engine.setup import network
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.models.families import family_of

ROOT = Path(__file__).resolve().parent.parent.parent
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


def on_both(trained_toy, tmp_path, name, *options):
    trained_toy(name)  # on the CPU, once
    return [trained_toy(name, *SMALL, *options, "NUM_GPUS", gpus) for gpus in (0, 1)]


@pytest.mark.parametrize("name", ["SLOW_motion", "SLOW_texture"])
def test_a_measurement_is_that_of_the_cpu(trained_toy, tmp_path, name):
    cpu, gpu = (measured(cfg) for cfg in on_both(trained_toy, tmp_path, name))
    assert gpu.meta["device"] == torch.cuda.get_device_name()
    assert (gpu.meta["precision"], "tf32" in gpu.meta) == ("fp32", False)
    assert gpu.meta["forwards"] != [] and "channels last" not in gpu.meta["forwards"]
    assert 0 < biggest_change(cpu, gpu) < 1e-3


def test_rounded_arithmetic_is_named_and_close(trained_toy, tmp_path):
    cpu = measured(on_both(trained_toy, tmp_path, "SLOW_motion")[0])
    for precision, bound in (("tf32", 0.05), ("bf16", 0.2)):
        options = "BIAS.PRECISION", precision
        rounded = measured(on_both(trained_toy, tmp_path, "SLOW_motion", *options)[1])
        assert rounded.meta["precision"] == precision
        assert 0 < biggest_change(cpu, rounded) < bound


def test_measuring_leaves_the_arithmetic_as_it_was(trained_toy, tmp_path):
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    measured(on_both(trained_toy, tmp_path, "SLOW_motion")[1])
    assert (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32) == before


def test_a_gpu_out_of_memory_halves_the_batch_to_the_same_numbers(trained_toy, tmp_path, capfd):
    cfg = on_both(trained_toy, tmp_path, "SLOW_motion")[1]
    cfg.defrost()
    small = cfg.clone()
    small.BIAS.BATCH_SIZE, cfg.BIAS.BATCH_SIZE = 4, 32
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    alone = measured(small)
    room = torch.cuda.max_memory_reserved() + 2**21
    torch.cuda.empty_cache()
    share = room / torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(share)
    try:
        halved = measured(cfg)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "out of memory with 32 videos at once" in capfd.readouterr().out
    assert biggest_change(alone, halved) < 1e-3


def test_accuracies_are_those_of_the_cpu(trained_toy, tmp_path):
    found = []
    for cfg in on_both(trained_toy, tmp_path, "SLOW_motion", "BIAS.TOY.NUM_TEST", 32):
        found.append(engine.test(cfg))
    assert found[0] == found[1]


@pytest.mark.parametrize("mixed", [False, True])
def test_training_learns_saves_and_continues_as_unbroken(tiny, tmp_path, mixed):
    words = ["NUM_GPUS", 1, "TRAIN.MIXED_PRECISION", mixed, "BIAS.TOY.NUM_TRAIN", 32]
    straight = tiny(*words, "OUTPUT_DIR", str(tmp_path / "a"))
    engine.train(straight)
    engine.train(tiny(*words, "OUTPUT_DIR", str(tmp_path / "b"), "SOLVER.MAX_EPOCH", 1))
    engine.train(tiny(*words, "OUTPUT_DIR", str(tmp_path / "b")))
    whole, broken = (
        torch.load(tmp_path / run / "checkpoints/checkpoint_epoch_00002.pyth", map_location="cpu")
        for run in "ab"
    )
    for key, weight in whole["model_state"].items():
        torch.testing.assert_close(weight, broken["model_state"][key], rtol=0.05, atol=5e-3)
    on_cpu = tiny(
        "TEST.CHECKPOINT_FILE_PATH", str(tmp_path / "a/checkpoints/checkpoint_epoch_00002.pyth")
    )
    assert next(engine.trained_network(on_cpu).parameters()).device.type == "cpu"


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


def test_a_group_of_one_gpu_talks_by_nccl_and_gives_the_same_report(trained_toy, tmp_path):
    alone = on_both(trained_toy, tmp_path, "SLOW_motion")[1]
    path = tmp_path / "config.yaml"
    path.write_text(alone.dump())
    code = (
        "import sys, torch.distributed as dist\n"
        "from slowfast_bias import cli\n"
        "status = cli.main(sys.argv[1:])\n"
        "print('backend', dist.get_backend())\n"
        "sys.exit(status)\n"
    )
    script = tmp_path / "run.py"
    script.write_text(code)
    command = ["-m", "torch.distributed.run", "--nproc-per-node", "1", str(script), "run"]
    options = ["TRAIN.ENABLE", False, "TEST.ENABLE", False, "BIAS.BASELINE", False]
    checkpoint = sorted(Path(alone.OUTPUT_DIR).glob("checkpoints/*.pyth"))[-1]
    options += ["TEST.CHECKPOINT_FILE_PATH", checkpoint, "OUTPUT_DIR", tmp_path / "out"]
    done = subprocess.run(
        [sys.executable, *command, "--cfg", str(path), *map(str, options)],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "backend nccl" in done.stdout
    report = json.loads((tmp_path / "out/bias/report.json").read_text())
    again = measured(alone)
    for layer, found in report["layers"].items():
        assert found["score"]["static"] == pytest.approx(again[layer].score("static"), abs=1e-4)
