"""The measurement: one decode per video, its views, all layers at once, one merge at the end.

Ranks read disjoint strides without padding, so no video counts twice and any number of processes
gives the same numbers. A video that cannot be read is dropped, counted and named.
"""

from __future__ import annotations

import functools
import logging
import time
import warnings
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from fvcore.common.config import CfgNode
from torch import nn

from slowfast_bias import host
from slowfast_bias.bias import BiasReport, all_merge
from slowfast_bias.bias.jackknife import recordings_warning
from slowfast_bias.bias.origin import REFERENCE, UNTRAINED
from slowfast_bias.bias.recognition import Recognition
from slowfast_bias.config.check_styles import has_flow_pairs, pairs_name
from slowfast_bias.datasets.contract import ClipSource, recordings_of
from slowfast_bias.datasets.pairs.request import pair_maker
from slowfast_bias.engine.measuring.layers import check_layers
from slowfast_bias.engine.measuring.probe import Probe
from slowfast_bias.engine.measuring.report_files import final_line, leave_reports
from slowfast_bias.engine.measuring.showing import Bad, Showing
from slowfast_bias.engine.measuring.top_clips import (
    Kept,
    check_top_clips,
    keep_over_ranks,
    write_top_clips,
)
from slowfast_bias.engine.measuring.twins import open_twins
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json
from slowfast_bias.engine.setup.network import Trained, build_network, open_trained
from slowfast_bias.engine.setup.provenance import partial_words, provenance
from slowfast_bias.engine.setup.unreadable_videos import dropped_warning
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.errors import DataError
from slowfast_bias.outputs import Outputs

log = logging.getLogger(__name__)


def measure(cfg: CfgNode, known: BiasReport | None = None) -> BiasReport:
    """Measures the trained network of `cfg`, and with BIAS.BASELINE its untrained twin.

    Runs in this process (one rank of the group, if there is one). Writes `bias/report.*` into
    OUTPUT_DIR and returns the trained network's report.

    Args:
        cfg: the config.
        known: the report of these very weights, if the training that just ended has measured them
            already: it is taken, not measured again.
    """
    trained = open_trained(cfg)
    check_layers(cfg, trained.model)  # those silenced later as well
    return measure_trained(cfg, trained, known)


def measure_trained(cfg: CfgNode, trained: Trained, known: BiasReport | None = None) -> BiasReport:
    """Does what `measure` does with a network that is open already."""
    ranks.all_or_none(functools.partial(check_top_clips, cfg))
    if cfg.BIAS.TOP_CLIPS:
        known = None  # clips are ranked while a network is shown them
    opened = {"trained": trained} if known is None else {}
    opened |= open_twins(cfg)
    networks = {name: x.model for name, x in opened.items()}
    if cfg.BIAS.BASELINE:
        networks[UNTRAINED] = build_network(cfg)
    config = Outputs(cfg.OUTPUT_DIR).bias_config
    told = {**trained.about, "config": config}
    reports = {} if known is None else {"trained": _renamed(known, told)}
    kept = None
    if networks:
        about = {name: x.about for name, x in opened.items()}
        fresh = {name for name, x in opened.items() if x.has_fresh_classifier}
        if trained.has_fresh_classifier:
            fresh |= {UNTRAINED}
        found, kept = measure_and_keep(cfg, networks, config, about, fresh, cfg.BIAS.TOP_CLIPS)
        reports |= found
    ranks.all_or_none(functools.partial(leave_reports, cfg, reports))
    for name, report in reports.items():
        log_json(cfg.OUTPUT_DIR, final_line(name, report))
    if kept is not None:
        write_top_clips(cfg, reports["trained"], trained.model, kept)
    ranks.wait()
    return reports["trained"]


def measure_networks(
    cfg: CfgNode,
    networks: Mapping[str, nn.Module],
    config: str,
    meta: Mapping[str, Any] | None = None,
    headless: bool = False,
) -> dict[str, BiasReport]:
    """Returns the report of each network, all shown the same views; the same on every rank.

    Does not change a network's mode, weights or hooks, nor any random state.

    Args:
        cfg: the config.
        networks: {name: network}; the one called "untrained" is a reference for the others.
        config: the file that holds `cfg`, named in the reports.
        meta: kept in the report of the network called "trained".
        headless: whether their classifier is at random: it is left out then.
    """
    fresh = set(networks) if headless else set()
    return measure_and_keep(cfg, networks, config, {"trained": meta or {}}, fresh).reports


class Measured(NamedTuple):
    """The report of each network, and what was kept of the one called "trained", if asked for."""

    reports: dict[str, BiasReport]
    kept: Kept | None


def measure_and_keep(
    cfg: CfgNode,
    networks: Mapping[str, nn.Module],
    config: str,
    about: Mapping[str, Mapping[str, Any]],
    headless: Collection[str] = (),
    clips: int = 0,
) -> Measured:
    """Does what `measure_networks` does and keeps the clips that drive units most and least.

    Args:
        cfg: as there.
        networks: as there.
        config: as there.
        about: {name: what is kept in the report of that network}.
        headless: names of those whose classifier is at random: it is left out then.
        clips: how many of either end of a unit; 0: none is kept.
    """
    start = time.perf_counter()
    maker = pair_maker(pairs_name(cfg))
    source = maker.source(cfg, cfg.BIAS.SPLIT, cfg.BIAS.NUM_VIDEOS)
    probes = {
        name: Probe(cfg, model, name in headless, clips if name == "trained" else 0)
        for name, model in networks.items()
    }
    task = make_task(cfg, next(iter(networks.values())))
    recordings = recordings_of(source)
    shown = Showing(cfg, source, recordings, maker, task, list(probes.values()))
    shares = ranks.all_or_none(shown.run)
    bad = sorted(pair for share in shares for pair in share)
    if len(bad) == len(source):
        raise DataError(f"Expected at least one readable video, but got none: {bad[0][1].reason}")
    common = _about(cfg, source, recordings, bad)
    reports, kept = {}, None
    for name, probe in probes.items():
        found = _about_one(name, probe, common, about.get(name, {}))
        found["seconds"] = round(time.perf_counter() - start, 3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the table and the meta say the same
            meter = all_merge(probe.meter)
            reports[name] = meter.compute(
                threshold=cfg.BIAS.THRESHOLD,
                statistic=cfg.BIAS.STATISTIC,
                meta=provenance(cfg, cfg.BIAS.SPLIT, config, **found),
            )
        if probe.clips:
            kept = keep_over_ranks(probe.top_clips, meter, source, maker)
    return Measured(reports, kept)


def _about_one(
    name: str, probe: Probe, common: Mapping[str, Any], own: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns what the report of one network says beside its numbers; every rank must ask."""
    seen = functools.reduce(Recognition.merge, ranks.gather_objects(probe.recognition))
    return {
        **common,
        "reused_stages": list(probe.reused),
        "forwards": list(probe.forwards.ran),
        "layers_read": next(filter(None, ranks.gather_objects(probe.axes)), {}),
        "recognition": seen.figures(),
        "warnings": [
            *common.get("warnings", ()),
            *seen.warnings(trained=name != UNTRAINED),
            *probe.forwards.family.warnings(probe.model),
            *partial_words(own),
        ],
        "name": name,
        **own,
        **({REFERENCE: "initial random weights"} if name == UNTRAINED else {}),
    }


def _about(
    cfg: CfgNode, source: ClipSource, recordings: list[int], bad: list[Bad]
) -> dict[str, Any]:
    """Returns what the reports of all networks say of the videos and the pairs."""
    dropped = [video for video, _ in bad]
    left_out, pairs = set(dropped), zip(recordings, source.videos, strict=True)
    shown = {number for number, video in pairs if video not in left_out}
    about = {
        "pairs_made": pairs_name(cfg),
        "styles": source.bank.about(),
        "seed": cfg.BIAS.SEED,
        **({} if has_flow_pairs(cfg) else {"order": cfg.BIAS.ORDER}),
        "precision": cfg.BIAS.PRECISION.rstrip("!"),
        "videos": len(source) - len(dropped),
        "recordings": len(shown),
        "dropped_videos": dropped,
        **source.about(),
        "dropped_because": [video._asdict() for _, video in bad],
    }
    said = [dropped_warning([video for _, video in bad], len(source))] if bad else []
    said += recordings_warning(about["videos"], about["recordings"], has_flow_pairs(cfg))
    said += host.described(cfg).notes
    for text in said:
        log.warning("%s", text)
    return about | ({"warnings": said} if said else {})


def _renamed(report: BiasReport, meta: Mapping[str, Any]) -> BiasReport:
    """Returns the report of an epoch as the final one, with other entries in its meta."""
    kept = {key: value for key, value in report.meta.items() if key != "epoch"}
    return BiasReport(report.layers, {**kept, **meta})
