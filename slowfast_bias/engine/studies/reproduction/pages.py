"""What a reproduction leaves: a figure, a page and a result file each, and one page of all.

Made of whatever is there; runs that are missing, or were made with other settings, are named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slowfast_bias.engine.studies.reproduction.figures import FIGURES, plans_of
from slowfast_bias.engine.studies.reproduction.found import Found
from slowfast_bias.engine.studies.reproduction.places import Places
from slowfast_bias.engine.studies.reproduction.planned import FigurePlan
from slowfast_bias.engine.studies.reproduction.published import SOURCE
from slowfast_bias.engine.studies.reproduction.runner import Intent, made_otherwise
from slowfast_bias.files import write_whole
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import write_result

KIND = "reproduction"
HEAD = f"""\
# Figures of {SOURCE}

Numbers are ours where nothing else is said; published ones stand beside them, and a difference is
ours minus theirs. It says nothing about either: videos, styles, weights and recipes are others.
"""
TOY = """
**All of this is the toy world**: 32 to 48 pixels, few frames, networks of width 8 or less, seconds
of training. Its numbers are not comparable with published ones; none is meant to come out alike.
"""


def write_pages(
    names: Sequence[str],
    places: Places,
    found: Sequence[Intent],
    failed: Mapping[str, str],
    command: str,
) -> list[str]:
    """Writes `figN.{png,md,json}` of each figure and `results.md`; returns the pictures.

    Args:
        names: of the figures.
        places: where the runs are.
        found: what was to become of each run.
        failed: {job: why} of those that failed.
        command: what was typed.
    """
    outputs, pages, pictures = Outputs(places.out), [], []
    for name in names:
        figure = FIGURES[name]
        lacking = _lacking(figure, places, found, failed)
        mine = _write_figure(figure, places, lacking)
        pages.append(_page(figure, places, lacking, mine))
        pictures += mine
        with write_whole(outputs.figure(name, "md")) as file:
            file.write(pages[-1])
    with write_whole(outputs.results) as file:
        toy = TOY if places.world == "toy" else ""
        file.write("\n".join([HEAD + toy, f"    {command}\n", *pages]))
    return pictures


def _write_figure(figure: FigurePlan, places: Places, lacking: Lacking) -> list[str]:
    """Writes the pictures and the numbers; returns the names of the pictures."""
    from slowfast_bias.visualization.drawing.save import save_figure

    outputs, results = Outputs(places.out), Found(plans_of(figure, places.world), places)
    pictures = {
        outputs.figure(f"{figure.name}{f'_{part}' if part else ''}", "png"): picture
        for part, picture in figure.draw(results).items()
    }
    for path, picture in pictures.items():
        save_figure(picture, path)
    tables = [table.to_json() for table in figure.tables(results)]
    meta = {"world": places.world, "source": SOURCE, "shows": figure.shows}
    meta |= {"differs": figure.differs}
    data = {"tables": tables, "missing": lacking.missing, "other_settings": lacking.otherwise}
    write_result(outputs.figure(figure.name, "json"), KIND, meta, data)
    return list(pictures)


def _page(figure: FigurePlan, places: Places, lacking: Lacking, pictures: Sequence[str]) -> str:
    results = Found(plans_of(figure, places.world), places)
    lines = [f"## {figure.title}", "", f"*In the paper*: {figure.shows}.", ""]
    lines += [f"*Here*: {figure.differs}", ""]
    lines += [f"![{figure.title}]({path.rpartition('/')[2]})\n" for path in pictures]
    lines += [table.to_markdown() for table in figure.tables(results) if table.rows]
    lines += _list("Missing runs", _quoted(lacking.missing))
    lines += _list("Runs of other settings, shown as they are", _quoted(lacking.otherwise))
    lines += _list("Warnings of the measurements", results.warnings())
    return "\n".join(lines)


def _quoted(jobs: Mapping[str, str]) -> dict[str, str]:
    return {f"`{name}`": text for name, text in jobs.items()}


def _list(title: str, entries: Mapping[str, str]) -> list[str]:
    """Returns lines of a list under its title; none if it has no entry."""
    lines = [f"- {name}: {text}" for name, text in entries.items()]
    return [f"{title}:", "", *lines, ""] if lines else []


@dataclass(frozen=True)
class Lacking:
    """What a figure lacks.

    Attributes:
        missing: {job: why} of those that are not done.
        otherwise: {job: how} of those whose results are there, but of other settings.
    """

    missing: dict[str, str]
    otherwise: dict[str, str]


def _lacking(
    figure: FigurePlan, places: Places, found: Sequence[Intent], failed: Mapping[str, str]
) -> Lacking:
    """Returns what the figure lacks, by its jobs."""
    mine = {plan.name for plan in plans_of(figure, places.world)}
    jobs = [x for x in found if x.job.name.partition("/")[0] in mine]
    others = {x.job.name: how for x in jobs if (how := made_otherwise(x))}
    missing = {x.job.name: _why(x, failed) for x in jobs if x.job.name not in others}
    return Lacking({name: why for name, why in missing.items() if why}, others)


def _why(x: Intent, failed: Mapping[str, str]) -> str:
    if x.job.name in failed:
        return f"failed: {failed[x.job.name]}"
    if x.cfg is None:
        return x.state
    left: Any = x.job.steps_left(x.cfg)
    return f"not done: {', '.join(left)}" if left else ""
