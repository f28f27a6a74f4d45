"""Floor 0: the only place that imports `slowfast`.

Importing this package loads no host; the first use of one of the names below loads it, once:
`host.name`, `host.capabilities`, `host.build_model(cfg)`, ... It is chosen by its files (`locate`).
All differences between the two SlowFast generations are handled here.
"""

from __future__ import annotations

import functools
import importlib
import logging
import multiprocessing
from typing import Any

from slowfast_bias.host.locate import HostNotFoundError, find_host
from slowfast_bias.host.own_networks import add_networks

FACADE = (
    "name",  # "pypi" or "main"
    "root",  # the folder of the slowfast package in use
    "capabilities",  # architectures and optional features, as words
    "remedy",  # how to get a capability that this host lacks
    "remedy_for",  # (capability) -> how to get it
    "described",  # (cfg) -> what the files that it names say of its network
    "published_weights",  # (cfg) -> where the weights are that come with such files
    "foreign_keys",  # config keys that only the other generation has
    "on_by_default",  # switches of the other generation that its own defaults have on
    "problems",  # (cfg) -> what of it this host cannot do
    "get_cfg",  # () -> the host's defaults
    "build_model",  # (cfg) -> network on the CPU
    "build_dataset",  # (name, cfg, split)
    "register_dataset",  # (cls) -> cls
    "pack_sample",  # (inputs, label, index) -> what the host's own loops take
    "unpack_sample",  # (what a dataset gave) -> Sample(inputs, label, index)
    "pack_pathways",  # (cfg, frames) -> list of tensors
    "pack_batch",  # (cfg, clips) -> list of batched tensors
    "repack",  # (cfg, frames of the last pathway) -> list of batched tensors
    "source_frames",  # (cfg, pathways) -> frames in [0, 1]
    "central_view",  # (cfg, split) -> (cfg, clips per video, which one)
    "construct_optimizer",  # (model, cfg)
    "lr_at",  # (epoch, cfg)
    "set_lr",  # (optimizer, lr)
    "build_loss",  # (cfg)
    "caffe2_name",  # (blob name) -> parameter name
    "whole_pathways",  # (cfg) -> whether each pathway has every frame
    # from the families of networks, a floor above: the package puts these two here
    "layers",  # (model) -> keyword arguments of bias.Tap
    "head",  # (model) -> where the classifier and its dropout slot are
)

__all__ = ["FACADE", "HostNotFoundError", "add_networks", "is_loading", *FACADE]  # noqa: PLE0604

log = logging.getLogger(__name__)


_loading = False


def is_loading() -> bool:
    """Returns whether the host is being imported right now: its files may import us."""
    return _loading


@functools.cache
def _host() -> Any:
    global _loading
    _loading = True
    try:
        return _load()
    finally:
        _loading = False


def _load() -> Any:
    found = find_host()
    # Only the main process logs it. `parent_process` does not help: it is None while a spawned
    # process unpickles its work.
    if found.shadowed and multiprocessing.current_process().name == "MainProcess":
        log.warning(
            "Several SlowFast packages are on the path; using %s (%s), not %s.",
            found.root,
            found.generation,
            ", ".join(map(str, found.shadowed)),
        )
    module = importlib.import_module(f"slowfast_bias.host.{found.generation}")
    return getattr(module, f"{found.generation.capitalize()}Host")(found.root)


def __getattr__(attribute: str) -> Any:
    if attribute in FACADE:
        return getattr(_host(), attribute)
    raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
