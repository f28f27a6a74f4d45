"""What the battery asks of the test list: classes by name, partners, and parts of the list.

Read before a run does any work, and again when its turn comes.
"""

from __future__ import annotations

from dataclasses import dataclass

from fvcore.common.config import CfgNode

from slowfast_bias.config import ConfigError
from slowfast_bias.datasets.contract import (
    VideoDataset,
    class_names_of,
    has_labels,
    is_registered,
    open_dataset,
    video_names_of,
)
from slowfast_bias.datasets.lists.chosen_videos import ChosenVideos, ListFacts, read_chosen
from slowfast_bias.datasets.lists.class_index import ClassIndex, read_class_names
from slowfast_bias.datasets.lists.partner_file import Partners, read_partners
from slowfast_bias.datasets.lists.video_index import VideoIndex
from slowfast_bias.engine.preflight.lists import quiet


@dataclass(frozen=True)
class Questions:
    """What is asked of a test list.

    Attributes:
        labelled: whether its classes mean anything; if not, only divergences can be given.
        classes: the classes of the network.
        partners: classes that change into each other when a video is reversed; None if not asked.
        lists: parts of the test list.
    """

    labelled: bool
    classes: ClassIndex
    partners: Partners | None
    lists: list[ChosenVideos]


def read_questions(cfg: CfgNode) -> Questions:
    """Returns what BIAS.BEHAVIOUR asks of the test list; errors name what cannot be answered.

    Lists of data sets of the host are not opened: they may be expensive to construct.
    """
    keys, known = cfg.BIAS.BEHAVIOUR, is_registered(cfg.TEST.DATASET)
    with quiet():
        dataset = open_dataset(cfg.TEST.DATASET, cfg, "test") if known else None
    labelled = dataset is None or has_labels(dataset)
    if not labelled:
        _refuse_without_labels(cfg)
    classes = _classes(cfg, dataset)
    partners = read_partners(keys.PARTNERS, classes) if keys.PARTNERS else None
    lists = read_chosen(keys.LISTS, _tested(cfg, dataset, classes)) if keys.LISTS else []
    return Questions(labelled, classes, partners, lists)


def _classes(cfg: CfgNode, dataset: VideoDataset | None) -> ClassIndex:
    file, count = cfg.BIAS.BEHAVIOUR.CLASS_NAMES, cfg.MODEL.NUM_CLASSES
    if file:
        return ClassIndex(read_class_names(file, count), count)
    return ClassIndex(class_names_of(dataset) if dataset is not None else {}, count)


def _tested(cfg: CfgNode, dataset: VideoDataset | None, classes: ClassIndex) -> ListFacts:
    lenient = cfg.BIAS.BEHAVIOUR.ALLOW_MISSING
    if dataset is None:
        return ListFacts(classes, None, None, lenient)
    names = video_names_of(dataset)
    labels = [dataset.target(video) for video in range(len(names))]
    return ListFacts(classes, VideoIndex(names), labels, lenient)


def _refuse_without_labels(cfg: CfgNode) -> None:
    keys = cfg.BIAS.BEHAVIOUR
    asked = [key for key in ("PARTNERS", "LISTS") if keys[key]]
    if asked:
        raise ConfigError(
            [
                f"BIAS.BEHAVIOUR.{key}: expected a test list with classes, but BIAS.DATA.FORMAT "
                f"{cfg.BIAS.DATA.FORMAT} has none; leave the key empty"
                for key in asked
            ]
        )
