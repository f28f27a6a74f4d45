"""Numbers on their way from a device, which goes on working meanwhile.

Reading a number of a GPU at once makes the host wait for all that was asked of it, and then the GPU
for the host. A copy that is asked for now and read a step later stops neither.
"""

from __future__ import annotations

from typing import Any

import torch


class Arriving:
    """The numbers of a small tensor, copied as soon as its device has them."""

    def __init__(self, tensor: torch.Tensor) -> None:
        # to a CPU without blocking torch copies into pinned memory, which an event says is there
        self._copy = tensor.detach().to("cpu", non_blocking=tensor.is_cuda)
        self._event = None
        if tensor.is_cuda:
            self._event = torch.cuda.Event()
            self._event.record(torch.cuda.current_stream(tensor.device))

    def tolist(self) -> Any:
        """Returns them as Python's numbers; waits until they are here."""
        if self._event is not None:
            self._event.synchronize()
        return self._copy.tolist()
