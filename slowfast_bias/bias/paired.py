"""What a change does to each of the same videos: differences of hits, divergences of outputs.

Videos are compared with themselves, so that what makes one hard is not in the error. As in
`intervals`, parts of one recording are no independent videos. Legend: V videos.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from slowfast_bias.bias.intervals import RESAMPLES, clusters_of

TINY = torch.finfo(torch.float32).tiny  # what float32 softmax can still tell from nothing
_DRAWS = 1 << 22  # numbers that are drawn at once


def paired_difference(
    before: Tensor, after: Tensor, recordings: Tensor | None = None, z: float = 1.96
) -> tuple[float, list[float]]:
    """Returns by how many points a change moves accuracy, and the 95 % interval of that.

    The interval is that of Agresti and Min (2005) for paired shares: half a video is added to each
    of the four cells right/wrong before/after, so that it is not empty where no video changed. With
    parts of recordings the number of videos is an effective one, as in `intervals.effective_n`.

    Args:
        before: (V,) hits of each video without the change, from 0 to 1.
        after: (V,) hits of the same videos with it.
        recordings: (V,) numbers of what the videos are cut from; None: each is one of its own.
        z: quantile of the normal distribution.
    """
    change = after.double() - before.double()
    if not len(change):
        return math.nan, [math.nan, math.nan]
    mean, n = float(change.mean()), _effective_n(change, recordings)
    centre, square = n * mean / (n + 2), (n * float(change.square().mean()) + 1) / (n + 2)
    half = z * math.sqrt((square - centre**2) / (n + 2))
    return 100 * mean, [100 * max(centre - half, -1.0), 100 * min(centre + half, 1.0)]


def _effective_n(change: Tensor, recordings: Tensor | None) -> float:
    """Returns how many independent videos would make the mean change as uncertain as it is."""
    n, clusters = len(change), clusters_of(len(change), recordings)
    if clusters is None:
        return n
    count, mean = int(clusters.max()) + 1, change.mean()
    if count == 1 or bool((change == change[0]).all()):
        return count
    sums = torch.zeros(count, dtype=torch.float64).index_add_(0, clusters, change - mean)
    variance = count / (count - 1) * sums.square().sum() / n**2
    single = (change - mean).square().mean()
    return min(float(single / variance), n) if variance > 0 else n


def mean_interval(
    values: Tensor, seed: int, recordings: Tensor | None = None, resamples: int = RESAMPLES
) -> list[float]:
    """Returns the 95 % interval of the mean of `values` (V,): percentiles of a bootstrap.

    Recordings are drawn, each with all of its videos. NaN without a second one.

    Args:
        values: (V,) a number of each video.
        seed: of the draws.
        recordings: (V,) as for `paired_difference`.
        resamples: how often they are drawn.
    """
    clusters = clusters_of(len(values), recordings)
    if clusters is None:
        clusters = torch.arange(len(values))
    count = int(clusters.max()) + 1 if len(values) else 0
    if count < 2:
        return [math.nan, math.nan]
    sums = torch.zeros(count, dtype=torch.float64).index_add_(0, clusters, values.double())
    sizes = torch.bincount(clusters, minlength=count).double()
    generator, means = torch.Generator().manual_seed(seed), []
    for share in torch.arange(resamples).split(max(1, _DRAWS // count)):
        picks = torch.randint(count, (len(share), count), generator=generator)
        means.append(sums[picks].sum(1) / sizes[picks].sum(1))
    ends = torch.tensor([0.025, 0.975], dtype=torch.float64)
    return torch.quantile(torch.cat(means), ends).tolist()


def kullback_leibler(p: Tensor, q: Tensor) -> Tensor:
    """Returns KL(p || q) in nats of probabilities (..., classes), float64.

    Both are made to add up to 1 exactly, which float32 does not. Probabilities below the smallest
    normal float32 count as that: a softmax in float32 cannot tell them from nothing, and would make
    a divergence infinite.
    """
    p, q = (x.double() / x.double().sum(-1, keepdim=True) for x in (p, q))
    ratio = p.clamp(min=TINY).log() - q.clamp(min=TINY).log()
    return (p * ratio).sum(-1).clamp(min=0)
