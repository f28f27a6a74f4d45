"""Weights of a Hugging Face folder, under the names of `Huggingface`'s weights: all or none.

transformers reads them, as the names in such files are not those of its modules. By itself it
leaves what a file lacks at random values and says so in a report that nothing depends on; here each
such weight is an error.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from slowfast_bias.models.networks.huggingface import (
    Huggingface,
    import_transformers,
    quiet,
    reading,
)
from slowfast_bias.models.networks.huggingface_files import read_config
from slowfast_bias.models.networks.huggingface_kinds import KINDS
from slowfast_bias.models.weights.readers import CheckpointError, not_finite
from slowfast_bias.models.weights.safetensors_files import files_of_index

log = logging.getLogger(__name__)

_UNUSED = "vjepa2.predictor."  # `Huggingface` has none
_BIASES = ("q_bias", "v_bias", "query.bias", "value.bias")


def is_pretrained(path: str, model: nn.Module) -> bool:
    """Returns whether `path` is a folder whose names of weights only transformers knows."""
    return os.path.isdir(path) and isinstance(model, Huggingface)


def read_pretrained(
    path: str, model: Huggingface, partial: bool = False, new_classifier: bool = False
) -> dict[str, Any]:
    """Returns what `read_checkpoint` would: the weights of a folder in float32, named for `model`.

    Raises CheckpointError if a weight of the network is not in the files, or one of theirs has no
    place in it.

    Args:
        path: the folder, with config.json.
        model: the network that gets them.
        partial: leave out what the files lack.
        new_classifier: take what comes after the blocks (classifier, its norm or pooler) from
            `model` where the files lack it, and the classifier where they have other classes.
    """
    kind = read_config(Path(path))["model_type"]
    if kind != model.kind:
        raise CheckpointError(
            f"Expected weights of {KINDS[model.kind].title}, which BIAS.HF.FOLDER describes, but "
            f"{path} holds {KINDS[kind].title}. Give one folder for both."
        )
    network, gaps = _read(path)
    if gaps.all() and not (partial or (new_classifier and gaps.are_of_the_head())):
        raise CheckpointError(gaps.explain(path))
    if gaps.all():
        log.warning("%s: partial weights, as asked for. %s", path, gaps.lists())
    weights = {
        _renamed(name): value
        for name, value in network.state_dict().items()
        if name not in gaps.fresh() and not name.startswith(_UNUSED)
    }
    if names := not_finite(weights):
        raise CheckpointError(
            f"Expected finite weights in {path}, but {len(names)} of {len(weights)} tensors hold "
            f"NaN or Inf ({_first(names)}). Copy the folder again, or give another one."
        )
    if new_classifier:
        own = model.state_dict()
        fresh = {_renamed(name) for name in gaps.fresh()}
        fresh |= {k for k in weights if k.startswith("head.") and weights[k].shape != own[k].shape}
        weights |= {name: own[name] for name in fresh if name in own}
    return {"epoch": -1, "model_state": weights, "format": "pytorch"}


class _Gaps(NamedTuple):
    """What of a network and of its files did not come together, by names of transformers."""

    missing: list[str]  # the files lack them
    unknown: list[str]  # the network lacks them
    shapes: list[str]  # both have them, in different shapes
    base: str  # what the names of all but the head begin with

    def all(self) -> list[str]:
        return [*self.missing, *self.unknown, *self.shapes]

    def fresh(self) -> set[str]:
        return {*self.missing, *self.shapes}

    def are_of_the_head(self) -> bool:
        return not any(name.startswith(self.base) for name in self.all())

    def lists(self) -> str:
        said = []
        if self.missing:
            said.append(f"Its files lack {len(self.missing)} weights ({_first(self.missing)}).")
        if self.unknown:
            said.append(f"They hold {len(self.unknown)} of no use ({_first(self.unknown)}).")
        if self.shapes:
            said.append(f"{len(self.shapes)} have other shapes ({_first(self.shapes)}).")
        return " ".join(said)

    def explain(self, path: str) -> str:
        start = f"Expected the files in {path} to hold every weight of the network that its "
        start += f"config.json describes, and no others. {self.lists()}"
        if any(name.endswith(_BIASES) and name.startswith(self.base) for name in self.all()):
            version = import_transformers().__version__
            return (
                f"{start} These are biases of VideoMAE that transformers {version} does not find "
                "under their published names and would leave at zero: install another version."
            )
        if self.are_of_the_head() and not self.shapes:
            return (
                f"{start} It is an encoder without a classifier: accuracy and the layer `head` "
                "would be those of random weights. In training, set BIAS.NEW_CLASSIFIER True for "
                "a new one, or BIAS.ALLOW_PARTIAL_WEIGHTS True to measure the layers before it."
            )
        return f"{start} Take config.json and weights from one source, or download them again."


def _read(path: str) -> tuple[nn.Module, _Gaps]:
    """Returns the network of transformers that a folder holds, and what is wrong with it."""
    _check_shards(Path(path))
    transformers = import_transformers()
    with quiet(transformers):
        try:
            network, found = transformers.AutoModelForVideoClassification.from_pretrained(
                path,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # they are refused by name
                **reading(Path(path)),
            )
        except Exception as error:  # of transformers, safetensors, pickle, torch, the file system
            raise CheckpointError(_unreadable(path, error)) from error
    base = f"{network.base_model_prefix}."
    missing, unknown = ([k for k in sorted(found[f"{what}_keys"]) if not k.startswith(_UNUSED)]
                        for what in ("missing", "unexpected"))  # fmt: skip
    shapes = sorted(name for name, *_ in found["mismatched_keys"])
    return network, _Gaps(missing, unknown, shapes, base)


def _check_shards(path: Path) -> None:
    """Raises CheckpointError if a file that the index of a large network names is not there."""
    for index in sorted(path.glob("*.index.json")):
        try:
            named = files_of_index(index.read_bytes(), str(index))
        except OSError as error:
            raise CheckpointError(
                f"Expected {index} to say which file holds which weight, but it cannot be read "
                f"({type(error).__name__}: {error}). Download it again."
            ) from error
        absent = [name for name in named if not (path / name).is_file()]
        if absent:
            raise CheckpointError(
                f"Expected all {len(named)} files of weights that {index} names, but "
                f"{', '.join(absent)} is not there. Download the folder again."
            )


def _unreadable(path: str, error: Exception) -> str:
    if isinstance(error, OSError) and "no file named" in str(error):
        return (
            f"Expected weights in {path}, model.safetensors or pytorch_model.bin, but it has none. "
            "Download them, or give them as TEST.CHECKPOINT_FILE_PATH."
        )
    why = " ".join(str(error).split())[:160]
    return (
        f"Expected whole files of weights in {path}, but they cannot be read (cut short, a "
        f"placeholder of Git LFS, or something else than tensors): {type(error).__name__}: {why} "
        "Download the folder again."
    )


def _renamed(name: str) -> str:
    """Returns what `Huggingface` calls a weight of transformers."""
    first, _, rest = name.partition(".")
    return f"head.projection.{rest}" if first == "classifier" else f"model.{name}"


def _first(names: Iterable[str] | Mapping[str, Tensor]) -> str:
    names = list(names)
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
