"""The loaders of a run, from its config, and clips on their way to a network."""

from __future__ import annotations

import logging

import torch
from fvcore.common.config import CfgNode

from slowfast_bias import host
from slowfast_bias.config.allowed import lookup
from slowfast_bias.datasets.lists.host_csv import check_list
from slowfast_bias.datasets.loader import Batch, Loader
from slowfast_bias.datasets.pairs.static_dynamic import draw_order, reorder
from slowfast_bias.datasets.sampling.crops import normalised_planes
from slowfast_bias.datasets.source_clips import SourceClips
from slowfast_bias.datasets.styles.folder_clips import StyledClips
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.errors import DataError

log = logging.getLogger(__name__)


def build_loader(cfg: CfgNode, split: str) -> Loader:
    """Batches of the "train", "val" or "test" list; test has all views, video by video."""
    section = cfg.TEST if split == "test" else cfg.TRAIN
    check_host_list(cfg, section.DATASET, split)
    dataset = host.build_dataset(section.DATASET, cfg, split)
    if len(dataset) == 0:
        raise DataError(
            f"Expected videos in the {split} list of {section.DATASET}, but it has none."
        )
    return Loader(
        dataset,
        ranks.local_batch(cfg, section.BATCH_SIZE),
        training=split == "train",
        seed=cfg.RNG_SEED,
        rank=ranks.rank(),
        world=ranks.world_size(),
        workers=cfg.DATA_LOADER.NUM_WORKERS,
        pin_memory=cfg.DATA_LOADER.PIN_MEMORY,
    )


def check_host_list(cfg: CfgNode, dataset: str, split: str) -> None:
    """Reads the list of a host's csv dataset before the host does: its assertions name no row."""
    if dataset.capitalize() == "Kinetics":
        separator = lookup(cfg, "DATA.PATH_LABEL_SEPARATOR")  # None: the release takes any space
        path = f"{cfg.DATA.PATH_TO_DATA_DIR}/{split}.csv"
        check_list(path, separator, cfg.MODEL.NUM_CLASSES)


def inputs_of(cfg: CfgNode, batch: Batch, device: torch.device) -> list[torch.Tensor]:
    """What the network is fed of a batch: pathways (B, C, T, H, W) on its device.

    Clips that come in uint8 are normalised there.
    """
    inputs = [x.to(device, non_blocking=True) for x in batch.inputs]
    if inputs[0].dtype != torch.uint8:
        return inputs
    return host.pack_batch(cfg, normalised_planes(inputs[0], cfg.DATA.MEAN, cfg.DATA.STD))


def shuffle_frames(
    cfg: CfgNode, inputs: list[torch.Tensor], indices: torch.Tensor, seed: int
) -> list[torch.Tensor]:
    """Pathways (B, C, T, H, W) of the same clips with frames in an order drawn by (seed, index)."""
    frames = inputs[-1]  # the fastest pathway has them all
    orders = [draw_order(frames.shape[2], seed, index) for index in indices.tolist()]
    return host.repack(cfg, reorder(frames, torch.stack(orders)))


def normalised(cfg: CfgNode, clips: torch.Tensor) -> torch.Tensor:
    """What the network is fed, of clips (B, 3, T, H, W) in uint8 or in [0, 1]."""
    clips = unit_range(clips)
    mean, std = (
        torch.tensor(v, device=clips.device).view(-1, 1, 1, 1)
        for v in (cfg.DATA.MEAN, cfg.DATA.STD)
    )
    return (clips - mean) / std


def unit_range(clips: torch.Tensor) -> torch.Tensor:
    """Clips as float32 in [0, 1]."""
    return clips.float() / 255 if clips.dtype == torch.uint8 else clips


def source_clips(cfg: CfgNode, split: str, num_videos: int = 0) -> SourceClips:
    """One clip of each video, or of ``num_videos``, as it was filmed; split is "val" or "test"."""
    dataset = cfg.TEST.DATASET if split == "test" else cfg.TRAIN.DATASET
    check_host_list(cfg, dataset, split)
    return SourceClips(cfg, dataset, split, num_videos)


def styled_clips(cfg: CfgNode, split: str, num_videos: int = 0) -> StyledClips:
    """One clip of each video, or of ``num_videos``, that is in all folders of BIAS.STYLES.DIRS."""
    source = StyledClips(cfg, split, num_videos)
    missing = source.bank.missing
    if missing and ranks.is_master():
        shown = [f"{name} (not in {', '.join(lack)})" for name, lack in [*missing.items()][:20]]
        more = f" and {len(missing) - 20} more" if len(missing) > 20 else ""
        log.warning(
            "%d videos are not in all styles and do not count: %s%s",
            len(missing), "; ".join(shown), more,
        )  # fmt: skip
    return source


def source_loader(cfg: CfgNode, source: SourceClips | StyledClips) -> Loader:
    """This rank's share of the source clips, in batches; every clip once over all ranks."""
    return Loader(
        source,
        ranks.local_batch(cfg, cfg.BIAS.BATCH_SIZE or cfg.TEST.BATCH_SIZE),
        training=False,
        seed=cfg.BIAS.SEED,
        rank=ranks.rank(),
        world=ranks.world_size(),
        workers=cfg.DATA_LOADER.NUM_WORKERS,
        pin_memory=cfg.DATA_LOADER.PIN_MEMORY,
    )
