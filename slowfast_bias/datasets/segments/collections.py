"""The data sets that are known: where each keeps images, masks and lists below its folder."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Collection:
    """The places of a data set; of several candidates the first that is there is taken.

    Attributes:
        images: folders of the sequences' images.
        masks: folders of their masks.
        lists: {split: list files}.
        boxes: files of boxes, which are a list as well.
        whole: splits that are all sequences if there is no list. Others need one, so that nothing
            is trained on that is tested.
        complete: whether every frame must have a mask; if not, those that have one count.
        without_masks: whether it may come without any, to be measured, or compared by boxes.
    """

    images: tuple[str, ...]
    masks: tuple[str, ...]
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    boxes: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    complete: bool = True
    without_masks: bool = False


def _davis(year: str, *more: str) -> Collection:
    def lists(name: str) -> tuple[str, ...]:
        return (*(f"{folder}/{name}.txt" for folder in more), f"ImageSets/{year}/{name}.txt")

    return Collection(
        ("JPEGImages/480p", "JPEGImages"),
        ("Annotations/480p", "Annotations"),
        {"train": lists("train"), "val": lists("val"), "test": lists("val")},
    )


COLLECTIONS = {
    "davis16": _davis("2016", "ImageSets/480p"),
    "davis17": _davis("2017"),
    # masks of its own validation set are public for first frames alone; RVOS splits the train set
    "youtube-vos": Collection(
        ("train/JPEGImages",),
        ("train/Annotations",),
        {
            "train": ("train/train-train-meta.json", "train/meta.json"),
            "val": ("train/train-val-meta.json",),
            "test": ("train/train-val-meta.json",),
        },
        complete=False,
    ),
    "imagenet-vid": Collection(
        ("ILSVRC2015/Data/VID/train", "Data/VID/train"),
        ("segmentation/ILSVRC2015/Data/VID/train", "segmentation/Data/VID/train"),
        whole=("train",),
        complete=False,
    ),
    "tao-vos": Collection(
        ("frames/train",), ("annotations_vos/train/Annotations",), whole=("train",), complete=False
    ),
    "moca": Collection(
        ("JPEGImages",),
        ("Annotations",),
        boxes=("annotations.csv", "Annotations/annotations.csv"),
        complete=False,
        without_masks=True,
    ),
    "sequences": Collection(
        ("JPEGImages",),
        ("Annotations",),
        {split: (f"ImageSets/{split}.txt", f"{split}.txt") for split in ("train", "val", "test")},
        whole=("val", "test"),
        without_masks=True,
    ),
}
