"""Why weights do not go into a network, in sentences that say what would do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import nn

from slowfast_bias.models.families import family_of
from slowfast_bias.models.weights.bookkeeping import without_bookkeeping
from slowfast_bias.models.weights.describe import (
    MATNET,
    classes_of,
    clip_of,
    describe,
    is_half,
    name_classes,
    shipped_config,
)
from slowfast_bias.models.weights.tables import Weights

# if a run finds its own checkpoint (TRAIN.AUTO_RESUME), it goes on with all of it or not at all
_AFRESH = (
    "begin another run: with another OUTPUT_DIR, or with TRAIN.AUTO_RESUME False, which writes "
    "over the checkpoints that are there"
)
_PARTIAL = "set BIAS.ALLOW_PARTIAL_WEIGHTS True to load what fits"


class Misfit(NamedTuple):
    """Names of weights that do not go from a file into a network."""

    missing: list[str]  # the network has them, the file has not
    unknown: list[str]  # the file has them, the network has not
    shapes: list[str]  # both have them, in different shapes


def find_misfit(own: Mapping[str, torch.Tensor], weights: Weights) -> Misfit:
    """Returns what does not fit between a network's weights and a file's."""
    return Misfit(
        missing=[name for name in own if name not in weights and not name.endswith("_tracked")],
        unknown=[name for name in weights if name not in own],
        shapes=[k for k, v in weights.items() if k in own and v.shape != own[k].shape],
    )


def only_classifier(model: nn.Module, misfit: Misfit) -> bool:
    """Returns whether all that does not fit is the classifier: of other classes, or missing."""
    head = family_of(model).head(model)
    wrong = [*misfit.shapes, *misfit.missing]
    if head is None or not wrong or misfit.unknown:
        return False
    return all(name.startswith(f"{head.projection}.") for name in wrong)


def explain(
    model: nn.Module,
    source: str,
    weights: Weights,
    misfit: Misfit,
    resumes: bool = False,
    clip: tuple[int | None, int | None] = (None, None),
) -> str:
    """Returns why `weights` of the file `source` do not fit `model`; see `fit.load_weights`.

    `clip` is frames and pixels of the network's clips.
    """
    own = without_bookkeeping(model.state_dict())
    first = f"Expected {source} to fit the network that the config builds, but it does not."
    if only_classifier(model, misfit):
        return f"{first} {_about_classifier(own, weights, misfit, resumes)}"
    if other := _other_clip(own, weights, misfit, clip):
        return f"{first} {_about_clip(other, clip, resumes)}"
    has_head = family_of(model).head(model) is not None
    lines = [first, *_families(own, weights, has_head), *_lists(own, weights, misfit)]
    if _is_of_a_folder(own, weights):
        return " ".join([*lines, "Its names are those of a Hugging Face folder: give the folder."])
    do = _AFRESH if resumes else _PARTIAL
    if not fits_in_part(own, weights, misfit):
        lines.append("Not one of its weights fits.")
        do = _AFRESH if resumes else "give another file"
    lines.append(f"Check {_keys_of(model)}, or {do}.")
    return " ".join(lines)


def _keys_of(model: nn.Module) -> str:
    """Returns the config keys that say how such a network is built."""
    keys = ["MODEL.ARCH", *family_of(model).sized_by]
    return " and ".join(filter(None, (", ".join(keys[:-1]), keys[-1])))


def fits_in_part(own: Mapping[str, torch.Tensor], weights: Weights, misfit: Misfit) -> bool:
    """Returns whether at least one weight goes from a file into a network; counters are none."""
    return any(
        name in own and name not in misfit.shapes and not name.endswith("_tracked")
        for name in weights
    )


def _is_of_a_folder(own: Mapping[str, torch.Tensor], weights: Weights) -> bool:
    """Returns whether a file is one of those in the folder that a network is described by."""
    return "head.projection.bias" in own and any(
        name not in own and f"model.{name}" in own for name in weights
    )


def _about_classifier(
    own: Mapping[str, torch.Tensor], weights: Weights, misfit: Misfit, resumes: bool
) -> str:
    new = "set BIAS.NEW_CLASSIFIER True, in training only, for a new classifier on its weights"
    if not misfit.shapes:
        return (
            "It has no classifier, as an encoder that was trained without labels: "
            + (_AFRESH if resumes else new)
            + ". To measure its layers, set BIAS.ALLOW_PARTIAL_WEIGHTS True; there is no accuracy "
            "then, and no layer `head`."
        )
    measure = " To measure the layers before it, BIAS.ALLOW_PARTIAL_WEIGHTS True will do."
    name = misfit.shapes[-1]
    there, here = len(weights[name]), len(own[name])
    return (
        f"Its classifier has {name_classes(there)}, MODEL.NUM_CLASSES is {here}: set "
        f"MODEL.NUM_CLASSES {there}, or {_AFRESH if resumes else new}."
    ) + ("" if resumes else measure)


def _other_clip(
    own: Mapping[str, torch.Tensor],
    weights: Weights,
    misfit: Misfit,
    clip: tuple[int | None, int | None],
) -> dict[str, int]:
    """Returns frames or pixels for which a file was made, if these are all that does not fit."""
    if misfit.missing or misfit.unknown:
        return {}
    found: dict[str, set[int | None]] = {}
    for name in misfit.shapes:
        other = clip_of(name, weights[name].shape, own[name].shape, *clip)
        if other is None:
            return {}
        found.setdefault(other[0], set()).add(other[1])
    agree = all(len(values) == 1 for values in found.values())
    return {what: values.pop() for what, values in found.items()} if agree else {}


def _about_clip(
    other: Mapping[str, int], clip: tuple[int | None, int | None], resumes: bool
) -> str:
    lines, words = [], []
    if "frames" in other:
        lines.append(f"{other['frames']} frames, DATA.NUM_FRAMES is {clip[0]}")
        words.append(f"DATA.NUM_FRAMES {other['frames']}")
    if "pixels" in other:
        side = other["pixels"]
        lines.append(f"clips of {side} pixels, DATA.TRAIN_CROP_SIZE is {clip[1]}")
        words.append(f"DATA.TRAIN_CROP_SIZE {side} DATA.TEST_CROP_SIZE {side}")
    do = _AFRESH if resumes else f"set {' '.join(words)}"
    return f"The file was made for {' and for '.join(lines)}: {do}."


def _families(own: Mapping[str, torch.Tensor], weights: Weights, has_head: bool) -> list[str]:
    there, here = describe(weights), describe(own)
    lines = []
    if there and there != here:
        builds = f", and the config builds {here}" if here else ""
        lines.append(f"By its names it is of the kind {there}{builds}.")
        if config := shipped_config(there):
            lines.append(f"{config} is of that kind.")
    if is_half(there) and here == MATNET:
        lines.append(
            "Put the other half beside it, encoder_<epoch>.pt and decoder_<epoch>.pt of one epoch "
            "in one folder, and give either of them, or the folder."
        )
    classes = classes_of(weights)
    if there and there != here and classes is not None and not has_head:
        lines.append(f"It tells {name_classes(classes)} apart; the network makes masks.")
    if there and has_head and classes is None:
        lines.append(
            "It has no classifier: with BIAS.ALLOW_PARTIAL_WEIGHTS True the layers of a network "
            "that fits it can be measured, but not the layer `head`, and no accuracy."
        )
    return lines


def _lists(own: Mapping[str, torch.Tensor], weights: Weights, misfit: Misfit) -> list[str]:
    missing, unknown, shapes = misfit
    lines = [
        f"It {what} {len(names)} weights ({', '.join(names[:4])}, ...)."
        for what, names in (("lacks", missing), ("has, and the network has not,", unknown))
        if names
    ]
    if shapes:
        first = shapes[0]
        lines.append(
            f"{len(shapes)} have other shapes ({first}: {tuple(weights[first].shape)}, "
            f"the network's {tuple(own[first].shape)})."
        )
    return lines
