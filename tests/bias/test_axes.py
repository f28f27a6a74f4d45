"""Axes: folded frames and tokens are recognised, or refused with the tap to write."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from slowfast_bias.bias import Tap, tapped


class PerFrame(nn.Module):
    """A network of pictures run over all frames: rows are frames, the clip's own side by side."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 6, 3), nn.Linear(6, 4)

    def forward(self, x):
        x = x.transpose(1, 2).flatten(0, 1)
        x = self.head(self.conv(x).mean((2, 3)))
        return x


class Tokens(nn.Module):
    """Patches, a class token, a block of tokens, and spatial attention on folded frames."""

    def __init__(self, width=8, leads=True):
        super().__init__()
        self.patches = nn.Conv3d(3, width, (1, 4, 4), (1, 4, 4))
        self.cls_token = nn.Parameter(torch.randn(1, 1, width)) if leads else None
        self.block = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.Identity())
        self.spatial, self.temporal = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x):
        x = self.patches(x)
        clips, width, frames = x.shape[:3]
        x = x.flatten(2).transpose(1, 2)
        patches = x.shape[1] // frames
        self.temporal(x.unflatten(1, (frames, patches)).transpose(1, 2).flatten(0, 1))
        if self.cls_token is not None:
            leading = self.cls_token.expand(clips, -1, -1)
            each = self.cls_token.expand(clips * frames, -1, -1)
            self.spatial(torch.cat([each, x.reshape(clips * frames, patches, width)], 1))
            x = torch.cat([leading, x], 1)
        return self.block(x)


def read(model, taps, x):
    with torch.no_grad(), tapped(model, taps) as features:
        model(x)
    return features


def by_hand(model, name, x):
    found = {}
    hook = model.get_submodule(name).register_forward_hook(lambda _, __, y: found.update(y=y))
    with torch.no_grad():
        model(x)
    hook.remove()
    return found["y"]


@pytest.fixture
def clips():
    return torch.randn(3, 3, 8, 12, 12, generator=torch.Generator().manual_seed(0))


def test_rows_that_are_frames_are_folded_into_clips(clips):
    model = PerFrame()
    features = read(model, ["conv", "head"], clips)
    for name, axes in features.axes.items():
        rows = by_hand(model, name, clips)
        rows = rows.flatten(2).mean(2) if rows.ndim == 4 else rows
        torch.testing.assert_close(features[name], rows.unflatten(0, (3, 8)).mean(1))
        assert axes.rows == 8 and "8 rows of the batch are one clip" in axes.words()


@pytest.mark.parametrize("leads", [True, False])
@pytest.mark.parametrize("name", ["block", "block.2", "patches"])
def test_a_plain_tap_reads_tokens_and_leaves_out_the_class_token(clips, name, leads):
    model = Tokens(leads=leads)
    features, x = read(model, [name], clips), by_hand(model, name, clips)
    if name == "patches":
        want = x.mean((2, 3, 4))
    else:
        want = x[:, int(leads) :].mean(1)
        assert features.axes[name].skip_tokens == int(leads)
    assert features[name].shape == (3, 8)
    torch.testing.assert_close(features[name], want)


def test_frames_folded_into_the_batch_of_tokens(clips):
    model = Tokens()
    features = read(model, ["spatial", "temporal"], clips)
    spatial = by_hand(model, "spatial", clips)[:, 1:].mean(1).unflatten(0, (3, 8)).mean(1)
    temporal = by_hand(model, "temporal", clips).mean(1).unflatten(0, (3, 9)).mean(1)
    torch.testing.assert_close(features["spatial"], spatial)
    torch.testing.assert_close(features["temporal"], temporal)
    assert features.axes["spatial"].skip_tokens == 1 and features.axes["temporal"].skip_tokens == 0


def test_what_a_tap_states_is_taken_as_it_is(clips):
    model = Tokens()
    x = by_hand(model, "block", clips)
    explicit = Tap("block", channels_last=True, skip_tokens=0)
    torch.testing.assert_close(read(model, [explicit], clips)["block"], x.mean(1))
    as_channels = Tap("block", channels_last=False, name="wrong")
    torch.testing.assert_close(read(model, [as_channels], clips)["wrong"], x.mean(2))


def test_the_last_batch_may_be_smaller(clips):
    model = PerFrame()
    with torch.no_grad(), tapped(model, ["head"]) as features:
        for batch in (clips, clips[:1]):
            model(batch)
            assert features["head"].shape == (len(batch), 4)


class Ambiguous(nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = nn.Linear(5, 5)
        self.out = nn.Identity()

    def forward(self, x):
        return self.out(x.flatten(3).mean(3))


def test_an_axis_that_nothing_decides_is_refused_with_the_tap_to_write(clips):
    with pytest.raises(ValueError, match=r"fit neither: write Tap\('out', channels_last=True\)"):
        read(Ambiguous(), ["out"], clips)


class Second(nn.Module):
    """Tokens (L, B, C), as nn.MultiheadAttention takes them without batch_first."""

    def __init__(self):
        super().__init__()
        self.out = nn.Linear(3, 6)

    def forward(self, x):
        return self.out(x.flatten(2).permute(2, 0, 1))


def test_clips_on_the_second_axis_are_refused_with_the_tap_to_write():
    model, x = Second(), torch.randn(5, 3, 8, 2, 2)  # 32 tokens are no multiple of 5 clips
    with pytest.raises(ValueError, match=r"Tap\('out', batch_axis=1, channels_last=True\)"):
        read(model, ["out"], x)
    got = read(model, [Tap("out", batch_axis=1, channels_last=True)], x)["out"]
    torch.testing.assert_close(got, by_hand(model, "out", x).mean(0))


def test_channels_last_video_tensors_are_recognised(clips):
    model = nn.Sequential(nn.Conv3d(3, 6, 1), Last(6))
    got = read(model, ["1"], clips)
    assert got["1"].shape == (3, 6) and got.axes["1"].channels_last


class Last(nn.Module):
    """(B, T, H, W, C), as in Swin."""

    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        return self.norm(x.permute(0, 2, 3, 4, 1))


def test_a_class_token_that_makes_a_square_is_left_out_too():
    model, clips = Tokens(), torch.randn(2, 3, 8, 24, 24)  # 8 frames of 36 patches, 289 tokens
    features = read(model, ["block", "spatial", "temporal"], clips)
    assert [axes.skip_tokens for axes in features.axes.values()] == [0, 1, 1]  # as they run
    x = by_hand(model, "block", clips)
    assert x.shape[1] == 17**2
    torch.testing.assert_close(features["block"], x[:, 1:].mean(1))


def test_as_many_frames_as_a_square_and_one_are_no_class_token():
    features = read(Tokens(), ["temporal"], torch.randn(2, 3, 10, 8, 8))
    assert features.axes["temporal"].skip_tokens == 0
