"""Intervals of accuracies: Wilson's for a share, a paired bootstrap for the cost of a change.

Parts of one recording are right or wrong together. Their share is as uncertain as that of fewer
independent videos (`effective_n`), and the bootstrap draws recordings, not videos.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

RESAMPLES = 1000  # of the bootstrap


def wilson(share: float, n: float, z: float = 1.96) -> list[float]:
    """Returns the 95 % interval, in percent, of a share seen in `n` trials, or effective ones."""
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(max(share * (1 - share), 0) / n + z * z / (4 * n * n))
    scale = 100 / (1 + z * z / n)
    return [max(scale * (centre - half), 0.0), min(scale * (centre + half), 100.0)]


def effective_n(hits: Tensor, recordings: Tensor | None = None) -> float:
    """Returns how many independent videos would make the mean of `hits` as uncertain as it is.

    The variance of a share of independent hits over that of the mean of clusters; at most the
    number of videos, which it is if every video is a recording of its own. Where all hits are
    equal, and where there is one recording, it is the number of recordings: nothing tells whether
    they agree by chance.

    Args:
        hits: (V,) of each video, from 0 to 1.
        recordings: (V,) numbers of what the videos are cut from; None: each is one of its own.
    """
    n, clusters = len(hits), clusters_of(len(hits), recordings)
    if clusters is None:
        return n
    count, p = int(clusters.max()) + 1, hits.double().mean()
    if count == 1 or bool((hits == hits[0]).all()):
        return count
    sums = torch.zeros(count, dtype=torch.float64).index_add_(0, clusters, hits.double() - p)
    variance = count / (count - 1) * sums.square().sum() / n**2
    return min(float(p * (1 - p) / variance), n) if variance > 0 else n


def relative_drop(
    before: Tensor, after: Tensor, seed: int, recordings: Tensor | None = None
) -> tuple[float, list[float]]:
    """Returns the percent of accuracy that a change costs, and its 95 % interval.

    Both are NaN if nothing was right before; the interval too if all videos are parts of one
    recording.

    Args:
        before: (V,) hits of each video without the change, from 0 to 1.
        after: (V,) hits of the same videos with it.
        seed: of the bootstrap over the recordings.
        recordings: (V,) as for `effective_n`.
    """

    def drop(a: Tensor, b: Tensor) -> Tensor:
        return (100 * (1 - b / a)).where(a > 0, math.nan)

    whole, clusters = float(drop(before.mean(), after.mean())), clusters_of(len(before), recordings)
    if clusters is not None:
        count = int(clusters.max()) + 1
        if count == 1:
            return whole, [math.nan, math.nan]
        # sums serve as well as means: a resample divides both by its number of videos
        before, after = (
            before.new_zeros(count).index_add_(0, clusters, x) for x in (before, after)
        )
    generator = torch.Generator().manual_seed(seed)
    picks = torch.randint(len(before), (RESAMPLES, len(before)), generator=generator)
    drops = drop(before[picks].mean(1), after[picks].mean(1))
    drops = drops[drops.isfinite()]
    interval = [math.nan, math.nan]
    if len(drops):
        interval = torch.quantile(drops, torch.tensor([0.025, 0.975], dtype=drops.dtype)).tolist()
    return whole, interval


def clusters_of(videos: int, recordings: Tensor | None) -> Tensor | None:
    """Returns (V,) the recording of each video, from 0; None if each video is one of its own."""
    if recordings is None:
        return None
    if recordings.shape != (videos,):
        raise ValueError(
            f"Expected the recording of each of {videos} videos, but got {len(recordings)}."
        )
    found = torch.unique(recordings, return_inverse=True)[1]
    return found if videos and int(found.max()) + 1 < videos else None
