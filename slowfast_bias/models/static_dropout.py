"""StaticDropout: drops the channels that answer to looks, so that the classifier must use motion.

From Kowal et al., "Quantifying and Learning Static vs. Dynamic Information in Deep Spatiotemporal
Networks", https://arxiv.org/abs/2211.01783; docs/METHOD.md, section 6.

    drop = attach_static_dropout(model.head, rate=0.3)    # drops uniformly until it has scores
    drop.set_scores(static_scores)                        # (C,), anew every few iterations
    drop.active = False                                   # fine-tuning: the identity

Exactly round(rate * C) channels are dropped in a draw, drawn one after the other without
replacement. Kept ones are multiplied by C / (C - k), one factor for all, as in standard dropout.
Dividing each channel by its own probability of being kept would preserve every channel's mean, and
so give back to the static channels what dropping took from them: it would undo the debiasing.
Shapes: B samples, C channels, k dropped channels, R draws (B, or 1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

MASKS = ("sample", "batch")
# Here the k highest scores are dropped for certain; still lower ones would divide by zero.
LOWEST_TEMPERATURE = 1e-12


def drop_probabilities(scores: Tensor, temperature: float = 1.0) -> Tensor:
    """Return p of METHOD eq. (4), (C,): how likely each channel is to be drawn first."""
    return drop_logits(scores, temperature).softmax(0)


def drop_logits(scores: Tensor, temperature: float = 1.0) -> Tensor:
    """Return log p of METHOD eq. (4) up to a constant, (C,): unlike p, it cannot underflow.

    A dead channel (NaN) counts as an average one: its score is unknown rather than low, as it may
    move in the next batch. And if the dead were spared, the live would be dropped at more than the
    rate, which the rescaling would not make up for. Where all are dead, p is uniform.
    """
    scores = torch.where(scores.isnan(), scores.nanmean().nan_to_num(), scores)
    return (scores - scores.max()) / temperature


def static_dropout(
    x: Tensor,
    logits: Tensor,
    rate: float,
    training: bool = True,
    channels_last: bool = True,
    mask: str = "sample",
) -> Tensor:
    """Return `x` with round(rate * C) channels a draw set to zero, and the others rescaled.

    All positions (time, space) of a sample share its draw. Random numbers come from torch's
    generator of the device, as in standard dropout; nothing waits for the device.

    Args:
        x: (B, ..., C) if `channels_last`, else (B, C, ...); (B, C) is both.
        logits: (C,), see `drop_logits`.
        rate: share of the channels to drop; where that rounds to none, `x` itself comes back.
        training: False gives `x` itself.
        channels_last: where the channels of `x` are.
        mask: "sample" draws for every sample, "batch" once for all of them.
    """
    k = round(rate * len(logits))
    if not training or not k:
        return x
    return zero_channels(x, draw(logits, _rows(x, mask), k), k, channels_last)


@torch.no_grad()
def draw(logits: Tensor, rows: int, k: int) -> Tensor:
    """Return (R, C) with k True a row: channels drawn in sequence, without replacement.

    The k largest of log p + Gumbel noise are just that (Yellott 1977), for all rows at once.
    """
    noise = torch.rand(rows, len(logits), device=logits.device).log_().neg_().log_()
    keys = logits.float() - noise  # a uniform number of 0 gives -inf here, never NaN
    drop = torch.zeros_like(keys, dtype=torch.bool)
    # By index and not by the k-th key as a threshold, which equal keys would miss.
    return drop.scatter_(1, keys.topk(k, dim=1, sorted=False).indices, True)


def zero_channels(x: Tensor, drop: Tensor, k: int, channels_last: bool) -> Tensor:
    """Return `x` with zeros where `drop` (R, C) is True, k a row, and the rest times C / (C - k).

    `k` is given although `drop` knows it: asking a GPU would mean waiting for it.
    """
    rows, channels = drop.shape
    ones = (1,) * (x.ndim - 2)
    drop = drop.view(rows, *ones, channels) if channels_last else drop.view(rows, channels, *ones)
    # Scaled by a number and not by a mask of scales, which half precision would have rounded.
    return x.masked_fill(drop, 0) * (channels / (channels - k))


class StaticDropout(nn.Module):
    """`static_dropout` as a layer that knows its scores; nothing of it enters a state dict.

    Attributes:
        channels: C.
        rate: share of the channels that a draw drops, 0 < rate < 1.
        temperature: of eq. (4); 1 is the paper's, lower ones choose more sharply.
        mask: "sample" or "batch": a draw for each sample, or one for all (of this process).
        channels_last: whether inputs are (B, ..., C) or (B, C, ...).
        active: False makes it the identity in training too.
    """

    scores: Tensor  # (C,) static scores, NaN where dead
    seen: Tensor  # (C,) how often each channel was dropped since `statistics`

    def __init__(
        self,
        channels: int,
        rate: float,
        temperature: float = 1.0,
        mask: str = "sample",
        channels_last: bool = True,
    ) -> None:
        super().__init__()
        _check(channels, rate, temperature, mask)
        self.channels, self.rate, self.temperature = channels, rate, temperature
        self.mask, self.channels_last, self.active = mask, channels_last, True
        # Not persistent: a network with StaticDropout loads and saves as one without.
        self.register_buffer("scores", torch.zeros(channels), persistent=False)
        self.register_buffer("seen", torch.zeros(channels, dtype=torch.long), persistent=False)
        self._draws = 0

    @property
    def dropped(self) -> int:
        """k, how many channels a draw drops."""
        return round(self.rate * self.channels)

    @torch.no_grad()
    def set_scores(self, static_scores: Tensor | Sequence[float]) -> None:
        """Drop by these scores (C,) from now on; NaN marks a dead channel, see `drop_logits`."""
        new = torch.as_tensor(static_scores).detach().to(self.scores)
        if new.shape != self.scores.shape:
            raise ValueError(
                f"Expected `static_scores` of shape ({self.channels},), one for each channel that "
                f"the classifier sees, but got {tuple(new.shape)}."
            )
        if new.isnan().all() or new.isinf().any():
            raise ValueError(
                "Expected `static_scores` to be finite, or NaN for some dead channels, but "
                + ("all are NaN (one pair is too few)." if new.isnan().all() else "some are inf.")
            )
        self.scores.copy_(new)

    def get_scores(self) -> Tensor:
        """Return a copy of the scores (C,) on the CPU, for checkpoints; `set_scores` reads it."""
        return self.scores.detach().to("cpu", copy=True)

    def probabilities(self) -> Tensor:
        """Return p of eq. (4), (C,)."""
        return drop_probabilities(self.scores, self.temperature)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` with channels dropped in training, `x` itself otherwise; not in place."""
        if not (self.training and self.active):
            return x
        self._check_input(x)
        logits = drop_logits(self.scores, self.temperature)
        drop = draw(logits, _rows(x, self.mask), self.dropped)
        self.seen += drop.sum(0)
        self._draws += len(drop)
        return zero_channels(x, drop, self.dropped, self.channels_last)

    def statistics(self) -> dict[str, float]:
        """Return what a log should show, and begin to count drops anew; waits for the device.

        `score_mean` and `score_std` over live channels; `effective_channels`, the perplexity of p,
        is C where all scores are equal; `drop_rate` is the share dropped since the last call, and
        `dropped_score` the mean score of what was: both NaN where nothing was drawn.
        """
        scores, p = self.get_scores().double(), self.probabilities().cpu().double()
        seen, dead = self.seen.cpu().double(), scores.isnan()
        known = seen.masked_fill(dead, 0)
        values = {
            "score_mean": scores[~dead].mean(),
            "score_std": scores[~dead].std(correction=0),
            "effective_channels": torch.special.entr(p).sum().exp(),
            "drop_rate": seen.sum() / (self._draws * self.channels) if self._draws else math.nan,
            "dropped_score": (known * scores.nan_to_num()).sum() / known.sum(),
        }
        self.seen.zero_()
        self._draws = 0
        return {name: float(value) for name, value in values.items()}

    def extra_repr(self) -> str:
        """Return the settings, for a printed model."""
        return (
            f"channels={self.channels}, rate={self.rate} ({self.dropped} dropped), "
            f"temperature={self.temperature}, mask={self.mask}, channels_last={self.channels_last}"
            + ("" if self.active else ", inactive")
        )

    def _check_input(self, x: Tensor) -> None:
        if x.ndim < 2 or x.shape[-1 if self.channels_last else 1] != self.channels:
            layout = f"(B, ..., {self.channels})", f"(B, {self.channels}, ...)"
            raise ValueError(
                f"Expected an input {layout[not self.channels_last]}, as channels_last="
                f"{self.channels_last}, but got {tuple(x.shape)}."
            )


def attach_static_dropout(
    head: nn.Module,
    rate: float,
    temperature: float = 1.0,
    mask: str = "sample",
    channels_last: bool | None = None,
) -> StaticDropout:
    """Put a StaticDropout into the dropout slot of a classifier head, and return it.

    It takes the place of whatever dropout the head had (MODEL.DROPOUT_RATE no longer counts) and
    fills the slot where it had none. Do this before wrapping the model for several processes.

    Args:
        head: `model.head` of SlowFast's networks, `model.model.blocks[-1]` of pytorchvideo's.
        rate: share of the channels that a draw drops, 0 < rate < 1.
        temperature: of METHOD eq. (4).
        mask: "sample" or "batch".
        channels_last: where the slot's channels are; None knows it for the heads of SlowFast
            (last, but for detection) and pytorchvideo (first).
    """
    classifier = find_classifier(head)
    if classifier is None:
        raise ValueError(
            "Expected a head with a linear classifier `projection` or `proj` (as `model.head` of "
            f"SlowFast's networks), but {type(head).__name__} has "
            f"{', '.join(name for name, _ in head.named_children()) or 'no modules'}."
        )
    name, linear = classifier
    if channels_last is None:
        kinds = {kind.__name__ for kind in type(head).__mro__}
        channels_last = name == "projection" and "ResNetRoIHead" not in kinds
    drop = StaticDropout(linear.in_features, rate, temperature, mask, channels_last)
    head.dropout = drop.to(linear.weight.device).train(head.training)
    return drop


def find_classifier(head: nn.Module) -> tuple[str, nn.Linear] | None:
    """Return (child name, its first linear layer) of a classifier head; None if it has none."""
    for name in ("projection", "proj"):  # SlowFast's heads, pytorchvideo's heads
        child = getattr(head, name, None)
        for module in child.modules() if isinstance(child, nn.Module) else ():
            if isinstance(module, nn.Linear):  # the first one of an MLP sees the features
                return name, module
    return None


def _rows(x: Tensor, mask: str) -> int:
    return 1 if mask == "batch" else len(x)


def _check(channels: int, rate: float, temperature: float, mask: str) -> None:
    """Raise unless the settings make sense."""
    if not 0 < rate < 1:
        raise ValueError(f"Expected `rate` between 0 and 1, both excluded, but got {rate}.")
    k = round(rate * channels)
    if not 0 < k < channels:
        raise ValueError(
            f"Expected `rate` to drop some of {channels} channels and keep some, but {rate} drops "
            f"{k}."
        )
    if not LOWEST_TEMPERATURE <= temperature < math.inf:
        raise ValueError(
            f"Expected `temperature` to be positive (at least {LOWEST_TEMPERATURE}), "
            f"but got {temperature}."
        )
    if mask not in MASKS:
        raise ValueError(f"Expected `mask` to be one of {MASKS}, but got {mask!r}.")
