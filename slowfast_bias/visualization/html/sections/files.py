"""The result files themselves, inside the page and to be saved from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from iopath.common.file_io import g_pathmgr
from markupsafe import Markup

from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.blocks import Note, Section
from slowfast_bias.visualization.reading.run_folder import RunFolder


@dataclass(frozen=True)
class Embedded:
    """A JSON file inside the page."""

    id: str
    name: str
    label: str
    text: Markup
    size: str


@dataclass(frozen=True)
class Downloads:
    """Buttons that save the files."""

    template: ClassVar[str] = "downloads"
    files: Sequence[Embedded]


def embedded_files(runs: Mapping[str, RunFolder], reports: int | None) -> list[Embedded]:
    """Returns the files of all runs; the first report is called "report".

    Args:
        runs: by their names.
        reports: how many reports to take, the large files among them; None: all.
    """
    found: list[Embedded] = []
    for number, (name, run) in enumerate(runs.items(), 1):
        for file, path in run.files.items():
            if _is_report(file) and reports is not None:
                if reports <= 0:
                    continue
                reports -= 1
            with g_pathmgr.open(path, "r") as opened:
                text = opened.read()
            first = _is_report(file) and not any(x.id == "report" for x in found)
            id = "report" if first else f"file-{number}-{file.removesuffix('.json')}"
            label = f"{name}: {file}" if len(runs) > 1 else file
            saved = f"{name.replace('/', '_')}_{file}" if len(runs) > 1 else file
            found.append(Embedded(id, saved, label, escape_json(text), _size(text)))
    return found


def files_section(runs: Mapping[str, RunFolder], files: Sequence[Embedded]) -> Section | None:
    """Returns the buttons, and which files are not inside."""
    total = sum(len(run.files) for run in runs.values())
    if not total:
        return None
    blocks: list[object] = [Downloads(files)]
    if len(files) < total:
        left = words.count(total - len(files), "report")
        text = f"{left} more would make this page larger than 5 MB: see the folders of the runs."
        blocks.append(Note(text, warning=True))
    lead = "The files that this page was made from are inside it, with every number in full."
    return Section("files", "The files", blocks, lead)


def escape_json(text: str) -> Markup:
    """Returns JSON that means the same and cannot end a script or begin a comment."""
    return Markup(text.replace("<", "\\u003c").strip())  # noqa: S704


def _is_report(file: str) -> bool:
    return file not in (
        "orders.json", "untrained_orders.json", "ablation.json", "battery.json", "top_clips.json",
        "rows.json", "segmentation.json", "maximised.json",
    )  # fmt: skip


def _size(text: str) -> str:
    return f"{max(round(len(text) / 1000), 1)}{words.SPACE}kB"
