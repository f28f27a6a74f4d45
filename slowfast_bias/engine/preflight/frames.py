"""The frames of a config before a run: images, flow and masks, are they all there and good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from fvcore.common.config import CfgNode

from slowfast_bias.datasets.contract import open_dataset
from slowfast_bias.datasets.preparing.prepare import Progress
from slowfast_bias.datasets.segments.dataset import Segments
from slowfast_bias.engine.preflight.videos import Checked, check_data
from slowfast_bias.engine.setup.loaders import dataset_name

_SEGMENTS = Segments.__name__.lower()


class Seen(NamedTuple):
    """What was found of a frame.

    Attributes:
        size: height and width of its image.
        share: of the mask that is inside; None if it has no mask.
        reason: why it cannot be read; "" if it can.
    """

    size: tuple[int, int]
    share: float | None
    reason: str


def check_lists_of(
    cfg: CfgNode, splits: Iterable[str], *, processes: int, quick: bool, progress: Progress
) -> list[Checked]:
    """Reads the frames, or decodes the videos, of the given lists of a config."""
    found, how = [], {"processes": processes, "quick": quick, "progress": progress}
    videos = [split for split in splits if dataset_name(cfg, split).lower() != _SEGMENTS]
    checked = {x.split: x for x in check_data(cfg, videos, **how)} if videos else {}
    for split in splits:
        found.append(checked.get(split) or _check(cfg, split, **how))
    return found


def _check(cfg: CfgNode, split: str, *, processes: int, quick: bool, progress: Progress) -> Checked:
    data = open_dataset(_SEGMENTS, cfg, split)
    chosen = _few(data) if quick else range(len(data))
    with ThreadPoolExecutor(processes) as pool:
        steps = pool.map(lambda index: (index, _seen(data, index)), chosen)
        seen = dict(progress(steps, len(chosen), "reading"))
    bad = {data.describe(k)[0]: x.reason for k, x in seen.items() if x.reason}
    return Checked(split, data.list.file, _text(split, data, list(seen.values()), bad), bad)


def _seen(data: Segments, index: int) -> Seen:
    sample = data.sample(index)
    if not sample.inputs:
        return Seen((0, 0), None, sample.unreadable[index])
    mask = sample.target.mask
    share = float(mask.ne(0).double().mean()) if mask.numel() else None
    return Seen(sample.target.size, share, "")


def _few(data: Segments) -> list[int]:
    """Returns the first, the middle and the last frame of each sequence."""
    places: dict[str, list[int]] = {}
    for index in range(len(data)):
        places.setdefault(data.recording(index), []).append(index)
    return sorted({x[k] for x in places.values() for k in (0, len(x) // 2, -1)})


def _text(split: str, data: Segments, seen: Sequence[Seen], bad: dict[str, str]) -> str:
    good = [x for x in seen if not x.reason]
    shares = [x.share for x in good if x.share is not None]
    sizes = Counter(f"{width}x{height}" for (height, width), *_ in good).most_common(6)
    lines = [
        f"{split}: {len(data)} frames of {len(data.list.sequences)} sequences, {len(seen)} tried, "
        f"{len(bad)} unreadable ({data.list.file})",
        f"  flow     {', '.join(f'{x.folder} ({x.layout})' for x in data.flow)}",
        f"  size     {', '.join(f'{size} ({count})' for size, count in sizes)}; shown at "
        f"{data.size[1]}x{data.size[0]}",
    ]
    if shares:
        lines.append(
            f"  masks    {len(shares)}, {100 * sum(shares) / len(shares):.1f} % inside on average, "
            f"{shares.count(0)} empty"
        )
    return "\n".join([*lines, *(f"  unreadable: {name}: {why}" for name, why in bad.items())])
