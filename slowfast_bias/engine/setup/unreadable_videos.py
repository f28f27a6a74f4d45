"""Videos that cannot be read: each named once, in the log and in OUTPUT_DIR/bad_videos.csv."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.contract import Batch, ClipSource, VideoDataset
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json, printable
from slowfast_bias.errors import DataError
from slowfast_bias.files import TEXT
from slowfast_bias.outputs import Outputs

log = logging.getLogger(__name__)

COLUMNS = ("path", "row", "reason", "split")
_SHOWN = 20  # in an error; the file has them all
_SHORT = 10  # below a table
NO_REASON = "the data set gave another clip, or none"


class Unreadable(NamedTuple):
    """A video that could not be read."""

    path: str
    row: str
    reason: str


class UnreadableVideos:
    """The unreadable videos of one list in one run, over all passes."""

    def __init__(self, cfg: CfgNode, dataset: VideoDataset | ClipSource, split: str) -> None:
        self.cfg, self.dataset, self.split = cfg, dataset, split
        self.by_path: dict[str, Unreadable] = {}
        self._merged = 0  # how many of them all processes know of

    def add(self, batch: Batch) -> None:
        """Logs newly unreadable videos of a batch.

        In training, raises DataError above BIAS.DATA.MAX_BAD_SHARE.
        """
        new = []
        for index, reason in sorted(batch.unreadable.items()):
            path, row = self.dataset.describe(index)
            if path not in self.by_path:
                self.by_path[path] = Unreadable(path, row, reason or NO_REASON)
                new.append(self.by_path[path])
        self._log(new)
        stops = self._too_many()
        if (new and ranks.is_master()) or stops:
            # with `stops` this process writes what it knows: the others are not asked any more
            _append(self.cfg, self.split, self.by_path)
        if stops:
            raise self._error()

    def state(self) -> dict[str, Any]:
        """Returns what was found so far."""
        return {path: list(video) for path, video in self.by_path.items()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave."""
        self.by_path = {path: Unreadable(*video) for path, video in state.items()}

    def merge_over_ranks(self) -> None:
        """Merges what all processes found in a pass; every process must call it.

        The paths also go into json_stats.log.
        """
        every = ranks.gather_objects(self.by_path)
        merged = {path: bad for found in every for path, bad in found.items()}
        new = {path: bad for path, bad in merged.items() if path not in every[0]}
        if new and ranks.is_master():
            self._log(new.values())
            _append(self.cfg, self.split, new)
        if len(merged) > self._merged:
            line = {"_type": "bad_videos", "split": self.split, "videos": sorted(merged)}
            log_json(self.cfg.OUTPUT_DIR, line)
        self.by_path, self._merged = merged, len(merged)
        if self._too_many():
            raise self._error()

    def named(self, videos: list[int]) -> dict[str, Any]:
        """Returns what a result says of the numbers of videos that are not in it."""
        views = self.dataset.views
        clips = [clip for video in videos for clip in range(video * views, (video + 1) * views)]
        # a data set of ours names the video of a clip, one of the host the clip itself
        paths = dict.fromkeys(self.dataset.describe(clip)[0] for clip in clips)
        found = [self.by_path[path]._asdict() for path in paths if path in self.by_path]
        return {"dropped_videos": videos, "dropped_because": found}

    def _log(self, bad: Any) -> None:
        for path, row, reason in bad:
            log.warning("bad video of the %s list: %s (%s): %s", self.split, path, row, reason)

    def _too_many(self) -> bool:
        share = len(self.by_path) / len(self.dataset)
        return self.split == "train" and share > self.cfg.BIAS.DATA.MAX_BAD_SHARE

    def _error(self) -> DataError:
        cfg, bad = self.cfg, list(self.by_path.values())
        lines = [f"{path} ({row}): {reason}" for path, row, reason in bad[:_SHOWN]]
        more = f"\n  and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        return DataError(
            f"Expected at most {cfg.BIAS.DATA.MAX_BAD_SHARE:.1%} of the {len(self.dataset)} videos "
            f"of the train list to be unreadable (BIAS.DATA.MAX_BAD_SHARE), but {len(bad)} are "
            f"({len(bad) / len(self.dataset):.1%}) so far; they stand in "
            f"{Outputs(cfg.OUTPUT_DIR).unreadable_videos}. Fix them, take them off the list "
            "(`slowfast_bias prepare` writes lists of good ones), or raise the share:\n  "
            + "\n  ".join(lines)
            + more
        )


def record(cfg: CfgNode, meta: Mapping[str, Any]) -> None:
    """Adds the videos that a measurement dropped to the file; on one process."""
    keys = Unreadable._fields
    found = [Unreadable(*map(bad.get, keys)) for bad in meta.get("dropped_because", ())]
    for path, row, reason in _append(cfg, cfg.BIAS.SPLIT, {bad.path: bad for bad in found}):
        log.warning("bad video of the %s list: %s (%s): %s", cfg.BIAS.SPLIT, path, row, reason)


def dropped_warning(bad: list[Unreadable], total: int) -> str:
    """Returns the line below a table: how many videos are not in it, and the first of them."""
    names = [printable(video.path.rpartition("/")[2]) for video in bad]
    more = ", ..." if len(names) > _SHORT else ""
    shown = ", ".join(names[:_SHORT]) + more
    return f"{len(bad)} of {total} videos could not be read and do not count: {shown}"


def _append(cfg: CfgNode, split: str, bad: Mapping[str, Unreadable]) -> list[Unreadable]:
    """Adds to the file what is not in it yet, and returns it."""
    path = Outputs(cfg.OUTPUT_DIR).unreadable_videos
    if not bad:
        return []
    known, text = set(), io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if g_pathmgr.isfile(path):
        with g_pathmgr.open(path, "r", **TEXT) as file:
            known = {(row["split"], row["path"]) for row in csv.DictReader(file)}
    else:
        writer.writerow(COLUMNS)
    new = [video for name, video in bad.items() if (split, name) not in known]
    writer.writerows((*video, split) for video in new)
    with g_pathmgr.open(path, "a", **TEXT) as file:
        file.write(text.getvalue())
    return new
