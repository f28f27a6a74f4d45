"""Import hooks: files under another name, and functions that run right after an import.

SlowFast's own files import what does not exist outside the company that wrote them, and names that
the plugin has to replace before they are bound. Both have to happen during an import.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

Context = Callable[[], contextlib.AbstractContextManager[None]]
Action = Callable[[ModuleType], None]


class HookedLoader(SourceFileLoader):
    """Runs a file within a context, then calls a function with the module."""

    def __init__(self, name: str, path: str, within: Context, after: Action) -> None:
        super().__init__(name, path)
        self.within, self.after = within, after

    def exec_module(self, module: ModuleType) -> None:
        """Runs the module's file."""
        with self.within():
            super().exec_module(module)
        self.after(module)


class Folder(MetaPathFinder):
    """Offers the files of a folder as modules of a package that exists only by name.

    It comes last in `sys.meta_path`, so that a real package of this name wins.

    Attributes:
        package: dotted name of the package.
        folder: where its files are.
        within: makes the context in which each of them is run.
    """

    def __init__(self, package: str, folder: Path, within: Context) -> None:
        self.package, self.folder, self.within = package, folder, within

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Returns the package, a package around it, or a file of it; None for other names."""
        if f"{self.package}.".startswith(f"{name}."):
            return ModuleSpec(name, None, is_package=True)
        parent, _, last = name.rpartition(".")
        file = self.folder / f"{last}.py"
        if parent != self.package or not file.is_file():
            return None
        loader = HookedLoader(name, str(file), self.within, lambda module: None)
        return spec_from_file_location(name, file, loader=loader)


class After(MetaPathFinder):
    """Calls a function with a module right after it was imported, once."""

    def __init__(self, name: str, action: Action) -> None:
        self.name, self.action = name, action

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Returns the spec that the file system gives, with the function added to its loader."""
        if name != self.name:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.origin:
            spec.loader = HookedLoader(name, spec.origin, contextlib.nullcontext, self.action)
        return spec


def after_import(name: str, action: Action) -> None:
    """Calls `action` with the module `name`: now if it is imported already, else once it is."""
    if name in sys.modules:
        action(sys.modules[name])
    else:
        sys.meta_path.insert(0, After(name, action))
