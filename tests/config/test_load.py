"""Reading YAML and KEY VALUE pairs: inheritance, types, typos, keys of the other generation."""

from __future__ import annotations

import logging

import pytest
import yaml

from slowfast_bias import host
from slowfast_bias.config import ConfigError, add_bias_config, dump_cfg, get_cfg, load_cfg

pytestmark = pytest.mark.host

GOOD = ("NUM_GPUS", 0)  # passes check_cfg on any machine


def write(folder, name, text):
    path = folder / name
    path.write_text(text)
    return str(path)


def problems(*arguments, **named):
    with pytest.raises(ConfigError) as caught:
        load_cfg(*arguments, **named)
    return caught.value.problems


def test_defaults_are_a_sound_config():
    cfg = load_cfg((), GOOD)
    assert cfg.is_frozen() and cfg.BIAS.THRESHOLD == 0.5


def test_later_files_win_and_pairs_win_over_files(tmp_path):
    a = write(tmp_path, "a.yaml", "TRAIN: {BATCH_SIZE: 6, EVAL_PERIOD: 3}\nLOG_PERIOD: 2")
    b = write(tmp_path, "b.yaml", "TRAIN: {BATCH_SIZE: 7}")
    cfg = load_cfg([a, b], [*GOOD, "LOG_PERIOD", "9"])
    assert (cfg.TRAIN.BATCH_SIZE, cfg.TRAIN.EVAL_PERIOD, cfg.LOG_PERIOD) == (7, 3, 9)


def test_a_file_inherits_through_base(tmp_path):
    write(tmp_path, "Base.yaml", "TRAIN: {BATCH_SIZE: 6, EVAL_PERIOD: 3}")
    write(tmp_path, "Middle.yaml", "_BASE_: Base.yaml\nBIAS: {TOY: {LABELS: static}}")
    leaf = write(tmp_path, "leaf.yaml", "_BASE_: Middle.yaml\nTRAIN: {BATCH_SIZE: 7}")
    cfg = load_cfg(leaf, GOOD)
    assert (cfg.TRAIN.BATCH_SIZE, cfg.TRAIN.EVAL_PERIOD, cfg.BIAS.TOY.LABELS) == (7, 3, "static")


def test_brackets_in_brackets_are_an_error_and_no_crash(tmp_path):
    path = write(tmp_path, "deep.yaml", f"BIAS: {'[' * 100_000}")
    assert "deep.yaml" in problems(path)[0]


@pytest.mark.parametrize(
    ("key", "given", "wanted"),
    [
        ("SOLVER.WARMUP_EPOCHS", "34", 34.0),  # an int in YAML of the release, a float in main's
        ("SOLVER.WARMUP_EPOCHS", 34, 34.0),
        ("SOLVER.MAX_EPOCH", 34.0, 34),
        ("SOLVER.MAX_EPOCH", "34.0", 34),
        ("SOLVER.BASE_LR", "1e-3", 0.001),
        ("BIAS.THRESHOLD", "-0.25", -0.25),
        ("SOLVER.STEPS", (0, 2), [0, 2]),
        ("BIAS.BEHAVIOUR.K_FRAMES", "auto", ["auto"]),
        ("BIAS.BEHAVIOUR.K_FRAMES", "['auto']", ["auto"]),
        ("BIAS.BEHAVIOUR.K_FRAMES", "[1, 2]", [1, 2]),
        ("DATA.MEAN", "[0.1, 0.2, 0.3]", [0.1, 0.2, 0.3]),
        ("BIAS.ENABLE", "true", True),
        ("BIAS.ENABLE", "False", False),
        ("OUTPUT_DIR", 7, "7"),
        ("OUTPUT_DIR", "007", "007"),
        ("SOLVER.CLIP_GRAD_VAL", "None", None),
        ("SOLVER.CLIP_GRAD_VAL", "0.5", 0.5),
    ],
)
def test_values_take_the_type_of_their_default(key, given, wanted):
    node = load_cfg((), [*GOOD, key, given], check=False)
    for part in key.split("."):
        node = node[part]
    assert node == wanted and type(node) is type(wanted)


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("SOLVER.MAX_EPOCH", 3.5),
        ("SOLVER.MAX_EPOCH", "many"),
        ("SOLVER.MAX_EPOCH", True),
        ("SOLVER.MAX_EPOCH", None),
        ("SOLVER.MAX_EPOCH", float("inf")),
        ("SOLVER.BASE_LR", "fast"),
        ("BIAS.ENABLE", 1),
        ("BIAS.ENABLE", "yes please"),
        ("BIAS.LAYERS", "s5"),
        ("OUTPUT_DIR", None),
        ("OUTPUT_DIR", {"a": 1}),
    ],
)
def test_a_value_of_another_type_is_refused_with_the_default(key, given):
    (problem,) = problems((), [*GOOD, key, given])
    assert f"{key}: expected " in problem and f"but got {given!r}" in problem
    assert "as in the default" in problem


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("TRAIN.BATCHSIZE", "TRAIN.BATCH_SIZE"),
        ("BIAS.THRESHOLDS", "BIAS.THRESHOLD"),
        ("BIAS.STATIC_DROPOUT.RAET", "BIAS.STATIC_DROPOUT.RATE"),
        ("TRIAN.EVAL_PERIOD", "TRAIN.EVAL_PERIOD"),
        ("BIAS.NUM_EPOCHS_PER_SOMETHING.THRESHOLD", "BIAS.THRESHOLD"),
    ],
)
def test_a_typo_is_answered_with_the_nearest_name(tmp_path, typo, meant):
    (problem,) = problems((), [*GOOD, typo, 1])
    assert problem == f"the command line: unknown key {typo}; did you mean {meant}?"
    tree = 1
    for part in reversed(typo.split(".")):
        tree = {part: tree}
    path = write(tmp_path, "a.yaml", yaml.safe_dump(tree))
    assert problems(path, GOOD) == [f"{path}: unknown key {typo}; did you mean {meant}?"]


def test_all_problems_of_all_sources_come_in_one_message(tmp_path):
    path = write(tmp_path, "a.yaml", "TRAIN: {BATCHSIZE: 1, EVAL_PERIOD: often}")
    found = problems(path, [*GOOD, "TETS.BATCH_SIZE", 1, "BIAS.STATISTIC", "spearman"])
    assert len(found) == 4
    with pytest.raises(ConfigError, match=r"(?s)4 problem.*BATCHSIZE.*often.*TETS.*spearman"):
        load_cfg(path, [*GOOD, "TETS.BATCH_SIZE", 1, "BIAS.STATISTIC", "spearman"])


def test_a_section_is_no_key(tmp_path):
    (problem,) = problems((), [*GOOD, "TRAIN", 1])
    assert "TRAIN is a section" in problem and "BATCH_SIZE" in problem
    path = write(tmp_path, "empty.yaml", "TRAIN:\nLOG_PERIOD: 1")
    assert "TRAIN is a section" in problems(path, GOOD)[0]


def test_a_key_without_value_is_named():
    (problem,) = problems((), ["NUM_GPUS", 0, "LOG_PERIOD"])
    assert "KEY VALUE" in problem and "'LOG_PERIOD' has no value" in problem


@pytest.mark.parametrize(
    ("text", "says"),
    [("- a\n- b", "KEY: value"), ("just words", "KEY: value"), ("a: [1", "not readable as YAML")],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text, says):
    path = write(tmp_path, "a.yaml", text)
    (problem,) = problems(path, GOOD)
    assert path in problem and says in problem


def test_a_missing_file_and_a_missing_base_are_named(tmp_path):
    assert str(tmp_path / "no.yaml") in problems(tmp_path / "no.yaml")[0]
    leaf = write(tmp_path, "leaf.yaml", "_BASE_: gone.yaml")
    assert str(tmp_path / "gone.yaml") in problems(leaf)[0]


def foreign(value_of=False):
    """A foreign key of any depth, as nested YAML."""
    tree = {}
    for key in sorted(host.foreign_keys):
        node = tree
        *sections, name = key.split(".")
        for section in sections:
            node = node.setdefault(section, {})
        node[name] = value_of
    return tree


def test_every_key_of_the_other_generation_is_dropped_and_named(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("slowfast_bias"), "propagate", True)
    path = write(tmp_path, "a.yaml", yaml.safe_dump(foreign()))
    cfg = load_cfg(path, GOOD)
    assert cfg == load_cfg((), GOOD)
    said = [record.getMessage() for record in caplog.records if "dropped" in record.getMessage()]
    assert len(said) == 1 and path in said[0]
    for key in host.foreign_keys:
        assert f"{key} (False)" in said[0]


def test_a_switch_of_the_other_generation_that_is_on_is_an_error():
    switches = [key for key in sorted(host.foreign_keys) if key.endswith("ENABLE")]
    for key in set(switches) - host.on_by_default:
        (problem,) = problems((), [*GOOD, key, "True"])
        assert f"{key} True is a capability that SlowFast {host.name} lacks" in problem
        assert host.remedy in problem


def test_switches_of_training_count_only_in_training_and_the_last_value_counts():
    switches = [key for key in host.foreign_keys if key in ("AUG.ENABLE", "MIXUP.ENABLE")]
    for key in switches:
        load_cfg((), [*GOOD, "TRAIN.ENABLE", False, key, True])
        load_cfg((), [*GOOD, "TRAIN.ENABLE", True, key, True, key, False])
        assert problems((), [*GOOD, "TRAIN.ENABLE", True, key, True])


def test_a_switch_that_main_has_on_by_default_is_dropped():
    words = [word for key in host.on_by_default for word in (key, "True")]
    assert words
    load_cfg((), [*GOOD, *words])


def test_names_of_the_release_become_mains(tmp_path):
    for given, wanted in (("slowonly", "slow"), ("c2d_nopool", "slow_c2d"), ("i3d", "i3d")):
        cfg = load_cfg((), [*GOOD, "DATA.INPUT_CHANNEL_NUM", [3], "MODEL.ARCH", given])
        assert (wanted, "ResNet") == (cfg.MODEL.ARCH, cfg.MODEL.MODEL_NAME)


def test_model_name_follows_arch_unless_it_was_given():
    pathways = ["DATA.INPUT_CHANNEL_NUM", [3, 3]]
    cfg = load_cfg((), [*GOOD, *pathways, "MODEL.ARCH", "slowfast"])
    assert cfg.MODEL.MODEL_NAME == "SlowFast"
    found = problems((), [*GOOD, *pathways, "MODEL.ARCH", "slowfast", "MODEL.MODEL_NAME", "ResNet"])
    assert found == ["MODEL.ARCH slowfast is a SlowFast, but MODEL_NAME is ResNet"]


@pytest.mark.parametrize("name", ["", "é: #b " * 30, "\udcff"])  # of a byte that is no text
def test_a_resolved_config_loads_as_itself(tmp_path, tiny, name):
    words = ["SOLVER.CLIP_GRAD_VAL", 0.5, "BIAS.LAYERS", ["s4", "s5"], "DATA.PATH_PREFIX", name]
    cfg = tiny(*words)
    text = dump_cfg(cfg)
    again = load_cfg(write(tmp_path, "config.yaml", text))
    assert name == again.DATA.PATH_PREFIX
    assert again.dump() == cfg.dump()  # as text: YAML has no tuples
    assert dump_cfg(again) == text and yaml.safe_load(text) == yaml.safe_load(cfg.dump())


def test_a_yaml_of_either_generation_loads_here(tmp_path):
    release = "MODEL: {ARCH: slowonly}\nBN: {MOMENTUM: 0.1, EPSILON: 1e-5}\nDATA: {CROP_SIZE: 64}"
    main = (
        "MODEL: {ARCH: slow, MODEL_NAME: ResNet}\nSOLVER: {WARMUP_EPOCHS: 34.0}\n"
        "DATA: {INV_UNIFORM_SAMPLE: True, DECODING_BACKEND: pyav}\nLOG_MODEL_INFO: False"
    )
    for text in (release, main):
        path = write(tmp_path, "a.yaml", text)
        assert load_cfg(path, [*GOOD, "DATA.INPUT_CHANNEL_NUM", [3]]).MODEL.ARCH == "slow"


def test_the_node_can_be_added_to_a_config_of_ones_own(tmp_path):
    cfg = host.get_cfg()
    assert "BIAS" not in cfg
    add_bias_config(cfg)
    assert cfg == get_cfg()
    cfg.merge_from_file(write(tmp_path, "a.yaml", "BIAS: {THRESHOLD: 0.25}"))
    assert cfg.BIAS.THRESHOLD == 0.25 and cfg.clone().dump() == cfg.dump()


def test_kinetics_is_read_by_the_data_set_videos_and_says_so(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("slowfast_bias"), "propagate", True)
    caplog.set_level(logging.INFO, "slowfast_bias")
    cfg = load_cfg((), [*GOOD, "TRAIN.DATASET", "kinetics"])
    assert (cfg.TRAIN.DATASET, cfg.TEST.DATASET) == ("videos", "videos")
    assert cfg.BIAS.DATA.FORMAT == "csv"
    assert "TRAIN.DATASET kinetics is read by the data set `videos`" in caplog.text
    assert "TEST.DATASET" not in caplog.text  # nobody asked for it
    caplog.clear()
    assert load_cfg((), [*GOOD, "TRAIN.DATASET", "ssv2"]).TRAIN.DATASET == "ssv2"
    assert "read by" not in caplog.text


def test_a_section_that_contains_itself_is_one_line(tmp_path):
    path = write(tmp_path, "a.yaml", "BIAS: &x\n  TOY: *x\n")
    (problem,) = problems(path)
    assert "a.yaml" in problem and len(problem.splitlines()) == 1


def test_a_key_without_a_value_is_as_if_it_was_not_there_where_nothing_is_the_default(tmp_path):
    path = write(tmp_path, "a.yaml", "DATA:\n  PATH_TO_DATA_DIR:\n")
    assert load_cfg(path, GOOD) == load_cfg((), GOOD)


def test_names_of_the_plugin_stand_for_the_keys_with_their_effect():
    names = ("TRAIN.DATASET", "ShuffledKinetics", "TEST.DATASET", "shuffledtoyvideos")
    cfg = load_cfg((), (*GOOD, *names, "MODEL.MODEL_NAME", "StaticDropoutSlowFast"))
    assert (cfg.TRAIN.DATASET, cfg.TEST.DATASET) == ("videos", "toyvideos")
    assert cfg.BIAS.SHUFFLE.TRAIN and cfg.BIAS.SHUFFLE.VAL and cfg.BIAS.SHUFFLE.TEST
    assert cfg.MODEL.MODEL_NAME == "SlowFast" and not cfg.BIAS.STATIC_DROPOUT.ENABLE
