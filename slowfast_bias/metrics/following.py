"""Following: which of two objects a mask finds, if the image shows one and the flow another.

Legend: H W space.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from slowfast_bias.metrics.region import region_similarity


class Following(NamedTuple):
    """What a mask has in common with the object of the flow and with that of the image.

    Attributes:
        flow: J with the object that the flow shows, from 0 to 1.
        image: J with the object that the image shows.
        flow_pixels: pixels of the mask that lie in the flow's object alone.
        image_pixels: pixels of the mask that lie in the image's object alone.
    """

    flow: float
    image: float
    flow_pixels: int
    image_pixels: int

    @classmethod
    def of(cls, mask: np.ndarray, flow: np.ndarray, image: np.ndarray) -> Following:
        """Returns what a mask (H, W) has in common with both objects; all True or not 0 inside."""
        mask, flow, image = (np.asarray(x) != 0 for x in (mask, flow, image))
        similar = (float(region_similarity(mask, truth)) for truth in (flow, image))
        alone = (int((mask & one & ~other).sum()) for one, other in ((flow, image), (image, flow)))
        return cls(*similar, *alone)
