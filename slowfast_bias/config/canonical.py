"""One name on both hosts for every network and data set of a config."""

from __future__ import annotations

import logging

from fvcore.common.config import CfgNode

from slowfast_bias.models.families import canonical_names

log = logging.getLogger(__name__)


def canonicalise(cfg: CfgNode, given: set[str]) -> None:
    """Gives networks and data sets of a config one name on both hosts, in place.

    MODEL_NAME follows ARCH if it is not set. Names that the plugin adds to SlowFast's loop stand
    here for the keys that have the same effect. `kinetics` is the format csv of the data set
    `videos`, which decodes exactly and never puts another video in place of a bad one.
    """
    named = "MODEL.MODEL_NAME" in given
    cfg.MODEL.MODEL_NAME = cfg.MODEL.MODEL_NAME.removeprefix("StaticDropout")
    _shuffled_names(cfg)
    cfg.MODEL.ARCH, cfg.MODEL.MODEL_NAME = canonical_names(
        cfg.MODEL.ARCH, cfg.MODEL.MODEL_NAME, named
    )
    for section in ("TRAIN", "TEST"):
        if cfg[section].DATASET.lower() == "kinetics":
            cfg[section].DATASET = "videos"
            if f"{section}.DATASET" in given:
                log.info(
                    "%s.DATASET kinetics is read by the data set `videos`, BIAS.DATA.FORMAT %s",
                    section, cfg.BIAS.DATA.FORMAT,
                )  # fmt: skip


def _shuffled_names(cfg: CfgNode) -> None:
    """Gives `shuffledvideos` and the like their data set's own name, and sets BIAS.SHUFFLE."""
    for section, keys in {"TRAIN": ("TRAIN", "VAL"), "TEST": ("TEST",)}.items():
        name = cfg[section].DATASET
        if name.lower().startswith("shuffled"):
            cfg[section].DATASET = name[len("shuffled") :]
            for key in keys:
                cfg.BIAS.SHUFFLE[key] = True
            listed = ", ".join(f"BIAS.SHUFFLE.{key} True" for key in keys)
            log.info("%s.DATASET %s: %s, %s", section, name, cfg[section].DATASET, listed)
