"""The measurement: one decode per video, three views, all layers at once, one merge at the end.

Ranks read disjoint strides without padding, so no video counts twice and any number of processes
gives the same numbers. A video that cannot be read is dropped, counted and named.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias import host
from slowfast_bias.bias import FACTORS, BiasReport, all_merge
from slowfast_bias.datasets.pairs.static_dynamic import PAIR_REGISTRY, Views
from slowfast_bias.datasets.source_clips import SourceClips
from slowfast_bias.datasets.styles.bank import StyleBank, make_styles
from slowfast_bias.datasets.styles.folder_clips import StyledClips
from slowfast_bias.datasets.styles.folders import StyleFolders
from slowfast_bias.engine.measuring.probe import Listener
from slowfast_bias.engine.measuring.report_files import describe, write_reports
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json, printable, progress, set_up_logging
from slowfast_bias.engine.setup import network, unreadable_videos
from slowfast_bias.engine.setup.loaders import (
    normalised,
    source_clips,
    source_loader,
    styled_clips,
    unit_range,
)
from slowfast_bias.errors import DataError
from slowfast_bias.files import write_whole

log = logging.getLogger(__name__)

_SHOWN = 10  # names of bad videos below a table; the report and bad_videos.csv have them all


def measure(cfg: CfgNode) -> BiasReport:
    """Measures the trained network of ``cfg``, and with BIAS.BASELINE its untrained twin.

    Runs in this process (one rank of the group, if there is one). Writes ``bias/report.*`` into
    OUTPUT_DIR and returns the trained network's report.
    """
    set_up_logging(cfg.OUTPUT_DIR)
    trained = network.build_network(cfg)
    networks = {"trained": trained}
    if cfg.BIAS.BASELINE:
        networks["untrained"] = network.build_network(cfg)  # before the weights are loaded
    path = network.load_trained(cfg, trained)
    config = f"{cfg.OUTPUT_DIR}/bias/config.yaml"
    reports = measure_networks(cfg, networks, {"checkpoint": path, "config": config})
    if ranks.is_master():
        unreadable_videos.record(cfg, reports["trained"].meta)
        write_reports(cfg.OUTPUT_DIR, reports)
        with write_whole(config) as file:
            file.write(cfg.dump())
    for name, report in reports.items():
        log_json(cfg.OUTPUT_DIR, _line(name, report))
    ranks.wait()
    return reports["trained"]


def _line(name: str, report: BiasReport) -> dict[str, Any]:
    """What json_stats.log says of a network."""
    scores = {
        f"S_{factor}": {n: round(layer.score(factor), 6) for n, layer in report.layers.items()}
        for factor in FACTORS
    }
    counts = {"videos": report.meta["videos"], "dropped": len(report.meta["dropped_videos"])}
    return {"_type": "bias_final", "network": name, **counts, **scores}


def measure_networks(
    cfg: CfgNode, networks: Mapping[str, nn.Module], meta: Mapping[str, Any] | None = None
) -> dict[str, BiasReport]:
    """The report of each network, all shown the same views; the same reports on every rank.

    Does not change a network's mode, weights or hooks, nor any random state.
    """
    start = time.perf_counter()
    source, bank = _material(cfg)
    listeners = {name: Listener(cfg, model) for name, model in networks.items()}
    bad = sorted(_all_or_none(lambda: _listen(cfg, source, bank, listeners.values())))
    dropped = [video for video, *_ in bad]
    of_source = _about(source, bad)
    if bad:
        of_source["warnings"] = [_missing(bad, len(source))]
        log.warning("%s", of_source["warnings"][0])
    reports = {}
    for name, listener in listeners.items():
        about = describe(cfg, bank, listener.reused, len(source) - len(dropped), dropped)
        about |= {"name": name, "seconds": round(time.perf_counter() - start, 3), **of_source}
        known = dict(meta or {}) if name == "trained" else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the table and the meta say the same
            reports[name] = all_merge(listener.meter).compute(
                threshold=cfg.BIAS.THRESHOLD, statistic=cfg.BIAS.STATISTIC, meta={**about, **known}
            )
    return reports


Source = SourceClips | StyledClips
Bank = StyleBank | StyleFolders
# number of a video, its path, its place in the list, the reason
Bad = tuple[int, str, str, str]


def _material(cfg: CfgNode) -> tuple[Source, Bank]:
    """The clips that are shown, and the styles that they are given or come in."""
    styles, split, wanted = cfg.BIAS.STYLES, cfg.BIAS.SPLIT, cfg.BIAS.NUM_VIDEOS
    if styles.SOURCE == "folders":
        source = styled_clips(cfg, split, wanted)
        return source, source.bank
    source = source_clips(cfg, split, wanted)
    return source, make_styles(styles.FAMILY, styles.NUM, styles.SEED)


def _about(source: Source, bad: list[Bad]) -> dict[str, Any]:
    """What the report says of real videos, and of each that was dropped."""
    if not source.about:
        return {}
    if len(bad) == len(source):
        raise DataError(f"Expected at least one readable video, but got none: {bad[0][-1]}")
    told = [dict(zip(("path", "row", "reason"), told, strict=True)) for _, *told in bad]
    return {**source.about, "dropped_because": told}


def _missing(bad: list[Bad], total: int) -> str:
    """For the table: how many videos are not in its numbers, and the first of them."""
    names = [path.rpartition("/")[2] or f"number {video}" for video, path, *_ in bad]
    more = ", ..." if len(names) > _SHOWN else ""
    shown = printable(", ".join(names[:_SHOWN])) + more
    return f"{len(bad)} of {total} videos could not be read and do not count: {shown}"


def _listen(cfg: CfgNode, source: Source, bank: Bank, listeners: Iterable[Listener]) -> list[Bad]:
    """Shows this rank's share of the videos to all listeners; returns those that are unreadable."""
    bad: list[Bad] = []
    loader = source_loader(cfg, source)
    for batch in progress(loader, len(loader), "measurement"):
        for position in batch.dropped:
            reason = batch.reasons.get(position, "")  # the hosts' own data sets give none
            path, place = source.describe(position) if reason else ("", "")
            bad.append((source.videos[position], path, place, reason))
        videos = [source.videos[position] for position in batch.indices.tolist()]
        if videos:
            views = _views(cfg, source, batch.inputs[0], videos, bank)
            for listener in listeners:
                listener.hear(views, videos)
    return bad


def _all_or_none(work: Callable[[], list[Bad]]) -> list[Bad]:
    """What ``work`` returned on all ranks together; its error, on every rank, where one failed.

    Without this the others would wait for the failed rank forever.
    """
    try:
        outcome: Any = work()
    except Exception as error:
        if not ranks.together():
            raise
        outcome = error
    outcomes = ranks.gather_objects(outcome)
    for other in outcomes:
        if isinstance(other, Exception):
            raise other
    return sum(outcomes, [])


def _views(
    cfg: CfgNode, source: Source, clips: torch.Tensor, videos: list[int], bank: Bank
) -> Views:
    def pack(styled: torch.Tensor) -> list[torch.Tensor]:
        return host.pack_batch(source.cfg, normalised(cfg, styled))

    clips = unit_range(clips.to(ranks.device_of(cfg), non_blocking=True))
    styled_before = cfg.BIAS.STYLES.SOURCE == "folders"
    maker = PAIR_REGISTRY.get("static_dynamic_folders" if styled_before else "static_dynamic")
    return maker(clips, videos, pack, bank, cfg.BIAS.SEED, cfg.BIAS.ORDER)
