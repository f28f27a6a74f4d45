"""Floor 0: the names of the files that a sweep, a demo or a reproduction leaves in its folder."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StudyOutputs:
    """File names below `root`, the folder of several runs."""

    root: str

    # -- a sweep's folder
    @property
    def result(self) -> str:
        """The figures of one finished run of a sweep."""
        return f"{self.root}/result.json"

    @property
    def rows(self) -> str:
        """The figures of all finished runs of a sweep."""
        return f"{self.root}/rows.json"

    @property
    def table(self) -> str:
        """The same as tables in Markdown."""
        return f"{self.root}/table.md"

    def dose(self, config: str = "") -> str:
        """Returns the figure of a sweep, one for each config if there are several."""
        return f"{self.root}/dose{f'-{config}' if config else ''}.png"

    # -- the demo's folder
    @property
    def demo_figure(self) -> str:
        """The figure of the demo's four networks."""
        return f"{self.root}/demo.png"

    def mask_demo(self, suffix: str = "json") -> str:
        """Returns what the demo of masks found (json), or its figure (png)."""
        return f"{self.root}/demo_segmentation.{suffix}"

    def untrained(self, suffix: str = "json") -> str:
        """Returns the measurement of the demo's network before training (json), or its config."""
        return f"{self.root}/untrained.{suffix}"

    @property
    def untrained_orders(self) -> str:
        """The accuracies of that network with frames in and out of order."""
        return f"{self.root}/untrained_orders.json"

    # -- a reproduction's folder
    def figure(self, name: str, suffix: str) -> str:
        """Returns a reproduced figure: png; or its page: md; or its numbers: json."""
        return f"{self.root}/{name}.{suffix}"

    @property
    def results(self) -> str:
        """The pages of all reproduced figures in one."""
        return f"{self.root}/results.md"
