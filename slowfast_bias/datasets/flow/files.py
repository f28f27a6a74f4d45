"""Files of flow: .flo (raw, Middlebury's) and pictures of coded flow.

A .flo holds the number 202021.25, width and height, then (u, v) of every pixel, row by row, all
little-endian: float32 but for the two int32.
"""

from __future__ import annotations

import cv2
import numpy as np
from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.decoding.timeline import VideoError
from slowfast_bias.datasets.flow.wheel import coded
from slowfast_bias.files import write_whole

ENDINGS = (".png", ".flo")  # in the order in which they are looked for
_MAGIC = np.float32(202021.25)
_UNKNOWN = 1e9  # Middlebury's mark of a pixel without flow is above it


def read_flow_picture(path: str) -> np.ndarray:
    """Returns the picture of flow in a file, uint8 (H, W, 3) in RGB; raw flow is coded.

    VideoError if it cannot be read.
    """
    if path.lower().endswith(".flo"):
        return coded(read_flo(path))
    picture = cv2.imdecode(np.frombuffer(_bytes(path), np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise VideoError(f"Expected a picture of flow in {path}, but it is not a whole picture.")
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise VideoError(
            f"Expected a picture of flow of three 8-bit channels in {path}, but it has "
            f"{_channels(picture)} of {picture.dtype}. Raw flow in 16 bits is not read: save it "
            "as .flo."
        )
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def read_flo(path: str) -> np.ndarray:
    """Returns the flow in a .flo file, float32 (H, W, 2); VideoError says what is wrong."""
    data = _bytes(path)
    magic = np.frombuffer(data, "<f4", 1)[0] if len(data) >= 12 else None
    if magic != _MAGIC:
        raise VideoError(
            f"Expected a .flo file, which begins with {_MAGIC}, in {path}, but it begins with "
            f"{magic}: it is another kind of file, or of a machine of the other byte order."
        )
    width, height = np.frombuffer(data, "<i4", 2, 4).tolist()
    if min(width, height) < 1 or len(data) != 12 + 8 * width * height:
        raise VideoError(
            f"Expected 12 + 8 x {width} x {height} bytes in {path}, but it has {len(data)}: it is "
            "not whole. Compute its flow again."
        )
    flow = np.frombuffer(data, "<f4", 2 * width * height, 12).reshape(height, width, 2)
    good = np.isfinite(flow) & (np.abs(flow) < _UNKNOWN)
    if not good.all():
        raise VideoError(
            f"Expected finite flow in {path}, but {int((~good).any(-1).sum())} of its "
            f"{width * height} pixels are NaN or unknown. Compute its flow again."
        )
    return flow.astype(np.float32)


def write_flo(path: str, flow: np.ndarray) -> None:
    """Writes flow (H, W, 2) as a .flo file, whole or not at all."""
    height, width = flow.shape[:2]
    with write_whole(path, "wb") as file:
        file.write(np.array(_MAGIC, "<f4").tobytes() + np.array([width, height], "<i4").tobytes())
        file.write(np.ascontiguousarray(flow, "<f4").tobytes())


def write_flow_picture(path: str, picture: np.ndarray) -> None:
    """Writes a picture of flow, uint8 (H, W, 3) in RGB, as PNG, whole or not at all."""
    good, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not good:
        raise OSError(f"OpenCV cannot encode {path}")
    with write_whole(path, "wb") as file:
        file.write(data.tobytes())


def _bytes(path: str) -> bytes:
    try:
        with g_pathmgr.open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise VideoError(f"Expected flow in {path}, but: {error}.") from error
    if not data:
        raise VideoError(f"Expected flow in {path}, but the file is empty.")
    return data


def _channels(picture: np.ndarray) -> str:
    count = 1 if picture.ndim == 2 else picture.shape[2]
    return f"{count} channel{'s' * (count > 1)}"
