"""Crossings, fusions and attention beside their formulas, written out place by place."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from support.masks import randomise

from slowfast_bias.models.segmentation.crossing import CoAttention
from slowfast_bias.models.segmentation.fusion import Gated
from slowfast_bias.models.segmentation.rtnet_attention import Attention, Exchange

H, W, C = 2, 3, 16


def ready(module):
    randomise(module)
    return module.double().eval()


def two_maps(channels=C):
    g = torch.Generator().manual_seed(0)
    return [torch.randn(1, channels, H, W, generator=g, dtype=torch.float64) for _ in range(2)]


def places(x):
    """Returns the vectors (C,) of all places of (1, C, H, W)."""
    return list(x[0].flatten(1).T)


def maps(vectors):
    return torch.stack(vectors, 1).view(1, -1, H, W)


def attended(net, x):
    weights = torch.stack([net(x)[0, 0].flatten()])[0].exp()
    return maps([v * w / weights.sum() for v, w in zip(places(x), weights, strict=True)])


def unit(v):
    return v / v.norm()


@torch.no_grad()
def cascades(net, ra, rm, both):
    """MATNet's co-attention, five cascades; the names are those of the paper's notes."""
    a, m = ra, rm
    for last in (False, False, False, False, True):
        wa, wm = attended(net.proj1, a), attended(net.proj2, m)
        low_a, low_m = places(net.proja(wa)), places(net.projb(wm))
        alike = [[torch.tanh(x @ y) for y in low_a] for x in low_m]  # motion x appearance
        va, vm = places(wa), places(wm)
        to_a = maps([unit(sum(alike[i][j] * va[j] for j in range(H * W))) for i in range(H * W)])
        to_m = maps([unit(sum(alike[i][j] * vm[i] for i in range(H * W))) for j in range(H * W)])
        if net.rgating is not None:
            gates = net.rgating.conv(torch.cat([wa, wm], 1))
            to_a, to_m = to_a + wa * gates[:, :1] + wa, to_m + wm * gates[:, 1:] + wm
        to_m = to_m if both else wm
        if last:
            return (ra + to_a).clamp(min=0), (rm + to_m).clamp(min=0)
        a, m = (a + to_a).clamp(min=0), (m + to_m).clamp(min=0)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("gates", [False, True])
def test_co_attention(both, gates):
    net = ready(CoAttention(C, both, gates))
    app, mot = two_maps()
    with torch.no_grad():
        found = net(app, mot)
    for x, y in zip(found, cascades(net, app, mot, both), strict=True):
        torch.testing.assert_close(x, y)


@torch.no_grad()
def test_gated_fusion():
    net = ready(Gated(C))
    app, mot = two_maps()
    x = torch.cat([app, mot], 1)
    squeezed = (net.excitation_1[0].weight @ x.mean((2, 3))[0] + net.excitation_1[0].bias).clamp(
        min=0
    )
    gate = torch.sigmoid(net.excitation_2[0].weight @ squeezed + net.excitation_2[0].bias)
    whole = torch.sigmoid(net.global_attention[0].weight @ squeezed + net.global_attention[0].bias)
    gated = x * gate.view(1, -1, 1, 1)
    norm = net.spatial.bn
    conv = F.conv2d(gated.max(1, keepdim=True)[0], net.spatial.conv.weight, padding=3)
    by_place = (conv - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
    by_place = by_place * norm.weight + norm.bias  # no sigmoid
    torch.testing.assert_close(net(app, mot), x + whole * by_place * gated)


@torch.no_grad()
@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("turned", [False, True])
def test_attention_sums_over_keys_or_as_in_the_authors_weights_over_queries(heads, turned):
    net = ready(Attention(C, heads, bias=turned, turned=turned))
    asking, asked = two_maps()
    parts = [f(x) for f, x in ((net.query, asking), (net.key, asked), (net.value, asked))]
    found = []
    for q, k, v in zip(*(part.chunk(heads, 1) for part in parts), strict=True):
        q, k, v = (torch.stack(places(part)) for part in (q, k, v))
        weights = torch.stack([(k @ one / len(one) ** 0.5).softmax(0) for one in q])  # query x key
        found.append((weights.T if turned else weights) @ v)
    torch.testing.assert_close(net(asking, asked), maps(list(torch.cat(found, 1))))


@torch.no_grad()
def test_usual_attention_is_torchs():
    net = ready(Attention(C, 2, bias=False, turned=False))
    asking, asked = two_maps()
    parts = (net.query(asking), net.key(asked), net.value(asked))
    heads = [x.flatten(2).view(1, 2, C // 2, H * W).transpose(2, 3) for x in parts]
    reference = F.scaled_dot_product_attention(*heads).transpose(2, 3).reshape(1, C, H, W)
    torch.testing.assert_close(net(asking, asked), reference)


@torch.no_grad()
def test_coarse_attention_runs_on_half_the_size():
    net = ready(Attention(C, 1, coarse=True))
    asking, asked = two_maps()
    halves = [F.max_pool2d(x, 3, 2, 1) for x in (asking, asked)]
    net.coarse = False
    half = net(*halves)
    net.coarse = True
    reference = F.interpolate(half, (H, W), mode="bilinear", align_corners=True)
    torch.testing.assert_close(net(asking, asked), reference)


@torch.no_grad()
@pytest.mark.parametrize("shared", [False, True])
def test_the_second_map_takes_over_from_what_the_first_has_become(shared):
    net = ready(Exchange(C, 2, shared))
    x, y = two_maps()
    pooled = torch.cat([x, y], 1).mean((2, 3), keepdim=True)
    scale = 1 + net.scaling(pooled).sigmoid()
    x, y = x * scale[:, :C], y * scale[:, C:]
    assert (net.transformation2 is None) == shared
    back = net.transformation1 if shared else net.transformation2
    new_x = net.transformation1(x, y)
    new_y = back(y, new_x)
    gates = net.gating.conv(torch.cat([new_x, new_y], 1))
    found = net(*two_maps())
    torch.testing.assert_close(found[0], new_x * (1 + gates[:, :1]))
    torch.testing.assert_close(found[1], new_y * (1 + gates[:, 1:]))
