"""Floor 0: the names of all files that a run leaves in OUTPUT_DIR; those of studies are inherited.

outputs = Outputs(cfg.OUTPUT_DIR)
outputs.report()                     # OUTPUT_DIR/bias/report.json
outputs.checkpoint(3)                # OUTPUT_DIR/checkpoints/checkpoint_epoch_00003.pyth
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from iopath.common.file_io import g_pathmgr

from slowfast_bias.study_outputs import StudyOutputs

_CHECKPOINT = re.compile(r"checkpoint_epoch_(\d+)\.pyth$")
_EPOCH_REPORT = re.compile(r"epoch_(\d+)\.json$")
_STRIPS = "top_clips"


@dataclass(frozen=True)
class Outputs(StudyOutputs):
    """File names below `root`; nothing is made or read but by the two methods that list."""

    root: str

    @property
    def config(self) -> str:
        """The config that training ran with."""
        return f"{self.root}/config.yaml"

    @property
    def log(self) -> str:
        """What a run printed."""
        return f"{self.root}/stdout.log"

    @property
    def stats(self) -> str:
        """One JSON object a line, as SlowFast logs."""
        return f"{self.root}/json_stats.log"

    @property
    def unreadable_videos(self) -> str:
        """Videos that could not be read, and why."""
        return f"{self.root}/bad_videos.csv"

    @property
    def not_finite(self) -> str:
        """The batch whose loss was not finite, and its videos."""
        return f"{self.root}/not_finite.json"

    @property
    def html(self) -> str:
        """The page that shows all results to a person."""
        return f"{self.root}/report.html"

    def tensorboard(self, log_dir: str) -> str:
        """Returns the folder of TENSORBOARD.LOG_DIR: inside OUTPUT_DIR, or an absolute path."""
        return os.path.join(self.root, log_dir or "runs")

    # -- checkpoints
    @property
    def checkpoints(self) -> str:
        """The folder of the checkpoints."""
        return f"{self.root}/checkpoints"

    def checkpoint(self, epoch: int) -> str:
        """Returns the weights after `epoch` finished epochs."""
        return f"{self.checkpoints}/checkpoint_epoch_{epoch:05d}.pyth"

    def list_checkpoints(self) -> list[str]:
        """Returns the checkpoints that are there, newest first."""
        return [self.checkpoint(epoch) for epoch in _numbers(self.checkpoints, _CHECKPOINT)[::-1]]

    @property
    def mid_epoch(self) -> str:
        """The checkpoint of an epoch that is going on; no reader of checkpoints takes its name."""
        return f"{self.checkpoints}/mid_epoch.pyth"

    @property
    def bookmarks(self) -> str:
        """The folder of what is known so far of passes over lists that have not ended."""
        return f"{self.root}/unfinished"

    def bookmark(self, name: str) -> str:
        """Returns the file of one pass and process."""
        return f"{self.bookmarks}/{name}.pyth"

    # -- masks
    @property
    def masks(self) -> str:
        """The folder of the masks that a test writes."""
        return f"{self.root}/masks"

    def mask(self, sequence: str, frame: str) -> str:
        """Returns the mask of a frame."""
        return f"{self.masks}/{sequence}/{frame}.png"

    def segmentation(self, suffix: str = "json") -> str:
        """Returns how good the masks are: json; or the config of the test: yaml."""
        return f"{self.root}/segmentation.{suffix}"

    def centre(self, suffix: str = "json") -> str:
        """Returns where in the frames objects are: json or png; or the config: yaml."""
        return f"{self.root}/centre.{suffix}"

    # -- bias
    @property
    def bias(self) -> str:
        """The folder of measurements and of tests with changed frames or networks."""
        return f"{self.root}/bias"

    @property
    def bias_config(self) -> str:
        """The config that the measurement came from; it produces it again."""
        return f"{self.bias}/config.yaml"

    def report(self, name: str = "report", suffix: str = "json") -> str:
        """Returns the measurement of a network: json, csv, md or png."""
        return f"{self.bias}/{name}.{suffix}"

    def epoch_report(self, epoch: int) -> str:
        """Returns the measurement after `epoch` finished epochs."""
        return f"{self.bias}/epoch_{epoch:05d}.json"

    def list_epoch_reports(self) -> dict[int, str]:
        """Returns {epoch: file} of the measurements made while training."""
        return {epoch: self.epoch_report(epoch) for epoch in _numbers(self.bias, _EPOCH_REPORT)}

    @property
    def comparison(self) -> str:
        """The figure of the trained network beside its baseline."""
        return f"{self.bias}/comparison.png"

    @property
    def over_epochs(self) -> str:
        """The figure of bias over training."""
        return f"{self.bias}/over_epochs.png"

    @property
    def top_clips(self) -> str:
        """The clips that drive units most and least."""
        return f"{self.bias}/top_clips.json"

    @property
    def top_clip_strips(self) -> str:
        """The folder of their film strips."""
        return f"{self.bias}/{_STRIPS}"

    def top_clip_strip(self, video: int) -> str:
        """Returns the film strip of a video, by its number in the list that was measured."""
        return f"{self.bias}/{strip_name(video)}"

    @property
    def frame_orders(self) -> str:
        """Accuracies with frames in and out of order."""
        return f"{self.bias}/orders.json"

    @property
    def frame_orders_config(self) -> str:
        """The config that they came from."""
        return f"{self.bias}/orders.yaml"

    def silencing(self, suffix: str = "json") -> str:
        """Returns the accuracies without some units: json or png; or their config: yaml."""
        return f"{self.bias}/ablation.{suffix}"

    def battery(self, suffix: str = "json") -> str:
        """Returns what a network knows of changed clips: json, md or png; or its config: yaml."""
        return f"{self.bias}/battery.{suffix}"

    # -- activation maximisation
    @property
    def maximised(self) -> str:
        """The numbers of units and of the clips that were made for them."""
        return f"{self.root}/maximised.json"

    @property
    def maximised_config(self) -> str:
        """The config that they came from."""
        return f"{self.root}/maximised.yaml"

    def maximised_unit(self, layer: str, unit: int) -> str:
        """Returns the clips that were made for a unit."""
        return f"{self.root}/{unit_clips_name(layer, unit)}"

    @property
    def maximised_folder(self) -> str:
        """The folder of these clips and of their pictures."""
        return f"{self.root}/maximised"

    @property
    def maximised_figure(self) -> str:
        """The figure of all units at all speeds."""
        return f"{self.root}/maximised.png"

    @property
    def maximised_pairs(self) -> str:
        """The figure of classes that the network takes for each other, side by side."""
        return f"{self.root}/maximised_pairs.png"

    def run(self, name: str) -> Outputs:
        """Returns the folder of one of several runs."""
        return Outputs(f"{self.root}/{name}")


def strip_name(video: int) -> str:
    """Returns what the file of top clips calls the strip of a video: its path from that file."""
    return f"{_STRIPS}/{video:05d}.webp"


def unit_clips_name(layer: str, unit: int) -> str:
    """Returns what `maximised.json` calls the clips of a unit: their path from that file."""
    return f"maximised/{layer}/unit_{unit:05d}.npz"


def _numbers(folder: str, name: re.Pattern[str]) -> list[int]:
    names = g_pathmgr.ls(folder) if g_pathmgr.isdir(folder) else []
    return sorted(int(match[1]) for match in map(name.match, names) if match)
