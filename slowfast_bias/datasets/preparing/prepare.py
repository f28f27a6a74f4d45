"""From a user's download to lists of videos that are known to be readable.

    prepare("ssv2", "/data/ssv2/labels", "/data/ssv2/videos", "/data/ssv2/ready", processes=16)

writes train.csv, val.csv and test.csv (`path label` rows, BIAS.DATA.FORMAT csv) and bad.csv, which
names the videos that were left out and why. Classes called by name get numbers, which labels.txt
has. It can be stopped and started again.
"""

from __future__ import annotations

import contextlib
import csv
import glob
import io
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.decoding.read_frames import VideoError
from slowfast_bias.datasets.lists.files import Video, VideoList, read_list
from slowfast_bias.datasets.lists.list_source import Source
from slowfast_bias.datasets.preparing.parallel import in_parallel
from slowfast_bias.datasets.preparing.reencode import is_copy, reencode
from slowfast_bias.datasets.preparing.scan import Facts, scan_all
from slowfast_bias.errors import DataError
from slowfast_bias.files import alone_in, cannot_write, write_whole

SPLITS = ("train", "val", "test")
UNFINISHED = ".part"  # in the folder of the copies: copies that are being written
Progress = Callable[[Iterable, int, str], Iterable]


@dataclass(frozen=True)
class Prepared:
    """The result: number of videos by split, the bad ones, and the config keys that a run needs."""

    counts: dict[str, int]
    bad: dict[str, str]  # path -> reason
    keys: dict[str, str]


def _silent(steps: Iterable, total: int, title: str) -> Iterable:
    return steps


def prepare(
    form: str,
    lists: str,
    videos: str,
    out: str,
    *,
    names: Sequence[str] = (),
    separator: str | None = None,
    short_side: int = 0,
    processes: int = 1,
    quick: bool = False,
    progress: Progress = _silent,
) -> Prepared:
    """Reads the lists of a data set, decodes every video, writes lists of the good ones.

    Args:
        form: format of the lists, as BIAS.DATA.FORMAT.
        lists: their folder.
        videos: the folder of the videos; "" for that of the lists.
        out: the folder to write into.
        names: the lists' names, if they are not the publisher's.
        separator: of a csv.
        short_side: copies the videos with their short side at this many pixels; 0: no copies.
        processes: number of videos at a time.
        quick: decodes three frames of each video instead of all.
        progress: called with (steps, total, title); yields the steps again.
    """
    inside = f"{os.path.abspath(out)}/".startswith(f"{os.path.abspath(videos or lists)}/")
    if short_side and inside:  # the copies would be found as videos of the same names
        raise DataError(f"Expected a folder outside {videos or lists} for copies, but got {out}.")
    wanted = _read_lists(form, lists, videos, names, separator)
    paths = list(dict.fromkeys(v.path for chosen in wanted.values() for v in chosen.videos))
    with alone_in(out):
        _forget_unfinished(out)
        try:
            return _prepare(
                wanted, paths, videos or lists, out, short_side, processes, quick, progress
            )
        finally:
            _forget_unfinished(out)


def _prepare(
    wanted: dict[str, VideoList],
    paths: Sequence[str],
    root: str,
    out: str,
    short_side: int,
    processes: int,
    quick: bool,
    progress: Progress,
) -> Prepared:
    steps = scan_all(paths, processes=processes, kept=f"{out}/checked.csv", quick=quick)
    facts = dict(progress(steps, len(paths), "decoding"))
    bad = {path: facts[path].reason for path in paths if facts[path].reason}
    for path in (path for path in paths if "\n" in path or "\r" in path):
        bad.setdefault(path, "Expected a name that fits in a row of a list, but it has two lines.")
    if short_side:
        good = [path for path in paths if path not in bad]
        copies = _Copies(root, os.path.abspath(f"{out}/videos"), short_side)
        steps = in_parallel(copies.make, good, processes)
        for path, reason in progress(steps, len(good), "copying"):
            if reason is None or reason:
                bad[path] = reason or f"Expected to copy {path}, but the decoder crashed."
        root, place = copies.folder, copies.target
    else:
        root, place = os.path.abspath(root) if "://" not in root else root, str
    counts = {}
    for split, chosen in wanted.items():
        good = [v for v in chosen.videos if v.path not in bad and not _late(v, facts[v.path])]
        rows = [video._replace(path=place(video.path)) for video in good]
        counts[split] = len(rows)
        text = "".join(f"{_below(root, video)} {video.label}\n" for video in rows)
        _write(f"{out}/{split}.csv", text)
    _write_bad(out, wanted, bad, facts)
    classes = {name: n for chosen in wanted.values() for name, n in chosen.classes.items()}
    if classes:  # the lists have numbers; this says which is which
        rows = sorted(classes.items(), key=lambda item: item[1])
        _write(f"{out}/labels.txt", "".join(f"{name} {number}\n" for name, number in rows))
    keys = {"DATA.PATH_TO_DATA_DIR": out, "DATA.PATH_PREFIX": root, "BIAS.DATA.FORMAT": "csv"}
    return Prepared(counts, bad, keys)


def _read_lists(
    form: str, lists: str, videos: str, names: Sequence[str], separator: str | None
) -> dict[str, VideoList]:
    """Returns the lists that are there; raises DataError if that of training is not."""
    found = {}
    for split in SPLITS:
        path = Source(form, lists, split, tuple(names)).list_file
        if split == "train" or "*" in os.path.basename(path) or g_pathmgr.exists(path):
            found[split] = read_list(
                form, lists, split,
                names=names, prefix=videos, separator=separator, num_classes=2**31,
            )  # fmt: skip
    return found


@dataclass(frozen=True)
class _Copies:
    """Where the copies of the videos below a folder are, and how they are made."""

    root: str
    folder: str
    short_side: int

    def target(self, path: str) -> str:
        """Returns the path of a copy; DataError for folders of pictures and videos elsewhere."""
        below = os.path.relpath(path, self.root)
        if os.path.isdir(path) or below.startswith(".."):
            raise DataError(
                f"Expected video files below {self.root} to copy, but got {path}. Leave out the "
                "short side."
            )
        return os.path.join(self.folder, below if below.endswith(".mp4") else f"{below}.mp4")

    def make(self, path: str) -> str:
        """Makes a copy that is not there yet; returns why it cannot be made, or ""."""
        target = self.target(path)
        try:
            if not is_copy(path, target, self.short_side):
                reencode(path, target, self.short_side, f"{self.folder}/{UNFINISHED}")
        except VideoError as error:
            return str(error)
        return ""


def _below(root: str, video: Video) -> str:
    """Returns the name for a list: from the folder of the videos on, if the video is in it."""
    path = video.path if "://" in video.path else os.path.abspath(video.path)
    inside = path.startswith(root.rstrip("/") + "/")
    return video._replace(path=path[len(root.rstrip("/")) + 1 :] if inside else path).name


def _late(video: Video, facts: Facts) -> str:
    """Returns why a listed part is not in the video; "" if it is."""
    seconds = facts.frames / facts.fps if facts.fps else float("inf")
    if not video.unit or video.start < (seconds if video.unit == "t" else facts.frames):
        return ""
    return (
        f"Expected the part {video.name}, but the video ends before it: {facts.frames} frames, "
        f"{seconds:.3f} s."
    )


def _write_bad(
    out: str, lists: dict[str, VideoList], bad: dict[str, str], facts: dict[str, Facts]
) -> None:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("path", "row", "reason", "split"))
    for split, chosen in lists.items():
        for video in chosen.videos:
            if reason := bad.get(video.path) or _late(video, facts[video.path]):
                writer.writerow((video.name, f"{chosen.file}, {video.row}", reason, split))
        for name, row, reason in chosen.left_out:
            reason = f"Expected a video, but {reason}."
            writer.writerow((name, f"{chosen.file}, {row}", reason, split))
    _write(f"{out}/bad.csv", file.getvalue())


def _write(path: str, text: str) -> None:
    """Writes a whole file; names in it may be any bytes. OutputError if it cannot be written."""
    try:
        with write_whole(path) as file:
            file.write(text)
    except OSError as error:
        raise cannot_write(path, error) from error


def _forget_unfinished(out: str) -> None:
    """Removes what a killed call left; the caller is alone in the folder."""
    shutil.rmtree(f"{out}/videos/{UNFINISHED}", ignore_errors=True)
    for name in (*SPLITS, "bad"):
        for path in glob.glob(f"{glob.escape(out)}/{name}.csv.*.tmp"):
            with contextlib.suppress(OSError):
                os.remove(path)
