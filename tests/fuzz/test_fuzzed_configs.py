"""Configs by chance, and keys of the command line: loaded, or refused by our own error."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT
from support.fuzzing import VALUES, bounded, changed, fuzzed, spoilt

from slowfast_bias.config import get_cfg, load_cfg
from slowfast_bias.errors import UserError

pytestmark = pytest.mark.host

FILES = (
    "Toy/Base-Toy.yaml", "Toy/SLOW_motion.yaml", "Kinetics/X3D_M.yaml",
    "SSv2/SLOW_8x8_R50.yaml", "DAVIS16/MATNET.yaml",
)  # fmt: skip
TEXTS = [
    (ROOT / "configs" / name).read_text() for name in FILES if (ROOT / "configs" / name).exists()
]


def keys(node=None, prefix=""):
    """Every key with its section."""
    for name, value in (get_cfg() if node is None else node).items():
        if hasattr(value, "items"):
            yield from keys(value, f"{prefix}{name}.")
        else:
            yield prefix + name


KEYS = sorted(keys())
WORDS = [str(value) for value in VALUES] + [
    "{[]: 1}", "-" * 9999 + "1", "[[2]]", "[['a']]", "(", "{1: 2}", "1e400", "slowfast",
    "mvit", "x3d", "toyvideos", "[3, 3]", "*", "0x",
    "'" * 9, "[" * 300, "1_0", "-0.0", "True", "\x1b[0m", "segmentation", "5", "0.5",
]  # fmt: skip


def load(path, *opts):
    with bounded():
        try:
            load_cfg(path, ["NUM_GPUS", 0, *opts])
        except UserError as error:
            assert str(error)


@fuzzed()
@given(data=st.data())
def test_text(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "spoilt.yaml"
    path.write_bytes(data.draw(spoilt(data.draw(st.sampled_from(TEXTS)).encode())))
    load(path)


@fuzzed(2)
@given(data=st.data())
def test_values(tmp_path_factory, data):
    """A whole config, every key of which is there."""
    path = tmp_path_factory.getbasetemp() / "changed.yaml"
    tree = yaml.safe_load(load_cfg(ROOT / "configs" / FILES[1], ["NUM_GPUS", 0]).dump())
    path.write_text(yaml.safe_dump(data.draw(changed(tree))), errors="surrogatepass")
    load(path)


@fuzzed()
@given(
    pairs=st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(WORDS)), min_size=1, max_size=4)
)
def test_pairs(pairs):
    load(str(ROOT / "configs" / FILES[1]), *(word for pair in pairs for word in pair))


@pytest.mark.parametrize("kind", ["[{0}, {0}]", "{{a: {0}, b: {0}}}"])
def test_anchors_that_unfold_without_end_are_refused(tmp_path, kind):
    lines = ["A0: &a0 x"] + [f"A{i}: &a{i} {kind.format(f'*a{i - 1}')}" for i in range(1, 40)]
    (tmp_path / "laughs.yaml").write_text("\n".join(lines) + "\nBIAS: {LAYERS: *a39}\n")
    with bounded(), pytest.raises(UserError, match=r"unfold to 3e\+12 values"):
        load_cfg(tmp_path / "laughs.yaml", ["NUM_GPUS", 0])
