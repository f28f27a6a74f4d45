"""The bar: on a terminal alone, whoever draws it."""

from __future__ import annotations

import io
import sys

import pytest
from support import ROOT

from slowfast_bias.progress_bar import bar, beside_bar


class Terminal(io.StringIO):
    """A stderr that may be a terminal."""

    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.mark.parametrize(
    ("terminal", "quiet", "drawn"),
    [(True, False, True), (True, True, False), (False, False, False)],
)
def test_it_draws_on_a_terminal_alone_and_passes_on_every_step(monkeypatch, terminal, quiet, drawn):
    stderr = Terminal(terminal)
    monkeypatch.setattr(sys, "stderr", stderr)
    assert list(bar(iter(range(300)), 300, "decoding", quiet)) == list(range(300))
    assert ("decoding" in stderr.getvalue()) == drawn and bool(stderr.getvalue()) == drawn


def test_a_line_is_not_written_into_the_bar(monkeypatch):
    stderr = Terminal(True)
    monkeypatch.setattr(sys, "stderr", stderr)
    for step in bar(range(3), 3, "decoding"):
        with beside_bar():
            stderr.write(f"line {step}\n")
    for step in range(3):
        before = stderr.getvalue().partition(f"line {step}\n")[0]
        assert before.rpartition("\r")[2].strip() == ""  # the bar was taken off
    with beside_bar():
        stderr.write("after")
    assert stderr.getvalue().endswith("after")


def test_nothing_else_draws_one():
    files = (ROOT / "slowfast_bias").rglob("*.py")
    assert {path.name for path in files if "tqdm" in path.read_text()} == {"progress_bar.py"}
