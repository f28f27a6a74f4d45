"""Relative positions in attention: queries know how far keys are, along T, H and W each.

Li et al., "MViTv2", https://arxiv.org/abs/2112.01526, section 4.1.
Shapes: B batch, N heads, (T, H, W) the grid of the queries, (t, h, w) that of the keys, C channels
of a head.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from slowfast_bias.models.networks.mvit_plan import Grid


def table_size(queries: int, keys: int) -> int:
    """Returns how many distances there are between so many queries and keys along one axis."""
    return 2 * max(queries, keys) - 1


def relative_vectors(table: torch.Tensor, queries: int, keys: int) -> torch.Tensor:
    """Returns the vectors (queries, keys, C) of the distances between queries and keys.

    Args:
        table: (distances, C), interpolated if it was made for another number of tokens.
        queries: how many there are along this axis.
        keys: likewise; the coarser of the two counts in steps of the finer one.
    """
    size = table_size(queries, keys)
    if len(table) != size:
        table = F.interpolate(table.T[None], size=size, mode="linear")[0].T
    steps = max(keys / queries, 1.0), max(queries / keys, 1.0)
    query = torch.arange(queries, device=table.device)[:, None] * steps[0]
    key = torch.arange(keys, device=table.device)[None] * steps[1]
    distances = query - key + (keys - 1) * steps[1]  # from 0
    return table[distances.long()]


def add_relative(
    scores: torch.Tensor,
    queries: torch.Tensor,
    query_grid: Grid,
    key_grid: Grid,
    tables: dict[str, torch.Tensor],
) -> torch.Tensor:
    """Returns scores of attention (B, N, THW, thw) with those of the positions added.

    Args:
        scores: without a class token.
        queries: (B, N, THW, C), likewise.
        query_grid: (T, H, W).
        key_grid: (t, h, w).
        tables: of some axes of "thw", (distances, C) each.
    """
    shape = scores.shape
    queries = queries.unflatten(2, query_grid)
    scores = scores.unflatten(3, key_grid).unflatten(2, query_grid)
    for axis, table in tables.items():
        at = "thw".index(axis)
        vectors = relative_vectors(table, query_grid[at], key_grid[at])
        line = torch.einsum(f"bnTHWc,{axis.upper()}kc->bnTHWk", queries, vectors)
        others = [1 if i != at else key_grid[at] for i in range(3)]
        scores = scores + line.unflatten(5, others)
    return scores.reshape(shape)
