"""What a measurement leaves behind: `bias/report.{json,csv,md,png}` and a table in the log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from iopath.common.file_io import g_pathmgr

from slowfast_bias.bias import FACTORS, BiasReport
from slowfast_bias.bias.origin import is_reference
from slowfast_bias.files import write_whole
from slowfast_bias.outputs import Outputs

log = logging.getLogger(__name__)


def write_reports(output_dir: str, reports: Mapping[str, BiasReport]) -> None:
    """Writes each report, the first's figure (the trained network's), and one of all.

    Reference networks, as the untrained twin, stand in the first's table and figure too.
    """
    from slowfast_bias.visualization.drawing.save import save_figure
    from slowfast_bias.visualization.figures.pages import comparison_figure, report_figure

    outputs = Outputs(output_dir)
    g_pathmgr.mkdirs(outputs.bias)
    main, *others = reports
    references = {name: reports[name] for name in others if is_reference(reports[name])}
    for name, report in reports.items():
        file, below = ("report", references) if name == main else (name, None)
        report.save(outputs.report(file))
        for suffix, text in (("csv", report.to_csv()), ("md", report.to_markdown(below))):
            with write_whole(outputs.report(file, suffix)) as out:
                out.write(text)
        if name not in references:  # those stand in the table of the first
            log.info("%s network\n%s", name, report.table(below))
    save_figure(report_figure(reports[main], references), outputs.report(suffix="png"))
    if others:
        save_figure(comparison_figure(reports), outputs.comparison)
    log.info("report: %s/report.{json,csv,md,png}", outputs.bias)


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
