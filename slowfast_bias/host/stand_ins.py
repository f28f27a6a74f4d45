"""Stand-ins for what a host imports but does not need; they exist only during its import.

SlowFast imports detectron2, torchvision, pytorchvideo and Meta-internal packages at module level,
for features this project does not use. A stand-in is inserted only if the real module is missing,
and removed after the import: afterwards `import torchvision` finds the real one or fails, as it
would without us.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

Attributes = Mapping[str, Any]


class StandIn(ModuleType):
    """A module whose unknown attributes are classes that raise an error with their name if used."""

    def __init__(self, name: str, attributes: Attributes) -> None:
        super().__init__(name)
        self.__path__: list[str] = []  # so that submodules of it can be imported
        self.__dict__.update(attributes)

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return absent(f"{self.__name__}.{name}")


def absent(name: str) -> type:
    """Returns a class that can be inherited from, but whose constructor raises what is missing."""

    def refuse(self: object, *args: object, **kwargs: object) -> None:
        package = name.split(".")[0]
        raise ImportError(
            f"Expected {name} for this feature of SlowFast, but `{package}` is not installed. "
            f"Install {package}, or choose a configuration that does not need it."
        )

    return type(name.rsplit(".", 1)[-1], (), {"__init__": refuse})


@contextlib.contextmanager
def standing_in(wanted: Mapping[str, Attributes]) -> Iterator[None]:
    """Makes `wanted` (module name -> attributes) importable; undoes every insertion on exit.

    A real module is left as it is, except that the attributes it lacks are added until the exit.
    """
    undo: list[Callable[[], object]] = []
    try:
        for name, attributes in wanted.items():
            _provide(name, attributes, undo)
        yield
    finally:
        for step in reversed(undo):
            step()


def _provide(name: str, attributes: Attributes, undo: list[Callable[[], object]]) -> None:
    module = _real(name)
    if module is None:
        module = StandIn(name, attributes)
        _insert(name, module, undo)
    for key, value in attributes.items():
        # `vars`, not getattr: some modules (torch.ops, ours too) have an attribute of any name
        if key not in vars(module):
            setattr(module, key, value)
            undo.append(lambda module=module, key=key: delattr(module, key))


def _real(name: str) -> ModuleType | None:
    """Returns the module, or None if it is missing or its import fails."""
    if name in sys.modules:
        return sys.modules[name]
    parent = name.rpartition(".")[0]
    if isinstance(sys.modules.get(parent), StandIn):
        return None
    try:
        return importlib.import_module(name)
    except Exception:  # a torchvision built for another torch raises RuntimeError, not ImportError
        return None


def _insert(name: str, module: ModuleType, undo: list[Callable[[], object]]) -> None:
    before = sys.modules.get(name)
    sys.modules[name] = module

    def restore() -> None:
        if before is None:
            sys.modules.pop(name, None)
        else:
            sys.modules[name] = before

    undo.append(restore)
    parent, _, child = name.rpartition(".")
    if parent in sys.modules and child not in vars(sys.modules[parent]):
        holder = sys.modules[parent]
        setattr(holder, child, module)
        undo.append(lambda: vars(holder).pop(child, None))
