"""A measurement with pairs of image and flow: streams that do not meet, seen by the whole chain."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from slowfast_bias.engine.measuring.measurement import measure_networks


class TwoStreams(nn.Module):
    """Two streams and a layer in which they meet; random weights."""

    def __init__(self):
        super().__init__()
        self.app, self.mot = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(3, 6, 3, padding=1)
        self.fuse = nn.Conv2d(12, 8, 1)

    def forward(self, image, flow):
        streams = self.app(image.squeeze(2)).relu(), self.mot(flow.squeeze(2)).relu()
        return self.fuse(torch.cat(streams, 1))


@pytest.mark.parametrize("kind", ["flow_jitter", "flow_swap"])
def test_a_stream_that_meets_no_other_is_scored_exactly(tiny, kind):
    cfg = tiny(
        "TRAIN.DATASET", "toysegments", "BIAS.SEGMENTS.SIZE", [24, 24], "DATA.NUM_FRAMES", 1,
        "BIAS.PAIRS", kind, "BIAS.LAYERS", ["app", "mot", "fuse"], "BIAS.ENABLE", True,
        "BIAS.TOY.NUM_VAL", 24, "TEST.BATCH_SIZE", 7,
    )  # fmt: skip
    torch.manual_seed(0)
    report = measure_networks(cfg, {"trained": TwoStreams()}, "x")["trained"]
    app, mot, fuse = (report.layers[name] for name in ("app", "mot", "fuse"))
    assert torch.allclose(app.unit_scores("static"), torch.ones(6).double(), rtol=0, atol=1e-9)
    assert torch.allclose(mot.unit_scores("dynamic"), torch.ones(6).double(), rtol=0, atol=1e-9)
    assert app.unit_scores("motion").abs().max() < 1e-9 and abs(app.score("look")) > 0.1
    assert mot.unit_scores("look").abs().max() < 1e-9 and abs(mot.score("motion")) > 0.1
    assert abs(fuse.score("look")) > 0.01 < abs(fuse.score("motion"))
    assert report.meta["pairs_made"] == kind and report.meta["recordings"] == 24
