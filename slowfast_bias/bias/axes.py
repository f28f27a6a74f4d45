"""Axes: which axis of a layer's tensor is what, so that its features are one row per clip.

A tensor does not say it. Channels may be second (B, C, T, H, W) or last (B, L, C); a class token
may lead; and a network that sees frames one by one has rows that are frames, (B*T, C, ...). What a
tap does not state is found from the batch that the network was given and from the weights of the
module: a linear or normalised last axis, a convolved second one. If both fit, it is refused with
the tap to write, because a wrong axis gives plausible numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from slowfast_bias.bias.tap import Tap
from slowfast_bias.errors import LayerError

_CLASS_TOKENS = ("cls_token", "class_token", "class_embedding", "cls_embedding")


@dataclass(frozen=True)
class Given:
    """What the network was called with.

    Attributes:
        clips: B; None if not known: then every row of a tensor is a clip.
        frames: the sizes that may be the number of frames.
    """

    clips: int | None = None
    frames: frozenset[int] = frozenset()

    @classmethod
    def of(cls, args: tuple, kwargs: Mapping[str, Any]) -> Given:
        """Returns it from the arguments of a forward: the first tensor of them counts."""
        x = next(_tensors((*args, *kwargs.values())), None)
        if x is None or x.ndim < 1:
            return cls()
        frames = {n for n in x.shape[1:3] if n > 3} if x.ndim == 5 else set()
        return cls(x.shape[0], frozenset(frames | {n // 2 for n in frames} - {1}))


@dataclass(frozen=True)
class Axes:
    """How a layer's tensors are read.

    Attributes:
        shape: of the first one seen.
        rows: rows that belong to one clip: its frames, if the network folds them into the batch.
        channels_last: (B, ..., C) instead of (B, C, ...).
        skip_tokens: leading tokens that stay out of the mean.
        batch_axis: the axis of the clips.
    """

    shape: tuple[int, ...]
    rows: int = 1
    channels_last: bool = False
    skip_tokens: int = 0
    batch_axis: int = 0

    def pool(self, x: Tensor, gradient: bool = False) -> Tensor:
        """Returns the mean over everything but clips and channels, (B, C), at least float32.

        Args:
            x: the layer's tensor.
            gradient: whether the mean keeps the gradient of `x`.
        """
        dtype = torch.promote_types(x.dtype, torch.float32)
        x = (x if gradient else x.detach()).movedim(self.batch_axis, 0)
        if x.ndim > 2:
            if self.channels_last:
                tokens = x[:, self.skip_tokens :]
                x = tokens.mean(dim=tuple(range(1, x.ndim - 1)), dtype=dtype)
            else:
                x = x.mean(dim=tuple(range(2, x.ndim)), dtype=dtype)
        elif self.rows == 1:
            return x.to(dtype, copy=True)  # the host may go on working in this very memory
        if self.rows == 1:
            return x
        return x.to(dtype).unflatten(0, (-1, self.rows)).mean(1)

    def words(self) -> str:
        """Returns it in words, for reports and the list of layers."""
        names = ["B", *"?" * (len(self.shape) - 1)]
        names[-1 if self.channels_last else min(1, len(names) - 1)] = "C"
        found = [f"({', '.join(map(str, self.shape))}) as ({', '.join(names)})"]
        if self.batch_axis:
            found = [f"({', '.join(map(str, self.shape))}), clips on axis {self.batch_axis}"]
        if self.rows > 1:
            found.append(f"{self.rows} rows of the batch are one clip")
        if self.skip_tokens:
            found.append(f"{self.skip_tokens} leading token left out")
        return "; ".join(found)


def find_axes(
    tap: Tap, module: nn.Module, model: nn.Module, x: Tensor, given: Given, seen: Axes | None = None
) -> Axes:
    """Returns the axes of a tensor that `module` returned or got; ValueError if they are unclear.

    Args:
        tap: what it states is taken as it is.
        module: the one that is read.
        model: the whole network.
        x: the tensor.
        given: the batch that the network was called with.
        seen: the axes of an earlier forward.
    """
    if seen is not None and seen.shape[1:] == x.shape[1:] and seen.batch_axis == 0:
        return replace(seen, rows=_rows(tap, x, given))
    if x.ndim < 2 or not x.is_floating_point():
        raise LayerError(
            f"Expected the {tap.of} of {tap.module!r} to be floats (B, C, ...) or, with "
            f"channels_last, (B, ..., C), but got {tuple(x.shape)} of {x.dtype}."
        )
    rows = _rows(tap, x, given)
    last = tap.channels_last
    if last is None:
        last = x.ndim > 2 and find_channels_last(tap, module, model, x.movedim(tap.batch_axis, 0))
    skip = tap.skip_tokens
    if skip is None:
        skip = int(last and x.ndim == 3 and _leads_with_class(model, x, given, rows))
    if last and x.ndim > 2 and x.shape[1] <= skip:
        raise LayerError(
            f"Expected the {tap.of} of {tap.module!r} to be (B, ..., C) with more than {skip} "
            f"tokens, but got {tuple(x.shape)}."
        )
    return Axes(tuple(x.shape), rows, last, skip, tap.batch_axis)


def find_channels_last(tap: Tap, module: nn.Module, model: nn.Module, x: Tensor) -> bool:
    """Returns whether channels are the last axis of `x`, by the widths of weights."""
    for place in (module, model):
        last, second = x.shape[-1] in _last_widths(place), x.shape[1] in _second_widths(place)
        if last != second:
            return last
        if last and x.ndim > 3:
            return False
        if last:
            break
    if x.ndim > 3 or next(model.parameters(), None) is None:
        return False
    both = "both" if last else "neither"
    raise LayerError(
        f"Expected to know which axis of the {tap.of} of {tap.module!r}, {tuple(x.shape)}, holds "
        f"the channels, but the weights fit {both}: write Tap({tap.module!r}, channels_last=True) "
        f"for tokens (B, L, C), or channels_last=False for (B, C, L)."
    )


def _rows(tap: Tap, x: Tensor, given: Given) -> int:
    """Returns how many rows of the batch are one clip."""
    batch = x.shape[tap.batch_axis]
    if given.clips in (None, 0, batch):
        return 1
    if batch % given.clips == 0:
        return batch // given.clips
    second = x.ndim > 2 and tap.batch_axis == 0 and x.shape[1] == given.clips
    hint = (
        f"write Tap({tap.module!r}, batch_axis=1, channels_last=True) for (L, B, C)"
        if second
        else "choose a layer whose rows are clips, or their frames"
    )
    raise LayerError(
        f"Expected the rows of {tap.module!r} to be {given.clips} clips, or as many frames of "
        f"each, but got {tuple(x.shape)}: {hint}."
    )


def _leads_with_class(model: nn.Module, x: Tensor, given: Given, rows: int) -> bool:
    """Returns whether tokens (B, L, C) lead with a class token, by the model's own and by L.

    The tokens of a clip are as many for each frame, so that L is a multiple of the frames, and one
    more with a class token. Rows that are frames hold a square of patches, and one more; rows that
    are places hold one token a frame.
    """
    width, tokens = x.shape[-1], x.shape[1]
    owns = any(
        name.rpartition(".")[2] in _CLASS_TOKENS and p.shape[-1] == width
        for name, p in model.named_parameters()
    )
    if not owns or tokens < 2 or tokens in given.frames:
        return False
    if rows == 1 and given.frames:
        return not _is_multiple(tokens, given.frames) and _is_multiple(tokens - 1, given.frames)
    return math.isqrt(tokens) ** 2 != tokens and math.isqrt(tokens - 1) ** 2 == tokens - 1


def _is_multiple(tokens: int, frames: frozenset[int]) -> bool:
    return any(tokens % n == 0 for n in frames)


def _last_widths(module: nn.Module) -> set[int]:
    found: set[int] = set()
    for part in module.modules():
        if isinstance(part, nn.Linear):
            found |= {part.out_features, part.in_features}
        elif isinstance(part, nn.LayerNorm):
            found.add(part.normalized_shape[-1])
        elif isinstance(part, (nn.Embedding, nn.MultiheadAttention)):
            found.add(getattr(part, "embedding_dim", None) or part.embed_dim)
    return found


def _second_widths(module: nn.Module) -> set[int]:
    found: set[int] = set()
    for part in module.modules():
        for name in ("out_channels", "in_channels", "num_features", "num_channels"):
            width = getattr(part, name, None)
            if isinstance(width, int) and not isinstance(part, nn.Linear):
                found.add(width)
    return found


def _tensors(values: Iterable[Any]) -> Iterable[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, Mapping):
            yield from _tensors(value.values())
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)
