"""When it is time to save again: often enough to lose little, seldom enough to cost nothing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

_SHARE = 0.01  # of the time, at most, for saving


class SaveClock:
    """Counts the time since the last saving, in seconds."""

    def __init__(self, minutes: float) -> None:
        """Begins to count.

        Args:
            minutes: between two savings, or more if one takes more than a hundredth of that; 0:
                there are none.
        """
        self.period, self._took = 60 * minutes, 0.0
        self._last = time.monotonic()

    def due(self) -> bool:
        """Returns whether it is time to save."""
        wait = max(self.period, self._took / _SHARE)
        return self.period > 0 and time.monotonic() - self._last >= wait

    @contextlib.contextmanager
    def saving(self) -> Iterator[None]:
        """Takes the time of the block that saves, and counts from its end."""
        start = time.monotonic()
        yield
        self._last = time.monotonic()
        self._took = self._last - start
