"""The videos of a config before a run: how many, of which classes, how large, and are they good."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fvcore.common.config import CfgNode

from slowfast_bias.config.lookup import lookup
from slowfast_bias.datasets.contract import open_dataset
from slowfast_bias.datasets.decoding.read_frames import Timeline, VideoError
from slowfast_bias.datasets.preparing.prepare import Progress
from slowfast_bias.datasets.preparing.scan import Facts, scan_all
from slowfast_bias.datasets.sampling.split_views import part_of
from slowfast_bias.datasets.videos import Videos
from slowfast_bias.engine.setup.loaders import dataset_name
from slowfast_bias.errors import DataError

_SHOWN = 20  # class names


@dataclass(frozen=True)
class Checked:
    """What is known of a split."""

    split: str
    file: str
    text: str
    bad: dict[str, str]  # "path (row)" -> reason


def check_data(
    cfg: CfgNode, splits: Iterable[str], *, processes: int, quick: bool, progress: Progress
) -> list[Checked]:
    """Decodes the videos of the given lists of a config, each file once."""
    sets = {split: _dataset(cfg, split) for split in splits}
    paths = list(dict.fromkeys(v.path for data in sets.values() for v in data.list.videos))
    steps = scan_all(paths, processes=processes, quick=quick)
    facts = dict(progress(steps, len(paths), "decoding"))
    return [_checked(cfg, split, data, facts) for split, data in sets.items()]


def _dataset(cfg: CfgNode, split: str) -> Videos:
    name = dataset_name(cfg, split)
    data = open_dataset(name, cfg, split)
    if not isinstance(data, Videos):
        raise DataError(
            f"Expected the dataset `videos`, but the config has {name!r}. Only that and `segments` "
            "can be checked."
        )
    return data


def _checked(cfg: CfgNode, split: str, data: Videos, facts: dict[str, Facts]) -> Checked:
    bad, good = {}, []
    for index, video in enumerate(data.list.videos):
        found = facts[video.path]
        reason = found.reason
        if not reason:
            times = tuple(i / found.fps if found.fps else 0.0 for i in range(found.frames))
            try:
                part_of(video, Timeline(found.frames, found.fps, times))
            except VideoError as error:
                reason = str(error)
        if reason:
            path, row = data.describe(index * data.views)
            bad[f"{path} ({row})"] = reason
        else:
            good.append(found)
    return Checked(split, data.list.file, _text(cfg, split, data, good, bad), bad)


def _text(
    cfg: CfgNode, split: str, data: Videos, good: Sequence[Facts], bad: dict[str, str]
) -> str:
    videos = data.list.videos
    classes = Counter(video.label for video in videos)
    sizes = sorted(classes.values())
    absent = sorted(set(range(cfg.MODEL.NUM_CLASSES)) - set(classes))
    files = len({video.path for video in videos})
    parts = f" (parts of {files} files)" if files < len(videos) else ""
    lines = [
        f"{split}: {len(videos)} videos{parts}, {len(bad)} unreadable ({data.list.file})",
        f"  classes  {len(classes)} of {cfg.MODEL.NUM_CLASSES}, {sizes[0]} to {sizes[-1]} videos "
        f"each (median {statistics.median(sizes):g})",
    ]
    if names := data.list.classes:
        text = [f"{number} {name}" for name, number in names.items()]
        more = f" and {len(text) - _SHOWN} more" if len(text) > _SHOWN else ""
        lines.append(f"  names    {', '.join(text[:_SHOWN])}{more}")
    if out := data.list.left_out:
        more = f" and {len(out) - 1} more" if len(out) > 1 else ""
        lines.append(f"  left out {out[0].name} ({out[0].row}: {out[0].reason}){more}")
    if absent:
        lines.append(f"  without  {_most(absent)}")
    if good:
        pace = cfg.DATA.NUM_FRAMES * cfg.DATA.SAMPLING_RATE / lookup(cfg, "DATA.TARGET_FPS", 30)
        short = sum(found.frames < pace * (found.fps or 30) for found in good)
        frames = sorted(found.frames for found in good)
        lines += [
            f"  fps      {_common(f'{found.fps:g}' for found in good)}",
            f"  size     {_common(f'{found.width}x{found.height}' for found in good)}",
            f"  codec    {_common(found.codec for found in good)}",
            f"  frames   {frames[0]} to {frames[-1]} (median {statistics.median(frames):g}); "
            f"{short} shorter than the {pace:.2f} s of a clip",
        ]
    lines += [f"  unreadable: {name}: {reason}" for name, reason in bad.items()]
    return "\n".join(lines)


def _common(values: Iterable[str], shown: int = 6) -> str:
    """Returns the most frequent values and their counts."""
    counts = Counter(values).most_common()
    text = ", ".join(f"{value} ({count})" for value, count in counts[:shown])
    return text + (f" and {len(counts) - shown} more" if len(counts) > shown else "")


def _most(labels: Sequence[int], shown: int = 20) -> str:
    text = ", ".join(map(str, labels[:shown]))
    return text + (f" and {len(labels) - shown} more" if len(labels) > shown else "")
