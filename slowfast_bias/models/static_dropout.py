"""StaticDropout: drops the channels that answer to looks, so that the classifier must use motion.

From Kowal et al., "Quantifying and Learning Static vs. Dynamic Information in Deep Spatiotemporal
Networks", https://arxiv.org/abs/2211.01783; docs/METHOD.md, section 6.

    drop = attach_static_dropout(model.head, rate=0.3)    # drops uniformly until it has scores
    drop.set_scores(static_scores)                        # (C,), anew every few iterations
    drop.active = False                                   # fine-tuning: the identity

A draw drops exactly round(rate * C) channels, one after the other without replacement. Kept ones
are multiplied by C / (C - k), one factor for all, as in standard dropout. To divide each by its own
probability of being kept would preserve every channel's mean and so give back to the static ones
what dropping took from them: it would undo the debiasing.
Shapes: B samples, C channels, k dropped channels, R draws (B, or 1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

MASKS = ("sample", "batch")
LOWEST_TEMPERATURE = 1e-12  # the highest scores are dropped for certain; 0 would divide by zero


def drop_probabilities(scores: Tensor, temperature: float = 1.0) -> Tensor:
    """Return p of METHOD eq. (4), (C,): how likely each channel is to be drawn first."""
    return drop_logits(scores, temperature).softmax(0)


def drop_logits(scores: Tensor, temperature: float = 1.0) -> Tensor:
    """Return log p of METHOD eq. (4) up to a constant, (C,): unlike p, it cannot underflow.

    A dead channel (NaN) counts as an average one: it may move in the next batch. And if the dead
    were spared, the live would be dropped at more than the rate, which rescaling would not make up
    for. Where all are dead, p is uniform.
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

    All positions of a sample share its draw. Random numbers come from torch's generator of the
    device, as in standard dropout; nothing waits for the device.

    Args:
        x: (B, ..., C) if `channels_last`, else (B, C, ...); (B, C) is both.
        logits: (C,), see `drop_logits`.
        rate: share of the channels to drop; none, or `training` False, gives `x` itself.
        training: whether to drop at all.
        channels_last: where the channels of `x` are.
        mask: "sample" draws for every sample, "batch" once for all of them.
    """
    k = round(rate * len(logits))
    if not training or not k:
        return x
    drop = draw(logits, 1 if mask == "batch" else len(x), k)
    return zero_channels(x, drop, k, channels_last)


@torch.no_grad()
def draw(logits: Tensor, rows: int, k: int) -> Tensor:
    """Return (R, C) with k True a row: channels drawn in sequence, without replacement.

    The k largest of log p + Gumbel noise are just that (Yellott 1977), for all rows at once.
    """
    noise = torch.rand(rows, len(logits), device=logits.device).log_().neg_().log_()
    keys = logits.float() - noise  # a uniform number of 0 gives -inf here, never NaN
    chosen = keys.topk(k, dim=1, sorted=False).indices  # equal keys would fool a threshold
    return torch.zeros_like(keys, dtype=torch.bool).scatter_(1, chosen, True)


def zero_channels(x: Tensor, drop: Tensor, k: int, channels_last: bool) -> Tensor:
    """Return `x` with zeros where `drop` (R, C) is True, k a row, and the rest times C / (C - k).

    `k` is given although `drop` knows it: asking a GPU would mean waiting for it.
    """
    rows, channels = drop.shape
    ones = (1,) * (x.ndim - 2)
    drop = drop.view(rows, *ones, channels) if channels_last else drop.view(rows, channels, *ones)
    # Scaled by a number: half precision would have rounded a mask of scales.
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
        if new.isnan().all():
            raise ValueError("Expected live channels in `static_scores`, but all are NaN.")
        if new.isinf().any():
            raise ValueError("Expected `static_scores` to be correlations, but some are inf.")
        self.scores.copy_(new)

    def get_scores(self) -> Tensor:
        """Return a copy of the scores (C,) on the CPU, for checkpoints and `set_scores`."""
        return self.scores.detach().to("cpu", copy=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` with channels dropped in training, `x` itself otherwise; not in place."""
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
        """Return what a log should show, and begin to count drops anew; waits for the device.

        `score_mean` and `score_std` are over live channels; `effective_channels`, the perplexity of
        p, is C where all are equal. Since the last call, `drop_rate` is the share that was dropped
        and `dropped_score` the mean score of it, both NaN where nothing was drawn.
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
        """Return the settings, for a printed model."""
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
    """Put a StaticDropout into the dropout slot of a classifier head, and return it.

    It takes the place of the head's own dropout, if any: MODEL.DROPOUT_RATE no longer counts. Do
    this before wrapping the model for several processes.

    Args:
        head: `model.head` of SlowFast's networks, `model.model.blocks[-1]` of pytorchvideo's.
        rate: share of the channels that a draw drops, 0 < rate < 1.
        temperature: of METHOD eq. (4).
        mask: "sample" or "batch".
        channels_last: of the slot; None knows it for SlowFast's heads (last, but for detection)
            and pytorchvideo's (first).
    """
    classifier = find_classifier(head)
    if classifier is None:
        parts = ", ".join(name for name, _ in head.named_children()) or "no modules"
        raise ValueError(
            "Expected a head with a linear classifier `projection` or `proj` (as SlowFast's "
            f"`model.head`), but {type(head).__name__} has {parts}."
        )
    name, linear = classifier
    if channels_last is None:
        detects = any(kind.__name__ == "ResNetRoIHead" for kind in type(head).__mro__)
        channels_last = name == "projection" and not detects
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
