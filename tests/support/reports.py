"""Small reports: one pathway, two pathways, dead units; and whether a figure's text can be read."""

from __future__ import annotations

import itertools
import warnings

import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from slowfast_bias.bias import BiasMeter

PAIRS = {
    "static": ("styled", "shuffled"),
    "dynamic": ("styled", "restyled"),
    "neither": ("shuffled", "restyled"),
}


def report_of(layers, seed=0, pairs=40, dead=None, meta=None, **settings):
    """A report over {layer: units}; unit scores spread over the four regions."""
    generator = torch.Generator().manual_seed(seed)
    meter = BiasMeter(dict.fromkeys(name.split("/")[0] for name in layers))
    for factor in ("static", "dynamic"):
        a, b = {}, {}
        for layer, units in layers.items():
            r = torch.rand(units, generator=generator, dtype=torch.float64) * 1.2 - 0.3
            a[layer], noise = torch.randn(2, pairs, units, generator=generator, dtype=torch.float64)
            b[layer] = r * a[layer] + (1 - r**2).sqrt() * noise
            a[layer][:, : (dead or {}).get(layer, 0)] = 1.0
        meter.update(factor, a, b)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return meter.compute(meta=meta, **settings)


def report_with_motion(layers, seed=0, pairs=40, meta=None, frame_wise=()):
    """A report with pairs "neither" too; in layers `frame_wise`, frames are seen one by one."""
    generator = torch.Generator().manual_seed(seed)
    meter = BiasMeter(dict.fromkeys(name.split("/")[0] for name in layers))
    views = {"styled": {}, "shuffled": {}, "restyled": {}}
    for layer, units in layers.items():
        parts = torch.randn(6, pairs, units, generator=generator, dtype=torch.float64)
        content, look, motion, *rest = parts
        views["styled"][layer] = 0.5 * content + look + motion
        if layer in frame_wise:
            views["shuffled"][layer] = views["styled"][layer]
        else:
            views["shuffled"][layer] = 0.5 * content + look + rest[0]
        views["restyled"][layer] = 0.5 * content + rest[1] + motion
    for factor, (a, b) in PAIRS.items():
        meter.update(factor, views[a], views[b])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return meter.compute(meta=meta)


def text_is_clear(figure):
    """Fails where two texts of the figure overlap, or one leaves the page."""
    FigureCanvasAgg(figure).draw()
    shown = [ax for ax in figure.axes if ax.get_visible()]
    hidden = {t for ax in figure.axes if ax not in shown for t in ax.findobj(Text)}
    texts = {t for t in figure.findobj(Text) if t.get_visible() and t.get_text()} - hidden
    texts -= {text for ax in shown for text in out_of_view(ax)}
    boxes = {text: text.get_window_extent().padded(-1) for text in texts}
    for text, box in boxes.items():
        assert box.x0 >= 0 and box.x1 <= figure.bbox.x1, text
        assert box.y0 >= 0 and box.y1 <= figure.bbox.y1, text
    for (a, box), (b, other) in itertools.combinations(boxes.items(), 2):
        assert not box.overlaps(other), (a, b)


def out_of_view(ax):
    """Tick labels that matplotlib keeps but does not draw."""
    for axis, at in ((ax.xaxis, 0), (ax.yaxis, 1)):
        low, high = sorted(axis.get_view_interval())
        for text in axis.get_ticklabels():
            if not low <= text.get_position()[at] <= high:
                yield text


META = {
    "styles": {"family": "randconv", "num": 5, "seed": 7},
    "seed": 3, "videos": 40, "recordings": 12, "decoder": "pyav 9.9",
}  # fmt: skip
PLAIN = {"s1": 8, "s2": 12, "s3": 16, "head": 16}
PATHWAYS = {"s1/0": 8, "s1/1": 4, "s2/0": 12, "s2/1": 6, "head": 18}
BLOCKS = {f"blocks.{i}": 6 for i in range(16)} | {"head": 6}


@pytest.fixture(scope="session")
def make_report():
    return report_of


@pytest.fixture(scope="session")
def check_text():
    return text_is_clear


@pytest.fixture(scope="session")
def plain():
    return report_of(PLAIN, seed=1)


@pytest.fixture(scope="session")
def pathways():
    return report_of(PATHWAYS, seed=2)


@pytest.fixture(scope="session")
def blocks():
    return report_of(BLOCKS, seed=3)


@pytest.fixture(scope="session")
def broken():
    return report_of(PLAIN, seed=4, dead={"s1": 8, "s3": 5})


@pytest.fixture(scope="session")
def make_moving():
    return report_with_motion


@pytest.fixture(scope="session")
def moving():
    """Four layers with motion-only, the first of them frame-wise, and where they come from."""
    return report_with_motion(PLAIN, seed=5, meta=META, frame_wise=("s1",))


@pytest.fixture(scope="session")
def untrained():
    """The reference beside `moving`."""
    meta = {**META, "reference": "initial random weights"}
    return report_with_motion(PLAIN, seed=6, meta=meta)
