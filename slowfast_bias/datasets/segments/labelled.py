"""Labelled sequences of a data set: images, and the masks or boxes of their frames, checked.

    listed = read_sequences("davis16", "/data/DAVIS", "val")
    listed.sequences[0].masks["00003"]          # the path of a mask

Only names are read here, no pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.segments.boxes_file import Box, read_boxes
from slowfast_bias.datasets.segments.collections import COLLECTIONS, Collection
from slowfast_bias.datasets.segments.frames import FrameSequence, find_sequences
from slowfast_bias.datasets.segments.sequence_lists import read_names
from slowfast_bias.errors import DataError

_SPLITS = ("train", "val", "test")


class NoListError(DataError):
    """A split without a list, of a data set whose sequences are not all of that split."""


@dataclass(frozen=True)
class Labelled:
    """A sequence with its labels.

    Attributes:
        frames: its images.
        masks: {name of a frame: path of its mask}.
        boxes: {name of a frame: its box}.
    """

    frames: FrameSequence
    masks: Mapping[str, str] = field(default_factory=dict)
    boxes: Mapping[str, Box] = field(default_factory=dict)


@dataclass(frozen=True)
class SequenceList:
    """The sequences of a split; where their images are, and the file that lists them."""

    file: str
    images: str
    sequences: tuple[Labelled, ...]


def read_sequences(form: str, root: str, split: str, names: Sequence[str] = ()) -> SequenceList:
    """Returns the sequences of a split; DataError says what is missing, and where it was expected.

    Args:
        form: one of COLLECTIONS.
        root: the folder of the data set.
        split: train, val or test.
        names: list files of train, val and test, if they are not those of the publisher.
    """
    kind, root = COLLECTIONS[form], root.rstrip("/")
    images = _first(root, kind.images, g_pathmgr.isdir, f"the images of {form}")
    there = find_sequences(images)
    boxes = _read_boxes(root, kind)
    file, chosen = _chosen(form, root, split, names, there, boxes)
    masks = next((f"{root}/{m}" for m in kind.masks if g_pathmgr.isdir(f"{root}/{m}")), "")
    if not masks and (split == "train" or not kind.without_masks):
        raise DataError(
            f"Expected the masks of {form} in {root}/{kind.masks[0]}, but it is not there. Set "
            "DATA.PATH_TO_DATA_DIR to the folder that has it."
        )
    masked = find_sequences(masks) if masks else {}
    if not g_pathmgr.isfile(file):
        _check_images(masked, there, images)
    labelled = tuple(
        Labelled(there[name], _masks(there[name], masked.get(name)), boxes.get(name, {}))
        for name in chosen
    )
    _check(labelled, masks, kind)
    return SequenceList(file, images, labelled)


def _chosen(
    form: str,
    root: str,
    split: str,
    names: Sequence[str],
    there: Mapping[str, FrameSequence],
    boxes: Mapping[str, object],
) -> tuple[str, list[str]]:
    """Returns the file that lists a split, and the names in it."""
    kind = COLLECTIONS[form]
    if names and len(names) != len(_SPLITS):
        raise DataError(
            "Expected BIAS.DATA.LISTS to name the lists of train, val and test, but got "
            f"{list(names)}."
        )
    candidates = (names[_SPLITS.index(split)],) if names else kind.lists.get(split, ())
    paths = [name if name.startswith("/") else f"{root}/{name}" for name in candidates]
    path = next(filter(g_pathmgr.isfile, paths), None)
    if path is None and boxes and not names and split != "train":
        lost = sorted(set(boxes) - set(there))
        if lost:
            raise DataError(
                f"Expected the images of all {len(boxes)} videos that have boxes, but "
                f"{len(lost)} are not there, the first of them {lost[0]}."
            )
        return f"the boxes of {form}", sorted(boxes)
    if path is None and not names and split in kind.whole:
        return f"all sequences of {root}", list(there)
    if path is None:
        raise NoListError(
            f"Expected the {split} list of {form} at {' or '.join(paths) or root}, but it is not "
            "there. Name the lists of train, val and test in BIAS.DATA.LISTS, one sequence a row."
        )
    return path, read_names(path, there)


def _masks(images: FrameSequence, masks: FrameSequence | None) -> dict[str, str]:
    """Returns the path of each frame's mask; DataError if one is of a frame that is not there."""
    if masks is None:
        return {}
    found = dict(zip(masks.frames, map(masks.path, range(len(masks))), strict=True))
    strangers = sorted(set(found) - set(images.frames))
    if strangers:
        raise DataError(
            f"Expected masks of the {len(images)} frames in {images.folder}, but {len(strangers)} "
            f"in {masks.folder} are of others, the first of them {strangers[0]}. Masks go by the "
            "names of their images."
        )
    return found


def _check(labelled: Sequence[Labelled], masks: str, kind: Collection) -> None:
    """Raises DataError if a sequence is a single frame, or frames lack the mask they must have."""
    single = [s.frames.folder for s in labelled if len(s.frames) < 2]
    if single:
        raise DataError(
            f"Expected sequences of two frames or more, as flow is from one to the next, but "
            f"{len(single)} have one, the first of them {single[0]}. Take them off the list."
        )
    missing = [
        f"{masks}/{s.frames.name}/{frame}.png"
        for s in labelled
        for frame in s.frames.frames
        if frame not in s.masks
    ]
    total = sum(len(s.frames) for s in labelled)
    if masks and (len(missing) == total or (kind.complete and missing)) and not kind.boxes:
        raise DataError(
            f"Expected masks of {total} frames, but {len(missing)} have none, the first of them "
            f"{missing[0]}. Get the annotations of the data set again, or take the sequences off "
            "the list."
        )


def _check_images(masked: Mapping[str, object], there: Mapping[str, object], images: str) -> None:
    """Raises DataError if sequences have masks and no images, and no list says which are wanted."""
    lost = sorted(set(masked) - set(there))
    if lost:
        raise DataError(
            f"Expected the images of all {len(masked)} sequences that have masks in {images}, but "
            f"{len(lost)} are not there, the first of them {lost[0]}. Get them, or name the "
            "sequences in BIAS.DATA.LISTS."
        )


def _read_boxes(root: str, kind: Collection) -> dict[str, dict[str, Box]]:
    if not kind.boxes:
        return {}
    return read_boxes(_first(root, kind.boxes, g_pathmgr.isfile, "boxes"))


def _first(root: str, names: Sequence[str], is_there: object, what: str) -> str:
    path = next((f"{root}/{n}" for n in names if is_there(f"{root}/{n}")), None)
    if path is None:
        places = " or ".join(f"{root}/{name}" for name in names)
        raise DataError(
            f"Expected {what} in {places}, but there is nothing. Set DATA.PATH_TO_DATA_DIR to the "
            "folder of the data set, and BIAS.SEGMENTS.FORMAT to its name."
        )
    return path
