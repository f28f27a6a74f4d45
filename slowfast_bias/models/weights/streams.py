"""Streams that start from a ResNet trained on pictures: a file of torchvision, or of a DeepLab.

    fill_stream(model, "app", read_checkpoint(path)["model_state"], path)

What such a file has beside the ResNet (a classifier, the head of a DeepLab) is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from torch import Tensor

from slowfast_bias.models.segmentation.resnet import PARTS
from slowfast_bias.models.segmentation.two_stream import TwoStream
from slowfast_bias.models.weights.describe import describe
from slowfast_bias.models.weights.errors import CheckpointError

log = logging.getLogger(__name__)

_PREFIXES = ("", "module.", "backbone.", "module.backbone.")
_FIRST = "conv1.weight"


def fill_stream(
    model: TwoStream, stream: str, weights: Mapping[str, Tensor], source: str
) -> list[str]:
    """Copies a ResNet into a stream, all of it or nothing; returns what stays as it was.

    That is nothing but a first convolution that gets more colours than those of pictures.

    Args:
        model: the network.
        stream: "app" or "mot".
        weights: of the file.
        source: the file, for messages.
    """
    own = {}
    for part, module in model.trunk(stream).items():
        for end, value in model.get_submodule(module).state_dict(keep_vars=True).items():
            own[f"{part}.{end}"] = value
    found = _resnet_of(weights)
    left = [_FIRST] if own[_FIRST].shape[1] != 3 else []
    wrong = [k for k in own if k not in left and not _fits(k, own, found)]
    wrong += [k for k in found if k not in own]
    if wrong:
        raise CheckpointError(_refusal(stream, source, weights, wrong))
    for name, value in own.items():
        if name in found and name not in left:
            value.data.copy_(found[name])
    log.info("%s: the stream %s starts from it", source, stream)
    return [f"{model.trunk(stream)['conv1']}.weight" for _ in left]


def _resnet_of(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns the weights of the ResNet in a file, under torchvision's names."""
    start = next((prefix for prefix in _PREFIXES if f"{prefix}{_FIRST}" in weights), "")
    found = {k[len(start) :]: v for k, v in weights.items() if k.startswith(start)}
    return {name: value for name, value in found.items() if name.partition(".")[0] in PARTS}


def _fits(name: str, own: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> bool:
    if name not in found:
        return name.endswith("num_batches_tracked")  # old files have no counters
    return found[name].shape == own[name].shape


def _refusal(stream: str, source: str, weights: Mapping[str, Tensor], wrong: list[str]) -> str:
    kind = describe(weights)
    what = f"by its names it is of the kind {kind}; " if kind not in ("", "ResNet") else ""
    return (
        f"Expected {source} to hold a ResNet for the stream {stream}, but {what}"
        f"{len(wrong)} weights do not fit ({', '.join(wrong[:3])}). Give a file of "
        "the design and width that BIAS.SEGMENTATION names, as torchvision's resnet101 is."
    )
