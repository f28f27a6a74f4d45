"""BiasMeter: PairStats for every layer and factor, gathered batch by batch.

    meter = BiasMeter([Tap("s4"), Tap("s5")])
    meter.update("static", a, b, videos)          # a, b: {layer: (B, C)}; videos: (B,) indices
    meter.update("dynamic", a, c, videos)
    meter.update("neither", b, c, videos)
    report = all_merge(meter).compute()           # the same report on every rank

Memory is layers x channels x FOLDS, for any number of videos. Pairs belong to the fold
`recording mod FOLDS` of the video that they are cut from; leaving out one fold at a time gives the
standard errors (METHOD, section 5).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from slowfast_bias.bias.layer_scoring import layer_bias, warnings_of
from slowfast_bias.bias.layout import Layout
from slowfast_bias.bias.report import BiasReport
from slowfast_bias.bias.scores import CONTRASTS, EFFECT, ORDER_FIGURES, check_statistic
from slowfast_bias.bias.stats import PairStats, leave_one_out
from slowfast_bias.bias.taps import Tap, as_taps
from slowfast_bias.errors import FeaturesError

FOLDS = 20
# keys beside the factors in a report's `score` and `stderr`
_RESERVED = ("pooled", "percent", "units", *CONTRASTS, *ORDER_FIGURES)


class BiasMeter:
    """Layers x factors of PairStats; `update` and `merge` change the meter, `compute` does not."""

    def __init__(self, taps: Iterable[Tap | str]) -> None:
        self.taps = as_taps(taps)
        self._layout = Layout({})  # set by the first batch
        self._folds: dict[str, PairStats] = {}  # {factor: stack (FOLDS, columns of all layers)}

    @torch.inference_mode(False)  # tensors made in inference mode could not be updated outside it
    def update(
        self,
        factor: str,
        a: Mapping[str, Tensor],
        b: Mapping[str, Tensor],
        videos: Sequence[int] | Tensor | None = None,
        recordings: Sequence[int] | Tensor | None = None,
    ) -> None:
        """Adds a batch of pairs of `factor`; the statistics stay on the features' device.

        Args:
            factor: "static", "dynamic", "neither" (pairs that share neither), "effect" (pairs of
                differences: what the order of frames changes in two looks), or one of your own.
            a: {layer: (B, C)} pooled features of the first members.
            b: {layer: (B, C)} pooled features of the second members.
            videos: (B,) video index of each pair, the same for a video's static and dynamic pair;
                a running count if not given.
            recordings: (B,) number of the recording that each video is cut from, which decides its
                fold: parts of one recording are no independent samples; `videos` if not given.
        """
        if factor in _RESERVED:
            raise ValueError(f"Expected `factor` to be none of {_RESERVED}, but got {factor!r}.")
        layout = self._fitting(Layout.of(a, b))
        pairs = torch.stack([layout.flatten(a), layout.flatten(b)])
        if pairs.device.type == "mps":  # it has no float64
            pairs = pairs.cpu()
        videos = self._indices(factor, videos, pairs.shape[1])
        folds = videos if recordings is None else self._indices(factor, recordings, len(videos))
        # The only line that waits for the device; a sum is finite only if all its terms are.
        if not torch.isfinite(pairs.sum()):
            _check_finite(factor, pairs, layout, videos)
        self._layout = layout
        self._add(factor, pairs, folds % FOLDS)

    def merge(self, other: BiasMeter) -> BiasMeter:
        """Adds the pairs of `other` and returns self; `other` is not changed."""
        labels, others = ([tap.label for tap in meter.taps] for meter in (self, other))
        if labels != others:
            raise ValueError(f"Expected meters with the same taps, but got {labels} and {others}.")
        if not other._layout.widths:  # no pairs yet
            return self
        self._layout = self._fitting(other._layout)
        for factor, folds in other._folds.items():
            # new tensors, so that the meters share none
            self._folds[factor] = self._stack(factor).to("cpu").merge(folds.to("cpu"))
        return self

    def pairs(self) -> dict[str, int]:
        """Returns {factor: number of its pairs so far}."""
        return {factor: int(folds.n.sum()) for factor, folds in self._folds.items()}

    def statistics(self, factor: str) -> dict[str, PairStats]:
        """Returns {layer: statistics of all pairs of `factor` so far}, on the CPU."""
        folds = self._stack(factor).to("cpu")
        whole = functools.reduce(PairStats.merge, [folds.fold(k) for k in range(FOLDS)])
        return {layer: whole.channels(x) for layer, x in self._layout.columns().items()}

    def state(self) -> dict[str, Any]:
        """Returns all that the meter holds, as tensors on the CPU, numbers and texts."""
        folds = {factor: list(stack.to("cpu").fields()) for factor, stack in self._folds.items()}
        return {"widths": dict(self._layout.widths), "folds": folds}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave: the meter goes on as the one that it was taken from."""
        self._layout = Layout(dict(state["widths"]))
        self._folds = {factor: PairStats(*fields) for factor, fields in state["folds"].items()}

    def compute(
        self,
        threshold: float = 0.5,
        meta: Mapping | None = None,
        statistic: str = "pearson",
    ) -> BiasReport:
        """Returns the report of all pairs seen so far.

        Args:
            threshold: unit score above which a unit encodes a factor (lambda in METHOD eq. (3)).
            meta: anything JSON can hold, kept in the report.
            statistic: "pearson" or "pooled": from which of the two percents, unit kinds and tables
                are computed; the report holds the scores of both.
        """
        check_statistic(statistic)
        pairs = {factor: n for factor, n in self.pairs().items() if factor != EFFECT}
        if not pairs or min(pairs.values()) < 2:
            raise ValueError(
                f"Expected at least two pairs of every factor, but got {pairs or 'none at all'}."
            )
        layers = {
            layer: layer_bias(whole, others, pairs, statistic, threshold)
            for layer, whole, others in self._by_layer()
        }
        meta = {**(meta or {}), "statistic": statistic, "threshold": threshold}
        meta["warnings"] = [*meta.get("warnings", []), *warnings_of(pairs, layers)]
        return BiasReport(layers, meta)

    def _add(self, factor: str, pairs: Tensor, folds: Tensor) -> None:
        rows, groups = (
            index.to(pairs.device) for index in torch.unique(folds, return_inverse=True)
        )
        state = self._folds[factor] = self._stack(factor).to(pairs.device)
        batch = PairStats.grouped(pairs[0], pairs[1], groups, len(rows))
        merged = state.map(lambda x: x[rows]).merge(batch)
        for field, new in zip(state.fields(), merged.fields(), strict=True):
            field[rows] = new  # in place: only the folds of this batch

    def _stack(self, factor: str) -> PairStats:
        if factor in self._folds:
            return self._folds[factor]
        return PairStats.empty(FOLDS, self._layout.total)

    def _by_layer(self) -> Iterable[tuple[str, dict[str, PairStats], dict[str, PairStats]]]:
        """Yields (layer, {factor: all pairs}, {factor: leave-one-fold-out stack})."""
        folds = {factor: stack.to("cpu") for factor, stack in self._folds.items()}
        used = torch.stack([stack.n[:, 0] for stack in folds.values()]).sum(0) > 0
        split = {factor: leave_one_out(stack) for factor, stack in folds.items()}
        for layer, columns in self._layout.columns().items():
            whole = {f: total.channels(columns) for f, (total, _) in split.items()}
            others = {
                f: stack.map(lambda x: x[used]).channels(columns) for f, (_, stack) in split.items()
            }
            yield layer, whole, others

    def _fitting(self, layout: Layout) -> Layout:
        """Returns the meter's layout; raises if `layout` does not agree with it and the taps."""
        labels = {tap.label for tap in self.taps}
        layers = {x if x in labels else x.rpartition("/")[0] for x in layout.widths}
        if layers != labels:
            raise ValueError(
                f"Expected features of the taps {sorted(labels)}, but got {list(layout.widths)}."
            )
        if self._layout.widths and self._layout.widths != layout.widths:
            raise ValueError(
                f"Expected the layers seen so far, {self._layout.widths}, but got {layout.widths}."
            )
        return self._layout if self._layout.widths else layout

    def _indices(self, factor: str, videos: Sequence[int] | Tensor | None, batch: int) -> Tensor:
        if videos is None:
            start = self.pairs().get(factor, 0)
            return torch.arange(start, start + batch)
        indices = torch.as_tensor(videos).cpu()
        if indices.shape != (batch,) or (batch and indices.is_floating_point()):
            raise ValueError(
                f"Expected `videos` to hold {batch} integer indices, one per pair, "
                f"but got {tuple(indices.shape)} of {indices.dtype}."
            )
        return indices.long()


def all_merge(meter: BiasMeter) -> BiasMeter:
    """Returns one meter with the pairs of all ranks, bit for bit the same on each.

    Each rank's share goes round in its turn and is merged as it comes: memory is that of two meters
    for any number of ranks (of ResNet-50 a meter has 14 MB, and 512 of them would fill a machine).
    Without torch.distributed it returns `meter` itself. A rank may have no pairs, and no rank's own
    meter is changed.
    """
    if not (dist.is_available() and dist.is_initialized()):
        return meter
    mine = BiasMeter(meter.taps).merge(meter)  # a copy on the CPU, for any device of the rank
    merged = BiasMeter(meter.taps)
    for rank in range(dist.get_world_size()):
        share = [mine]  # of another rank it is overwritten
        dist.broadcast_object_list(share, src=rank)
        merged.merge(share[0])
    return merged


def _check_finite(factor: str, pairs: Tensor, layout: Layout, videos: Tensor) -> None:
    bad = ~torch.isfinite(pairs).all(0).cpu()  # (B, columns)
    if bad.any():
        raise FeaturesError(
            f"Expected finite features, but got NaN or Inf in layer "
            f"{', '.join(layout.layers_of(bad.any(0)))} for videos {videos[bad.any(1)].tolist()} "
            f"({factor} pairs). Has training diverged, or is the checkpoint damaged?"
        )
