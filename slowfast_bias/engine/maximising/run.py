"""The run: what units want to see, unit by unit, each kept as soon as it is made.

Several processes share the units out. What was made with the same settings is not made again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fvcore.common.config import CfgNode

from slowfast_bias.engine.maximising.choosing import Chosen
from slowfast_bias.engine.maximising.making import Workshop, make_unit
from slowfast_bias.engine.maximising.preparing import prepare
from slowfast_bias.engine.maximising.store import Store
from slowfast_bias.engine.maximising.wishes import read_wishes
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.runtime.log import log_json, progress
from slowfast_bias.engine.setup.fingerprint import weights_digest
from slowfast_bias.engine.setup.loaders import dataset_name
from slowfast_bias.engine.setup.network import open_trained
from slowfast_bias.engine.setup.provenance import provenance, write_config
from slowfast_bias.outputs import Outputs

log = logging.getLogger(__name__)

Row = dict[str, Any]


def maximise(cfg: CfgNode) -> dict[str, Any]:
    """Makes the clips of BIAS.MAXIMISE; writes `maximised.json` and a file per unit.

    Runs in this process (one rank of the group, if there is one); returns the content of `data`.
    """
    start, outputs = time.perf_counter(), Outputs(cfg.OUTPUT_DIR)
    wishes = read_wishes(cfg.BIAS.MAXIMISE.UNITS)
    trained = open_trained(cfg)
    shop, chosen, pairs = prepare(cfg, trained, wishes)
    settings = {
        **shop.settings.described(),
        "clips": f"{dataset_name(cfg, cfg.BIAS.SPLIT)}/{cfg.BIAS.SPLIT}",
        "videos": len(shop.natural.positions),
        "twins": list(cfg.BIAS.MAXIMISE.TWINS),
        "weights": weights_digest(trained.model),
    }
    store = Store(outputs, settings)
    meta = provenance(cfg, cfg.BIAS.SPLIT, outputs.maximised_config, **trained.about)
    data = {**settings, "layer": cfg.BIAS.MAXIMISE.LAYER, "pairs": pairs}
    if ranks.is_master():
        write_config(cfg, outputs.maximised_config)
    shares = ranks.all_or_none(lambda: _make_share(shop, chosen, store, meta, data))
    made = {place: row for share in shares for place, row in share.items()}
    rows = [made[place] for place in range(len(chosen))]
    meta["seconds"] = round(time.perf_counter() - start, 3)
    if ranks.is_master():
        store.write(meta, data, rows)
        log.info("clips of %d units: %s", len(rows), outputs.maximised)
        _draw(outputs)
    log_json(cfg.OUTPUT_DIR, {"_type": "maximised", "units": len(rows), "seconds": meta["seconds"]})
    ranks.wait()
    return {**data, "units": rows}


def _draw(outputs: Outputs) -> None:
    """Draws what was made beside its files; `slowfast_bias plot --maximised` does it again."""
    from slowfast_bias.visualization.maximised import draw_maximised

    if pictures := draw_maximised(outputs.maximised):
        log.info("pictures: %s, and of each unit in %s", pictures[0], outputs.maximised_folder)


def _make_share(
    shop: Workshop,
    chosen: Sequence[Chosen],
    store: Store,
    meta: Mapping[str, Any],
    data: Mapping[str, Any],
) -> dict[int, Row]:
    """Makes this process's units; returns {place: row}. The first process writes as it goes."""
    mine = range(ranks.rank(), len(chosen), ranks.world_size())
    rows = {place: row for place in mine if (row := store.find(chosen[place]))}
    todo = [place for place in mine if place not in rows]
    if rows:
        log.info("%d of %d units are there already: %s", len(rows), len(mine), store.outputs.root)
    for count, place in enumerate(todo):
        title = f"unit {count + 1} of {len(todo)}"
        began = time.perf_counter()
        product = make_unit(shop, chosen[place], Steps(title, len(todo) - count, shop))
        store.keep(product)
        rows[place] = product.row
        _say(product.row, time.perf_counter() - began)
        if ranks.is_master():
            store.write(meta, data, [rows[place] for place in sorted(rows)])
    return rows


class Steps:
    """The steps of one unit, with a bar; those of the first unit say how long all will take."""

    said = False  # of this process

    def __init__(self, title: str, left: int, shop: Workshop) -> None:
        rows, batch = len(shop.settings.rows()), shop.settings.batch
        self.title, self.loops = title, left * -(-rows // batch)
        self.first = title.startswith("unit 1 ")

    def __call__(self, steps: Sequence[int]) -> Iterable[int]:
        """Yields the steps of a loop."""
        start = None
        for step in progress(steps, len(steps), self.title):
            if self.first and step == _TIMED:
                self._estimate((time.perf_counter() - start) / (_TIMED - 1) * len(steps))
            yield step
            start = start or time.perf_counter()  # the first step is slower

    def _estimate(self, seconds: float) -> None:
        self.first = False
        log.info("about %s for what is to be made", in_words(seconds * self.loops))


_TIMED = 3  # steps that an estimate is made of


def in_words(seconds: float) -> str:
    """Returns a time as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 90 * 60 else f"{seconds / 3600:.1f} hours"


def _say(row: Row, seconds: float) -> None:
    need, failed = row["motion_need"], row["failed"]
    name = f" ({row['name']})" if row["name"] else ""
    found = failed or (f"motion need {need:.2f}" if need is not None else "made")
    log.info("%s %d%s: %s, %s", row["layer"], row["unit"], name, found, in_words(seconds))
