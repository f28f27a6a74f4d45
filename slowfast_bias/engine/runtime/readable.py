"""A line of json_stats.log as a person reads it on a terminal: short, the same words everywhere."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

# kinds of lines that no table says -> what happened, and the entries that only the file has
_KINDS = {
    "train_iter": ("", {"top5_err", "dt", "dt_data_share"}),
    "train_epoch": ("trained", {"top5_err", "dt_data_share", "RAM_gib", "gpu_mem_gib"}),
    "val_epoch": ("validated", set()),
    "test_final": ("tested", {"split"}),
}
_PERCENT = {"err": "error", "acc": "accuracy"}


def readable(stats: Mapping[str, Any]) -> str:
    """Returns the line for a terminal; "" for kinds of lines that it does not show.

    `epoch 1/2  iter 10/32  loss 1.234  top-1 error 45.3 %  lr 0.003  eta 0:01:23`
    """
    if stats.get("_type") not in _KINDS:
        return ""
    done, hidden = _KINDS[stats["_type"]]
    places = [f"{key} {stats[key]}" for key in ("epoch", "iter") if key in stats]
    order = sorted(stats, key=lambda key: (_rank(key), key.startswith("min_")))
    words = [_entry(key, stats[key]) for key in order if key not in hidden]
    return "  ".join(word for word in (*places, done, *words) if word)


def _rank(key: str) -> int:
    """Returns the place of an entry: the loss, then figures of the task, then all others."""
    last = ("lr", "seconds", "eta_seconds", "clips", "videos", "frames", "dropped")
    return 0 if key == "loss" else 2 + last.index(key) if key in last else 1


def _entry(key: str, value: Any) -> str:
    if key in ("_type", "epoch", "iter") or (key == "dropped" and not value):
        return ""
    if key in ("clips", "videos", "frames", "dropped"):
        return f"{value} {key}"
    if key == "eta_seconds":
        return f"eta {datetime.timedelta(seconds=round(value))}"
    if key == "seconds":
        return f"{value:.1f} s"
    name = key.removeprefix("min_")
    best = "best " if name != key else ""
    top, _, kind = name.partition("_")
    if top.startswith("top") and kind in _PERCENT:
        digits = 2 if kind == "acc" else 1
        return f"{best}top-{top[3:]} {_PERCENT[kind]} {float(value):.{digits}f} %"
    number = f"{value:.4g}" if isinstance(value, float) else value
    return f"{best}{name} {number}"
