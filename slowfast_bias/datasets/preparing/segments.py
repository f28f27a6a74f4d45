"""From a download of sequences with masks to lists of those that are known to be readable.

    prepare_segments("davis16", "/data/DAVIS", "/data/DAVIS/ready", processes=8)

decodes every image and mask and writes train.txt, val.txt and test.txt, one sequence a row, and
bad.csv, which names the sequences that were left out and why.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from slowfast_bias.datasets.decoding.timeline import VideoError
from slowfast_bias.datasets.flow.layouts import find_flow
from slowfast_bias.datasets.preparing.parallel import in_parallel
from slowfast_bias.datasets.segments.labelled import (
    Labelled,
    NoListError,
    SequenceList,
    read_sequences,
)
from slowfast_bias.datasets.segments.masks import read_mask
from slowfast_bias.datasets.segments.pictures import check_shape
from slowfast_bias.errors import DataError
from slowfast_bias.files import alone_in, cannot_write, write_whole

SPLITS = ("train", "val", "test")
FLOW = "FlowImages_gap1"
Progress = Callable[[Iterable, int, str], Iterable]


@dataclass(frozen=True)
class SequenceFacts:
    """What was found out about a sequence; `reason` is why it cannot be used, "" if it can."""

    frames: int = 0
    masks: int = 0
    empty: int = 0
    reason: str = ""


@dataclass(frozen=True)
class PreparedSegments:
    """The result.

    Attributes:
        counts: {split: what is in its list}.
        bad: {sequence: why it is in none}.
        keys: the config keys that a run needs.
        no_flow: why the flow of the good sequences cannot be used yet, and what makes it; "" if
            it can.
    """

    counts: dict[str, SequenceFacts]
    bad: dict[str, str]
    keys: dict[str, str]
    no_flow: str


def prepare_segments(
    form: str,
    root: str,
    out: str,
    *,
    names: Sequence[str] = (),
    processes: int = 1,
    progress: Progress = lambda steps, total, title: steps,
) -> PreparedSegments:
    """Reads the lists of a data set, decodes its images and masks, writes lists of the good ones.

    Args:
        form: one of `datasets.segments.collections.COLLECTIONS`.
        root: the folder of the data set.
        out: the folder to write into.
        names: list files of train, val and test, if they are not the publisher's.
        processes: sequences at a time.
        progress: called with (steps, total, title); yields the steps again.
    """
    lists = _read_lists(form, root, names)
    every = {s.frames.name: s for chosen in lists.values() for s in chosen.sequences}
    with alone_in(out):
        steps = progress(in_parallel(examine, every.values(), processes), len(every), "decoding")
        crashed = SequenceFacts(reason="Expected to decode it, but the decoder crashed.")
        facts = {sequence.frames.name: found or crashed for sequence, found in steps}
        good = {
            split: [s.frames.name for s in chosen.sequences if not facts[s.frames.name].reason]
            for split, chosen in lists.items()
        }
        for split, chosen in good.items():
            _write(f"{out}/{split}.txt", "".join(f"{name}\n" for name in chosen))
        bad = {name: facts[name].reason for name in sorted(facts) if facts[name].reason}
        _write_bad(f"{out}/bad.csv", bad)
    counts = {split: _sum([facts[name] for name in chosen]) for split, chosen in good.items()}
    frames = {name: s.frames.frames for name, s in every.items() if name not in bad}
    images = next(iter(lists.values())).images
    return PreparedSegments(counts, bad, _keys(form, root, out), _no_flow(root, images, frames))


def examine(sequence: Labelled) -> SequenceFacts:
    """Decodes every image and mask of a sequence."""
    frames, empty = sequence.frames, 0
    try:
        for number, name in enumerate(frames.frames):
            image = frames.picture(number)
            if name in sequence.masks:
                mask = read_mask(sequence.masks[name])
                size = image.shape[:2]
                check_shape(sequence.masks[name], mask, frames.path(number), size)
                empty += not mask.any()
    except VideoError as error:
        return SequenceFacts(reason=str(error))
    return SequenceFacts(len(frames), len(sequence.masks), empty)


def _read_lists(form: str, root: str, names: Sequence[str]) -> dict[str, SequenceList]:
    """Returns the lists that are there; raises NoListError if none is."""
    found, missing = {}, []
    for split in SPLITS:
        try:
            found[split] = read_sequences(form, root, split, names)
        except NoListError as error:
            missing.append(error)
    if not found:
        raise missing[0]
    return found


def _keys(form: str, root: str, out: str) -> dict[str, str]:
    lists = [f"{os.path.abspath(out)}/{split}.txt" for split in SPLITS]
    return {
        "DATA.PATH_TO_DATA_DIR": root,
        "BIAS.SEGMENTS.FORMAT": form,
        "BIAS.DATA.LISTS": str(lists),
    }


def _no_flow(root: str, images: str, frames: dict[str, Sequence[str]]) -> str:
    try:
        find_flow(f"{root}/{FLOW}", frames, advice=f"slowfast_bias flow {images} --out {root}")
    except DataError as error:
        return str(error)
    return ""


def _sum(facts: Sequence[SequenceFacts]) -> SequenceFacts:
    return SequenceFacts(*(sum(getattr(x, n) for x in facts) for n in ("frames", "masks", "empty")))


def _write_bad(path: str, bad: dict[str, str]) -> None:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([("sequence", "reason"), *bad.items()])
    _write(path, file.getvalue())


def _write(path: str, text: str) -> None:
    try:
        with write_whole(path) as file:
            file.write(text)
    except OSError as error:
        raise cannot_write(path, error) from error
