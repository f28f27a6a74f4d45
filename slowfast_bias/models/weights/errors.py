"""What is wrong with a file of weights."""

from __future__ import annotations

from slowfast_bias.errors import UserError


class CheckpointError(UserError, RuntimeError):
    """A checkpoint that cannot be used as it is."""
