"""Floor 1: what masks are scored with. Functions of arrays, and figures as values that merge.

    figures = MaskFigures.of("bear", 7, 82, mask, truth)       # one frame
    figures = figures.merge(MaskFigures.of("bear", 8, 82, ...))
    figures.final()                                            # {"J_mean": "82.40", ...}

J and F of the DAVIS benchmark, and boxes of MoCA. No network, no config, no file.
"""

from slowfast_bias.metrics.boxes import BoxRule, box_overlap, mask_box
from slowfast_bias.metrics.centre import central_share, centroid, fixed_mask
from slowfast_bias.metrics.contour import boundary, contour_accuracy
from slowfast_bias.metrics.davis import MaskFigures
from slowfast_bias.metrics.following import Following
from slowfast_bias.metrics.moca import BoxFigures
from slowfast_bias.metrics.region import Overlap, region_similarity
from slowfast_bias.metrics.sequences import over_time

__all__ = [
    "BoxFigures",
    "BoxRule",
    "Following",
    "MaskFigures",
    "Overlap",
    "boundary",
    "box_overlap",
    "central_share",
    "centroid",
    "contour_accuracy",
    "fixed_mask",
    "mask_box",
    "over_time",
    "region_similarity",
]
