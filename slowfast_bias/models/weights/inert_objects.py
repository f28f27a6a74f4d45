"""What an unpickler that runs nothing builds: objects that a file can fill, and not use.

Those for tensors and arrays are turned into tensors by `realise`; no file gets hold of a real one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

_PLAIN = re.compile(r"[<>|=]?([fiuc]\d{1,2}|b1|\?)")  # types of numbers: no objects, no fields


class Inert:
    """Stands for an object that is not built: it accepts everything and does nothing."""

    __slots__ = ()
    stands_for = ""

    def __new__(cls, *args: Any, **kwargs: Any) -> Inert:
        """Returns an empty object."""
        return object.__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __call__(self, *args: Any, **kwargs: Any) -> Inert:
        """Returns itself."""
        return self

    def ignore(*args: Any, **kwargs: Any) -> None:  # noqa: N805  also called with the class
        """Does nothing."""

    # what an unpickler calls of an object that it has built
    __setstate__ = __setitem__ = append = extend = add = update = ignore


class Function:
    """A function of this module, which a pickle can call and cannot change."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *args: Any) -> Any:
        """Returns what the function returns."""
        return self._function(*args)

    def __setstate__(self, state: Any) -> None:
        """Does nothing."""


class Dict(dict):
    """An OrderedDict of a file: its items alone."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        """Does nothing: a state_dict keeps the versions of its modules here."""


class DType:
    """A numpy type of numbers, and the order of its bytes; None for texts, objects and records."""

    __slots__ = ("type",)

    def __init__(self, text: Any = "", *more: Any) -> None:
        known = isinstance(text, str) and _PLAIN.fullmatch(text)
        self.type = np.dtype(text) if known else None

    def __setstate__(self, state: Any) -> None:
        """Takes the order of bytes; all the rest of a state is in the name of the type."""
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        if self.type is not None and order in ("<", ">"):
            self.type = self.type.newbyteorder(order)


class Array:
    """A numpy array of numbers."""

    __slots__ = ("value",)

    def __init__(self, *args: Any) -> None:
        self.value: np.ndarray | None = None

    def __setstate__(self, state: Any) -> None:
        """Takes shape, type, order of axes and bytes, which must fit each other."""
        _, shape, kind, by_columns, data = state
        if kind.type is None:
            return
        if isinstance(data, str):  # of Python 2
            data = data.encode("latin1")
        flat = np.frombuffer(data, dtype=kind.type)
        self.value = flat.reshape(shape, order="F" if by_columns else "C")


class TensorOf:
    """A tensor: a part of a storage, which may not have been read yet."""

    __slots__ = ("dtype", "offset", "size", "storage", "stride")

    def __init__(self, storage: Any, offset: int, size: Any, stride: Any, dtype: Any = None):
        self.storage, self.offset, self.dtype = storage, offset, dtype
        self.size, self.stride = tuple(size), tuple(stride)

    def __setstate__(self, state: Any) -> None:
        """Does nothing: hooks and gradients are none of a file's."""

    def real(self) -> torch.Tensor:
        """Returns the tensor; RuntimeError if the storage is too small for it."""
        flat = self.storage.flat
        if self.dtype is not None:
            flat = flat.view(self.dtype)
        return flat.as_strided(self.size, self.stride, self.offset)


def realise(value: Any, done: dict[int, Any] | None = None) -> Any:
    """Returns what was read with tensors in place of all that stands for them."""
    done = {} if done is None else done
    if id(value) in done:
        return done[id(value)]
    if isinstance(value, TensorOf):
        return done.setdefault(id(value), value.real())
    if isinstance(value, Array):
        return done.setdefault(id(value), _of_array(value))
    if isinstance(value, dict):
        done[id(value)] = found = {}
        found.update({key: realise(inner, done) for key, inner in value.items()})
        return found
    if isinstance(value, list):
        done[id(value)] = found = []
        found.extend(realise(inner, done) for inner in value)
        return found
    if type(value) is tuple:  # noted as well: one that is in itself twice, and so on, has no end
        return done.setdefault(id(value), tuple(realise(inner, done) for inner in value))
    return value


def _of_array(array: Array) -> Any:
    if array.value is None:
        return array
    own_order = array.value.astype(array.value.dtype.newbyteorder("="))
    try:
        return torch.from_numpy(np.array(own_order, order="C"))
    except TypeError:  # a type that torch lacks
        return array
