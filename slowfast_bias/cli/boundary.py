"""The one error boundary of the command line: which exceptions become which exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from slowfast_bias import interrupts, preemption
from slowfast_bias.errors import UserError


def guarded(command: Callable[[], int], interrupted: Callable[[], str] | None = None) -> int:
    """Returns the exit status of `command`.

    2, and one `error:` line, if the user can fix what went wrong; 130, and one line, after Ctrl-C;
    75, and one line, after SIGTERM or SIGUSR1: it is to be started again.
    Other exceptions are our own bugs and keep their traceback.

    Args:
        command: does the work.
        interrupted: returns what the user should know after Ctrl-C.
    """
    with interrupts.accepting(), preemption.accepting():
        try:
            return command()
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        except BrokenPipeError:  # `slowfast_bias ... | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except BaseException as error:
            stop = interrupts.behind(error)
            if stop is None:
                raise
            text = interrupted() if interrupted else "interrupted; the same command begins again"
            return _stopped(stop, text)


def _stopped(stop: KeyboardInterrupt, text: str) -> int:
    """Says what the user should know after a signal, and returns the status."""
    if not isinstance(stop, preemption.Preempted):
        print(text, file=sys.stderr)
        return interrupts.STATUS
    words = text.partition("interrupted; ")[2] or text
    print(f"preempted (SIGTERM or SIGUSR1); {words}", file=sys.stderr)
    return preemption.STATUS
