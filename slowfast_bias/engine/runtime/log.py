"""Console, file and JSON logging. Only rank 0 logs.

Log lines go to stdout and stdout.log. JSON objects, one a line, go to json_stats.log and to
stdout.log; a terminal shows those of training and testing as a person reads them. They follow
SlowFast's `_type` convention.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import simplejson
from iopath.common.file_io import g_pathmgr

from slowfast_bias import interrupts, preemption
from slowfast_bias.engine.runtime import ranks, stalls
from slowfast_bias.engine.runtime.readable import readable
from slowfast_bias.files import append, make_output_dir
from slowfast_bias.outputs import Outputs
from slowfast_bias.progress_bar import bar, beside_bar

T = TypeVar("T")
_FORMAT = "[%(asctime)s] %(name)s: %(message)s"
log = logging.getLogger(__name__)
_SLOWFASTS = "json_stats: "  # before each line of SlowFast's own json_stats.log

_prefix = ""


def write_as_slowfast() -> None:
    """Makes lines of json_stats.log look like SlowFast's own, whose loop writes that file too."""
    global _prefix
    _prefix = _SLOWFASTS


def parse_json(text: str) -> dict[str, Any]:
    """Returns a line of json_stats.log, ours or SlowFast's; {} if it was cut by a killed run."""
    try:
        line = simplejson.loads(text.removeprefix(_SLOWFASTS))
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}


def set_up_logging(output_dir: str) -> None:
    """Sends this package's log to the terminal and to stdout.log; other ranks log only errors."""
    package = logging.getLogger("slowfast_bias")
    for handler in list(package.handlers):
        package.removeHandler(handler)
        handler.close()
    package.propagate = False
    package.setLevel(logging.INFO if ranks.is_master() else logging.ERROR)
    if ranks.is_master():
        make_output_dir(output_dir)
    ranks.wait()  # so that no rank reads a folder that is not there yet
    terminal = _Terminal(sys.stdout)
    handlers: list[logging.Handler] = [terminal]
    if ranks.is_master():
        handlers.append(_File(g_pathmgr.open(Outputs(output_dir).log, "a")))
    for handler in handlers:
        handler.setFormatter(_Printable(_FORMAT, datefmt="%m/%d %H:%M:%S"))
        package.addHandler(handler)


class _Terminal(logging.StreamHandler):
    """Shows what is for a person, above a progress bar."""

    def filter(self, record: logging.LogRecord) -> bool | logging.LogRecord:
        return not getattr(record, "only_in_file", False) and super().filter(record)

    def emit(self, record: logging.LogRecord) -> None:
        with beside_bar():
            super().emit(record)


class _File(logging.StreamHandler):
    """Writes to a file, and says once, on the terminal, that it cannot: the run goes on."""

    failed = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """Says what the disk says, in one line."""
        if not self.failed:
            self.failed = True
            name = getattr(self.stream, "name", "the log")
            print(f"warning: {name} is not written any more: {sys.exc_info()[1]}", file=sys.stderr)


class _Printable(logging.Formatter):
    """Names of files may be any bytes; bytes that are not text are shown as numbers."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def printable(text: str) -> str:
    """Returns text that every file and terminal accepts."""
    return text.encode("utf-8", "backslashreplace").decode()


def log_json(output_dir: str, stats: Mapping[str, Any]) -> None:
    """Appends a line to json_stats.log and stdout.log; a terminal shows it if it is `readable`."""
    if not ranks.is_master():
        return
    rounded = {key: round(v, 6) if isinstance(v, float) else v for key, v in stats.items()}
    line = simplejson.dumps(rounded, sort_keys=True, ignore_nan=True)
    log.info("json_stats: %s", line, extra={"only_in_file": True})
    if text := readable(stats):
        log.info("%s", text)
    append(Outputs(output_dir).stats, f"{_prefix}{line}\n")


def progress(steps: Iterable[T], total: int, title: str) -> Iterator[T]:
    """Yields `steps`, with a bar if stderr is a terminal; each is a step of this process."""
    for item in bar(steps, total, title, quiet=not ranks.is_master()):
        _step()
        yield item
    _step()


def _step() -> None:
    stalls.step()
    interrupts.raise_lost()
    preemption.raise_lost()
