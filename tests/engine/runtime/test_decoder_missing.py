"""A decoder that is not there is an error before any work: not bad videos, not a worker's trace."""

from __future__ import annotations

import sys

import pytest

from slowfast_bias.datasets.decoding import torchcodec_reader
from slowfast_bias.engine.setup import network
from slowfast_bias.run import main

pytestmark = pytest.mark.host


@pytest.fixture(autouse=True)
def no_torchcodec(monkeypatch):
    for name in ("torchcodec", "torchcodec.decoders"):
        monkeypatch.setitem(sys.modules, name, None)
    torchcodec_reader.torchcodec_module.cache_clear()
    yield
    torchcodec_reader.torchcodec_module.cache_clear()


@pytest.mark.parametrize("processes", [0, 2])
@pytest.mark.parametrize("flow", ["TRAIN", "BIAS", "TEST", "BIAS.SHUFFLE.TEST", "BIAS.ABLATION"])
def test_every_flow_says_so_before_a_network_is_built(
    tiny, tmp_path, monkeypatch, capsys, flow, processes
):
    built = []
    monkeypatch.setattr(network, "build_network", lambda *_: built.append(1))
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    switches = {"TRAIN.ENABLE": False, "TEST.ENABLE": False, "BIAS.ENABLE": False}
    switches[flow if flow.endswith("TEST") and "." in flow else f"{flow}.ENABLE"] = True
    words = [*tiny.words, "OUTPUT_DIR", tmp_path / "run", "BIAS.DATA.DECODER", "torchcodec"]
    words += ["NUM_GPUS", processes, "DATA_LOADER.NUM_WORKERS", 2]
    words += [word for pair in switches.items() for word in pair]
    (tmp_path / "empty.yaml").write_text("{}")
    assert main(["--cfg", str(tmp_path / "empty.yaml"), *map(str, words)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "torchcodec" in said and "`pip install torchcodec`" in said
    assert not built and not (tmp_path / "run" / "checkpoints").exists()
