"""Where runs find their data and weights, and where they leave what they find out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from slowfast_bias.outputs import Outputs

# Data set -> folder of its lists below --data, folder of its videos if that is there, list format.
DATA = {
    "kinetics": ("kinetics", "kinetics/videos", "csv"),
    "ssv2": ("ssv2", "ssv2/videos", "ssv2"),
    "something_else": ("something_else", "ssv2/videos", "something_else"),
    "diving48": ("diving48", "diving48/rgb", "diving48"),
}
# Data set of masks -> folder below --data, BIAS.SEGMENTS.FORMAT.
SEGMENTS = {
    "davis": ("DAVIS", "davis16"),
    "youtube_vos": ("YouTube-VOS", "youtube-vos"),
    "imagenet_vid": ("ImageNet-VID", "imagenet-vid"),
    "tao_vos": ("TAO-VOS", "tao-vos"),
    "moca": ("MoCA", "moca"),
}
PREPARED = "train.csv"  # such lists come from `slowfast_bias prepare`


@dataclass(frozen=True)
class Places:
    """Folders, and the config keys that hold for every run.

    Attributes:
        out: where everything goes.
        data: with a folder per data set; "" for the toy world.
        weights: with published files; "" if there are none.
        configs: the folder that holds `configs/`, with its slash; "" for the working directory.
        options: KEY, VALUE, ... of every run; they win.
    """

    out: str
    data: str = ""
    weights: str = ""
    configs: str = ""
    options: tuple[Any, ...] = ()

    @property
    def world(self) -> str:
        """What the runs see: "data" or "toy"."""
        return "data" if self.data else "toy"

    def run(self, name: str) -> Outputs:
        """Returns the folder of a run or a sweep."""
        return Outputs(self.out).run(f"runs/{name}")

    def data_keys(self, name: str) -> list[Any]:
        """Returns KEY, VALUE, ... of a data set; lists that were prepared come first."""
        if name in SEGMENTS:
            folder, format = SEGMENTS[name]
            root = f"{self.data}/{folder}"
            return ["DATA.PATH_TO_DATA_DIR", root, "BIAS.SEGMENTS.FORMAT", format]
        lists, videos, format = DATA[name]
        if os.path.exists(f"{self.data}/{lists}/{PREPARED}"):
            format = "csv"
        words = ["DATA.PATH_TO_DATA_DIR", f"{self.data}/{lists}", "BIAS.DATA.FORMAT", format]
        if os.path.isdir(f"{self.data}/{videos}"):
            words += ["DATA.PATH_PREFIX", f"{self.data}/{videos}"]
        return words

    def lacks(self, name: str) -> str:
        """Returns what is wrong with the folder of a data set's lists; "" if something is in it."""
        folder = f"{self.data}/{(SEGMENTS.get(name) or DATA[name])[0]}"
        if not os.path.isdir(folder):
            return f"{folder} is not there"
        if name in SEGMENTS:
            return "" if os.listdir(folder) else f"{folder} is empty, it should hold sequences"
        videos = DATA[name][1].rpartition("/")[2]
        lists = [x for x in os.listdir(folder) if not x.startswith(".") and x != videos]
        return "" if lists else f"{folder} is empty, it should hold lists"

    def find_weights(self, names: tuple[str, ...]) -> str:
        """Returns the first of these files or folders that is there; "" if none is."""
        paths = [f"{self.weights}/{name}" for name in names] if self.weights else []
        return next((path for path in paths if os.path.exists(path)), "")
