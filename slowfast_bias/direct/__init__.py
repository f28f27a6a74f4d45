"""Any torch network in one line: clips or a folder in, a report out; no config and no host."""

from slowfast_bias.direct.measure import make_pairs, measure

__all__ = ["make_pairs", "measure"]
