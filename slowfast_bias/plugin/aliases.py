"""Names that SlowFast's tools import and that a checkout outside its makers' company lacks.

`vision.fair.slowfast.tools.*` are the files in the checkout's tools/. detectron2, torchvision and
pieces of pytorchvideo are stood in for while these files are imported, if they are missing;
afterwards an import of them fails as it would without us.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from slowfast_bias import host
from slowfast_bias.host.main import stand_ins
from slowfast_bias.host.repairs import topks_correct
from slowfast_bias.host.stand_ins import standing_in
from slowfast_bias.plugin.import_hooks import Folder

TOOLS = "vision.fair.slowfast.tools"
# What the tools need beside the modules that the host has loaded: imported while stand-ins last.
_NEEDED = (
    "slowfast.utils.metrics", "slowfast.utils.misc", "slowfast.utils.meters",
    "slowfast.utils.checkpoint", "slowfast.visualization.tensorboard_vis",
)  # fmt: skip
# What demo_net.py and visualization.py import beside that, for tasks that are not done here.
_OF_THE_DEMO: dict[str, dict[str, Any]] = {
    "detectron2.config": {},
    "detectron2.engine": {},
    "detectron2.model_zoo": {},
    "detectron2.utils": {},
    "detectron2.utils.visualizer": {},
    "torch.utils.tensorboard": {},
}


def add_aliases() -> None:
    """Makes SlowFast's unmodified tools importable by the names that its run_net.py uses."""
    with lent():
        for name in _NEEDED:
            importlib.import_module(name)
    _keep_their_decoder()
    _count_few_classes()
    _train_without_gpu()
    if not any(isinstance(f, Folder) and f.package == TOOLS for f in sys.meta_path):
        sys.meta_path.append(Folder(TOOLS, host.root.parent / "tools", lent))


@contextlib.contextmanager
def lent() -> Iterator[None]:
    """Lends SlowFast's files what they import and this machine lacks, while they are imported."""
    quiet = contextlib.redirect_stdout(io.StringIO())  # "Please update your PyTorchVideo"
    with standing_in({**stand_ins(), **_OF_THE_DEMO}), quiet:
        yield


def _keep_their_decoder() -> None:
    """Gives SlowFast's decoder torchvision's functions back, if this torchvision has them."""
    decoder: Any = importlib.import_module("slowfast.datasets.decoder")
    with contextlib.suppress(Exception):  # absent, or built for another torch
        theirs = importlib.import_module("torchvision.io")
        if hasattr(theirs, "_read_video_from_memory"):
            decoder.io = theirs


def _count_few_classes() -> None:
    """Lets SlowFast count the top 5 of fewer classes, at which its own function fails."""
    metrics: Any = importlib.import_module("slowfast.utils.metrics")
    theirs: Callable[..., Any] = metrics.topks_correct
    if getattr(theirs, "takes_few_classes", False):
        return

    def correct(preds: Any, labels: Any, ks: Sequence[int]) -> Any:
        few = preds.shape[1] < max(ks)
        return topks_correct(preds, labels, ks) if few else theirs(preds, labels, ks)

    correct.takes_few_classes = True  # type: ignore[attr-defined]
    metrics.topks_correct = correct


def _train_without_gpu() -> None:
    """Lets SlowFast train on a CPU: its loop waits for the GPU after each step, present or not."""
    if not torch.cuda.is_available():
        torch.cuda.synchronize = lambda device=None: None
