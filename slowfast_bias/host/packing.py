"""Pathways of a batch of clips, by a function of the host that packs one clip.

SlowFast packs clips in its loaders and makes the numbers of the frames on the CPU. Views are made
on the network's device: on a GPU the function packs the places of a clip's values instead, and the
values are taken from there.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Pack = Callable[[Tensor], list[Tensor]]  # frames (C, T, H, W) to one tensor per pathway


def packed(pack: Pack, clips: Tensor) -> list[Tensor]:
    """Returns one tensor (B, C, T', H, W) per pathway from clips (B, C, T, H, W)."""
    if clips.device.type != "cpu":
        return packed_by_places(pack, clips)
    first = pack(clips[0])
    if len(first) == 1 and first[0].is_set_to(clips[0]):  # nothing to pack: no copy
        return [clips.contiguous()]
    rest = (pack(clip) for clip in clips[1:])
    return [torch.stack(pathway) for pathway in zip(first, *rest, strict=True)]


def packed_by_places(pack: Pack, clips: Tensor) -> list[Tensor]:
    """Does what `packed` does with clips that never leave their device.

    Args:
        pack: selects frames and channels; it is given the places of one clip's values.
        clips: the clips.
    """
    channels, frames = clips.shape[1:3]
    places = torch.arange(channels * frames).view(channels, frames, 1, 1)
    planes = clips.flatten(1, 2)
    pathways = []
    for chosen in pack(places):
        if torch.equal(chosen, places):
            pathways.append(clips.contiguous())
            continue
        values = planes.index_select(1, chosen.flatten().to(clips.device))
        pathways.append(values.unflatten(1, chosen.shape[:2]))
    return pathways
