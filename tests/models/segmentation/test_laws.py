"""What holds exactly in two-stream networks, for any weights: who depends on which input."""

from __future__ import annotations

import pytest
import torch
from support.masks import NETWORKS, SIZE, inputs_for, shared

from slowfast_bias.bias import measure_bias, tapped
from slowfast_bias.models.families import family_of
from slowfast_bias.models.silencing import silenced

pytestmark = pytest.mark.filterwarnings("ignore:fewer than 500 pairs")

# Networks -> the stages whose appearance does not depend on the flow, and whose motion does not
# depend on the picture.
INDEPENDENT = {
    "fusionseg": ((2, 3, 4, 5), (2, 3, 4, 5)),
    "no crossing": ((2, 3, 4, 5), (2, 3, 4, 5)),
    "up": ((2,), (2, 3, 4, 5)),
    "up, gates": ((2,), (2, 3, 4, 5)),
    "both": ((2,), (2,)),
    "both, gates": ((2,), (2,)),
    "r34": ((), ()),
    "rx50": ((), ()),
}


@torch.no_grad()
def features_of(model, inputs):
    with tapped(model, family_of(model).layers(model)) as features:
        family_of(model).call(model, inputs)
    return dict(features)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_stream_knows_the_other_only_where_they_cross(name):
    model = shared(name)
    image, flow = inputs_for(model)
    other_image, other_flow = inputs_for(model, seed=1)
    first = features_of(model, [image, flow])
    for stream, changed, stages in (
        ("app", [image, other_flow], INDEPENDENT[name][0]),
        ("mot", [other_image, flow], INDEPENDENT[name][1]),
    ):
        second = features_of(model, changed)
        same = [
            k for k in (2, 3, 4, 5) if torch.equal(*(x[f"{stream}{k}"] for x in (first, second)))
        ]
        assert tuple(same) == stages, stream
        fused = [layer for layer in first if layer.startswith("fuse")]
        assert not any(torch.equal(first[layer], second[layer]) for layer in fused)


def pairs_of(model, videos=6):
    """Static and dynamic pairs: other flow of the same picture, other look with the same flow."""
    image, flow = inputs_for(model, videos)
    other_image, other_flow = inputs_for(model, videos, seed=1)
    first = [image, flow]
    return {"static": [(first, [image, other_flow])], "dynamic": [(first, [other_image, flow])]}


@pytest.mark.parametrize(("name", "crosses"), [("no crossing", False), ("up", True)])
def test_scores_of_a_stream_that_does_not_know_the_other_are_one(name, crosses):
    model = shared(name)
    report = measure_bias(model, pairs_of(model), family_of(model).layers(model))
    for stage in (2, 3, 4, 5):
        assert report[f"mot{stage}"].score("dynamic") == 1
        assert (report[f"app{stage}"].score("static") == 1) == (stage == 2 or not crosses)
        assert report[f"mot{stage}"].score("static") < 0.999
        assert report[f"app{stage}"].score("dynamic") < 0.999


@pytest.mark.parametrize(("name", "stages"), [("no crossing", (2, 3, 4, 5)), ("fusionseg", (2, 5)),
                                              ("up", (2,))])  # fmt: skip
def test_a_fusion_without_motion_knows_the_picture_alone(name, stages):
    model = shared(name)
    image, flow = inputs_for(model)
    _, other_flow = inputs_for(model, seed=1)
    width = {f"mot{k}": 8 * 2 ** (k - 2) for k in stages}
    for stage in stages:
        mot, fuse = f"mot{stage}", f"fuse{stage}"
        with silenced(model, mot, range(width[mot])):
            a, b = (features_of(model, [image, x]) for x in (flow, other_flow))
        assert not a[mot].any() and a[fuse].any() and torch.equal(a[fuse], b[fuse])
        assert not torch.equal(*(features_of(model, [image, x])[fuse] for x in (flow, other_flow)))


def assert_same(a, b):
    """Checks numbers of double precision, which differ by rounding or by much more."""
    assert a.dtype == torch.float64 and a.shape == b.shape
    assert (a - b).abs().max() < 1e-9 * b.abs().max()


def double(name, **more):
    model = shared(name, torch.float64)
    return model, [x.double() for x in inputs_for(model, **more)]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_batch_gives_what_its_clips_give_alone(name):
    model, inputs = double(name, batch=3)
    together = features_of(model, inputs) | {"mask": model(inputs).mask}
    for i in range(3):
        alone = [x[i : i + 1] for x in inputs]
        found = features_of(model, alone) | {"mask": model(alone).mask}
        for layer, x in found.items():
            assert_same(x, together[layer][i : i + 1])


@pytest.mark.parametrize("name", ["fusionseg", "up, gates"])
def test_frames_are_rows_of_their_own(name):
    model, inputs = double(name, batch=2, frames=3)
    frames = [[x[:, :, t : t + 1] for x in inputs] for t in range(3)]
    assert_same(model(inputs).mask, torch.cat([model(frame).mask for frame in frames], 1))
    alone = torch.stack([features_of(model, frame)["fuse5"] for frame in frames])
    assert_same(features_of(model, inputs)["fuse5"], alone.mean(0))


@pytest.mark.parametrize("name", ["r34", "rx50"])
def test_rtnet_masks_a_frame_by_the_other_one_too(name):
    model, inputs = double(name)
    _, others = double(name, seed=1)
    found = model(inputs).mask
    assert found.shape == (1, 2, *SIZE)
    for frame in (0, 1):
        changed = [x.clone() for x in inputs]
        for x, y in zip(changed, others, strict=True):
            x[:, :, 1 - frame] = y[:, :, 1 - frame]
        other = model(changed).mask
        assert (other - found)[:, frame].abs().max() > 1e-3 * found.abs().max()
