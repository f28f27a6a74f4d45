"""What a run of activation maximisation leaves, made by its schema: blobs that drift by speed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from slowfast_bias.outputs import Outputs
from slowfast_bias.results import write_result

SPEEDS = ("unconstrained", "fast", "medium", "slow", "frozen")
STEPS = {"unconstrained": 3.0, "fast": 2.0, "medium": 1.0, "slow": 0.5, "frozen": 0.0}


def clip(seed, step, frames=8, size=32):
    """Soft blobs that move to the right by `step` pixels a frame, uint8 (T, H, W, 3)."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    waves, phase = random.integers(1, 4, (3, 2)), random.uniform(0, 6, 3)
    turn = 2 * np.pi / size
    planes = [
        np.stack([np.sin(turn * (a * (x - step * t) + b * y) + p) for t in range(frames)])
        for (a, b), p in zip(waves, phase, strict=True)
    ]
    return np.clip(128 + 90 * np.stack(planes, -1), 0, 255).astype(np.uint8)


def row(layer, unit, *, seeds=2, speeds=SPEEDS, **more):
    """A row of `units`; the last seed drives it most."""
    by_speed = {
        speed: {
            "activation": [2.0 - 0.3 * k + 0.1 * s for s in range(seeds)],
            "ratio": [1.5 - 0.2 * k + 0.1 * s for s in range(seeds)],
            "transfer": [0.75 + 0.25 * s for s in range(seeds)] if speed != "slow" else None,
            "reversed": [-0.4] * seeds, "frame_difference": [STEPS[speed] / 10] * seeds,
            "flow_magnitude": [STEPS[speed]] * seeds, "direction_spread": [0.2] * seeds,
            "path_similarity": [0.6, None, 0.5, 0.4][:seeds],
        }
        for k, speed in enumerate(speeds)
    }  # fmt: skip
    found = {
        "layer": layer, "unit": unit, "name": None, "chosen_as": "dynamic",
        "score": {"static": 0.2, "dynamic": 0.8, "motion": 0.6, "look": None}, "dead": False,
        "failed": None, "natural_max": 1.4, "natural_mean": 0.1,
        "natural": [{"video": f"walk/{k}.mp4", "value": 1.4 - 0.1 * k} for k in range(3)],
        "motion_need": 0.7, "motion_need_interval": [0.6, 0.85], "preferred_speed": "fast",
        "by_speed": by_speed, "file": f"maximised/{layer}/unit_{unit:05d}.npz",
    }  # fmt: skip
    return {**found, **more}


def arrays(unit, seeds=2, speeds=SPEEDS, flow=False, natural=True, frames=8, size=32):
    """The arrays of a unit."""
    rgb = [[clip(unit + s, STEPS[x], frames, size) for s in range(seeds)] for x in speeds]
    found = {"rgb": np.array(rgb)}
    if flow:
        moved = np.zeros((len(speeds), seeds, frames, size, size, 2), np.float16)
        for k, speed in enumerate(speeds):
            moved[k, ..., : size // 2, :, 0] = STEPS[speed]
            moved[k, ..., size // 2 :, :, 1] = -STEPS[speed]
        found["flow"] = moved
    if natural:
        found["natural"] = np.stack([clip(90 + k, 2.0, frames, size) for k in range(3)])
    return found


def write_maximised(root, units=(3, 12), pairs=(), layer="s5", rows=None, meta=None, **sizes):
    """Writes maximised.json and the arrays of its units; returns the path of the file."""
    outputs = Outputs(str(root))
    seeds, speeds = sizes.get("seeds", 2), sizes.get("speeds", SPEEDS)
    rows = rows or [row(layer, unit, seeds=seeds, speeds=speeds) for unit in units]
    for found in rows:
        if found["by_speed"]:
            path = Path(root) / found["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(path, **arrays(found["unit"], **sizes))
    data = {"layer": layer, "speeds": list(speeds), "seeds": list(range(seeds)), "steps": 200}
    data |= {"units": rows, "pairs": [list(pair) for pair in pairs]}
    write_result(outputs.maximised, "maximised", meta or {"model": "toy"}, data)
    return outputs.maximised
