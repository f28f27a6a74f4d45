"""check_cfg: every rule speaks, with what was expected, what came and what would do."""

from __future__ import annotations

import os
import pickle

import pytest
import torch
from support.networks import MVIT

from slowfast_bias import host
from slowfast_bias.config import ConfigError, check, check_cfg, check_training, load_cfg
from slowfast_bias.config.check import find_problems
from slowfast_bias.config.check_training import _NOT_IN_OUR_LOOP
from slowfast_bias.config.lookup import lookup
from slowfast_bias.config.options import BIAS_OPTIONS, HOST_OPTIONS, find_option, get_cfg

pytestmark = pytest.mark.host

OPTIONS = (*BIAS_OPTIONS, *HOST_OPTIONS)


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


@pytest.mark.parametrize("key", sorted(option.key for option in OPTIONS if option.choices))
def test_choices(found, key):
    choices = find_option(key).choices
    (problem,) = found(key, "something")
    assert problem.startswith(f"{key}: expected one of {', '.join(choices)}")
    assert "'something'" in problem


@pytest.mark.parametrize("key", sorted(option.key for option in OPTIONS if option.low is not None))
def test_ranges(found, key):
    low, high = find_option(key).low, find_option(key).high
    wanted = f"from {low} to {high}" if high is not None else f"at least {low}"
    problems = [problem for problem in found(key, low - 1) if problem.startswith(f"{key}: ")]
    assert len(problems) == 1
    assert wanted in problems[0] and f"but got {low - 1}" in problems[0]
    if high is not None:
        assert any(f"from {low} to {high}" in problem for problem in found(key, high + 1))


def test_choices_and_ranges_name_keys_that_exist():
    cfg = get_cfg()
    keys = [option.key for option in OPTIONS]
    assert len(set(keys)) == len(keys)
    for option in OPTIONS:
        value = lookup(cfg, option.key, "absent")
        assert value != "absent", option.key
        assert option.wrong(value) is None or option in HOST_OPTIONS, option.key
        assert option.low is None or option.high is None or option.low < option.high


def test_every_key_of_ours_has_its_default_and_a_meaning():
    cfg = get_cfg()
    for option in BIAS_OPTIONS:
        assert lookup(cfg, option.key) == option.default and option.doc.endswith(".")
    cfg.BIAS.LAYERS.append("x")  # a default is never shared
    assert get_cfg().BIAS.LAYERS == ["auto"]


def test_switches_of_the_hosts_own_loop_are_refused(found):
    cfg = get_cfg()
    here = [key for key in (*check._NOT_HERE, *_NOT_IN_OUR_LOOP) if lookup(cfg, key) is not None]
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
    for epochs in ([4, 8], [0, 8, 4], [], [0, 4, 8], ["a"]):
        (problem,) = found(*steps, "SOLVER.STEPS", epochs, "SOLVER.LRS", [1, 0.1])
        assert "rise from 0" in problem


def test_more_rates_than_steps_are_named_but_run_as_in_the_hosts(tiny, caplog):
    steps = ["SOLVER.LR_POLICY", "steps_with_relative_lrs", "SOLVER.STEPS", [0, 1]]
    cfg = tiny(*steps, "SOLVER.LRS", [1, 0.1, 0.01, 0.001])
    assert "no epoch uses [0.01, 0.001]" in caplog.text
    assert [host.lr_at(epoch, cfg) for epoch in (0.5, 1.5)] == pytest.approx([0.01, 0.001])


NEEDED_TO_TRAIN = [
    ("SOLVER.COSINE_END_LR", 0.5), ("SOLVER.NESTEROV", True), ("BIAS.STATIC_DROPOUT.ENABLE", True),
    ("MIXUP.ENABLE", True), ("AUG.NUM_SAMPLE", 2), ("MULTIGRID.SHORT_CYCLE", True),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), NEEDED_TO_TRAIN)
def test_what_training_alone_needs_is_checked_only_when_training(tiny, found, key, value):
    if lookup(get_cfg(), key) is None:
        pytest.skip(f"this host has no {key}")
    more = ["SOLVER.MOMENTUM", 0.0] if key == "SOLVER.NESTEROV" else []
    more += ["BIAS.STATIC_DROPOUT.RATE", 1.0] if "STATIC_DROPOUT" in key else []
    assert len(found(key, value, *more)) == 1
    assert found(key, value, *more, "TRAIN.ENABLE", False) == []
    with pytest.raises(ConfigError):  # engine.train asks, whatever TRAIN.ENABLE is
        check_training(tiny(key, value, *more, "TRAIN.ENABLE", False))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("RESNET.NUM_BLOCK_TEMP_KERNEL", [2]),
        ("RESNET.NUM_BLOCK_TEMP_KERNEL", [[], [], [], []]),
        ("RESNET.NUM_BLOCK_TEMP_KERNEL", [["a"]]),
        ("RESNET.NUM_BLOCK_TEMP_KERNEL", []),
        ("RESNET.NUM_BLOCK_TEMP_KERNEL", [[2], [2]]),
        ("RESNET.NUM_BLOCK_TEMP_KERNEL", [[True], [2], [2], [2]]),
        ("RESNET.SPATIAL_STRIDES", [1]),
        ("RESNET.SPATIAL_DILATIONS", [[1]]),
        ("DATA.INPUT_CHANNEL_NUM", ["a"]),
        ("DATA.INPUT_CHANNEL_NUM", [[3]]),
        ("BIAS.LAYERS", [1]),
        ("BIAS.LAYERS", [[1]]),
        ("BIAS.STYLES.DIRS", [[1], [2]]),
        ("BIAS.DATA.LISTS", [1, 2, 3]),
        ("BIAS.ABLATION.FACTORS", [[1]]),
        ("BIAS.ABLATION.FRACTIONS", ["a"]),
        ("BIAS.ABLATION.SEEDS", [[0]]),
        ("DATA.TRAIN_JITTER_SCALES", ["a", "b"]),
        ("DATA.MEAN", [[1], 2, 3]),
        ("BIAS.STATISTIC", "[1]"),
    ],
)
def test_values_of_odd_shape_are_problems_and_no_exceptions(found, key, value):
    problems = found(key, value)
    assert len(problems) == 1 and problems[0].startswith(f"{key}: ")


def test_a_separator_that_is_no_text_is_a_problem(tmp_path):
    (tmp_path / "a.yaml").write_text("DATA: {PATH_LABEL_SEPARATOR: 4.5}\nNUM_GPUS: 0\n")
    try:
        cfg = load_cfg(tmp_path / "a.yaml")
    except ConfigError as error:
        assert "DATA.PATH_LABEL_SEPARATOR" in str(error)
    else:  # the host's default is text, so that the number has become text
        assert cfg.DATA.PATH_LABEL_SEPARATOR == "4.5"


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
        if lookup(get_cfg(), key) is not None:
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


def test_a_network_of_one_size_names_the_clips_that_do_not_fit(tiny):
    assert not find_problems(tiny(*MVIT))
    (problem,) = find_problems(tiny(*MVIT, "DATA.TEST_CROP_SIZE", 64, check=False))
    assert "DATA.TEST_CROP_SIZE 64: MViT takes the size alone" in problem and " 32" in problem
    (problem,) = find_problems(tiny(*MVIT, "DATA.NUM_FRAMES", 7, check=False))
    assert "multiples of [2, 4, 4]" in problem
