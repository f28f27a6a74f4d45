"""Forwards of one network under measurement: plain, or through a copy that computes them faster.

The copy is compared with the network itself on the first batch. If a feature differs by more than
1e-4 of its layer's range (TensorFloat-32: a hundredth; bfloat16: a tenth), the network itself runs
from then on, and a warning says by how much.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import torch
from fvcore.common.config import CfgNode
from torch import Tensor, nn

from slowfast_bias.config import ConfigError
from slowfast_bias.config.check_speed import HALF, TENSOR_FLOAT, speed
from slowfast_bias.models.bf16 import prepared_for_bf16
from slowfast_bias.models.families import family_of
from slowfast_bias.models.fast import (
    compile_parts,
    fold,
    foldable,
    gains,
    idle_pools,
    in_channels_last,
    leave_out,
    tensor_float,
)

log = logging.getLogger(__name__)

Features = Mapping[str, Tensor]
Read = Callable[[list[Tensor]], Features]
TOLERANCE = 1e-4  # of a layer's range: rounding is below 1e-5, a wrong fold above 1e-2
ROUNDED = 1e-2  # of it, in TensorFloat-32
ROUGH = 1e-1  # of it, in bfloat16, whose rounding alone takes up to 3e-2
_LAST = torch.channels_last_3d
FOLDED, POOLS = "batch norm folded", "pools of one value left out"
LAST, COMPILED = "channels last", "compiled"


class Forwards:
    """How a network is run.

    Attributes:
        model: what runs, the network itself or a copy in eval mode; names of modules are the same.
        ran: what is done for speed, in words, for the report; empty if the network itself runs.
    """

    def __init__(self, cfg: CfgNode, model: nn.Module, tapped: Collection[str]) -> None:
        """Makes the copy that `cfg` asks for; ConfigError if this machine cannot run it."""
        self.device = next(model.parameters()).device
        problems = list(speed(cfg, self.device.type))
        if problems:
            raise ConfigError(problems)
        self.family, self._plain = family_of(model), model
        self.half = cfg.BIAS.PRECISION in HALF
        self.rounded = cfg.BIAS.PRECISION == TENSOR_FLOAT
        self.model, self.ran = model, []
        if self.half:
            self.model = prepared_for_bf16(model, tapped)
            self.ran = [FOLDED, LAST] if foldable(model, tapped) else [LAST]
        else:
            self._prepare(cfg, tapped)
        if cfg.BIAS.COMPILE:
            self.model = self.model if self.ran else copy.deepcopy(model).eval()
            self.ran += [COMPILED] if compile_parts(self.model, tapped) else []
        self._tolerance = ROUGH if self.half else ROUNDED if self.rounded else TOLERANCE
        self._checked = False

    def _prepare(self, cfg: CfgNode, tapped: Collection[str]) -> None:
        is_folded, layout = cfg.BIAS.FOLD_BATCHNORM, cfg.BIAS.CHANNELS_LAST
        pairs = foldable(self._plain, tapped) if is_folded else []
        pools = idle_pools(self._plain, tapped) if is_folded else []
        last = layout == "always" or (layout == "auto" and gains(self._plain))
        asked = {FOLDED: pairs, POOLS: pools, LAST: last}
        ran = [name for name, found in asked.items() if found]
        if not ran:
            return
        try:
            fast = copy.deepcopy(self._plain).eval()
        except Exception as error:  # whatever a network of somebody's own raises
            log.warning("the network is run as it is, not faster: it cannot be copied: %s", error)
            return
        fold(fast, pairs)
        leave_out(fast, pools)
        if last:
            in_channels_last(fast)
        self.model, self.ran = fast, ran

    def __call__(self, inputs: list[Tensor]) -> Any:
        """Returns the network's output."""
        return self.family.call(self.model, [self.laid_out(x) for x in inputs])

    def laid_out(self, x: Tensor) -> Tensor:
        """Returns a tensor with the layout in memory that the network takes."""
        if LAST in self.ran and x.ndim == 5:
            return x.contiguous(memory_format=_LAST)
        return x

    @property
    def exact(self) -> bool:
        """Returns whether features are those of float32 arithmetic."""
        return not (self.half or self.rounded)

    @contextlib.contextmanager
    def arithmetic(self) -> Iterator[None]:
        """Computes in what BIAS.PRECISION asks for: float32 means float32, on a GPU too."""
        half = torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.half)
        with tensor_float(allowed=self.rounded), half:
            yield

    def check(self, inputs: list[Tensor], read: Read) -> None:
        """Compares the copy with the network on the first batch; the network runs if they differ.

        Args:
            inputs: what the network is given.
            read: from inputs to the features of taps on `model` as it is then.
        """
        if self._checked:
            return
        if self.ran:
            self._check(inputs, read)
        self._checked = True  # not before: without memory for it, it is made again

    def decision(self) -> list[str] | None:
        """Returns what is done for speed, since it was checked; None if nothing was yet."""
        return list(self.ran) if self._checked else None

    def run_as_before(self, decision: list[str] | None) -> None:
        """Takes an earlier decision: another batch might decide otherwise, and round otherwise."""
        self._checked = decision is not None
        if decision == []:
            self.model, self.ran = self._plain, []

    def _check(self, inputs: list[Tensor], read: Read) -> None:
        fast = self._read_compiled(inputs, read)
        now, self.model, self.ran = (self.model, self.ran), self._plain, []
        try:
            off = differences(read(inputs), fast)
        except BaseException:
            self.model, self.ran = now
            raise
        worst = max(off, key=lambda layer: math.inf if math.isnan(off[layer]) else off[layer])
        if off[worst] <= self._tolerance:
            self.model, self.ran = now
            return
        log.warning(
            "the network is run as it is, not with %s: that would change %s by %.1e of its range",
            " and ".join(now[1]), worst, off[worst],
        )  # fmt: skip

    def _read_compiled(self, inputs: list[Tensor], read: Read) -> Features:
        if COMPILED not in self.ran:
            return read(inputs)
        try:
            return read(inputs)
        except Exception as error:  # whatever a compiler raises
            why = f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
            problem = f"BIAS.COMPILE True: torch.compile fails ({why}); set it to False"
            raise ConfigError([problem]) from error


def differences(plain: Features, fast: Features) -> dict[str, float]:
    """Returns {layer: the largest difference of a feature, of the layer's range}.

    A layer without a range, all of whose features are alike, is compared with their size.
    """
    found = {}
    for layer, x in plain.items():
        scale = x.max() - x.min()
        scale = scale if scale > 0 else x.abs().max()
        found[layer] = float((x - fast[layer]).abs().max() / scale.clamp(min=1e-20))
    return found
