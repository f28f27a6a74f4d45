"""Faster forwards for reading features: copies of a network that compute the same numbers."""

from slowfast_bias.models.fast.channels_last import (
    gains,
    in_channels_last,
    learnt_in_channels_last,
)
from slowfast_bias.models.fast.compiling import compile_parts
from slowfast_bias.models.fast.folding import fold, foldable
from slowfast_bias.models.fast.hardware import why_no_bf16, why_no_compiler
from slowfast_bias.models.fast.pools import idle_pools, leave_out
from slowfast_bias.models.fast.tensor_float import tensor_float, why_no_tensor_float

__all__ = [
    "compile_parts",
    "fold",
    "foldable",
    "gains",
    "idle_pools",
    "in_channels_last",
    "learnt_in_channels_last",
    "leave_out",
    "tensor_float",
    "why_no_bf16",
    "why_no_compiler",
    "why_no_tensor_float",
]
