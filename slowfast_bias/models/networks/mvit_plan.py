"""The plan of an MViT: how wide each block is, how many heads it has and where it pools.

Tables are lists of rows that begin with a block's number: [[1, 2.0], [3, 2.0]] are factors of the
blocks 1 and 3, [[1, 1, 2, 2]] is a stride over T, H and W of block 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from slowfast_bias.errors import RequestError
from slowfast_bias.models.networks.round_width import round_width

Grid = tuple[int, ...]  # tokens over T, H and W


class Pooling(NamedTuple):
    """How tokens are pooled over T, H and W."""

    kernel: Grid
    stride: Grid


@dataclass(frozen=True)
class Block:
    """One block.

    Attributes:
        width: channels that it gets.
        out: channels that it returns.
        heads: of its attention.
        grid: tokens that it gets; sizes the tables of relative positions.
        query: pooling of the queries, and so of what it returns; None: none.
        key: pooling of keys and values.
    """

    width: int
    out: int
    heads: int
    grid: Grid
    query: Pooling | None
    key: Pooling | None


def plan(
    depth: int,
    width: int,
    heads: int,
    grid: Sequence[int],
    width_factors: Sequence[Sequence[float]],
    head_factors: Sequence[Sequence[float]],
    widen_in_attention: bool,
    queries: Sequence[Pooling | None],
    keys: Sequence[Pooling | None],
) -> list[Block]:
    """Returns the blocks, first to last.

    Args:
        depth: number of blocks.
        width: channels that the first block gets.
        heads: of the first block, before its factor.
        grid: tokens that the first block gets.
        width_factors: table: where it gets wider, and by what factor.
        head_factors: table: where it has more heads.
        widen_in_attention: whether a block's own factor widens it, in its attention (v2); without
            it, the factor of the next block does, in the MLP (v1).
        queries: the blocks' pooling of queries.
        keys: their pooling of keys and values.
    """
    wider = _factors(width_factors, depth, "MVIT.DIM_MUL")
    more = _factors(head_factors, depth, "MVIT.HEAD_MUL")
    blocks, ahead = [], 0 if widen_in_attention else 1
    for i in range(depth):
        heads = round_width(heads, more[i])
        divisor = round_width(heads, more[i + ahead])
        out = round_width(width, wider[i + ahead], divisor)
        _check_heads(i, out if widen_in_attention else width, heads)
        blocks.append(Block(width, out, heads, tuple(grid), queries[i], keys[i]))
        stride = queries[i].stride if queries[i] else (1, 1, 1)
        grid = [n // s for n, s in zip(grid, stride, strict=True)]
        width = out
    return blocks


def poolings(
    depth: int, strides: Sequence[Sequence[int]], kernel: Sequence[int] | None, key: str
) -> list[Pooling | None]:
    """Returns each block's pooling.

    Args:
        depth: number of blocks.
        strides: table: where tokens are pooled, with what strides.
        kernel: of all of them; None: a little more than the stride.
        key: the config key of `strides`, for errors.
    """
    found: list[Pooling | None] = [None] * depth
    for number, *stride in strides:
        size = kernel or skip_kernel(stride)
        if math.prod(size) * math.prod(stride) > 1:
            found[_inside(number, depth, key)] = Pooling(tuple(size), tuple(stride))
    return found


def adapted_strides(
    depth: int, first: Sequence[int], query_strides: Sequence[Sequence[int]]
) -> list[list[int]]:
    """Returns strides of keys that get smaller as the queries do, so that as many keys are left.

    Args:
        depth: number of blocks.
        first: the stride of the first block, if it does not pool its queries.
        query_strides: table: where queries are pooled, with what strides.
    """
    pooled, stride, table = {number: row for number, *row in query_strides}, list(first), []
    for i in range(depth):
        by = pooled.get(i, [1] * len(stride))
        stride = [max(n // m, 1) for n, m in zip(stride, by, strict=True)]
        table.append([i, *stride])
    return table


def skip_kernel(stride: Sequence[int]) -> Grid:
    """Returns the kernel that goes with a stride if none is said: one more than the stride."""
    return tuple(s + 1 if s > 1 else s for s in stride)


def _factors(table: Sequence[Sequence[float]], depth: int, key: str) -> list[float]:
    found = [1.0] * (depth + 1)
    for number, factor in table:
        found[_inside(number, depth + 1, key)] = factor
    return found


def _check_heads(number: int, width: int, heads: int) -> None:
    if width % heads:
        raise RequestError(
            f"Expected the channels of block {number} to be a multiple of its heads, but got "
            f"{width} channels and {heads} heads. Change MVIT.EMBED_DIM or MVIT.NUM_HEADS, or "
            "MVIT.DIM_MUL or MVIT.HEAD_MUL."
        )


def _inside(number: float, count: int, key: str) -> int:
    if not 0 <= number < count:
        raise RequestError(
            f"Expected {key} to have rows of blocks 0 to {count - 1}, but got a row of block "
            f"{number}. Change that row, or MVIT.DEPTH."
        )
    return int(number)
