"""Names by which SlowFast's configs ask for what the plugin registers."""

from __future__ import annotations

from slowfast_bias.datasets import videos  # noqa: F401  registers Videos
from slowfast_bias.datasets.contract import is_registered
from slowfast_bias.datasets.toy import dataset  # noqa: F401  registers Toyvideos

STATIC_DROPOUT = "StaticDropout"  # before a network's own name
SHUFFLED = "shuffled"  # before a data set's own name, in any case


def is_shuffled(name: str) -> bool:
    """Returns whether TRAIN.DATASET / TEST.DATASET `name` has its frames in random order."""
    return name.lower().startswith(SHUFFLED)


def reads_items(name: str) -> bool:
    """Returns whether a data set is one of this project's, which reads the BIAS keys."""
    return is_registered(name)
