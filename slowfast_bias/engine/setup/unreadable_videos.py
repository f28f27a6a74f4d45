"""Videos that cannot be read: each named once, in the log and in OUTPUT_DIR/bad_videos.csv.

Data sets that say why (`slowfast_bias.datasets.videos`) are listed; of others the loops name
positions.
"""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Mapping
from typing import Any

from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.loader import Batch, Loader
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json
from slowfast_bias.errors import DataError
from slowfast_bias.files import TEXT

log = logging.getLogger(__name__)

Bad = Mapping[str, tuple[str, str]]  # path -> its place in the list, and the reason

COLUMNS = ("path", "row", "reason", "split")
_SHOWN = 20  # in an error; the file has them all


def note(cfg: CfgNode, loader: Loader, split: str, batch: Batch) -> None:
    """Names what of a batch could not be read, where it is new; too much of it stops training."""
    told: dict[str, tuple[str, str]] = loader.told
    new = {}
    for index, reason in sorted(batch.reasons.items()):
        path, row = loader.dataset.dataset.describe(index)
        if path not in told:
            told[path] = new[path] = (row, reason)
    _say(split, new)
    stops = split == "train" and _too_many(cfg, loader, told)
    if (new and ranks.is_master()) or stops:
        _append(cfg, split, told)  # another process will not be asked any more
    if stops:
        raise _error(cfg, loader, told)


def settle(cfg: CfgNode, loader: Loader, split: str) -> list[str]:
    """Puts together what all processes noted in a pass; every process must call it.

    Returns the paths, which also stand in json_stats.log.
    """
    every = ranks.gather_objects(loader.told)
    merged = {path: bad for told in every for path, bad in told.items()}
    new = {path: bad for path, bad in merged.items() if path not in every[0]}
    if new and ranks.is_master():
        _say(split, new)
        _append(cfg, split, new)
    if len(merged) > loader.settled:
        line = {"_type": "bad_videos", "split": split, "videos": sorted(merged)}
        log_json(cfg.OUTPUT_DIR, line)
    loader.told, loader.settled = merged, len(merged)
    if split == "train" and _too_many(cfg, loader, merged):
        raise _error(cfg, loader, merged)
    return sorted(merged)


def record(cfg: CfgNode, meta: Mapping[str, Any]) -> None:
    """Names the videos that a measurement dropped where they are new to the run; on one process."""
    told = {bad["path"]: (bad["row"], bad["reason"]) for bad in meta.get("dropped_because", ())}
    if told:
        _say(cfg.BIAS.SPLIT, _append(cfg, cfg.BIAS.SPLIT, told))


def _say(split: str, bad: Bad) -> None:
    for path, (row, reason) in bad.items():
        log.warning("bad video of the %s list: %s (%s): %s", split, path, row, reason)


def _too_many(cfg: CfgNode, loader: Loader, bad: Bad) -> bool:
    return len(bad) / len(loader.dataset) > cfg.BIAS.DATA.MAX_BAD_SHARE


def _error(cfg: CfgNode, loader: Loader, bad: Bad) -> DataError:
    share = len(bad) / len(loader.dataset)
    lines = [f"{path} ({row}): {reason}" for path, (row, reason) in list(bad.items())[:_SHOWN]]
    more = f"\n  and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    return DataError(
        f"Expected at most {cfg.BIAS.DATA.MAX_BAD_SHARE:.1%} of the {len(loader.dataset)} videos "
        f"of the train list to be unreadable (BIAS.DATA.MAX_BAD_SHARE), but {len(bad)} are "
        f"({share:.1%}) so far; they stand in {cfg.OUTPUT_DIR}/bad_videos.csv. Mend them, take "
        "them off the list (tools/prepare.py writes lists of good ones), or raise the share:\n  "
        + "\n  ".join(lines)
        + more
    )


def _append(cfg: CfgNode, split: str, bad: Bad) -> Bad:
    """Adds to bad_videos.csv what does not stand there yet, and returns it."""
    path = f"{cfg.OUTPUT_DIR}/bad_videos.csv"
    known, text = set(), io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if g_pathmgr.isfile(path):
        with g_pathmgr.open(path, "r", **TEXT) as file:
            known = {(row["split"], row["path"]) for row in csv.DictReader(file)}
    else:
        writer.writerow(COLUMNS)
    new = {video: told for video, told in bad.items() if (split, video) not in known}
    writer.writerows((video, row, reason, split) for video, (row, reason) in new.items())
    with g_pathmgr.open(path, "a", **TEXT) as file:
        file.write(text.getvalue())
    return new
