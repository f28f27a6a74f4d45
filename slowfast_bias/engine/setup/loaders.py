"""The loaders of a run, from its config."""

from __future__ import annotations

from fvcore.common.config import CfgNode

from slowfast_bias.datasets.contract import ClipSource, VideoDataset, open_dataset
from slowfast_bias.datasets.loader import Loader
from slowfast_bias.datasets.segments.exchanged import Exchanged
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.errors import DataError


def dataset_name(cfg: CfgNode, split: str) -> str:
    """Returns the data set of the "train", "val" or "test" list."""
    return cfg.TEST.DATASET if split == "test" else cfg.TRAIN.DATASET


def build_loader(cfg: CfgNode, split: str) -> Loader:
    """Returns batches of the "train", "val" or "test" list; test has all views, video by video."""
    section = cfg.TEST if split == "test" else cfg.TRAIN
    dataset = open_dataset(section.DATASET, cfg, split)
    if len(dataset) == 0:
        raise DataError(
            f"Expected videos in the {split} list of {section.DATASET}, but it has none."
        )
    return _loader(cfg, dataset, section.BATCH_SIZE, cfg.RNG_SEED, training=split == "train")


def exchanged_loader(cfg: CfgNode) -> Loader:
    """Returns the frames of the test list, each beside its partner in another sequence."""
    dataset = Exchanged(open_dataset(cfg.TEST.DATASET, cfg, "test"), cfg.BIAS.SEED)
    return _loader(cfg, dataset, cfg.TEST.BATCH_SIZE, cfg.RNG_SEED)


def source_loader(cfg: CfgNode, source: ClipSource) -> Loader:
    """Returns this rank's share of source clips, in batches; every clip once over all ranks."""
    return _loader(cfg, source, cfg.BIAS.BATCH_SIZE or cfg.TEST.BATCH_SIZE, cfg.BIAS.SEED)


def _loader(
    cfg: CfgNode, dataset: VideoDataset | ClipSource, batch: int, seed: int, training: bool = False
) -> Loader:
    return Loader(
        dataset,
        ranks.local_batch(cfg, batch),
        training=training,
        seed=seed,
        rank=ranks.rank(),
        world=ranks.world_size(),
        workers=cfg.DATA_LOADER.NUM_WORKERS,
        pin_memory=cfg.DATA_LOADER.PIN_MEMORY,
    )
