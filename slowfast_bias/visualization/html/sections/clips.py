"""The clips that drive single units most and least, as film strips that play when pointed at."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from iopath.common.file_io import g_pathmgr

from slowfast_bias.outputs import Outputs
from slowfast_bias.visualization.html import words
from slowfast_bias.visualization.html.blocks import Folded, Heading, Note, Section
from slowfast_bias.visualization.reading.result_files import number
from slowfast_bias.visualization.reading.run_folder import RunFolder
from slowfast_bias.visualization.reading.same_network import clips_are_old

_TITLES = {"static": "S_static", "motion": "motion-only", "content": "content", "look": "look-only"}


@dataclass(frozen=True)
class Film:
    """A clip: its strip as a data URL, "" if that cannot be read; and what is written below."""

    source: str
    name: str
    value: str
    text: str


@dataclass(frozen=True)
class UnitFilms:
    """A unit with the clips that drive it most and least."""

    template: ClassVar[str] = "films"
    title: str
    kind: str
    scores: str
    rows: Sequence[tuple[str, Sequence[Film]]]
    classes: str
    frames: int
    ratio: float


class Strips:
    """Film strips of a page, as many as fit into `room` bytes; which are not in it, and why."""

    def __init__(self, room: int | None) -> None:
        self.room, self.unreadable, self.left_out = room, [], 0

    def take(self, folder: str, name: str) -> str:
        """Returns a strip as a data URL, "" if it cannot be read or does not fit."""
        try:
            with g_pathmgr.open(os.path.join(folder, name), "rb") as file:
                content = file.read()
        except OSError:
            content = b""
        if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
            if (name or "no name") not in self.unreadable:
                self.unreadable.append(name or "no name")
            return ""
        return self.add(content)

    def add(self, content: bytes) -> str:
        """Returns the content of a strip as a data URL, "" if it does not fit."""
        source = f"data:image/webp;base64,{base64.b64encode(content).decode()}"
        if self.room is not None:
            if len(source) > self.room:
                self.left_out += 1
                return ""
            self.room -= len(source)
        return source


def clips_section(runs: Mapping[str, RunFolder], strips: Strips) -> Section | None:
    """Returns the units of every run that has such clips."""
    found = {name: run for name, run in runs.items() if run.top_clips}
    if not found:
        return None
    blocks: list[object] = []
    for name, run in found.items():
        if len(runs) > 1:
            blocks.append(Heading(name))
        if clips_are_old(run):
            weights = str((run.top_clips or {})["meta"].get("checkpoint") or "weights not named")
            text = f"These clips are of another measurement than the report ({weights})"
            again = "measure again with BIAS.TOP_CLIPS, or remove bias/top_clips.json"
            blocks.append(Note(f"{text}: {again}.", True))
        blocks += _every_layer(run, strips)
    blocks += missing_notes(strips)
    views = {str(run.top_clips.get("view", "")) for run in found.values()} - {""}
    seen = f" They were shown {words.listed(sorted(views))}." if views else ""
    lead = (
        "What single units answer to: the clips with their highest and lowest values while the "
        f"network was measured.{seen} A clip plays while it is pointed at or has the focus."
    )
    return Section("clips", "What units answer to", blocks, lead, films=True)


def missing_notes(strips: Strips) -> list[Note]:
    """Returns which strips are not in the page, and why."""
    notes = []
    if strips.unreadable:
        text = f"Strips that cannot be read: {words.listed(strips.unreadable)}."
        notes.append(Note(text, True))
    if strips.left_out:
        text = f"{words.count(strips.left_out, 'strip')} more would make this page larger than 5 MB"
        notes.append(Note(f"{text}; they are in the folder of the run.", True))
    return notes


def _every_layer(run: RunFolder, strips: Strips) -> list[object]:
    """Returns the units of the last layer, and folded up those of the others, the last first."""
    by_layer: dict[str, list[object]] = {}
    for unit in reversed((run.top_clips or {})["units"]):  # what is shown first takes room first
        films = by_layer.setdefault(unit["layer"], [])
        films.insert(0, unit_films(unit, run, strips))
    first, *others = by_layer.items() or [("", [])]
    return [*first[1], *(Folded(f"Units of {layer}", films) for layer, films in others)]


def unit_films(unit: Mapping[str, Any], run: RunFolder, strips: Strips) -> UnitFilms:
    """Returns a unit's clips, their strips read from the run's folder."""
    data = run.top_clips or {}
    frames, (height, width) = int(data["frames"]), data.get("size") or (1, 1)
    folder = Outputs(run.root).bias
    title = f"{unit['layer']}, unit {unit['unit']}"
    rows = [
        (label, [_film(clip, title, folder, frames, strips) for clip in unit.get(key) or ()])
        for key, label in (("most", "drive it most"), ("least", "drive it least"))
    ]
    scores = unit.get("scores") or {}
    said = [f"{_TITLES.get(key, key)} {words.score(number(scores, key))}" for key in scores]
    return UnitFilms(
        title,
        str(unit.get("kind", "")),
        " · ".join(said),
        [row for row in rows if row[1]],
        _classes(unit.get("classes") or ()),
        frames,
        round(width / height, 3) if height else 1,
    )


def _film(clip: Mapping[str, Any], title: str, folder: str, frames: int, strips: Strips) -> Film:
    path, value = str(clip.get("path") or ""), number(clip, "value")
    name = path.rstrip("/").rpartition("/")[2] or f"video {clip.get('video', '?')}"
    source = strips.take(folder, str(clip.get("strip") or ""))
    text = f"{name}: {words.count(frames, 'frame')} of a clip to which {title} answers "
    return Film(source, name, words.score(value, 2), f"{text}{words.score(value, 2)}")


def _classes(classes: Sequence[Mapping[str, Any]]) -> str:
    """Returns the classes that a unit speaks for, the strongest first, and what it speaks against.

    Of those that it speaks against only the strongest is named.
    """
    found = [(number(entry, "evidence"), entry) for entry in classes]
    speaks_for = [_class(entry) for value, entry in found if value > 0]
    against = [(value, _class(entry)) for value, entry in found if value < 0]
    said = [f"evidence for {words.listed(speaks_for[:4])}"] if speaks_for else []
    said += [f"evidence against {min(against)[1]}"] if against else []
    text = ", ".join(said)
    return f"{text[:1].upper()}{text[1:]}"


def _class(entry: Mapping[str, Any]) -> str:
    name = str(entry.get("name") or f"class {entry.get('class')}")
    return f"{name} ({words.score(number(entry, 'evidence'), 2)})"
