"""Faster forwards for reading features: copies of a network that compute the same numbers."""

from slowfast_bias.models.fast.channels_last import gains, in_channels_last
from slowfast_bias.models.fast.compiling import compile_parts
from slowfast_bias.models.fast.folding import fold, foldable
from slowfast_bias.models.fast.hardware import why_no_bf16, why_no_compiler

__all__ = [
    "compile_parts",
    "fold",
    "foldable",
    "gains",
    "in_channels_last",
    "why_no_bf16",
    "why_no_compiler",
]
