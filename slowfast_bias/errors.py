"""Floor 0: the errors that the person who started a run can fix."""

from __future__ import annotations

import traceback
from pathlib import Path


class UserError(Exception):
    """Names what was expected, what came and what would help; a command shows no traceback."""


class DataError(UserError, ValueError):
    """A list file or a data set that cannot be used as it is."""


class OutputError(UserError, PermissionError):
    """An OUTPUT_DIR that cannot be written to."""


class NotFiniteError(UserError, FloatingPointError):
    """A loss, weights or scores that are not finite numbers."""


class FeaturesError(UserError, ValueError):
    """Features of a layer that are not finite numbers."""


class LayerError(UserError, ValueError):
    """A layer that a network lacks, or whose tensors cannot be read."""


class CrashError(UserError, RuntimeError):
    """A machine that failed in mid-run: its memory, a disk, a process that is gone."""


class PeerLostError(CrashError):
    """Another process of the run that is gone; why, only its own machine knows."""


class MissingPackageError(UserError, ImportError):
    """An optional package that the config needs and that is not installed."""


class PluginError(UserError, RuntimeError):
    """A checkout of SlowFast, or the moment of an import, that the plugin cannot work with."""


class RequestError(UserError, ValueError):
    """An argument, of a command or a function, that cannot be used as it is."""


def place_of(error: BaseException) -> str:
    """Returns where an error was raised, as file:line and what stands there."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}: {last.line}"
