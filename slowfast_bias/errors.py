"""Floor 0: the errors that the person who started a run can mend."""

from __future__ import annotations


class UserError(Exception):
    """Says what was expected, what came and what would do; the command line shows no traceback."""


class DataError(UserError, ValueError):
    """A list file or a data set that cannot be used as it is."""


class OutputError(UserError, PermissionError):
    """An OUTPUT_DIR that cannot be written to."""


class NotFiniteError(UserError, FloatingPointError):
    """A loss that is not a number any more."""


class MissingPackageError(UserError, ImportError):
    """An optional package that the config asks for and that is not installed."""
