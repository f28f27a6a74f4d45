"""Pictures of one frame at the network's size: the image, its flow, its mask.

Flow and mask of another size than the image are resized if they have its shape; of another shape
they are an error, since they belong to another crop.
"""

from __future__ import annotations

import cv2
import numpy as np

from slowfast_bias.datasets.decoding.timeline import VideoError

_OTHER_SHAPE = 0.02  # relative difference of width / height: more shows other parts


def resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns a picture, uint8 (h, w, 3), of height and width `size`."""
    height, width = size
    if picture.shape[:2] == size:
        return picture
    smaller = height < picture.shape[0] and width < picture.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return cv2.resize(picture, (width, height), interpolation=how)


def resized_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns a mask (h, w) of height and width `size`, its values unmixed."""
    if mask.shape == size:
        return mask
    return cv2.resize(mask, size[::-1], interpolation=cv2.INTER_NEAREST)


def check_shape(path: str, picture: np.ndarray, image: str, size: tuple[int, int]) -> None:
    """Raises VideoError if a picture's shape is not that of its image.

    Args:
        path: of the picture.
        picture: (h, w) or (h, w, 3).
        image: the path of its image.
        size: height and width of the image.
    """
    (h, w), (height, width) = picture.shape[:2], size
    if abs(w / h - width / height) > _OTHER_SHAPE * width / height:
        raise VideoError(
            f"Expected {path} in the shape of its image {image}, {width}x{height} px, but it is "
            f"{w}x{h} px: it belongs to another crop."
        )
