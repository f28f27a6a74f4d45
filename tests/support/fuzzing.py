"""What the tests by hypothesis share: how many files, how they are spoilt, what each may cost.

The suite tries a few files, the same each time. SLOWFAST_BIAS_FUZZ=2000 (`make fuzz`) tries as many
as it says, others each time; a failure prints its file and the line that makes it again.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

SUITE = 24  # files a test in the suite
ASKED = os.environ.get("SLOWFAST_BIAS_FUZZ", "")
SECONDS = 30  # of the processor, which waiting for it does not use up
MEMORY = 400  # MB: a few times what small files may unpack to

# What a place of a file may become: what readers stumble over, then anything.
PIECES = (
    b"", b"\0", b"\xff", b"\xed\xa0\x80", b"[", b"{", b'"', b"\\", b",", b":", b" ", b"\n",
    b"\r\n", b"-",
    b"#", b"/..", b"null", b"NaN", b"-Infinity", b"1e999", b"0", b"-1", b"1.5", b"true", b"[]",
    b"{}",
    b"9" * 5000, b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xff\xff\x7f", b"\xff" * 8, b"\0" * 8,
)  # fmt: skip
VALUES = (
    None, True, False, 0, -1, 1.5, 10**400, -(10**18), 1e308, float("nan"), float("inf"), "", "x",
    "\0", "\ud800", "../x", "1", "none", [], {}, [[]], [None], [0, 1, 2], ["a", 1], {"a": None},
)  # fmt: skip


def fuzzed(share: int = 1) -> Callable[[Any], Any]:
    """The settings of a test: one of `share` of the usual number of files."""
    return settings(
        max_examples=max(5, int(ASKED or SUITE) // share),
        derandomize=not ASKED,
        deadline=None,  # times are bounded by `bounded`
        database=None,
        print_blob=True,
        phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if ASKED else [])],
        suppress_health_check=list(HealthCheck),
    )


@st.composite
def spoilt(draw: Any, data: bytes) -> bytes:
    """The bytes of a file of which some are others, missing, or there twice."""
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.sampled_from((0, 1, 1, 4, 8, 30))))
        what = draw(st.sampled_from(("put", "put", "put", "cut", "twice", "bytes")))
        if what == "cut":
            data = data[:at]
        elif what == "twice":
            data = data[:end] + data[at:]
        else:
            pieces = st.binary(max_size=9) if what == "bytes" else st.sampled_from(PIECES)
            data = data[:at] + draw(pieces) + data[end:]
    return data


@st.composite
def changed(draw: Any, tree: Any) -> Any:
    """A tree of lists and mappings of which one to three places hold something else."""
    tree = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, 3))):
        node = tree
        while isinstance(node, (dict, list)) and node:
            keys = sorted(node) if isinstance(node, dict) else range(len(node))
            key = draw(st.sampled_from(keys))
            inner = node[key]
            if not isinstance(inner, (dict, list)) or not inner or draw(st.integers(0, 3)) == 0:
                _change(draw, node, key)
                break
            node = inner
    return tree


def _change(draw: Any, node: Any, key: Any) -> None:
    what = draw(st.sampled_from(("put", "put", "put", "take", "more")))
    if what == "put":
        node[key] = copy.deepcopy(draw(st.sampled_from(VALUES)))
    elif what == "take":
        del node[key]
    elif isinstance(node, dict):
        node[draw(st.sampled_from(("", "x", "0", "\ud800")))] = node[key]
    else:
        node.insert(0, node[key])


def json_of(tree: Any) -> bytes:
    """The JSON of a tree, NaN and infinity included."""
    return json.dumps(tree).encode()


def spoilt_json(tree: Any) -> st.SearchStrategy[bytes]:
    """JSON of another tree, or of this one with spoilt text."""
    return st.one_of(changed(tree).map(json_of), spoilt(json_of(tree)))


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Fails if a block uses more of the processor, or of memory, than a small file can be worth."""

    def too_long(*_: Any) -> None:
        raise BaseException(f"more than {SECONDS} s of the processor")  # passes `except Exception`

    before, start = signal.signal(signal.SIGPROF, too_long), _reset_peak()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    grown = (_peak() - start) / 1024
    assert grown < MEMORY, f"{grown:.0f} MB of memory"


def _reset_peak() -> int:
    """Begins to look for the peak of memory anew; returns it in KB, 0 where there is none."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    with contextlib.suppress(OSError):
        return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
    return 0
