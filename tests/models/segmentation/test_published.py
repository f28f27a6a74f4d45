"""Names and shapes of the authors' files, as fingerprints: the same one loads them strictly."""

from __future__ import annotations

import hashlib

import pytest
import torch

from slowfast_bias.models.segmentation import FusionSeg, MATNet, RTNet


def fingerprint(weights):
    """Sha256 over lines of a name and a shape, "a.weight 64x3x7x7", sorted; its first 16 digits."""
    lines = sorted(f"{name} {'x'.join(map(str, x.shape))}" for name, x in weights.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def half(name, **variant):
    return lambda: MATNet(**variant).get_submodule(name)


# What the authors' own classes have: keys, parameters, fingerprint.
GATED = (1392, 99_536_086, "67daf9fddee4b732")
WITH_GATES = (1398, 99_550_428, "4d91c20ea30c3529")
AUTHORS = {
    "MATNet, encoder": (half("encoder"), *GATED),
    "coatt_recip": (half("encoder", crossing="both"), *GATED),
    "coatt_gated": (half("encoder", gates=True), *WITH_GATES),
    "coatt_gated_recip": (half("encoder", crossing="both", gates=True), *WITH_GATES),
    "convex_gated": (half("encoder", fusion="convex"), 1364, 98_836_022, "0fd1e6c1fdf02649"),
    "MATNet, decoder": (half("decoder"), 155, 43_155_757, "4cb7c37b22f914a6"),
    "FusionSeg": (FusionSeg, 1306, 112_394_210, "62b55ff2ff8c268d"),
    "RTNet RX50": (lambda: RTNet("resnext50_32x4d"), 1219, 277_236_532, "c40c885193265a31"),
    "RTNet R34": (lambda: RTNet("resnet34"), 913, 105_549_876, "2969c651e0ae011c"),
}


@pytest.mark.parametrize("name", AUTHORS)
def test_names_and_shapes_are_the_authors(name):
    build, keys, parameters, digits = AUTHORS[name]
    with torch.device("meta"):
        model = build()
    weights = model.state_dict()
    assert (len(weights), sum(p.numel() for p in model.parameters())) == (keys, parameters)
    assert fingerprint(weights) == digits


def test_the_decoder_of_the_study_lacks_what_no_forward_reads():
    with torch.device("meta"):
        model = MATNet()
    unread = {name.removeprefix("decoder.") for name in model.unread}
    rest = {k: x for k, x in model.decoder.state_dict().items() if k not in unread}
    assert len(unread) == 18 and unread <= set(model.decoder.state_dict())
    assert (len(rest), fingerprint(rest)) == (137, "635ab1eedbcf781b")
    numbers = sum(p.numel() for k, p in model.decoder.named_parameters() if k not in unread)
    assert numbers == 30_757_933


def test_without_boundaries_the_decoder_has_no_boundary_heads_and_a_channel_less():
    with torch.device("meta"):
        with_them, without = MATNet(), MATNet(boundaries=False)
    names = set(with_them.state_dict()) - set(without.state_dict())
    assert names and all(name.startswith(("decoder.bdry", "decoder.concat.")) for name in names)
    assert set(without.state_dict()) < set(with_them.state_dict())
    inputs = [m.decoder.GC.conv_l1.weight.shape[1] for m in (with_them, without)]
    assert inputs == [4097, 4096]


def test_the_fingerprint_sees_names_and_shapes():
    weights = {"a": torch.zeros(2, 3), "b": torch.zeros(())}
    reference = hashlib.sha256(b"a 2x3\nb ").hexdigest()[:16]
    assert fingerprint(weights) == fingerprint(dict(reversed(weights.items()))) == reference
    assert fingerprint({**weights, "a": torch.zeros(3, 2)}) != reference
