"""What runs left behind, whatever there is of it, by the names of the runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from iopath.common.file_io import g_pathmgr

from slowfast_bias.bias import BiasReport, LayerBias
from slowfast_bias.engine.studies.reproduction.places import Places
from slowfast_bias.engine.studies.reproduction.planned import Plan, PlannedSweep
from slowfast_bias.engine.studies.sweep import ROW
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import read_result
from slowfast_bias.visualization.reading.epoch_files import read_epochs
from slowfast_bias.visualization.reading.report_files import read_report


@dataclass(frozen=True)
class Found:
    """The results of the runs of one figure; what is not there is left out everywhere.

    Attributes:
        plans: the runs, in the order of the figure.
        places: where they are.
    """

    plans: Sequence[Plan]
    places: Places

    def reports(self) -> dict[str, BiasReport]:
        """Returns {name: measurement} of runs."""
        files = {x.name: self._outputs(x).report() for x in self._networks()}
        return {name: read_report(file) for name, file in files.items() if g_pathmgr.exists(file)}

    def orders(self) -> dict[str, dict[str, Any]]:
        """Returns {name: accuracies by order of frames} of runs."""
        return self._results("frame_orders", lambda outputs: outputs.frame_orders)

    def silencing(self) -> dict[str, dict[str, Any]]:
        """Returns {name: accuracies without some units} of runs."""
        return self._results("silencing", lambda outputs: outputs.silencing())

    def segmentation(self) -> dict[str, dict[str, Any]]:
        """Returns {name: figures of masks} of runs that were tested."""
        return self._results("segmentation", lambda outputs: outputs.segmentation())

    def centres(self) -> dict[str, dict[str, Any]]:
        """Returns {name: mean mask and centre bias of the training list} of runs."""
        return self._results("centre_bias", lambda outputs: outputs.centre())

    def epochs(self) -> dict[str, dict[int, BiasReport]]:
        """Returns {name: {epoch: measurement}} of runs that were measured while they learnt."""
        folders = {x.name: self._outputs(x) for x in self._networks()}
        return {
            name: read_epochs(outputs.root)
            for name, outputs in folders.items()
            if outputs.list_epoch_reports()
        }

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Returns {name: a row per trained network} of sweeps.

        A row also has `units`, the shares of the kinds of units of the last layer in percent.
        """
        found = {}
        for plan in self.plans:
            if isinstance(plan, PlannedSweep):
                folders = [self._outputs(plan).run(run.name) for run in plan.runs()]
                rows = [_row(x) for x in folders if g_pathmgr.exists(x.result)]
                found |= {plan.name: rows} if rows else {}
        return found

    def warnings(self) -> dict[str, str]:
        """Returns {title: what the reader of a run's measurement should know}."""
        titles, said = self.titles(), {n: x.warnings for n, x in self.reports().items()}
        return {titles[name]: "; ".join(texts) for name, texts in said.items() if texts}

    def titles(self) -> dict[str, str]:
        """Returns {name: title} of all runs and sweeps."""
        return {plan.name: plan.title for plan in self.plans}

    def _networks(self) -> list[Plan]:
        return [plan for plan in self.plans if not isinstance(plan, PlannedSweep)]

    def _outputs(self, plan: Plan) -> Outputs:
        return self.places.run(plan.name)

    def _results(self, kind: str, file_of: Any) -> dict[str, dict[str, Any]]:
        found = {}
        for plan in self._networks():
            file = file_of(self._outputs(plan))
            if g_pathmgr.exists(file):
                result = read_result(file, kind)
                found[plan.name] = {**result.data, "meta": result.meta}
        return found


def last_layer(report: BiasReport) -> LayerBias:
    """Returns the last layer before the classifier, or the last one measured."""
    return report["head"] if "head" in report.layers else list(report.layers.values())[-1]


def unit_shares(layer: LayerBias) -> dict[str, float]:
    """Returns {kind: percent of all units of the layer}, dead ones included."""
    return {kind: 100 * len(units) / layer.channels for kind, units in layer.units().items()}


def _row(outputs: Outputs) -> dict[str, Any]:
    row = dict(read_result(outputs.result, ROW).data)
    if g_pathmgr.exists(outputs.report()):
        row["units"] = unit_shares(last_layer(read_report(outputs.report())))
    return row
