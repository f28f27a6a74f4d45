"""The page: reads what runs left, and writes one file that needs nothing else.

It stays below LIMIT: clips first, then the JSON of further reports are left out if they must, and
the page says so.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import os
from collections.abc import Mapping, Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from slowfast_bias.bias.origin import origin_words
from slowfast_bias.errors import UserError
from slowfast_bias.files import cannot_write, write_whole
from slowfast_bias.visualization.html import palette
from slowfast_bias.visualization.html.blocks import Section
from slowfast_bias.visualization.html.charts.scatter import marker_definitions
from slowfast_bias.visualization.html.charts.svg import SHAPES
from slowfast_bias.visualization.html.evidence import Verdict, verdict_of
from slowfast_bias.visualization.html.sections.battery import battery_section
from slowfast_bias.visualization.html.sections.clips import Strips, clips_section
from slowfast_bias.visualization.html.sections.files import embedded_files, files_section
from slowfast_bias.visualization.html.sections.layers import layers_section
from slowfast_bias.visualization.html.sections.mask_battery import mask_battery_section
from slowfast_bias.visualization.html.sections.masks import masks_section
from slowfast_bias.visualization.html.sections.maximised import maximised_section
from slowfast_bias.visualization.html.sections.measuring import measuring_section
from slowfast_bias.visualization.html.sections.orders import orders_section
from slowfast_bias.visualization.html.sections.runs import runs_section
from slowfast_bias.visualization.html.sections.silencing import silencing_section
from slowfast_bias.visualization.html.sections.sweep import sweep_section
from slowfast_bias.visualization.html.sections.training import training_section
from slowfast_bias.visualization.html.sections.units import units_section
from slowfast_bias.visualization.reading.run_folder import RunFolder, read_runs

LIMIT = 5_000_000  # bytes
_ROOM = 2000  # for the words on what is left out
_SECTIONS = (
    runs_section, layers_section, units_section, training_section, masks_section, orders_section,
    battery_section, mask_battery_section, silencing_section, sweep_section,
)  # fmt: skip


def write_html(
    folders: Sequence[str],
    out: str | os.PathLike[str],
    names: Sequence[str] | None = None,
    title: str = "",
) -> str:
    """Writes the page of these runs to `out`; returns where it is.

    Args:
        folders: of runs or sweeps, folders that hold several, or report files.
        out: an .html file.
        names: one per run; those of the folders if not given.
        title: of the page; the names of the runs if not given.
    """
    runs = read_runs(folders, names)
    text, path = render(runs, title), os.fspath(out)
    try:
        with write_whole(path) as file:
            file.write(text)
    except UserError:
        raise
    except OSError as error:
        raise cannot_write(path, error) from error
    return path


def render(runs: Mapping[str, RunFolder], title: str = "") -> str:
    """Returns the page of these runs; the same bytes for the same results."""
    title = title or _title(runs)
    for reports in (None, 1):  # of how many reports the JSON is inside
        text = _render(runs, title, None, reports)
        if _size(text) < LIMIT:
            return text
    for reports in (1, 0):
        room = LIMIT - _size(_render(runs, title, 0, reports)) - _ROOM
        text = _render(runs, title, max(room, 0), reports)
        if _size(text) < LIMIT:
            break
    return text


def _size(text: str) -> int:
    return len(text.encode())


def _render(
    runs: Mapping[str, RunFolder], title: str, strips: int | None, reports: int | None
) -> str:
    """Returns the page with at most so many bytes of strips and so many reports; None: all."""
    files = embedded_files(runs, reports)
    shown = Strips(strips)
    sections = [*(section(runs) for section in _SECTIONS), clips_section(runs, shown)]
    made = Strips(shown.room)  # clips of the data take room first
    sections += [maximised_section(runs, made), measuring_section(runs), files_section(runs, files)]
    found = [section for section in sections if section]
    environment = _environment()
    script = environment.get_template("script.js").render()
    page = environment.get_template("page.html").render(
        title=title,
        about=_about(runs),
        verdicts=_verdicts(runs),
        sections=found,
        files=files,
        style=Markup(environment.get_template("style.css").render(themes=_themes())),  # noqa: S704
        script=Markup(script),  # noqa: S704
        digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        markers=marker_definitions(),
        shapes=SHAPES,
    )
    return page.encode("utf-8", "replace").decode()  # names of files may be any bytes


@functools.cache  # it keeps what it has compiled
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("slowfast_bias.visualization.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _themes() -> dict[str, dict[str, str]]:
    return {theme: palette.variables(theme) for theme in ("light", "dark")}


def _title(runs: Mapping[str, RunFolder]) -> str:
    names = list(runs)
    return names[0] if len(names) == 1 else f"{', '.join(names[:3])}{', …' * (len(names) > 3)}"


def _about(runs: Mapping[str, RunFolder]) -> str:
    """Returns the line below the title: the networks, the list, where the numbers come from."""
    metas = [run.report.meta for run in runs.values() if run.report]
    models = dict.fromkeys(str(meta["model"]) for meta in metas if meta.get("model"))
    lists = dict.fromkeys(str(meta["data"]) for meta in metas if meta.get("data"))
    measured = " / ".join(lists) and f"measured on {' / '.join(lists)}"
    return " · ".join(filter(None, (" / ".join(models), measured, origin_words(metas))))


def _verdicts(runs: Mapping[str, RunFolder]) -> dict[str, Verdict]:
    """Returns the verdict on every run that was measured or tested; none on a sweep alone."""
    judged = {
        x: run for x, run in runs.items() if run.report or run.orders or run.battery or run.masks
    }
    return {
        name: verdict_of(run, (x for x in judged.values() if x is not run))
        for name, run in judged.items()
    }


__all__ = ["LIMIT", "Section", "render", "write_html"]
