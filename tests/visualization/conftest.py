"""Small reports: one pathway, two pathways, dead units."""

from __future__ import annotations

import warnings

import pytest
import torch

from slowfast_bias.bias import BiasMeter


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


PLAIN = {"s1": 8, "s2": 12, "s3": 16, "head": 16}
PATHWAYS = {"s1/0": 8, "s1/1": 4, "s2/0": 12, "s2/1": 6, "head": 18}
BLOCKS = {f"blocks.{i}": 6 for i in range(16)} | {"head": 6}


@pytest.fixture(scope="session")
def make_report():
    return report_of


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
