"""What a result says of where it comes from."""

from __future__ import annotations

import pytest
from support.networks import MVIT, PTV, SLOWFAST, X3D

from slowfast_bias.bias.origin import DESIGNS
from slowfast_bias.engine.setup.provenance import network_name, provenance
from slowfast_bias.models.families import FAMILIES

pytestmark = pytest.mark.host


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ([], "ResNet slow depth 18"),
        (["MODEL.ARCH", "2d", "RESNET.DEPTH", 50], "ResNet 2d depth 50"),
        (SLOWFAST, "SlowFast slowfast depth 18"),
    ],
)
def test_a_resnet_is_named_with_its_depth(tiny, options, name):
    cfg = tiny(*options)
    assert network_name(cfg) == name
    assert provenance(cfg, "val", "a.yaml")["model"] == name


@pytest.mark.parametrize(
    ("options", "begins"), [(X3D, "X3D x3d"), (MVIT, "MViT mvit"), (PTV, "PTVResNet slow")]
)
def test_a_kind_that_does_not_read_the_depth_is_named_without_it(tiny, options, begins):
    cfg = tiny(*options, "RESNET.DEPTH", 101, check=False)
    name = network_name(cfg)
    assert name.startswith(begins) and "101" not in name


def test_kinds_are_described_by_the_depth_that_they_read():
    for family in FAMILIES:
        assert ("RESNET.DEPTH" in family.described_by.values()) == bool(family.depths), family.name


@pytest.mark.parametrize(
    ("options", "design"),
    [
        ([], "cnn"), (X3D, "cnn"), (PTV, "cnn"), (["MODEL.ARCH", "fast"], "slowfast"),
        (SLOWFAST, "slowfast"), (MVIT, "transformer"),
        (["MODEL.ARCH", "own", "MODEL.MODEL_NAME", "Own"], ""),
    ],
)  # fmt: skip
def test_a_result_says_the_design_of_its_network(tiny, options, design):
    assert provenance(tiny(*options, check=False), "val", "a.yaml")["design"] == design


def test_designs_are_known_words_for_architectures_of_the_family():
    for family in FAMILIES:
        assert set(family.designs.values()) <= set(DESIGNS), family.name
        assert set(family.model_names) <= set(family.designs), family.name


def test_what_the_flow_knows_is_added(tiny):
    meta = provenance(tiny(), "test", "a.yaml", videos=3)
    assert (meta["config"], meta["data"], meta["frames"], meta["videos"]) == (
        "a.yaml", "toyvideos/test", "8x1", 3,
    )  # fmt: skip
    assert meta["versions"]["slowfast_bias"] and meta["processes"] == 1
