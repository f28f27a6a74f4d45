"""The page at the end of a run: drawn from the files that are there, and never worth the run."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from slowfast_bias.errors import place_of
from slowfast_bias.outputs import Outputs

log = logging.getLogger(__name__)


def write_page(
    output_dir: str,
    folders: Sequence[str] = (),
    names: Sequence[str] | None = None,
    title: str = "",
) -> str:
    """Writes `report.html` into a folder; returns where it is, "" if there is none.

    An error is one line in the log: the results that it would show are written already.

    Args:
        output_dir: the folder.
        folders: of the runs that it shows; if not given, the folder itself, if that has results.
        names: one per run.
        title: of the page.
    """
    out = Outputs(output_dir).html
    try:
        # here: it loads matplotlib, which the processes that draw nothing need not wait for
        from slowfast_bias.visualization.reading.run_folder import has_results

        if not folders and not has_results(output_dir):
            return ""
        from slowfast_bias.visualization.html import write_html

        write_html(folders or [output_dir], out, names, title)
    except Exception as error:
        log.warning("no %s: %s: %s (%s)", out, type(error).__name__, error, place_of(error))
        return ""
    return out
