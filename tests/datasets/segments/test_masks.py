"""Masks in every form they come in, and boxes: what is foreground, and which files are bad."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image
from support.segments import square

from slowfast_bias.datasets.decoding.timeline import VideoError
from slowfast_bias.datasets.segments.boxes_file import read_boxes
from slowfast_bias.datasets.segments.masks import read_mask
from slowfast_bias.errors import DataError

WANTED = square(1)


def palette(values):
    """An 8-bit palette whose colour 0 is no black, and colour 2 is."""
    picture = Image.fromarray(values, "L").convert("P")
    picture.putdata(values.ravel().tolist())
    picture.putpalette([9, 9, 9, 200, 0, 0, 0, 0, 0])
    return picture


@pytest.mark.parametrize(
    "picture",
    [
        Image.fromarray(square(255)),
        Image.fromarray(square(1)),
        Image.fromarray(square(255)).convert("1"),
        palette(square(1)),
        palette(square(2)),
        Image.merge("LA", [Image.fromarray(square(255)), Image.fromarray(square(255) | 255)]),
        Image.fromarray(np.stack([square(0), square(7), square(0)], -1)),
        Image.fromarray(np.stack([square(0), square(7), square(0), square(0) | 255], -1)),
        Image.fromarray(square(1000, kind=np.uint16)),
        Image.fromarray(square(256, kind=np.uint16)),  # its low byte is 0
    ],
    ids=["0-255", "0-1", "1 bit", "palette", "palette black", "LA", "RGB", "RGBA", "16", "16 low"],
)
def test_foreground_is_whatever_is_not_background(tmp_path, picture):
    picture.save(tmp_path / "a.png")
    found = read_mask(f"{tmp_path}/a.png")
    assert found.dtype == np.uint8 and np.array_equal(found, WANTED)


def test_an_empty_mask_is_a_mask(tmp_path):
    Image.fromarray(square(0)).save(tmp_path / "a.png")
    assert not read_mask(f"{tmp_path}/a.png").any()


def test_a_bad_mask_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"nothing")
    Image.fromarray(square(255)).save(tmp_path / "b.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "b.png").read_bytes()[:60])
    Image.fromarray(np.zeros((3, 3), np.float32)).save(tmp_path / "c.tif")
    (tmp_path / "empty.png").write_bytes(b"")
    whys = {
        "a.png": "it is no picture", "b.png": "it cannot be read: .*truncated",
        "c.tif": "modes .* but got F", "none.png": "it cannot be read", "empty.png": "is empty",
    }  # fmt: skip
    for name, why in whys.items():
        with pytest.raises(
            VideoError, match="Expected a mask .*" + name.replace(".", r"\.")
        ) as told:
            read_mask(f"{tmp_path}/{name}")
        assert re.search(why, str(told.value))


HEAD = ",file_list,spatial_coordinates,metadata\n"
ROW = "0,/viper/00000.jpg,\"[2,482,225,507,191]\",{'1': '0'}\n"


def test_boxes_of_moca(tmp_path):
    path = tmp_path / "annotations.csv"
    more = '1,/viper/00001.jpg,"[2,-4.5,-1,10,20]",{}\n2,/viper/00002.jpg,[],{}\n'
    path.write_text(HEAD + ROW + more)
    found = read_boxes(str(path))
    assert found == {"viper": {"00000": (482, 225, 989, 416), "00001": (0, 0, 10, 20)}}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "columns file_list"),
        (HEAD, "has none"),
        (HEAD + ROW + ROW, "row 3.*earlier row"),
        (HEAD + ROW.replace("507", "x"), "row 2.*width, height"),
        (HEAD + ROW.replace("[2,", "[1,"), "row 2.*rectangle"),
        (HEAD + ROW.replace("507", "0"), "row 2.*of some size"),
        (HEAD + ROW.replace("482", "NaN"), "row 2.*of some size"),
        (HEAD + ROW.replace("/viper/", ""), "row 2.*expected video/frame.jpg"),
    ],
)
def test_bad_boxes_are_told_by_their_row(tmp_path, text, says):
    path = tmp_path / "annotations.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=says):
        read_boxes(str(path))
