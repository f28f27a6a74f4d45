"""Command lines by chance: 0, 1 or 2, and never a traceback."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzzing import bounded, fuzzed

from slowfast_bias import engine
from slowfast_bias.cli import COMMANDS, main
from slowfast_bias.errors import UserError

pytestmark = pytest.mark.host

# Those that would work for minutes; what they are asked to do is refused here.
WORK = ("demo", "reproduce", "doctor")
FLAGS = (
    "--cfg", "--opts", "--out", "--workers", "--model", "--weights", "--videos", "--frames",
    "--size",
    "--layers", "--format", "--to", "--names", "--kind", "--panels", "--banks", "--over-epochs",
    "--num",
    "--every", "--family", "--seed", "--lists", "--short-side", "--kinds", "--rates", "--networks",
    "--seeds", "--quick", "--help", "--all", "--layer", "--value", "--no-baseline", "--top-clips",
    "-h",
)  # fmt: skip
WORDS = (
    "", "-", "--", "0", "-1", "1e99", "nan", "9" * 5000, "none", "static",
    "configs/Toy/SLOW_motion.yaml",
    "configs", "nowhere", "/dev/null", "a\x00b", "\udcff", "[", "*", "slow_r50", "csv", "latex",
    "folders",
    "kinetics", "tests", "SOLVER.MAX_EPOCH", "BIAS", "BIAS.LAYERS", "['s1']", "NUM_GPUS", "x.pdf",
    "s5",
)  # fmt: skip


def refuse(*_, **__):
    raise UserError("refused here")


@pytest.fixture
def idle(monkeypatch):
    """Nothing is trained, measured, prepared or written."""
    from slowfast_bias.datasets.preparing import flow, prepare
    from slowfast_bias.engine import steps
    from slowfast_bias.engine.studies import sweep
    from slowfast_bias.engine.styling import bank_strength, folder_writer

    for place, name in (
        (engine, "run"), (engine, "launch"), (steps, "check_data"), (sweep, "sweep"),
        (folder_writer, "stylize"), (bank_strength, "bank_report"), (prepare, "prepare"),
        (flow, "make_flow"), (engine, "build_network"),
    ):  # fmt: skip
        monkeypatch.setattr(place, name, refuse)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in WORK])
@fuzzed(2)
@given(words=st.lists(st.sampled_from(FLAGS + WORDS), max_size=8))
def test_words(idle, tmp_path_factory, command, words):
    with pytest.MonkeyPatch.context() as patch, bounded():
        patch.chdir(tmp_path_factory.getbasetemp())
        try:
            status = main([command, *words])
        except SystemExit as stopped:
            status = stopped.code
    assert status in (0, 1, 2)
