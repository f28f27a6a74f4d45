"""Names and shapes of the authors' files, as fingerprints: the same one loads them strictly."""

from __future__ import annotations

import functools
import hashlib

import pytest
import torch
from support.masks import SMALL

from slowfast_bias.models.segmentation import FusionSeg, MATNet, RTNet


def fingerprint(weights):
    """Sha256 over lines of a name and a shape, "a.weight 64x3x7x7", sorted; its first 16 digits."""
    lines = sorted(f"{name} {'x'.join(map(str, x.shape))}" for name, x in weights.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


@functools.cache
def build(network, *arguments, **variant):
    """A network at full size without memory for its weights."""
    with torch.device("meta"):
        return network(*arguments, **variant)


def half(name, **variant):
    return lambda: build(MATNet, **variant).get_submodule(name)


# What the authors' own classes have: keys, parameters, fingerprint.
AUTHORS = {
    "MATNet, encoder": (half("encoder"), 1392, 99_536_086, "67daf9fddee4b732"),
    "MATNet, decoder": (half("decoder"), 155, 43_155_757, "4cb7c37b22f914a6"),
    "coatt_gated_recip": (
        half("encoder", crossing="both", gates=True), 1398, 99_550_428, "4d91c20ea30c3529",
    ),
    "convex_gated": (half("encoder", fusion="convex"), 1364, 98_836_022, "0fd1e6c1fdf02649"),
    "FusionSeg": (lambda: build(FusionSeg), 1306, 112_394_210, "62b55ff2ff8c268d"),
    "RTNet RX50": (
        lambda: build(RTNet, "resnext50_32x4d"), 1219, 277_236_532, "c40c885193265a31",
    ),
    "RTNet R34": (lambda: build(RTNet, "resnet34"), 913, 105_549_876, "2969c651e0ae011c"),
}  # fmt: skip


@pytest.mark.parametrize("name", AUTHORS)
def test_names_and_shapes_are_the_authors(name):
    make_it, keys, parameters, digits = AUTHORS[name]
    model = make_it()
    weights = model.state_dict()
    assert (len(weights), sum(p.numel() for p in model.parameters())) == (keys, parameters)
    assert fingerprint(weights) == digits


@pytest.mark.parametrize("gates", [False, True])
def test_both_ways_have_the_weights_of_one(gates):
    """So the files of coatt and coatt_recip cannot be told apart: the config says which."""
    ways = [make_small(crossing=way, gates=gates) for way in ("up", "both")]
    assert fingerprint(ways[0].state_dict()) == fingerprint(ways[1].state_dict())
    assert fingerprint(make_small(crossing="none").state_dict()) != fingerprint(
        ways[0].state_dict()
    )


def make_small(**variant):
    return build(MATNet, **SMALL, **variant)


def test_the_decoder_of_the_study_lacks_what_no_forward_reads():
    model = build(MATNet)
    unread = {name.removeprefix("decoder.") for name in model.unread}
    rest = {k: x for k, x in model.decoder.state_dict().items() if k not in unread}
    assert len(unread) == 18 and unread <= set(model.decoder.state_dict())
    assert (len(rest), fingerprint(rest)) == (137, "635ab1eedbcf781b")
    numbers = sum(p.numel() for k, p in model.decoder.named_parameters() if k not in unread)
    assert numbers == 30_757_933


def test_without_boundaries_the_decoder_has_no_boundary_heads_and_a_channel_less():
    with_them, without = make_small(), make_small(boundaries=False)
    names = set(with_them.state_dict()) - set(without.state_dict())
    assert names and all(name.startswith(("decoder.bdry", "decoder.concat.")) for name in names)
    assert set(without.state_dict()) < set(with_them.state_dict())
    inputs = [m.decoder.GC.conv_l1.weight.shape[1] for m in (with_them, without)]
    assert inputs == [2 * 64 + 1, 2 * 64]


def test_the_fingerprint_sees_names_and_shapes():
    weights = {"a": torch.zeros(2, 3), "b": torch.zeros(())}
    reference = hashlib.sha256(b"a 2x3\nb ").hexdigest()[:16]
    assert fingerprint(weights) == fingerprint(dict(reversed(weights.items()))) == reference
    assert fingerprint({**weights, "a": torch.zeros(3, 2)}) != reference
