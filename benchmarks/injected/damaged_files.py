"""Files of weights that are not what they seem."""

from __future__ import annotations

import pickle
import random
import zipfile
from pathlib import Path


def flip_one_bit(path: str | Path, seed: int = 0) -> None:
    """Changes one bit in the numbers of a file of torch."""
    dice = random.Random(seed)
    with zipfile.ZipFile(path) as archive:
        parts = [part for part in archive.infolist() if part.file_size > 4096]
    part = dice.choice(parts)
    with open(path, "r+b") as file:
        file.seek(part.header_offset + 256 + dice.randrange(part.file_size - 256))
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1 << dice.randrange(8)]))


def bomb(path: Path) -> None:
    """Writes 3 MB that unpack to 3 GB."""
    block = bytes(1 << 20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", pickle.dumps({}))
        with archive.open("a/data/0", "w", force_zip64=True) as part:
            for _ in range(3000):
                part.write(block)


def hungry_pickle(path: Path) -> None:
    """Writes a pickle of a few bytes whose table of objects would take 3 GB."""
    path.write_bytes(b"\x80\x02}r" + (200_000_000).to_bytes(4, "little") + b".")
