"""Floor 0: the only place that says ``import slowfast``.

Importing this package loads no host; the first use of one of the names below does, once, and it is
chosen by file (`locate`): ``host.name``, ``host.capabilities``, ``host.build_model(cfg)``, ...
Everything in which the two SlowFast generations differ ends here.
"""

from __future__ import annotations

import functools
import importlib
import logging
import multiprocessing
from typing import Any

from slowfast_bias.host.locate import HostNotFoundError, find_host

FACADE = (
    "name",  # "pypi" or "main"
    "root",  # the folder of the slowfast package in use
    "capabilities",  # architectures and optional features, as words
    "remedy",  # what gets a capability this host lacks
    "foreign_keys",  # config keys that only the other generation knows
    "problems",  # (cfg) -> what this host cannot do of it
    "get_cfg",  # () -> the host's defaults
    "build_model",  # (cfg) -> network on the CPU
    "build_dataset",  # (name, cfg, split)
    "register_dataset",  # (cls) -> cls
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
    "layers",  # (model) -> keyword arguments of bias.Tap
    "head",  # (model) -> where the classifier and its dropout slot are
)

__all__ = ["FACADE", "HostNotFoundError", *FACADE]  # noqa: PLE0604

log = logging.getLogger(__name__)


@functools.cache
def _host() -> Any:
    found = find_host()
    # Others keep quiet: the main process has said it. `parent_process` would not do, which is None
    # while a process that starts afresh unpickles what it is to work on.
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
