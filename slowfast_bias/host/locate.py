"""Finds which SlowFast is on the path, only from files, before anything of it is imported.

Two generations share the import name `slowfast` and the version string 1.0, so neither tells them
apart. Their files do: only GitHub main has `config/custom_config.py`, only the PyPI release has
`models/model_builder.py`.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import NamedTuple

from slowfast_bias.errors import UserError

_MARKS = {"main": "config/custom_config.py", "pypi": "models/model_builder.py"}


class HostNotFoundError(UserError, ImportError):
    """No SlowFast can be imported, or the one found is neither of the two known generations."""


class Location(NamedTuple):
    """Where the chosen host is, and which others come after it on the path."""

    generation: str  # "pypi" or "main"
    root: Path  # the package folder, .../slowfast
    shadowed: tuple[Path, ...]  # other slowfast packages on sys.path that are not used


def find_host() -> Location:
    """Returns the SlowFast that `import slowfast` takes; `SLOWFAST_MAIN` goes to the front.

    Nothing of SlowFast is imported. If it has been imported already, that copy is the host.
    """
    checkout = os.environ.get("SLOWFAST_MAIN", "")
    if checkout and "slowfast" not in sys.modules:
        _put_first(Path(checkout).expanduser())
    spec = importlib.util.find_spec("slowfast")
    if spec is None or not spec.submodule_search_locations:
        raise HostNotFoundError(
            "Expected SlowFast to be importable, but found none. Either `pip install "
            "pyslowfast==1.0`, or name a checkout of facebookresearch/SlowFast: "
            "`export SLOWFAST_MAIN=/path/to/SlowFast`."
        )
    root = Path(next(iter(spec.submodule_search_locations))).resolve()
    generation = _generation(root)
    if generation is None:
        raise HostNotFoundError(
            f"Expected {root} to hold SlowFast, but it has neither {_MARKS['main']} (GitHub main) "
            f"nor {_MARKS['pypi']} (PyPI release). Remove it from the path, then `pip install "
            "pyslowfast==1.0` or set SLOWFAST_MAIN to a checkout."
        )
    return Location(generation, root, _others(root))


def _put_first(checkout: Path) -> None:
    """Puts the named checkout in front of everything else on sys.path."""
    if _generation(checkout / "slowfast") != "main":
        raise HostNotFoundError(
            f"Expected SLOWFAST_MAIN to name a checkout of SlowFast's main branch, but "
            f"{checkout / 'slowfast' / _MARKS['main']} does not exist. Give the folder that holds "
            "`slowfast/`, or unset SLOWFAST_MAIN to use the PyPI release."
        )
    path = str(checkout.resolve())
    if path in sys.path:
        sys.path.remove(path)
    sys.path.insert(0, path)


def _generation(root: Path) -> str | None:
    return next((name for name, mark in _MARKS.items() if (root / mark).is_file()), None)


def _others(root: Path) -> tuple[Path, ...]:
    """Returns the other slowfast packages on sys.path, in the order of the path."""
    seen: dict[Path, None] = {}
    for entry in sys.path:
        candidate = (Path(entry or ".") / "slowfast").resolve()
        if candidate != root and _generation(candidate) is not None:
            seen.setdefault(candidate)
    return tuple(seen)
