"""The plugin installed, in a process of its own (test_plugin.py starts it): main's own modules."""

from __future__ import annotations

import argparse
import importlib
import sys
import types

import pytest
import slowfast.utils.parser
import torch
import yaml
from fvcore.common.config import CfgNode
from fvcore.common.registry import Registry
from slowfast.config.defaults import get_cfg
from slowfast.datasets import loader
from slowfast.datasets.build import DATASET_REGISTRY, build_dataset
from slowfast.models.build import MODEL_REGISTRY
from support import ROOT

import slowfast_bias.plugin
from slowfast_bias import host
from slowfast_bias.config import ConfigError, load_cfg
from slowfast_bias.datasets.contract import open_dataset
from slowfast_bias.datasets.loader import Loader
from slowfast_bias.datasets.pairs.frame_order import reorder
from slowfast_bias.engine.training.lists import orders_of
from slowfast_bias.plugin import PluginError, order
from slowfast_bias.plugin.config_keys import add_keys, problems
from slowfast_bias.plugin.datasets import register_datasets, shuffled_dataset
from slowfast_bias.seeding import seed_from

PLUGIN_CONFIGS = sorted((ROOT / "configs").glob("*/plugin_*.yaml"))


@pytest.fixture
def theirs(tiny):
    """A function: a config as SlowFast's own `load_config` makes it, for tiny toy clips."""

    def make(*opts):
        cfg = get_cfg()
        cfg.merge_from_list([*tiny.words, "MODEL.MODEL_NAME", "ResNet", *opts])
        return cfg

    return make


# -- installing ------------------------------------------------------------------------------------


def test_a_second_install_changes_nothing():
    before = [sorted(name for name, _ in r) for r in (DATASET_REGISTRY, MODEL_REGISTRY)]
    finders, load_config = list(sys.meta_path), slowfast.utils.parser.load_config
    slowfast_bias.plugin.install()
    add_keys()
    register_datasets(DATASET_REGISTRY)
    assert [sorted(name for name, _ in r) for r in (DATASET_REGISTRY, MODEL_REGISTRY)] == before
    assert sys.meta_path == finders and slowfast.utils.parser.load_config is load_config


def test_unmodified_tools_are_imported_by_the_names_that_run_net_uses():
    for tool in ("demo_net", "test_net", "train_net", "visualization"):
        module = importlib.import_module(f"vision.fair.slowfast.tools.{tool}")
        assert module.__file__ == str(host.root.parent / "tools" / f"{tool}.py")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("vision.fair.slowfast.tools.nothing")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("vision.fair.other")
    for name in ("torchvision", "detectron2", "pytorchvideo"):
        module = sys.modules.get(name)
        assert module is None or module.__spec__ is not None  # no stand-in is left behind


def test_tools_that_were_imported_before_are_named(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("vision.")]:
        monkeypatch.delitem(sys.modules, name)
    early = types.ModuleType("my_train_net")
    early.ValMeter = type("ValMeter", (), {"__module__": "slowfast.utils.meters"})
    monkeypatch.setitem(sys.modules, "my_train_net", early)
    with pytest.raises(PluginError, match="my_train_net already has SlowFast's own ValMeter"):
        order.check_early()
    early.ValMeter = None
    order.check_early()


def test_a_name_that_another_package_registered_is_an_error():
    registry = Registry("DATASET")
    registry.register(type("Videos", (), {"__module__": "their.fork"}))
    with pytest.raises(PluginError, match=r"Videos to be free.*their\.fork"):
        register_datasets(registry)


@pytest.mark.parametrize("found", [None, CfgNode({"BIAS": CfgNode({"THEIRS": 1})})])
def test_a_fork_with_another_config_is_told_what_was_expected(found, monkeypatch):
    monkeypatch.setattr("slowfast.config.defaults._C", found)
    with pytest.raises(PluginError, match=r"BIAS\.THEIRS" if found else "CfgNode `_C`"):
        add_keys()


def test_top_5_of_four_classes_counts_every_clip():
    metrics = importlib.import_module("slowfast.utils.metrics")
    scores, labels = torch.eye(4)[[0, 1, 3]], torch.tensor([0, 2, 3])
    assert [float(x) for x in metrics.topks_correct(scores, labels, (1, 5))] == [2.0, 3.0]


# -- config ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PLUGIN_CONFIGS, ids=lambda path: path.stem)
def test_plugin_configs_load_in_slowfast_and_say_the_same_in_our_loop(path, tmp_path):
    args = argparse.Namespace(opts=["OUTPUT_DIR", str(tmp_path)])
    cfg = slowfast.utils.parser.load_config(args, str(path))
    assert cfg.MODEL.MODEL_NAME in MODEL_REGISTRY
    assert cfg.TRAIN.DATASET.capitalize() in DATASET_REGISTRY
    ours = load_cfg(path, ["NUM_GPUS", 0])
    assert ours.MODEL.MODEL_NAME == "ResNet" and ours.TRAIN.DATASET in ("videos", "toyvideos")
    assert ours.BIAS.SHUFFLE.TRAIN == ours.BIAS.SHUFFLE.VAL == ("shuffled" in path.stem)
    assert ours.BIAS.STATIC_DROPOUT.ENABLE == cfg.BIAS.STATIC_DROPOUT.ENABLE
    assert ours.SOLVER == cfg.SOLVER


@pytest.mark.parametrize(
    ("opts", "words"),
    [
        (["BIAS.ENABLE", True, "TRAIN.ENABLE", False, "TEST.ENABLE", False], "`slowfast_bias run`"),
        (["BIAS.ENABLE", True, "BIAS.PERIOD", 3, "TRAIN.EVAL_PERIOD", 2], "multiple of TRAIN.EVAL"),
        (["BIAS.SHUFFLE.TEST", True], "`slowfast_bias test`"),
        (["BIAS.ABLATION.ENABLE", True], "`slowfast_bias run`"),
        (["BIAS.BEHAVIOUR.ENABLE", True], "`slowfast_bias battery`"),
        (["BIAS.NEW_CLASSIFIER", True], "`slowfast_bias run`"),
        (["BIAS.TASK", "segmentation"], "BIAS.TASK segmentation"),
        (["BIAS.ORDER", "random"], "one of clip, pathway"),
        (["BIAS.STATIC_DROPOUT.ENABLE", True], "set it to StaticDropoutResNet"),
        (["MODEL.MODEL_NAME", "SlowFast"], "built by ResNet"),
        (["TRAIN.DATASET", "kinetics", "BIAS.SHUFFLE.VAL", True], "shuffledkinetics"),
        (["AUG.NUM_SAMPLE", 2], "toyvideos gives one sample"),
        (["MULTIGRID.SHORT_CYCLE", True], "clips of one size"),
        (
            ["MODEL.MODEL_NAME", "StaticDropoutResNet", "BIAS.STATIC_DROPOUT.ENABLE", True,
             "BIAS.STATIC_DROPOUT.FINETUNE_EPOCHS", 2],
            "ends at SOLVER.MAX_EPOCH",
        ),
    ],
)  # fmt: skip
def test_what_slowfasts_loop_cannot_do_is_named_before_it_begins(theirs, opts, words):
    assert list(problems(theirs())) == []
    (problem,) = problems(theirs(*opts))
    assert words in problem


def test_slowfasts_own_load_config_raises_it(tmp_path, theirs):
    (tmp_path / "x.yaml").write_text(yaml.safe_dump({"BIAS": {"SHUFFLE": {"TEST": True}}}))
    args = argparse.Namespace(opts=["OUTPUT_DIR", str(tmp_path), "MODEL.ARCH", "slowfast"])
    with pytest.raises(ConfigError, match="BIAS.SHUFFLE.TEST True: not in"):
        slowfast.utils.parser.load_config(args, str(tmp_path / "x.yaml"))


# -- data sets -------------------------------------------------------------------------------------


def test_slowfasts_loader_gives_the_clips_that_ours_does(theirs):
    """Inputs, labels and places; frames in order, shuffled by key and shuffled by name."""
    for name, shuffles in (("toyvideos", False), ("toyvideos", True), ("shuffledtoyvideos", False)):
        cfg = theirs("TRAIN.DATASET", name, "BIAS.SHUFFLE.TRAIN", shuffles)
        batches = loader.construct_loader(cfg, "train")
        loader.shuffle_dataset(batches, 1)
        batches.dataset._set_epoch_num(1)
        ours = Loader(open_dataset("toyvideos", cfg, "train"), 8, training=True, seed=3)
        ours.set_epoch(1)
        (batch,) = ours
        orders = orders_of(shuffles or name != "toyvideos", batch, seed_from(cfg.RNG_SEED, 1))
        clips = batch.inputs[0] if orders is None else reorder(batch.inputs[0], orders, time=1)
        wanted = dict(zip(batch.indices.tolist(), clips, strict=True))
        for inputs, labels, indices, _, meta in batches:
            assert meta == {} and len(inputs) == 1
            for clip, label, index in zip(inputs[0], labels, indices.tolist(), strict=True):
                frames = host.source_frames(cfg, [clip]).mul(255).round().byte()
                assert torch.equal(frames, wanted.pop(index).permute(3, 0, 1, 2))
                assert label == batches.dataset.target(index)
        assert wanted == {}


def test_measurements_of_a_shuffled_data_set_see_clips_in_order(theirs):
    plain, mixed = (build_dataset(n, theirs(), "val") for n in ("toyvideos", "shuffledtoyvideos"))
    assert torch.equal(plain.clip(2), mixed.clip(2))
    assert not torch.equal(plain[2][0][0], mixed[2][0][0])
    assert torch.equal(mixed[2][0][0], mixed[2][0][0])  # of the val list one order for all epochs


class Theirs(torch.utils.data.Dataset):
    """A data set of a fork: packed pathways of clips whose frames are numbered from 1."""

    def __init__(self, cfg, mode):
        self.cfg, self.mode = cfg, mode

    def __len__(self):
        return 3

    def __getitem__(self, index):
        frames = torch.arange(1.0, 9).view(1, 8, 1, 1).expand(3, 8, 2, 2)
        return None if index == 2 else (host.pack_pathways(self.cfg, frames), 7, index, 0, {})


def shuffled_frames(theirs, *opts, epoch=None, index=0, mode="train"):
    data = shuffled_dataset(Theirs)(theirs(*opts), mode)
    if epoch is not None:
        data._set_epoch_num(epoch)
    item = data[index]
    assert item[1:] == (7, index, 0, {})
    return [pathway[0, :, 0, 0].tolist() for pathway in item[0]]


def test_a_data_set_of_a_fork_is_shuffled_anew_in_each_epoch(theirs):
    assert shuffled_dataset(Theirs).__name__ == "Shuffledtheirs"
    seen = [shuffled_frames(theirs, epoch=epoch) for epoch in (0, 0, 1)]
    assert seen[0] == seen[1] != seen[2] and sorted(seen[2][0]) == list(range(1, 9))
    assert shuffled_frames(theirs, epoch=0, index=1) != seen[0]
    assert shuffled_frames(theirs, "RNG_SEED", 4, epoch=0) != seen[0]
    assert shuffled_dataset(Theirs)(theirs(), "train")[2] is None


def test_both_pathways_have_one_order_and_reversed_colours_stay_reversed(theirs):
    words = ["MODEL.ARCH", "slowfast", "SLOWFAST.ALPHA", 4, "DATA.REVERSE_INPUT_CHANNEL", True]
    slow, fast = shuffled_frames(theirs, *words, epoch=0)
    assert slow == [fast[0], fast[7]] and sorted(fast) == list(range(1, 9))


def test_a_fork_that_counts_no_epochs_gets_new_orders_all_the_same(theirs):
    assert len({str(shuffled_frames(theirs)) for _ in range(4)}) > 1
    assert len({str(shuffled_frames(theirs, mode="val")) for _ in range(4)}) == 1
