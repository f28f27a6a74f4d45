"""The Caffe2 files of SlowFast's model zoo: a dictionary of blobs, renamed by the host's table."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from slowfast_bias import host

_OF_THE_OPTIMISER = ("momentum", "lr", "model_iter")


def of_blobs(blobs: Mapping[str, object]) -> dict[str, object]:
    """Returns the network's weights under PyTorch names; the optimiser's blobs are left out."""
    weights = {}
    for blob, value in blobs.items():
        if not any(word in str(blob) for word in _OF_THE_OPTIMISER):
            weights[host.caffe2_name(str(blob))] = _tensor(value)
    return weights


def _tensor(value: object) -> object:
    return torch.tensor(value) if isinstance(value, (int, float)) else value
