"""Folders of runs as whole runs leave them, made by the schemas of their files; film strips."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from slowfast_bias.bias import BiasReport
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import write_result
from support.reports import META, report_with_motion

MARKUP = "<img src=x onerror=alert(1)>&\"'</script>"  # a name that must stay a name
ABOUT = {
    "videos": 40, "recordings": 12, "dropped_videos": [], "classes": 4, "checkpoint": "a.pyth",
    "data": "toyvideos/test",
}  # fmt: skip


def accuracy(value, half=6.0, **more):
    """An accuracy with its interval."""
    return {"accuracy": value, "interval": [max(value - half, 0), min(value + half, 100)], **more}


def orders(ordered=90.0, shuffled=40.0):
    """The data of bias/orders.json."""
    rates = {"ordered": ordered, "shuffled": shuffled, "reversed": 35.0, "frozen": 30.0}
    drop = 100 * (1 - shuffled / ordered)
    per_class = {str(c): 80.0 + c for c in range(4)}
    return {
        "checkpoint": "a.pyth", "videos": 40, "recordings": 12, "orders": 3, "classes": 4,
        **{name: accuracy(rate, per_class=per_class) for name, rate in rates.items()},
        "relative_drop": drop, "relative_drop_interval": [drop - 8, drop + 8],
    }  # fmt: skip


def silencing():
    """The data of bias/ablation.json."""
    curves = {
        order: [
            {"fraction": f, "units": round(16 * f), **accuracy(100 - slope * f)}
            for f in (0.0, 0.1, 0.2, 0.4)
        ]
        for order, slope in (("static", 10), ("dynamic", 150), ("random", 60))
    }
    return {"layer": "head", "channels": 16, "curves": curves}


def battery(classes=4):
    """The data of bias/battery.json, every entry that the schema has."""
    rates = {
        "ordered": 90.0, "shuffled": 40.0, "windows2": 85.0, "windows4": 62.0, "reversed": 35.0,
        "frozen": 30.0, "best_frame": 55.0, "frames1": 30.0, "frames2": 48.0, "frames4": 75.0,
        "styled": 82.0, "look0": 84.0, "look1": 80.0,
    }  # fmt: skip
    variants = {}
    for name, rate in rates.items():
        per_class = {str(c): accuracy(rate, videos=10) for c in range(classes)}
        variants[name] = accuracy(rate, effective_n=30.0, per_class=per_class)
        if name != "ordered":
            change = rate - 90
            against = {"difference": change, "interval": [change - 5, change + 5]}
            variants[name]["against_ordered"] = against
    few = {name: accuracy(rates[name]) for name in ("ordered", "shuffled")}
    return {
        "videos": 40, "recordings": 12, "classes": classes,
        "class_names": {"0": "turning left", "1": MARKUP},
        "variants": variants,
        "divergence": {
            "reversed": {"mean": 1.9, "interval": [1.6, 2.3], "median": 1.5},
            "shuffled": {"mean": 0.8, "interval": [0.6, 1.1], "median": 0.7},
        },
        "partners": {
            "rate": 71.0, "interval": [60.0, 80.0], "videos": 31, "file": "partners.tsv",
            "pairs": [["turning left", "turning right"]],
        },
        "lists": {"temporal": {"videos": 18, "classes": [0, 1], "variants": few, "note": ""}},
        "benchmarks": {
            "scuba": accuracy(80.0, videos=40), "scufo": accuracy(26.0, videos=40),
            "contrasted": accuracy(60.0, pairs=40),
            "conflfg": {
                "dynamic": 55.0, "dynamic_interval": [45.0, 64.0], "static": 20.0,
                "static_interval": [12.0, 30.0], "prefers_dynamic": 70.0,
                "prefers_dynamic_interval": [60.0, 79.0], "videos": 40,
            },
        },
    }  # fmt: skip


def strip(seed, frames=8, size=112):
    """A film strip as WebP, as large as one of a natural clip: soft shapes that drift."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    waves, phase = random.uniform(0.5, 3, (3, 2)), random.uniform(0, 6, 3)
    base = [np.sin(a * x * 6 + b * y * 6 + p) for (a, b), p in zip(waves, phase, strict=True)]
    pictures = []
    for frame in range(frames):
        moved = np.stack([np.roll(plane, 3 * frame, 1) for plane in base], -1)
        grain = random.normal(0, 5, moved.shape)
        pictures.append(np.clip(128 + 80 * moved + grain, 0, 255).astype(np.uint8))
    out = io.BytesIO()
    Image.fromarray(np.concatenate(pictures, 1)).save(out, "WEBP", quality=60)
    return out.getvalue()


def write_top_clips(root, units=2, clips=2, frames=8, size=112, layers=("s3", "head")):
    """Writes bias/top_clips.json and its strips."""
    folder = Path(Outputs(str(root)).bias)
    (folder / "top_clips").mkdir(parents=True, exist_ok=True)
    kinds, number, found = ("static", "dynamic", "joint", "residual"), 0, []
    for unit in range(units):
        sides = {}
        for side, value in (("most", 3.0), ("least", -2.0)):
            sides[side] = []
            for k in range(clips):
                name = f"top_clips/{number:05d}.webp"
                (folder / name).write_bytes(strip(number, frames, size))
                sides[side].append(
                    {"video": number, "path": f"videos/{MARKUP if k else 'turn'} {number}.mp4",
                     "row": f"row {number}", "value": value - 0.1 * k, "strip": name}
                )  # fmt: skip
                number += 1
        classes = [{"class": 1, "name": MARKUP, "evidence": 0.7}] if unit else []
        scores = {"static": 0.9, "motion": 0.1, "content": 0.2}
        found.append(
            {"layer": layers[unit % len(layers)], "unit": unit, "kind": kinds[unit % 4],
             "scores": scores, **sides, "classes": classes}
        )  # fmt: skip
    data = {"view": "styled", "frames": frames, "size": [size, size], "units": found}
    write_result(Outputs(str(root)).top_clips, "top_clips", ABOUT, data)


def rows():
    """The rows of a sweep."""
    kinds = [("none", None, None), ("standard", 0.3, None)]
    kinds += [("static", 0.3, 0.1), ("static", 0.7, 0.1)]
    return [
        {"config": "net", "kind": kind, "rate": rate, "temperature": t, "seed": seed,
         "ordered": 99.0 - seed, "shuffled": 90.0 - 30 * (rate or 0) + seed, "dynamic_ratio": 0.2,
         "dynamic_share": 0.3, "cue_motion": None}
        for kind, rate, t in kinds
        for seed in (0, 1)
    ]  # fmt: skip


def write_run(root, report, untrained=None, epochs=True, tests=True, clips=True):
    """Writes a run with all that a page shows of it; returns its folder as text."""
    outputs = Outputs(str(root))
    report.save(outputs.report())
    if untrained is not None:
        untrained.save(outputs.report("untrained"))
    for epoch in (1, 2, 4) if epochs else ():
        report.save(outputs.epoch_report(epoch))
    if tests:
        write_result(outputs.frame_orders, "frame_orders", ABOUT, orders())
        write_result(outputs.silencing(), "silencing", ABOUT, silencing())
        write_result(outputs.battery(), "battery", ABOUT, battery())
        text = f"path,row,reason,split\n{MARKUP.replace(',', '')}.mp4,row 3,cut,val\n"
        Path(outputs.unreadable_videos).write_text(text)
    if clips:
        write_top_clips(root)
    return str(root)


def large_report(seed=0):
    """A report of a SlowFast R50: ten layers and the classifier's input."""
    slow = {f"s{i}/0": units for i, units in enumerate((64, 256, 512, 1024, 2048), 1)}
    layers = {
        name: units for s, c in slow.items() for name, units in ((s, c), (f"{s[:2]}/1", c // 8))
    }
    return report_with_motion({**layers, "head": 2304}, seed=seed, pairs=60, meta=dict(META))


def named(report, name):
    """The report with other words in it."""
    return BiasReport(report.layers, {**report.meta, "name": name, "model": name, "data": name})


STREAMS = {f"{s}{k}": 8 for k in (2, 3, 4, 5) for s in ("app", "mot", "fuse")}


def mask_battery(flow_share=95.0, own=80.0, rest=5.0):
    """The data of bias/battery.json of a network of masks that follows flow so often."""
    other = 100 - flow_share
    follows = {"sequences": 20}
    for cue, share in (("flow", flow_share), ("image", other)):
        ends = [max(share - 5, 0), min(share + 5, 100)]
        follows |= {f"{cue}_J": share, f"{cue}_J_interval": ends}
        follows |= {f"{cue}_share": share, f"{cue}_share_interval": ends}
    follows |= {"flow_pixels": flow_share, "flow_pixels_interval": [80.0, 99.0]}
    means = {
        "own": own, "swapped_flow": rest, "frozen_flow": rest, "swapped_image": own,
        "grey_image": own - 1, "styled": own, "look0": own, "look1": own,
    }  # fmt: skip
    variants = {}
    for name, mean in means.items():
        variants[name] = {"mean": mean, "interval": [mean - 1, mean + 1]}
        if name != "own":
            change = mean - own
            against = {"difference": change, "interval": [change - 0.5, change + 0.5]}
            variants[name]["against_own"] = against
        if name.startswith("swapped"):
            variants[name]["follows"] = follows
    return {
        "task": "segmentation", "measure": "J", "frames": 400, "sequences": 20,
        "cues_in_conflict": False, "overlap": {"mean": 9.0, "interval": [6.0, 12.0]},
        "variants": variants,
    }  # fmt: skip


def masks(boxes=False):
    """The data of segmentation.json."""
    words = [f"{m}_{word}" for m in ("J", "F") for word in ("mean", "recall", "decay")]
    rows = {f"dog {i}": dict.fromkeys(words, 70.0 + i) for i in range(4)}
    means = {"J&F": 71.5, **dict.fromkeys(words, 71.5)}
    data = {
        "frames": 400, "rule": {"threshold": 0.5, "stretch": False, "mirror": True},
        "masks": {"means": means, "sequences": rows, "missing_frames": {MARKUP: 3}},
    }  # fmt: skip
    if boxes:
        rates = {"mIoU": 68.5, "SR_0.5": 77.3, "mSR": 58.1}
        videos = {"crab": 66.0, "flounder": 71.0}
        data["boxes"] = {"means": rates, "videos": videos, "rule": {"threshold": 0.2}}
    return data


def write_streams_run(root, report, battery_data=None):
    """Writes a run of a network of image and flow; returns its folder as text."""
    outputs, about = Outputs(str(root)), {**ABOUT, "pairs_made": report.meta.get("pairs_made")}
    report.save(outputs.report())
    for epoch in (1, 2):
        report.save(outputs.epoch_report(epoch))
    write_result(outputs.segmentation(), "segmentation", about, masks(boxes=True))
    write_result(outputs.battery(), "battery", about, battery_data or mask_battery())
    return str(root)
