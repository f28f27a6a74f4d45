"""Dense flow by OpenCV's DIS, which needs no weights: the one that can be computed here."""

from __future__ import annotations

import cv2
import numpy as np

PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}
# OpenCV crashes at the coarsest of its levels on some frames that are smaller or longer than this.
SMALLEST, LONGEST = 32, 4  # pixels of the shorter side; times it


def dis_flow(first: np.ndarray, second: np.ndarray, preset: str = "medium") -> np.ndarray:
    """Returns the flow from a frame to another, float32 (H, W, 2) in pixels.

    The same on any number of cores: DIS cuts a picture into as many stripes as there are threads,
    which changes its numbers, so that it is given one.

    Args:
        first: uint8 (H, W), grey.
        second: of the same size.
        preset: one of PRESETS.
    """
    if first.shape != second.shape or first.ndim != 2:
        raise ValueError(
            f"Expected two grey frames of one size, but got {first.shape} and {second.shape}."
        )
    short, long = sorted(first.shape)
    if short < SMALLEST or long > LONGEST * short:
        raise ValueError(
            f"Expected frames of {SMALLEST} pixels or more, and a long side of at most {LONGEST} "
            f"short ones, for the flow of DIS, but got {first.shape[1]}x{first.shape[0]} px."
        )
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        return cv2.DISOpticalFlow_create(PRESETS[preset]).calc(first, second, None)
    finally:
        cv2.setNumThreads(threads)
