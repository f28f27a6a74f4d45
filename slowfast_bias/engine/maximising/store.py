"""Store: a file per unit, from which a run that was stopped goes on.

A unit's row is in its file too, with the settings it was made with, so that `maximised.json` can be
written from the files alone.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from iopath.common.file_io import g_pathmgr

from slowfast_bias.engine.maximising.choosing import Chosen
from slowfast_bias.engine.maximising.making import Product
from slowfast_bias.files import write_whole
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import strict, write_result

KIND = "maximised"


class Store:
    """The files of a run's units.

    Attributes:
        outputs: names of files.
        settings: what decides what is made: a file of others is made again.
    """

    def __init__(self, outputs: Outputs, settings: Mapping[str, Any]) -> None:
        self.outputs, self.settings = outputs, json.loads(json.dumps(strict(settings)))

    def find(self, chosen: Chosen) -> dict[str, Any] | None:
        """Returns the row of a unit that was made with the same settings; None if there is none."""
        path = self.outputs.maximised_unit(chosen.layer, chosen.unit)
        if not g_pathmgr.exists(path):
            return None
        try:
            with g_pathmgr.open(path, "rb") as file, np.load(file) as content:
                kept = json.loads(str(content["row"]))
        except (OSError, KeyError, ValueError, zipfile.BadZipFile):
            return None  # cut short, or of another program: it is made again
        if kept.get("settings") != self.settings:
            return None
        new = {"chosen_as": chosen.chosen_as, "name": chosen.name, "score": strict(chosen.score)}
        return {**kept["row"], **new}

    def keep(self, product: Product) -> None:
        """Writes the file of a unit; a dead unit has none."""
        if not product.arrays:
            return
        path = self.outputs.maximised_unit(product.row["layer"], product.row["unit"])
        text = json.dumps({"settings": self.settings, "row": strict(product.row)})
        with write_whole(path, "wb") as file:
            np.savez_compressed(file, row=np.array(text), **product.arrays)

    def write(
        self,
        meta: Mapping[str, Any],
        data: Mapping[str, Any],
        rows: Sequence[Mapping[str, Any]],
    ) -> None:
        """Writes `maximised.json` with the rows that there are by now."""
        write_result(self.outputs.maximised, KIND, meta, {**data, "units": list(rows)})
