"""TensorFloat-32: products of float32 on a GPU, rounded to ten bits of mantissa.

By default torch computes convolutions on a GPU in it, so that features differ from those of a CPU
in the third digit, and from batch size to batch size.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def tensor_float(allowed: bool) -> Iterator[None]:
    """Allows or forbids TensorFloat-32 on GPUs, in convolutions and matrix products alike.

    Args:
        allowed: whether products may be rounded; afterwards everything is as it was before.
    """
    convolutions, products = torch.backends.cudnn, torch.backends.cuda.matmul
    before = convolutions.allow_tf32, products.allow_tf32
    convolutions.allow_tf32 = products.allow_tf32 = allowed
    try:
        yield
    finally:
        convolutions.allow_tf32, products.allow_tf32 = before


def why_no_tensor_float(device: str) -> str:
    """Returns why a device ("cpu", "cuda") has no TensorFloat-32; "" if it has."""
    if device != "cuda":
        return "only GPUs have TensorFloat-32"
    if torch.cuda.get_device_capability() < (8, 0):
        return "this GPU has no TensorFloat-32"
    return ""
