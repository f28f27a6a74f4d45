"""Miniatures of what the pages' commands need: configs, lists, videos and weights of this size."""

from __future__ import annotations

import json
from pathlib import Path

import torch
import yaml

from slowfast_bias import host
from support import ROOT
from support.huggingface import save_tiny
from support.videos import write_video

CLASSES = 3
# Keys after which a recipe is over in a second; its network keeps its kind and its depth.
TOY = {
    "BIAS": {"TOY": {"NUM_TRAIN": 16, "NUM_VAL": 8, "NUM_TEST": 8}},
    "SOLVER": {"MAX_EPOCH": 2},
}
REAL = {
    "DATA": {"TRAIN_CROP_SIZE": 32, "TEST_CROP_SIZE": 32, "TRAIN_JITTER_SCALES": [32, 40]},
    "RESNET": {"WIDTH_PER_GROUP": 8},
    "MODEL": {"NUM_CLASSES": CLASSES},
    "SOLVER": {"MAX_EPOCH": 1, "WARMUP_EPOCHS": 0.0},
    "TRAIN": {"BATCH_SIZE": 8},
    "TEST": {"BATCH_SIZE": 8, "NUM_ENSEMBLE_VIEWS": 1, "NUM_SPATIAL_CROPS": 1},
    "DATA_LOADER": {"NUM_WORKERS": 0},
    "NUM_GPUS": 0,
}
SMALL_OF = {"MVIT": {"MVIT": {"EMBED_DIM": 16}}}
WEIGHTS = {  # file -> the config it is of
    "SLOWONLY_8x8_R50.pkl": "Kinetics/SLOW_8x8_R50",
    "SLOWFAST_8x8_R50.pkl": "Kinetics/SLOWFAST_8x8_R50",
    "x3d_m.pyth": "Kinetics/X3D_M",
    "FILE": "Kinetics/MVIT_B_16x4",
}
MY_NET = """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Conv3d(3, 8, 3, stride=(1, 4, 4), padding=1)
        self.layer2 = nn.Conv3d(8, 16, 3, padding=1)

    def forward(self, x):
        return self.layer2(self.layer1(x).relu()).mean((2, 3, 4))


def build():
    return Net()
"""


def make_miniatures(folder: Path) -> None:
    """Lays out below a folder what the pages name."""
    _write_configs(folder / "configs")
    (folder / "clips").mkdir()
    for number in range(3):
        write_video(folder / "clips" / f"{number}.mp4", 40)
    kinetics = folder / "data/kinetics"
    _write_csv(kinetics)
    annotations = folder / "data/k400/annotations"
    annotations.mkdir(parents=True)
    for split in ("train", "val", "test"):
        (folder / "data/k400" / split).mkdir()
        rows = ["label,youtube_id,time_start,time_end,split"]
        for number in range(CLASSES):
            name = f"{split}{number:06d}"
            rows.append(f"class {number},{name},0,2,{split}")
            _link(folder, folder / "data/k400" / split / f"{name}_000000_000002.mp4")
        (annotations / f"{split}.csv").write_text("\n".join(rows) + "\n")
    _write_ssv2(folder)
    for file, config in WEIGHTS.items():
        _write_weights(folder, file, config)
    if "hf" in host.capabilities:
        save_tiny(folder / "videomae-base-finetuned-kinetics", "videomae")
    (folder / "my_net.py").write_text(MY_NET)
    scope: dict = {}
    exec(MY_NET, scope)
    torch.save(scope["build"]().state_dict(), folder / "w.pth")


def _write_configs(folder: Path) -> None:
    for path in (ROOT / "configs").rglob("*.yaml"):
        name = path.relative_to(ROOT / "configs")
        if not name.name.startswith("Base-"):
            kind = next((small for word, small in SMALL_OF.items() if word in name.name), {})
            of_its_folder = name.parts[0] == "HF"  # frames, size and classes come from there
            small = {} if of_its_folder else TOY if name.parts[0] == "Toy" else {**REAL, **kind}
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(yaml.safe_dump({"_BASE_": str(path), **small}))


def _write_csv(folder: Path) -> None:
    folder.mkdir(parents=True)
    for split in ("train", "val", "test"):
        rows = [
            f"{split}{number}.mp4 {number % CLASSES}"
            for number in range(8 if split == "train" else 4)
        ]
        (folder / f"{split}.csv").write_text("\n".join(rows) + "\n")
        for row in rows:
            _link(folder.parents[1], folder / row.split()[0])


def _write_ssv2(folder: Path) -> None:
    labels, films = folder / "data/ssv2/labels", folder / "data/ssv2/videos"
    labels.mkdir(parents=True)
    films.mkdir()
    names = [f"Doing {number}" for number in range(CLASSES)]
    (labels / "labels.json").write_text(json.dumps({name: str(i) for i, name in enumerate(names)}))
    for split, first, count in (("train", 0, 8), ("validation", 10, 4)):
        rows = [{"id": str(first + i), "template": names[i % CLASSES]} for i in range(count)]
        (labels / f"{split}.json").write_text(json.dumps(rows))
        for row in rows:
            _link(folder, films / f"{row['id']}.webm")


def _link(folder: Path, path: Path) -> None:
    path.symlink_to(folder / "clips" / "0.mp4")


def _write_weights(folder: Path, file: str, config: str) -> None:
    from slowfast_bias import engine

    cfg = engine.load_cfg(str(folder / "configs" / f"{config}.yaml"), ["NUM_GPUS", 0])
    torch.save({"model_state": engine.build_network(cfg).state_dict()}, folder / file)
