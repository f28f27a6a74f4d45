"""StaticDropout: drops channels that respond to appearance, so that the classifier uses motion.

From Kowal et al., "Quantifying and Learning Static vs. Dynamic Information in Deep Spatiotemporal
Networks", https://arxiv.org/abs/2211.01783; docs/METHOD.md, section 6.

    drop = attach_static_dropout(model.head, rate=0.3)    # drops uniformly until it has scores
    drop.set_scores(static_scores)                        # (C,), anew every few iterations
    drop.active = False                                   # fine-tuning: the identity

A draw drops exactly round(rate * C) channels, one after the other without replacement. Kept ones
are multiplied by C / (C - k), one factor for all, as in standard dropout. Dividing each by its own
probability of being kept would preserve every channel's mean, so the static ones would get back
what dropping took from them: it would undo the debiasing.
Shapes: B samples, C channels, k dropped channels, R draws (B, or 1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from slowfast_bias.models.families import find_classifier, has_channels_last

MASKS = ("sample", "batch")
LOWEST_TEMPERATURE = 1e-12  # the highest scores are always dropped; 0 would divide by zero


def drop_probabilities(scores: Tensor, temperature: float = 1.0) -> Tensor:
    """Returns p of METHOD eq. (4), (C,): how likely each channel is to be drawn first."""
    return drop_logits(scores, temperature).softmax(0)


def drop_logits(scores: Tensor, temperature: float = 1.0) -> Tensor:
    """Returns log p of METHOD eq. (4) up to a constant, (C,): unlike p, it cannot underflow.

    A dead channel (NaN) counts as an average one: it may move in the next batch. And if dead ones
    were never dropped, live ones would be dropped at more than the rate, which rescaling would not
    balance. If all are dead, p is uniform.
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
    """Returns `x` with round(rate * C) channels a draw set to zero, and the others rescaled.

    All positions of a sample share its draw. Random numbers come from torch's generator of the
    device, as in standard dropout; this never waits for the device.

    Args:
        x: (B, ..., C) if `channels_last`, else (B, C, ...); (B, C) is both.
        logits: (C,), see `drop_logits`.
        rate: share of the channels to drop; if none, or if `training` is False, returns `x`.
        training: whether to drop at all.
        channels_last: whether channels are the last axis of `x`.
        mask: "sample" draws for every sample, "batch" once for all of them.
    """
    k = round(rate * len(logits))
    if not training or not k:
        return x
    drop = draw(logits, 1 if mask == "batch" else len(x), k)
    return zero_channels(x, drop, k, channels_last)


@torch.no_grad()
def draw(logits: Tensor, rows: int, k: int) -> Tensor:
    """Returns (R, C) with k True a row: channels drawn in sequence, without replacement.

    The k largest of log p + Gumbel noise are such a draw (Yellott 1977), for all rows at once.
    """
    noise = torch.rand(rows, len(logits), device=logits.device).log_().neg_().log_()
    keys = logits.float() - noise  # a uniform number of 0 gives -inf here, never NaN
    chosen = keys.topk(k, dim=1, sorted=False).indices  # a threshold would fail on equal keys
    return torch.zeros_like(keys, dtype=torch.bool).scatter_(1, chosen, True)


def zero_channels(x: Tensor, drop: Tensor, k: int, channels_last: bool) -> Tensor:
    """Returns `x` with zeros where `drop` (R, C) is True, k a row, and the rest times C / (C - k).

    `k` is an argument although `drop` determines it: reading it from a GPU would wait for the GPU.
    """
    rows, channels = drop.shape
    ones = (1,) * (x.ndim - 2)
    drop = drop.view(rows, *ones, channels) if channels_last else drop.view(rows, channels, *ones)
    # Scaled by a number: half precision would round a mask of scales.
    return x.masked_fill(drop, 0) * (channels / (channels - k))


class StaticDropout(nn.Module):
    """`static_dropout` as a layer that holds its scores; nothing of it is in a state dict.

    Attributes:
        channels: C.
        rate: share of the channels that a draw drops, 0 < rate < 1.
        temperature: of METHOD eq. (4); 1 is the paper's, a lower one chooses more sharply.
        mask: "sample" or "batch": a draw for each sample, or one for all (of this process).
        channels_last: whether inputs are (B, ..., C) or (B, C, ...).
        active: False makes it the identity in training too.
    """

    scores: Tensor  # (C,) static scores, NaN if dead
    seen: Tensor  # (C,) how often each channel was dropped since the last `statistics`

    def __init__(
        self,
        channels: int,
        rate: float,
        temperature: float = 1.0,
        mask: str = "sample",
        channels_last: bool = True,
    ) -> None:
        super().__init__()
        k = round(rate * channels) if 0 < rate < 1 else 0
        if not 0 < k < channels:
            raise ValueError(
                "Expected `rate` between 0 and 1 that drops some channels and keeps some, "
                f"but got {rate} for {channels} channels."
            )
        if not LOWEST_TEMPERATURE <= temperature < math.inf:
            raise ValueError(f"Expected `temperature` >= {LOWEST_TEMPERATURE}, got {temperature}.")
        if mask not in MASKS:
            raise ValueError(f"Expected `mask` to be one of {MASKS}, but got {mask!r}.")
        self.channels, self.rate, self.temperature = channels, rate, temperature
        self.mask, self.channels_last, self.active = mask, channels_last, True
        # not persistent: a network with StaticDropout loads and saves like one without
        self.register_buffer("scores", torch.zeros(channels), persistent=False)
        self.register_buffer("seen", torch.zeros(channels, dtype=torch.long), persistent=False)
        self._draws = 0

    @property
    def dropped(self) -> int:
        """k, how many channels a draw drops."""
        return round(self.rate * self.channels)

    @torch.no_grad()
    def set_scores(self, static_scores: Tensor | Sequence[float]) -> None:
        """Sets the scores (C,) to drop by from now on; NaN marks a dead channel (`drop_logits`)."""
        new = torch.as_tensor(static_scores).detach().to(self.scores)
        if new.shape != self.scores.shape:
            raise ValueError(
                f"Expected `static_scores` of shape ({self.channels},), one for each channel that "
                f"the classifier sees, but got {tuple(new.shape)}."
            )
        if new.isnan().all():
            raise ValueError("Expected live channels in `static_scores`, but all are NaN.")
        if new.isinf().any():
            raise ValueError("Expected `static_scores` to be correlations, but some are inf.")
        self.scores.copy_(new)

    def get_scores(self) -> Tensor:
        """Returns a copy of the scores (C,) on the CPU, for checkpoints and `set_scores`."""
        return self.scores.detach().to("cpu", copy=True)

    def get_counts(self) -> tuple[Tensor, int]:
        """Returns how often each channel was dropped since the last `statistics`, of how many."""
        return self.seen.detach().to("cpu", copy=True), self._draws

    def set_counts(self, seen: Tensor, draws: int) -> None:
        """Takes back what `get_counts` gave."""
        self.seen.copy_(seen)
        self._draws = draws

    def forward(self, x: Tensor) -> Tensor:
        """Returns `x` with channels dropped in training, `x` itself otherwise; not in place."""
        if not (self.training and self.active):
            return x
        if x.ndim < 2 or x.shape[-1 if self.channels_last else 1] != self.channels:
            raise ValueError(
                f"Expected an input of {self.channels} channels with channels_last="
                f"{self.channels_last}, but got {tuple(x.shape)}."
            )
        logits = drop_logits(self.scores, self.temperature)
        drop = draw(logits, 1 if self.mask == "batch" else len(x), self.dropped)
        self.seen += drop.sum(0)
        self._draws += len(drop)
        return zero_channels(x, drop, self.dropped, self.channels_last)

    def statistics(self) -> dict[str, float]:
        """Returns what a log should show, and resets the counts of drops; waits for the device.

        `score_mean` and `score_std` are over live channels; `effective_channels`, the perplexity of
        p, is C if all are equal. Since the last call, `drop_rate` is the share that was dropped
        and `dropped_score` its mean score, both NaN if nothing was drawn.
        """
        scores, seen = self.get_scores().double(), self.seen.cpu().double()
        dead, p = scores.isnan(), drop_probabilities(scores, self.temperature)
        known, draws = seen.masked_fill(dead, 0), self._draws or math.nan
        values = {
            "score_mean": scores[~dead].mean(),
            "score_std": scores[~dead].std(correction=0),
            "effective_channels": torch.special.entr(p).sum().exp(),
            "drop_rate": seen.sum() / (draws * self.channels),
            "dropped_score": (known * scores.nan_to_num()).sum() / known.sum(),
        }
        self.seen.zero_()
        self._draws = 0
        return {name: float(value) for name, value in values.items()}

    def extra_repr(self) -> str:
        """Returns the settings, for a printed model."""
        shares = f"channels={self.channels}, rate={self.rate} ({self.dropped} dropped)"
        choice = f"temperature={self.temperature}, mask={self.mask}"
        choice += f", channels_last={self.channels_last}"
        return f"{shares}, {choice}" if self.active else f"{shares}, {choice}, inactive"


def attach_static_dropout(
    head: nn.Module,
    rate: float,
    temperature: float = 1.0,
    mask: str = "sample",
    channels_last: bool | None = None,
) -> StaticDropout:
    """Puts a StaticDropout into the dropout slot of a classifier head, and returns it.

    It replaces the head's own dropout, if any: MODEL.DROPOUT_RATE has no effect any more. Do this
    before wrapping the model for several processes.

    Args:
        head: `model.head` of SlowFast's networks, `model.model.blocks[-1]` of pytorchvideo's.
        rate: share of the channels that a draw drops, 0 < rate < 1.
        temperature: of METHOD eq. (4).
        mask: "sample" or "batch".
        channels_last: of the slot; None chooses it by the head: last for SlowFast's (first for
            detection), first for pytorchvideo's.
    """
    classifier = find_classifier(head)
    if classifier is None:
        parts = ", ".join(name for name, _ in head.named_children()) or "no modules"
        raise ValueError(
            "Expected a head with a linear classifier `projection` or `proj` (as SlowFast's "
            f"`model.head`), but {type(head).__name__} has {parts}."
        )
    _, linear = classifier
    if channels_last is None:
        channels_last = has_channels_last(head)
    drop = StaticDropout(linear.in_features, rate, temperature, mask, channels_last)
    head.dropout = drop.to(linear.weight.device).train(head.training)
    return drop
