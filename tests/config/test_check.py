"""check_cfg: every rule speaks, with what was expected, what came and what would do."""

from __future__ import annotations

import os
import pickle

import pytest
import torch

from slowfast_bias import host
from slowfast_bias.config import ConfigError, allowed, check, check_cfg
from slowfast_bias.config.options import get_cfg

pytestmark = pytest.mark.host


@pytest.fixture
def found(tiny):
    """A function: the problems of the tiny config with changes."""
    return lambda *opts: check.find_problems(tiny(*opts, check=False))


def test_the_tiny_config_is_sound(found):
    assert found() == []


def test_an_error_names_every_problem_and_travels_between_processes(tiny):
    with pytest.raises(ConfigError) as caught:
        check_cfg(tiny("BIAS.STATISTIC", "kendall", "BIAS.THRESHOLD", 3, check=False))
    error = caught.value
    assert str(error).startswith("2 problem(s)") and isinstance(error, ValueError)
    again = pickle.loads(pickle.dumps(error))
    assert (again.problems, str(again)) == (error.problems, str(error))


@pytest.mark.parametrize("key", sorted(allowed.CHOICES))
def test_choices(found, key):
    (problem,) = found(key, "something")
    assert problem.startswith(f"{key}: expected one of {', '.join(allowed.CHOICES[key])}")
    assert "'something'" in problem


@pytest.mark.parametrize("key", sorted(allowed.RANGES))
def test_ranges(found, key):
    low, high = allowed.RANGES[key]
    wanted = f"from {low} to {high}" if high is not None else f"at least {low}"
    problems = [problem for problem in found(key, low - 1) if problem.startswith(f"{key}: ")]
    assert len(problems) == 1
    assert wanted in problems[0] and f"but got {low - 1}" in problems[0]
    if high is not None:
        assert any(f"from {low} to {high}" in problem for problem in found(key, high + 1))


def test_choices_and_ranges_name_keys_that_exist():
    cfg = get_cfg()
    for key in [*allowed.CHOICES, *allowed.RANGES]:
        assert allowed.lookup(cfg, key, "absent") != "absent", key


def test_switches_of_the_hosts_own_loop_are_refused(found):
    cfg = get_cfg()
    here = [key for key in check._NOT_IN_OUR_LOOP if allowed.lookup(cfg, key) is not None]
    assert here
    for key in here:
        (problem,) = found(key, True)
        assert problem.startswith(f"{key} True") and "set it to False" in problem


def test_two_ways_of_clipping_exclude_each_other(found):
    (problem,) = found("SOLVER.CLIP_GRAD_VAL", 1.0, "SOLVER.CLIP_GRAD_L2NORM", 1.0)
    assert "keep one" in problem
    (problem,) = found("SOLVER.CLIP_GRAD_VAL", "much")
    assert problem == "SOLVER.CLIP_GRAD_VAL: expected a number, but got 'much'"


def test_schedules_that_the_hosts_would_stumble_over(found):
    (problem,) = found("SOLVER.COSINE_END_LR", 0.5)
    assert problem.startswith("SOLVER.COSINE_END_LR 0.5: expected less than SOLVER.BASE_LR")
    assert len(found("SOLVER.BASE_LR", 0.0)) == 1
    steps = ["SOLVER.LR_POLICY", "steps_with_relative_lrs"]
    assert found(*steps, "SOLVER.STEPS", [0, 4], "SOLVER.LRS", [1, 0.1]) == []
    for epochs in ([4, 8], [0], [0, 8, 4], []):
        (problem,) = found(*steps, "SOLVER.STEPS", epochs, "SOLVER.LRS", [1, 0.1])
        assert "rise from 0" in problem


# -- networks ------------------------------------------------------------------------------------


def test_a_missing_capability_is_named_with_the_way_to_get_it(found):
    lacking = sorted({"x3d", "mvit", "ptv"} - host.capabilities)
    for word in lacking:
        opts = ["MODEL.MODEL_NAME", "PTVResNet"] if word == "ptv" else ["MODEL.ARCH", word]
        (problem,) = found(*opts)
        assert f"needs the capability {word!r}" in problem
        assert f"SlowFast {host.name}" in problem and host.remedy in problem
        assert "slowfast" in problem.partition("it has")[2]


def test_an_unknown_architecture_is_named_with_those_there_are(found):
    assert "needs the capability 'resnet'" in found("MODEL.ARCH", "resnet")[0]


def test_the_remedy_of_the_release_names_the_checkout():
    if host.name == "pypi":
        assert "SLOWFAST_MAIN" in host.remedy


def test_each_pathway_needs_its_channels(found):
    assert "expected 1 number(s)" in found("DATA.INPUT_CHANNEL_NUM", [3, 3])[0]
    assert "expected 2 number(s)" in found("MODEL.ARCH", "slowfast")[0]


def test_depths(found):
    assert "RESNET.DEPTH: expected 18, 50 or 101, but got 34" in found("RESNET.DEPTH", 34)
    (problem,) = found("RESNET.NUM_BLOCK_TEMP_KERNEL", [[3], [4], [6], [3]])
    assert "[[2], [2], [2], [2]]" in problem


def test_heads_of_the_release_end_in_a_softmax(found):
    problems = found("MODEL.HEAD_ACT", "sigmoid")
    assert bool(problems) == (host.name == "pypi")


def test_tasks_and_several_samples_a_clip_are_refused_where_they_exist(found):
    for key, value in (("TASK", "ssl"), ("AUG.NUM_SAMPLE", 2)):
        if allowed.lookup(get_cfg(), key) is not None:
            assert found(key, value)[0].startswith(key)


# -- processes -----------------------------------------------------------------------------------


def test_more_gpus_than_there_are(found, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    (problem,) = found("NUM_GPUS", 4)
    assert problem == "NUM_GPUS 4: this machine has 2; set NUM_GPUS to 2 or fewer"
    assert found("NUM_GPUS", 2) == []


def test_more_cpu_processes_than_cores(found, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    (problem,) = found("NUM_GPUS", 4)
    assert "no GPU" in problem and "2 cores" in problem and "NUM_GPUS 0" in problem
    assert found("NUM_GPUS", 2) == []


@pytest.mark.parametrize("gpus", [0, 1])
def test_shards_without_a_process_group_are_refused(found, gpus):
    (problem,) = found("NUM_GPUS", gpus, "NUM_SHARDS", 2)
    assert "2 unsynchronised copies into one OUTPUT_DIR" in problem and "torchrun" in problem


def test_shards_under_torchrun_or_srun_are_fine(found, monkeypatch):
    with monkeypatch.context() as torchrun:
        for key, value in (("RANK", "0"), ("WORLD_SIZE", "2"), ("LOCAL_WORLD_SIZE", "1")):
            torchrun.setenv(key, value)
        assert found("NUM_SHARDS", 2) == []
    monkeypatch.setenv("SLURM_PROCID", "0")
    monkeypatch.setenv("SLURM_NTASKS", "2")
    assert found("NUM_SHARDS", 2) == []


def test_the_number_of_a_shard(found):
    assert "SHARD_ID 2: expected 0 to 1 with NUM_SHARDS 2" in found(
        "NUM_GPUS", 2, "NUM_SHARDS", 2, "SHARD_ID", 2
    )


@pytest.mark.parametrize("key", ["TRAIN.BATCH_SIZE", "TEST.BATCH_SIZE", "BIAS.BATCH_SIZE"])
def test_batches_must_divide_among_the_processes(found, monkeypatch, key):
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    (problem,) = found("NUM_GPUS", 2, key, 7)
    assert problem == f"{key} 7 is not divisible by the 2 processes of a machine; try 6"
    for name, value in (("RANK", "0"), ("WORLD_SIZE", "4"), ("LOCAL_WORLD_SIZE", "4")):
        monkeypatch.setenv(name, value)
    assert f"{key} 7 is not divisible by the 4 processes of a machine; try 4" in found(key, 7)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("DATA", "ENSEMBLE_METHOD", "max"),
        ("TRAIN", "CHECKPOINT_CLEAR_NAME_PATTERN", ("backbone.",)),
    ],
)
def test_keys_of_main_that_our_loop_would_ignore_are_refused(section, key, value):
    cfg = get_cfg()
    cfg[section][key] = value  # the release has no such key, so `found` cannot set it
    assert [x for x in check.find_problems(cfg) if x.startswith(f"{section}.{key}")]
