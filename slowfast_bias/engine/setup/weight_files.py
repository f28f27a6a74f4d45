"""Files of weights of a run: checked against their own checksums and sizes, then read."""

from __future__ import annotations

from typing import Any

from slowfast_bias.archive_checks import check_file
from slowfast_bias.models.weights import readers
from slowfast_bias.models.weights.readers import CheckpointError


def read_checkpoint(path: str) -> dict[str, Any]:
    """Returns what a file of weights holds; CheckpointError if it is not what was written."""
    check_file(path, CheckpointError)
    return readers.read_checkpoint(path)
