"""What a measurement leaves behind: `bias/report.{json,csv,md,png}` and a table in the log."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr

from slowfast_bias.bias import FACTORS, BiasReport
from slowfast_bias.bias.origin import is_reference
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.setup.provenance import write_config
from slowfast_bias.engine.setup.unreadable_videos import record
from slowfast_bias.errors import OutputError
from slowfast_bias.files import write_whole
from slowfast_bias.outputs import Outputs

log = logging.getLogger(__name__)


def leave_reports(cfg: CfgNode, reports: Mapping[str, BiasReport]) -> None:
    """Logs the tables and writes all that a measurement leaves behind, on the first process.

    The tables come first: the disk may be full.
    """
    if not ranks.is_master():
        return
    log_tables(reports)
    with kept_if_unwritten(reports):
        record(cfg, next(iter(reports.values())).meta)
        write_reports(cfg.OUTPUT_DIR, reports)
        write_config(cfg, Outputs(cfg.OUTPUT_DIR).bias_config)


def write_reports(output_dir: str, reports: Mapping[str, BiasReport]) -> None:
    """Writes each report, the first's figure (the trained network's), and one of all.

    Reference networks, as the untrained twin, stand in the first's table and figure too.
    """
    from slowfast_bias.visualization.drawing.save import save_figure
    from slowfast_bias.visualization.figures.pages import comparison_figure, report_figure

    outputs = Outputs(output_dir)
    g_pathmgr.mkdirs(outputs.bias)
    main, *others = reports
    references = _references(reports)
    for name, report in reports.items():
        file, below = ("report", references) if name == main else (name, None)
        report.save(outputs.report(file))
        for suffix, text in (("csv", report.to_csv()), ("md", report.to_markdown(below))):
            with write_whole(outputs.report(file, suffix)) as out:
                out.write(text)
    save_figure(report_figure(reports[main], references), outputs.report(suffix="png"))
    if others:
        save_figure(comparison_figure(reports), outputs.comparison)
    log.info("report: %s/report.{json,csv,md,png}", outputs.bias)


def log_tables(reports: Mapping[str, BiasReport]) -> None:
    """Logs the table of each report; references stand in that of the first."""
    references = _references(reports)
    for k, (name, report) in enumerate(reports.items()):
        if name not in references:
            log.info("%s network\n%s", name, report.table(None if k else references))


@contextlib.contextmanager
def kept_if_unwritten(reports: Mapping[str, BiasReport]) -> Iterator[None]:
    """Saves reports elsewhere if a block cannot write them, and says where in the error.

    A measurement may have taken a day, and a full disk ends with one `rm`.
    """
    try:
        yield
    except OSError as error:
        where = "the log"
        with contextlib.suppress(OSError):
            folder = tempfile.mkdtemp(prefix="slowfast_bias_")
            for name, report in reports.items():
                report.save(os.path.join(folder, f"{name}.json"))
            where = f"the log, and their reports in {folder}"
        why = str(error).partition(" Free some")[0].removesuffix(".")
        raise OutputError(
            f"{why}. The numbers are not lost: the tables stand in {where}. Free some space, or "
            "give another OUTPUT_DIR."
        ) from error


def _references(reports: Mapping[str, BiasReport]) -> dict[str, BiasReport]:
    _, *others = reports
    return {name: reports[name] for name in others if is_reference(reports[name])}


def final_line(name: str, report: BiasReport) -> dict[str, Any]:
    """Returns what json_stats.log holds of a network."""
    measured = next(iter(report.layers.values())).measured
    scores = {
        f"S_{score}" if score in FACTORS else score: {
            name: round(layer.score(score), 6) for name, layer in report.layers.items()
        }
        for score in measured
    }
    counts = {key: report.meta[key] for key in ("videos", "recordings")}
    counts["dropped"] = len(report.meta["dropped_videos"])
    return {"_type": "bias_final", "network": name, **counts, **scores}
