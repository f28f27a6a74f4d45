"""Which frames make a clip: SlowFast's own, checked against both of its versions."""

from __future__ import annotations

import importlib
from fractions import Fraction

import numpy as np
import pytest
import torch
from support.videos import read_numbers, write_video

from slowfast_bias import host
from slowfast_bias.datasets.decoding.read_frames import probe, read_frames
from slowfast_bias.datasets.sampling.frame_picks import pick_frames, pick_segments


@pytest.fixture(scope="module")
def decoder():
    assert host.name in ("pypi", "main")  # which makes the host importable
    return importlib.import_module("slowfast.datasets.decoder")


def test_eight_frames_at_rate_eight_come_nine_apart():
    assert pick_frames(300, 30, 8, 8, clip=0) == [0, 9, 18, 27, 36, 45, 54, 63]
    exact = pick_frames(300, 30, 8, 8, clip=0, stride="exact")
    assert exact == [0, 8, 16, 24, 32, 40, 48, 56]


def test_another_rate_widens_the_window():
    assert pick_frames(300, 60, 4, 8, clip=0) == [0, 21, 42, 63]
    assert pick_frames(300, 60, 4, 8, clip=0, stride="exact") == [0, 16, 32, 48]
    assert pick_frames(300, 0, 4, 8, clip=0) == pick_frames(300, 30, 4, 8, clip=0)


def test_a_short_video_stays_on_its_last_frame_or_starts_again():
    assert pick_frames(20, 30, 8, 8, clip=0) == [0, 9, 18, 19, 19, 19, 19, 19]
    assert pick_frames(20, 30, 8, 8, clip=0, short="loop") == [0, 9, 18, 7, 16, 5, 14, 3]
    assert pick_frames(1, 30, 8, 8) == [0] * 8


@pytest.mark.parametrize("stride", ["host", "exact"])
@pytest.mark.parametrize("frames", [1, 7, 64, 65, 300])
def test_random_clips_stay_inside_and_follow_their_seed(frames, stride):
    for seed in range(50):
        one, two = (
            pick_frames(
                frames, 29.97, 8, 8, stride=stride, generator=torch.Generator().manual_seed(seed)
            )
            for _ in range(2)
        )
        assert one == two == sorted(one)
        assert 0 <= one[0] <= one[-1] < frames


def test_random_clips_reach_both_ends():
    generator = torch.Generator().manual_seed(0)
    starts = [pick_frames(80, 30, 8, 8, generator=generator)[0] for _ in range(500)]
    assert (min(starts), max(starts)) == (1, 16)  # the first frame at or after a random moment


@pytest.mark.host
@pytest.mark.parametrize("fps", [24.0, 25.0, 30000 / 1001, 60.0])
@pytest.mark.parametrize("frames", [5, 63, 64, 65, 250, 301])
def test_indices_are_those_of_the_hosts_formulas(decoder, frames, fps):
    numbers = torch.arange(frames)[:, None]
    for clip in range(10):
        window = 8 * 8 * fps / 30
        start, end, *_ = decoder.get_start_end_idx(frames, window, clip, 10)
        # the host decodes from the first frame at or after the start and counts anew
        decoded = numbers[int(np.ceil(round(start, 6))) :]
        theirs = decoder.temporal_sampling(decoded, 0, window - 1, 8).flatten().tolist()
        assert pick_frames(frames, fps, 8, 8, clip=clip, num_clips=10) == theirs
        assert end == start + window - 1


@pytest.mark.host
@pytest.mark.parametrize("name", ["24.mp4", "25.mp4", "30.mp4", "ntsc.mp4", "60.mp4", "short.mp4"])
def test_frames_are_those_that_the_pypi_host_reads(decoder, tmp_path, name):
    if host.name != "pypi":
        pytest.skip("its own decoder reads nothing on today's stack")
    container = importlib.import_module("slowfast.datasets.video_container")
    stem = name.partition(".")[0]
    fps = {"ntsc": Fraction(30000, 1001), "short": 30}.get(stem) or int(stem)
    path = write_video(tmp_path / name, 40 if stem == "short" else 150, fps=fps)
    for clip in range(0, 10, 3):
        opened = container.get_video_container(path, False)
        theirs = decoder.decode(opened, 8, 8, clip, num_clips=10, target_fps=30)
        ours = read_frames(
            path,
            lambda video, clip=clip: pick_frames(
                video.frames, video.fps, 8, 8, clip=clip, num_clips=10
            ),
        )
        assert read_numbers(ours) == read_numbers(theirs)
        assert torch.equal(ours, theirs)


@pytest.mark.host_main
def test_offsets_are_those_of_the_main_host(decoder):
    for clips in (1, 3, 10):
        for clip in range(clips):
            start, *_ = decoder.get_start_end_idx(300, 64.0, clip, clips, use_offset=True)
            assert (
                pick_frames(300, 30, 8, 8, clip=clip, num_clips=clips, use_offset=True)[0] == start
            )


def test_offsets_reach_the_end_and_a_single_one_is_central():
    starts = [pick_frames(300, 30, 8, 8, clip=k, num_clips=3, use_offset=True)[0] for k in range(3)]
    assert starts == [0, 118, 236]
    assert pick_frames(300, 30, 8, 8, clip=0, num_clips=1, use_offset=True)[0] == 118


@pytest.mark.parametrize("frames", [1, 5, 8, 37, 100])
def test_segments_are_those_of_ssv2(frames):
    size = float(frames - 1) / 8
    bounds = [(int(np.round(size * i)), int(np.round(size * (i + 1)))) for i in range(8)]
    assert pick_segments(frames, 8, training=False) == [(a + b) // 2 for a, b in bounds]
    drawn = np.array([pick_segments(frames, 8, training=True) for _ in range(400)])
    low, high = np.array(bounds).T
    assert (drawn >= low).all()
    assert (drawn <= high).all()
    if frames < 40:  # enough draws to meet both ends of every part
        assert (drawn.min(0) == low).all()
        assert (drawn.max(0) == high).all()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"frames": 0}, "at least one frame"),
        ({"clip": 3, "num_clips": 3}, "0 to 2"),
        ({"stride": "linspace"}, "`stride`"),
        ({"short": "pad"}, "`short`"),
    ],
)
def test_wrong_arguments_are_named(how, words):
    with pytest.raises(ValueError, match=words):
        pick_frames(**{"frames": 10, "fps": 30, "num_frames": 8, "sampling_rate": 8, **how})


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_the_rate_is_that_of_the_frames_not_the_declared_one(tmp_path, name):
    """A phone in the dark: 30 frames a second are declared, half as many are there."""
    stamps = [66 * n + 20 * (n % 2) for n in range(90)]
    info = probe(write_video(tmp_path / name, 90, 30, stamps=stamps))
    assert info.fps == pytest.approx(89 / info.times[-1], rel=0.02)
    picks = pick_frames(info.frames, info.fps, 8, 8, clip=0, use_offset=True)
    assert info.times[picks[-1]] - info.times[picks[0]] == pytest.approx(63 / 30, abs=0.15)
