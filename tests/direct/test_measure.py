"""sb.measure: any network, without a word on layout, gives the numbers that one gets by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from support.videos import write_video
from torch import nn

import slowfast_bias as sb
from slowfast_bias.bias import BiasMeter, evaluating, tapped
from slowfast_bias.errors import FeaturesError, RequestError, UserError

pytestmark = [
    pytest.mark.filterwarnings("ignore:fewer than 500 pairs"),
    pytest.mark.filterwarnings("ignore:the network hardly recognises"),
]
MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.4)


class Video(nn.Module):
    """(B, 3, T, H, W) -> classes."""

    def __init__(self):
        super().__init__()
        self.Mixed_a, self.Mixed_b = nn.Conv3d(3, 6, 3, 2), nn.Conv3d(6, 8, 3, padding=1)
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        return self.fc(self.Mixed_b(self.Mixed_a(x).relu()).relu().mean((2, 3, 4)))


class Pictures(nn.Module):
    """(N, 3, H, W) -> classes: frames one by one."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 6, 3), nn.Linear(6, 4)

    def forward(self, x):
        return self.head(self.conv(x).relu().mean((2, 3)))


class Output(dict):
    """What Hugging Face's networks return."""

    @property
    def logits(self):
        return self["logits"]


class Hub(nn.Module):
    """(B, T, 3, H, W) as pixel_values -> an object with logits."""

    def __init__(self):
        super().__init__()
        self.net = Video()

    def forward(self, pixel_values=None, labels=None):
        assert pixel_values.shape[2] == 3, "make sure that the channel dimension matches"
        return Output(logits=self.net(pixel_values.transpose(1, 2)))


def made(cls, seed=0):
    torch.manual_seed(seed)
    return cls()


@pytest.fixture(scope="module")
def clips():
    return torch.rand(14, 3, 8, 16, 16, generator=torch.Generator().manual_seed(1))


def by_hand(forward, model, taps, clips, **options):
    """The report of a meter that is filled from `make_pairs`."""
    meter = BiasMeter(taps)
    with evaluating(model), torch.no_grad(), tapped(model, taps) as features:
        for views, pairs, numbers in sb.make_pairs(clips, mean=MEAN, std=STD, **options):
            by_view = {}
            for view, x in views.items():
                features.clips = len(x)
                forward(x)
                by_view[view] = dict(features)
            for factor, (a, b) in pairs.items():
                meter.update(factor, by_view[a], by_view[b], numbers)
    return meter.compute()


def same(a, b, tolerance=1e-6):
    assert list(a.layers) == list(b.layers)
    for name, layer in a.layers.items():
        for score in ("static", "dynamic", "motion", "look", "content"):
            assert layer.score(score) == pytest.approx(b[name].score(score), abs=tolerance)
            error = b[name].score_error(score)
            assert layer.score_error(score) == pytest.approx(error, abs=tolerance)


WAYS = {
    Video: ("BCTHW", lambda model: model),
    Pictures: ("frames", lambda model: lambda x: model(x.transpose(1, 2).flatten(0, 1))),
    Hub: ("BTCHW as pixel_values", lambda model: lambda x: model(pixel_values=x.transpose(1, 2))),
}


@pytest.mark.parametrize("cls", WAYS)
def test_the_layout_is_found_and_the_numbers_are_those_by_hand(cls, clips):
    model, (called, forward) = made(cls), WAYS[cls]
    report = sb.measure(model, clips, mean=MEAN, std=STD)
    assert report.meta["called"] == called
    same(report, by_hand(forward(model), model, list(report.layers), clips))
    assert report.meta["recognition"]["clips"] == 14
    assert set(report.meta["layers_read"]) == set(report.layers)


def test_a_network_of_pictures_has_no_motion(clips):
    report = sb.measure(made(Pictures), clips, styles="randconv")
    assert list(report.layers) == ["conv", "head"]
    for layer in report.layers.values():
        assert layer.score("static") == pytest.approx(1, abs=1e-6)
        assert layer.score("motion") == pytest.approx(0, abs=1e-6)
        assert layer.unit_scores("motion").nan_to_num(0).abs().max() < 1e-5


def test_what_clips_come_as_does_not_matter(clips):
    model = made(Video)
    whole = sb.measure(model, clips)
    frames = (clips * 255).round().to(torch.uint8).permute(0, 2, 3, 4, 1)
    loader = torch.utils.data.DataLoader([(clip, 0) for clip in clips], batch_size=5)
    for given in (clips.numpy(), list(clips), loader, clips.transpose(1, 2).split(4)):
        same(sb.measure(model, given), whole)
    same(sb.measure(model, frames), whole, 0.02)
    same(sb.measure(model, frames.numpy()), sb.measure(model, frames), 0)
    same(sb.measure(model, clips, batch_size=3), whole)


def test_layers_are_named_by_pattern(clips):
    model = made(Video)
    assert list(sb.measure(model, clips, "Mixed_*").layers) == ["Mixed_a", "Mixed_b"]
    assert list(sb.measure(model, clips, ["fc", sb.Tap("Mixed_a")]).layers) == ["Mixed_a", "fc"]
    with pytest.raises(ValueError, match="did you mean 'Mixed_b' or 'Mixed_a'"):
        sb.measure(model, clips, "Mixed_c")
    with pytest.raises(ValueError, match="Expected a module of Video, but got 'block"):
        sb.measure(model, clips, "block*")


def test_videos_are_recordings(clips):
    model = made(Video)
    twice = clips.repeat_interleave(2, 0)
    with pytest.warns(UserWarning, match="28 videos are parts of 14 recordings"):
        report = sb.measure(model, twice, videos=[f"v{i // 2}" for i in range(28)])
    assert (report.meta["videos"], report.meta["recordings"]) == (28, 14)
    with pytest.warns(UserWarning, match="parts of one recording: no error"):
        report = sb.measure(model, clips, videos=["v"] * 14)
    assert np.isnan(report["fc"].score_error("motion")) and "nan" not in report.table()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("videos")
    for k in range(3):
        write_video(root / f"v{k}.mp4", frames=24, size=(40, 32))
    (root / "pictures").mkdir()
    for k in range(20):
        picture = np.random.default_rng(k).integers(0, 255, (32, 40, 3), dtype=np.uint8)
        cv2.imwrite(str(root / "pictures" / f"{k:05d}.png"), picture)
    return root


def test_a_folder_of_videos_and_pictures(folder, clips):
    options = {"frames": 8, "size": 16, "rate": 1}
    with pytest.warns(UserWarning, match="8 videos are parts of 4 recordings"):
        report = sb.measure(made(Video), folder, clips_per_video=2, **options)
    assert (report.meta["videos"], report.meta["recordings"]) == (8, 4)
    (folder / "broken.mp4").write_bytes(b"no video")
    with pytest.warns(UserWarning, match="could not be read .* first is broken"):
        report = sb.measure(made(Video), folder, **options)
    assert report.meta["videos"] == 4 and report.meta["dropped_because"][0]["path"] == "broken"
    (folder / "broken.mp4").unlink()


def test_the_model_is_left_as_it_was(clips):
    model = made(Video).train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    sb.measure(model, clips)
    assert model.training and not any(m._forward_hooks for m in model.modules())
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


class Random(Video):
    def forward(self, x):
        return super().forward(x + torch.rand_like(x))


class Mixing(Video):
    def forward(self, x):
        return super().forward(x - x.mean(0))


class TimesByView(Video):
    """Its layer runs as often as one pixel says."""

    def forward(self, x):
        for _ in range(1 + int(x.flatten()[0] > 0)):
            y = self.Mixed_a(x)
        return self.fc(self.Mixed_b(y).mean((2, 3, 4)))


@pytest.mark.parametrize(
    ("cls", "message"),
    [(Random, "draws at random"), (Mixing, "other clips of its batch")],
)
def test_a_network_that_cannot_be_compared_is_refused(cls, message, clips):
    with pytest.raises(FeaturesError, match=message):
        sb.measure(made(cls), clips, layers="Mixed_a")


def test_layers_that_run_a_different_number_of_times_are_refused(clips):
    model, tap = made(TimesByView), sb.Tap("Mixed_a", fires="last")
    with pytest.raises(ValueError, match="run as often for every input"):
        sb.measure(model, clips, layers=tap, batch_size=1)


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        ("nowhere", {}, "no such folder"),
        (torch.rand(2, 4, 8, 16, 16), {}, "3 colours in one of these places"),
        (torch.randn(3, 3, 8, 16, 16), {}, r"in \[0, 1\], or bytes"),
        (torch.rand(3, 8, 16, 16), {}, r"Expected clips \(N, 3, T, H, W\)"),
        (torch.rand(1, 3, 8, 16, 16), {}, "at least two clips"),
        ([torch.rand(3, 8, 16, 16), torch.rand(3, 6, 16, 16)], {}, "clips of one shape"),
        ([], {}, "at least two clips, but got 0"),
        (torch.rand(4, 3, 8, 16, 16), {"batch_size": 0}, "batch of at least 1"),
        ("videos", {"frames": 1}, "frames of at least 2, but got 1"),
        ("videos", {"rate": 0}, "rate above 0"),
        (torch.rand(4, 3, 1, 16, 16), {}, "at least 2 frames"),
        ({"a": 1}, {}, "but got dict"),
        (3, {}, "but got int"),
        (torch.rand(4, 3, 8, 16, 16), {"mean": (0.5,)}, "3 numbers in `mean`"),
        (torch.rand(4, 3, 8, 16, 16), {"layout": "BTHWC"}, "`layout` to be one of"),
        (torch.rand(4, 3, 8, 16, 16), {"layout": "frames"}, "fails: frames: RuntimeError"),
        (torch.rand(4, 3, 3, 16, 16), {}, "clips of 3 frames"),
        (torch.rand(4, 3, 8, 16, 16), {"videos": [1, 2]}, "`videos` for 4 clips"),
    ],
)
def test_bad_input_is_one_line(given, options, message):
    with pytest.raises((UserError, ValueError), match=message) as caught:
        sb.measure(made(Video), given, **options)
    assert "\n" not in str(caught.value)


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(RequestError, match="but found none"):
        sb.measure(made(Video), tmp_path)


def test_the_effect_of_order_is_a_fourth_view(clips):
    plain, report = (sb.measure(made(Video), clips, effect=e) for e in (False, True))
    same(report, plain, 0)
    assert 0 < report["fc"].score("order_share") < 2
    assert -1 <= report["fc"].score("order_agreement") <= 1
    frame_wise = sb.measure(made(Pictures), clips, effect=True)["head"]
    assert frame_wise.score("order_share") == pytest.approx(0, abs=1e-6)
    assert np.isnan(frame_wise.score("order_agreement"))


class Blocks(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.ModuleList(nn.Linear(6, 6) for _ in range(3))

    def forward(self, x):
        for block in self.layer:
            x = block(x).relu()
        return Output(last=x)


class Nested(nn.Module):
    """As Hugging Face's networks: the encoder returns an object and holds a list of blocks."""

    def __init__(self):
        super().__init__()
        self.body = nn.Module()
        self.body.patches, self.body.encoder = nn.Conv3d(3, 6, (2, 4, 4), (2, 4, 4)), Blocks()
        self.classifier = nn.Linear(6, 4)

    def forward(self, x):
        x = self.body.patches(x).flatten(2).transpose(1, 2)
        return self.classifier(self.body.encoder(x)["last"].mean(1))


def test_auto_enters_what_returns_no_features_and_lists_of_blocks(clips):
    report = sb.measure(made(Nested), clips)
    blocks = [f"body.encoder.layer.{k}" for k in range(3)]
    assert list(report.layers) == ["body.patches", *blocks, "classifier"]
    assert report.meta["layers_read"][blocks[0]] == "(8, 64, 6) as (B, ?, C)"
    assert report.meta["recognition"]["clips"] == 14


def test_several_networks_are_shown_the_same_views(clips):
    models = {"trained": made(Video), "untrained": made(Video, 1), "frames": made(Pictures)}
    reports = sb.measure(models, clips, batch_size=4)
    for name, model in models.items():
        same(reports[name], sb.measure(model, clips, batch_size=4), 0)
        assert reports[name].meta["name"] == name
    assert [name for name, report in reports.items() if "reference" in report.meta] == ["untrained"]


class ByTime(Video):
    """Rows in the order of time: (T*B, C), not the frames of a clip side by side."""

    def forward(self, x):
        return self.Mixed_b(self.Mixed_a(x.permute(2, 0, 1, 3, 4).flatten(0, 1)).relu())

    def __init__(self):
        super().__init__()
        self.Mixed_a, self.Mixed_b = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 8, 3)


class TokensFirst(Video):
    """(L, B, C), where L is a multiple of B."""

    def __init__(self):
        super().__init__()
        self.Mixed_a = nn.Linear(3, 6)

    def forward(self, x):
        return self.Mixed_a(x.flatten(2)[..., :64].permute(2, 0, 1))


@pytest.mark.parametrize("cls", [ByTime, TokensFirst])
def test_rows_that_only_look_like_the_frames_of_clips_are_refused(cls, clips):
    with pytest.raises(FeaturesError, match="other clips of its batch.*`batch_axis`"):
        sb.measure(made(cls), clips, layers="Mixed_a", batch_size=8)
