"""Every YAML under configs/, found by globbing: each loads, and each leaf builds and steps."""

from __future__ import annotations

import functools
import logging
import tempfile
from pathlib import Path

import pytest
import torch
import yaml
from fvcore.common.config import CfgNode
from support import ROOT
from support.huggingface import KINDS, save_tiny

from slowfast_bias import host
from slowfast_bias.config import ConfigError, get_cfg, load_cfg
from slowfast_bias.datasets import videos  # noqa: F401  registers toyvideos and videos
from slowfast_bias.datasets.contract import open_dataset
from slowfast_bias.datasets.loader import Loader
from slowfast_bias.datasets.toy import (
    dataset,  # noqa: F401  registers toyvideos and videos
    segments,  # noqa: F401
)
from slowfast_bias.datasets.toy.world import unordered_frames_tell
from slowfast_bias.engine.measuring.measurement import measure_networks
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.models.families import family_named, family_of

pytestmark = pytest.mark.host

CONFIGS = ROOT / "configs"
FILES = sorted(path.relative_to(CONFIGS).as_posix() for path in CONFIGS.rglob("*.yaml"))
# A Base-*.yaml is half a config (it may lack the network or the data): it is never run by itself.
BASES = [name for name in FILES if Path(name).name.startswith("Base-")]
LEAVES = [name for name in FILES if name not in BASES]
MASKS = [name for name in LEAVES if name.startswith(("DAVIS16/", "Toy/SEG_"))]
CLIPS = [name for name in LEAVES if name not in MASKS]
TOYS = [name for name in CLIPS if name.startswith("Toy/")]

# The recipes are for 8 GPUs; this machine may have none.
HERE = ["NUM_GPUS", 0]
# Small enough to step in a fraction of a second; depth, frames and pathways stay as they are.
SMALL = ["RESNET.WIDTH_PER_GROUP", 8, "DATA.TRAIN_CROP_SIZE", 32, "DATA.TEST_CROP_SIZE", 32]
SMALL_OF = {"mvit": ["MVIT.EMBED_DIM", 16]}


class Lines(logging.Handler):
    """Collects messages at their source: the package's log need not reach the root logger."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


@pytest.fixture
def dropped():
    """What load_cfg says of dropped keys, as a list of lines."""
    logger, lines = logging.getLogger("slowfast_bias.config.load"), Lines()
    level, disabled = logger.level, logger.disabled
    logger.addHandler(lines)
    logger.setLevel(logging.WARNING)
    logger.disabled = False
    yield lines.texts
    logger.removeHandler(lines)
    logger.setLevel(level)
    logger.disabled = disabled


@functools.cache
def tiny_folder(stem: str) -> tempfile.TemporaryDirectory:
    """A folder of Hugging Face, for as long as the tests run."""
    folder = tempfile.TemporaryDirectory()
    save_tiny(folder.name, next(kind for kind in KINDS if kind.startswith(stem)))
    return folder


def here(name: str) -> list:
    """What a config needs on this machine: for networks of Hugging Face a tiny folder."""
    if arch_of(name) != "hf" or "hf" not in host.capabilities:
        return HERE
    return [*HERE, "BIAS.HF.FOLDER", tiny_folder(Path(name).stem.lower()).name]


@functools.cache
def arch_of(name: str) -> str:
    """The architecture, read without judging the config."""
    return load_cfg(CONFIGS / name, HERE, check=False).MODEL.ARCH


def load(name: str, *opts) -> CfgNode:
    """The config on this machine; skips where this host lacks the network."""
    if arch_of(name) not in host.capabilities:
        pytest.skip(f"SlowFast {host.name} has no {arch_of(name)}")
    return load_cfg(CONFIGS / name, [*here(name), *opts])


def bases_of(name: str) -> set[str]:
    """All files that a config inherits from, however far up."""
    named = yaml.safe_load((CONFIGS / name).read_text()).get("_BASE_", [])
    found = set()
    for base in [named] if isinstance(named, str) else named:
        path = (CONFIGS / name).parent / base
        one = path.resolve().relative_to(CONFIGS).as_posix()
        found |= {one} | bases_of(one)
    return found


def test_configs_holds_yaml_and_nothing_else():
    assert LEAVES
    assert {path.suffix for path in CONFIGS.rglob("*") if path.is_file()} == {".yaml"}


def test_every_base_is_inherited_by_a_leaf():
    assert set(BASES) <= set().union(*(bases_of(name) for name in LEAVES))


@pytest.mark.parametrize("name", BASES)
def test_base_has_only_keys_that_some_host_knows(name):
    load_cfg(CONFIGS / name, HERE, check=False)


@pytest.mark.parametrize("name", FILES)
def test_file_starts_with_a_comment_that_says_what_it_is(name):
    first = (CONFIGS / name).read_text().splitlines()[0]
    assert first.startswith("# ") and first.endswith((".", ":"))


@pytest.mark.parametrize("name", LEAVES)
def test_leaf_is_short(name):
    assert len((CONFIGS / name).read_text().splitlines()) <= 25


@pytest.mark.parametrize("name", LEAVES)
def test_leaf_loads_or_names_the_capability_that_is_missing(name, dropped):
    arch = arch_of(name)
    dropped.clear()
    if arch in host.capabilities:
        cfg = load_cfg(CONFIGS / name, here(name))
        assert cfg.is_frozen() and arch == cfg.MODEL.ARCH
        assert dropped == []
    else:
        with pytest.raises(ConfigError, match=f"needs the capability '{arch}'") as error:
            load_cfg(CONFIGS / name, HERE)
        assert host.remedy_for(arch) in str(error.value)


# A batch of the toy world, whatever the config reads; orbit2 is for any number of frames.
BATCHES = ["BIAS.NUM_VIDEOS", 3, "BIAS.BATCH_SIZE", 3, "TRAIN.ENABLE", False]
TOY = [
    "TRAIN.DATASET", "toyvideos", "TEST.DATASET", "toyvideos", "BIAS.TOY.NUM_VAL", 4,
    "BIAS.TOY.MOTION", "orbit2", "MODEL.NUM_CLASSES", 2, "DATA_LOADER.NUM_WORKERS", 0,
]  # fmt: skip


# What decides, beside the sections below, how a network is built, stepped and measured here.
SECTIONS = ("BIAS", "BN", "DETECTION", "MULTIGRID", "MVIT", "NONLOCAL", "RESNET", "SLOWFAST", "X3D")
KEYS = (
    "MODEL.ARCH", "MODEL.MODEL_NAME", "MODEL.LOSS_FUNC", "MODEL.DROPOUT_RATE",
    "DATA.NUM_FRAMES", "DATA.INPUT_CHANNEL_NUM", "SOLVER.OPTIMIZING_METHOD", "SOLVER.LR_POLICY",
)  # fmt: skip


@functools.cache
def network_of(name: str) -> str:
    """What a config's network is, as text; other data and schedules do not change it."""
    cfg = load_cfg(CONFIGS / name, HERE, check=False)
    cfg.defrost()
    cfg.BIAS.DATA = cfg.BIAS.TOY = cfg.BIAS.SHUFFLE = None
    sections = [str(cfg.get(section)) for section in SECTIONS]
    return "\n".join(
        [*sections, *(str(functools.reduce(getattr, key.split("."), cfg)) for key in KEYS)]
    )


@functools.cache
def first_of_each_network() -> dict[str, str]:
    """{network: the first config that has it}."""
    found: dict[str, str] = {}
    for name in LEAVES:
        found.setdefault(network_of(name), name)
    return found


def test_most_configs_have_a_network_of_their_own():
    assert len(first_of_each_network()) > len(LEAVES) / 2


@pytest.mark.parametrize("name", CLIPS)
def test_leaf_builds_steps_and_is_measured(name):
    first = first_of_each_network()[network_of(name)]
    if first != name:
        pytest.skip(f"the network of {first}")
    cfg = load(
        name, *SMALL, *SMALL_OF.get(arch_of(name), []), *BATCHES, *([] if name in TOYS else TOY)
    )
    torch.manual_seed(0)
    model = host.build_model(cfg)
    crop = cfg.DATA.TRAIN_CROP_SIZE
    clips = [host.pack_pathways(cfg, torch.randn(3, cfg.DATA.NUM_FRAMES, crop, crop)) for _ in "ab"]
    scores = model([torch.stack(pathway) for pathway in zip(*clips, strict=True)])
    assert scores.shape == (2, cfg.MODEL.NUM_CLASSES)
    optimizer = host.construct_optimizer(model, cfg)
    host.build_loss(cfg)(scores, torch.tensor([0, 1])).backward()
    host.set_lr(optimizer, host.lr_at(0.0, cfg))
    optimizer.step()
    assert all(torch.isfinite(weight).all() for weight in model.parameters())
    report = measure_networks(cfg, {"trained": model}, "")["trained"]
    assert "head" in report.layers and len(report.layers) >= 3
    for layer in report.layers.values():
        assert set(layer.pairs.values()) == {3}


# Names, stages and streams stay as they are.
NARROW = [
    "BIAS.SEGMENTATION.WIDTH", 8, "BIAS.BATCH_SIZE", 1,
    "BIAS.TOY.NUM_VAL", 2, "DATA_LOADER.NUM_WORKERS", 0,
]  # fmt: skip


@pytest.mark.parametrize("name", MASKS)
def test_leaf_of_masks_builds_steps_and_is_measured(name):
    first = first_of_each_network()[network_of(name)]
    if first != name:
        pytest.skip(f"the network of {first}")
    shallow = ["BIAS.SEGMENTATION.TRUNK", "resnet18"] if arch_of(name)[:5] != "rtnet" else []
    square = ["BIAS.SEGMENTS.SIZE", [32, 32], "BIAS.SEGMENTS.SIZES", [[24, 24]]]
    cfg = load(name, *NARROW, *shallow, *square, "TRAIN.DATASET", "toysegments")
    torch.manual_seed(0)
    model = host.build_model(cfg)
    task, data = make_task(cfg, model), open_dataset(cfg.TRAIN.DATASET, cfg, "train")
    batch = task.varied(next(iter(Loader(data, 2, training=True, seed=0))), 0)
    assert batch.targets.clips().shape == (2, cfg.DATA.NUM_FRAMES, 24, 24)
    optimizer = host.construct_optimizer(model, cfg)
    task.loss(family_of(model).call(model, task.inputs(batch, "cpu")), batch).backward()
    host.set_lr(optimizer, host.lr_at(0.0, cfg))
    optimizer.step()
    assert all(torch.isfinite(weight).all() for weight in model.parameters())
    report = measure_networks(cfg, {"trained": model}, "")["trained"]
    assert len(report.layers) == (10 if arch_of(name) == "fusionseg" else 12)
    for layer in report.layers.values():
        assert set(layer.pairs.values()) == {2}


@pytest.mark.parametrize("name", [name for name in MASKS if name.startswith("DAVIS16/")])
def test_networks_of_masks_get_what_their_authors_give_them(name):
    cfg = load(name)
    spec = family_named(cfg.MODEL.MODEL_NAME).input_spec
    assert cfg.TRAIN.DATASET == cfg.TEST.DATASET == "segments"
    assert tuple(cfg.BIAS.SEGMENTS.SIZE) == spec.size
    assert (tuple(cfg.DATA.MEAN), tuple(cfg.DATA.STD)) == (spec.mean, spec.std)


# Millions of parameters. The papers print X3D-M 3.8 and MViT-B 36.6; those of the Inception I3D are
# its published arrays', and a scale for each batch norm; the others were counted in the networks
# that the model zoo's own files build.
PARAMETERS = {
    "C2D_8x8_R50": 24.328,
    "I3D_8x8_R50": 28.043,
    "INCEPTION_I3D": 12.697,
    "SLOW_4x16_R50": 32.454,
    "SLOWFAST_4x16_R50": 34.480,
    "SLOWFAST_8x8_R50": 34.566,
    "X3D_XS": 3.794,
    "X3D_M": 3.794,
    "X3D_L": 6.153,
    "MVIT_B_16x4": 36.611,
    "MVIT_B_32x3": 53.115,
    "MVITV2_S_16x4": 34.538,
    "MVITV2_B_32x3": 51.230,
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_kinetics_networks_have_the_size_of_the_model_zoo(name):
    model = host.build_model(load(f"Kinetics/{name}.yaml"))
    millions = sum(weight.numel() for weight in model.parameters()) / 1e6
    assert millions == pytest.approx(PARAMETERS[name], abs=5e-4)


@pytest.mark.parametrize(
    ("folder", "start", "warm", "epochs", "classes"),
    [("SSv2", 0.08, 3, 30, 174), ("Diving48", 0.01, 10, 100, 48)],
)
def test_schedules_are_the_papers(folder, start, warm, epochs, classes):
    others = ("/FAST_", "/MVIT", "/TIMESFORMER", "/VJEPA2")  # with schedules of their own
    for name in (x for x in LEAVES if x.startswith(folder) and not any(o in x for o in others)):
        if arch_of(name) not in host.capabilities:
            continue
        cfg = load(name)
        assert epochs == cfg.SOLVER.MAX_EPOCH and classes == cfg.MODEL.NUM_CLASSES
        assert host.lr_at(0.0, cfg) == pytest.approx(start)
        # the host's cosine counts from epoch 0, so it has sunk a little when warm-up ends
        highest = max(range(epochs), key=lambda epoch, cfg=cfg: host.lr_at(epoch, cfg))
        assert highest == warm and 0.97 * 0.1 < host.lr_at(warm, cfg) < 0.1
        assert host.lr_at(epochs, cfg) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("folder", "lr", "drops", "epochs"),
    [
        ("Kinetics", 0.03, (15, 30, 35), 40),
        ("SSv2", 0.03, (10, 20), 25),
        ("Diving48", 0.0375, (40, 60, 80), 100),
    ],
)
def test_fast_only_is_divided_by_ten_where_the_paper_says(folder, lr, drops, epochs):
    cfg = load(f"{folder}/FAST_32x2_R50.yaml")
    assert epochs == cfg.SOLVER.MAX_EPOCH
    for epoch in range(epochs):
        passed = sum(epoch >= drop for drop in drops)
        assert host.lr_at(epoch, cfg) == pytest.approx(lr / 10**passed)


@pytest.mark.parametrize("name", FILES)
def test_no_path_is_absolute(name):
    def strings(node):
        if isinstance(node, dict):
            for value in node.values():
                yield from strings(value)
        elif isinstance(node, list):
            for value in node:
                yield from strings(value)
        elif isinstance(node, str):
            yield node

    tree = yaml.safe_load((CONFIGS / name).read_text())
    assert not [text for text in strings(tree) if text.startswith(("/", "~")) or ":\\" in text]


def test_every_leaf_writes_to_a_folder_of_its_own():
    folders = [load_cfg(CONFIGS / name, HERE, check=False).OUTPUT_DIR for name in LEAVES]
    assert len(set(folders)) == len(LEAVES)
    assert all(
        folder.lower() == f"runs/{Path(name).with_suffix('').as_posix()}".lower()
        for name, folder in zip(LEAVES, folders, strict=True)
    )


@pytest.mark.parametrize("name", [name for name in CLIPS if name not in TOYS])
def test_real_videos_are_read_by_our_dataset_on_both_hosts(name):
    cfg = load(name)
    assert cfg.TRAIN.DATASET == cfg.TEST.DATASET == "videos"
    forms = {"Kinetics": "csv", "HF": "csv", "SSv2": "ssv2", "Diving48": "diving48"}
    assert forms[name.split("/")[0]] == cfg.BIAS.DATA.FORMAT
    assert (name.startswith("SSv2/")) != cfg.DATA.RANDOM_FLIP  # left to right is a class there
    assert cfg.BIAS.DATA.VAL_CENTRAL and cfg.BIAS.DATA.MAX_BAD_SHARE == 0.01


PUBLISHED = {
    "Kinetics/SLOW_8x8_R50.yaml": {"train.csv": "a b.mp4 399\n"},
    "SSv2/SLOW_8x8_R50.yaml": {
        "something-something-v2-train.json": '[{"id": "1", "template": "Eating [something]"}]',
        "something-something-v2-labels.json": '{"Eating something": "173"}',
    },
    "Diving48/SLOW_8x8_R50.yaml": {"Diving48_V2_train.json": '[{"vid_name": "a", "label": 47}]'},
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_publishers_lists_are_read_as_they_are(name, tmp_path):
    for file, text in PUBLISHED[name].items():
        (tmp_path / file).write_text(text)
    cfg = load(name, "DATA.PATH_TO_DATA_DIR", str(tmp_path))
    data = host.build_dataset(cfg.TRAIN.DATASET, cfg, "train")
    assert (len(data), data.target(0)) == (1, cfg.MODEL.NUM_CLASSES - 1)


@pytest.mark.parametrize("name", TOYS)
def test_toy_lists_fit_the_classifier(name):
    cfg = load(name)
    for split in ("train", "val", "test"):
        data = host.build_dataset(cfg.TRAIN.DATASET, cfg, split)
        sample = host.unpack_sample(data[0])
        assert 0 <= sample.label < cfg.MODEL.NUM_CLASSES
        assert len(sample.inputs) == len(cfg.DATA.INPUT_CHANNEL_NUM)


@pytest.mark.parametrize("name", TOYS)
def test_no_pathway_of_a_toy_network_can_tell_motion_without_order(name):
    cfg = load(name)
    numbers = torch.arange(float(cfg.DATA.NUM_FRAMES)).view(1, -1, 1, 1)
    for pathway in host.pack_pathways(cfg.clone(), numbers):
        picks = pathway.flatten().long().tolist()
        assert picks and not unordered_frames_tell(cfg.BIAS.TOY.MOTION, picks)


# Two files as people have them: one in the manner of each generation, with keys of its own.
OF_MAIN = """
TRAIN: {DATASET: kinetics, BATCH_SIZE: 64, AUTO_RESUME: True, MIXED_PRECISION: False}
DATA: {NUM_FRAMES: 8, SAMPLING_RATE: 8, INPUT_CHANNEL_NUM: [3], DECODING_BACKEND: torchvision}
RESNET: {ZERO_INIT_FINAL_BN: True, DEPTH: 50, NUM_BLOCK_TEMP_KERNEL: [[3], [4], [6], [3]]}
SOLVER: {BASE_LR: 0.1, WARMUP_EPOCHS: 34.0, WEIGHT_DECAY: 1e-4}
MODEL: {NUM_CLASSES: 400, ARCH: slow, MODEL_NAME: ResNet}
LOG_MODEL_INFO: False
"""
OF_THE_RELEASE = """
TRAIN: {DATASET: kinetics, BATCH_SIZE: 64, AUTO_RESUME: True}
DATA: {NUM_FRAMES: 8, SAMPLING_RATE: 8, INPUT_CHANNEL_NUM: [3]}
RESNET: {ZERO_INIT_FINAL_BN: True, DEPTH: 50, NUM_BLOCK_TEMP_KERNEL: [[3], [4], [6], [3]]}
BN: {USE_PRECISE_STATS: True, MOMENTUM: 0.1}
SOLVER: {BASE_LR: 0.1, WARMUP_EPOCHS: 34, WEIGHT_DECAY: 1e-4}
MODEL: {NUM_CLASSES: 400, ARCH: slowonly}
"""
KEYS_OF_ITS_OWN = {
    "main": (OF_MAIN, ("DATA.DECODING_BACKEND", "LOG_MODEL_INFO")),
    "pypi": (OF_THE_RELEASE, ("BN.MOMENTUM",)),
}


@pytest.mark.parametrize("writer", KEYS_OF_ITS_OWN)
def test_yaml_of_either_generation_loads_and_names_what_it_drops(writer, dropped, tmp_path):
    text, foreign = KEYS_OF_ITS_OWN[writer]
    (tmp_path / "theirs.yaml").write_text(text)
    cfg = load_cfg(tmp_path / "theirs.yaml", HERE)
    assert (cfg.MODEL.ARCH, cfg.MODEL.MODEL_NAME) == ("slow", "ResNet")
    assert cfg.SOLVER.WARMUP_EPOCHS == 34.0 and isinstance(cfg.SOLVER.WARMUP_EPOCHS, float)
    assert cfg.SOLVER.WEIGHT_DECAY == 1e-4
    if writer == host.name:
        assert dropped == []
    else:
        (line,) = dropped
        assert all(key in line for key in foreign) and line.count("(") == len(foreign)


def test_yaml_of_both_generations_describes_one_network(tmp_path):
    nodes = []
    for writer, (text, _) in KEYS_OF_ITS_OWN.items():
        (tmp_path / f"{writer}.yaml").write_text(text)
        nodes.append(load_cfg(tmp_path / f"{writer}.yaml", [*HERE, *SMALL]))
    shapes = [[w.shape for w in host.build_model(cfg).parameters()] for cfg in nodes]
    assert shapes[0] == shapes[1]


def test_keys_of_this_project_have_no_place_in_the_hosts_own_defaults():
    assert "BIAS" not in host.get_cfg() and "BIAS" in get_cfg()
