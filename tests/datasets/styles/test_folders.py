"""Styled folders: which videos there are, and that both styles show the same frames."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from support import videos as make

from slowfast_bias import engine
from slowfast_bias.datasets.decoding.read_frames import VideoError
from slowfast_bias.datasets.pairs.request import PairRequest, pair_maker
from slowfast_bias.datasets.pairs.static_dynamic import draw_styles, three_views
from slowfast_bias.datasets.styles.aligned_frames import About, about_video, aligned
from slowfast_bias.datasets.styles.folder_clips import StyledClips
from slowfast_bias.datasets.styles.folders import find_styles, find_videos
from slowfast_bias.errors import DataError


@pytest.fixture
def bank(tmp_path):
    """Three styles of two videos: jpg from 1, png from 0 and one of them as a film, and jpg."""
    numbers = range(1, 31)
    for name in ("dance", "jump up"):
        make.write_folder(tmp_path / "s0" / name, numbers, "frame_{:05d}.jpg")
        make.write_folder(tmp_path / "s2" / name, numbers, "{:06d}.jpg")
    make.write_folder(tmp_path / "s1" / "dance", numbers, "{:06d}.png")
    make.write_video(tmp_path / "s1" / "jump up.mp4", list(numbers))
    return [str(tmp_path / f"s{k}") for k in range(3)]


def clips(dirs, *opts):
    options = ["BIAS.STYLES.SOURCE", "folders", "BIAS.STYLES.DIRS", dirs, "DATA.NUM_FRAMES", 8]
    options += ["DATA.SAMPLING_RATE", 2, "DATA.TRAIN_CROP_SIZE", 64]
    options += ["DATA.TRAIN_JITTER_SCALES", [64, 64], "DATA.INPUT_CHANNEL_NUM", [3]]
    return StyledClips(engine.load_cfg((), [*options, "MODEL.ARCH", "slow", *opts]), "val")


def numbers_of(clip):
    """Of a clip (T, S, S, 3) whose middle square shows blocks 2 to 9 of the frames' numbers."""
    top = clip[:, 4:12].float().mean((1, 3))
    return [(frame > 127).tolist() for frame in top]


def test_videos_are_films_and_folders_of_pictures_by_name(tmp_path):
    for name in ("a.mp4", "deep/b.webm", "deep/c/000001.png", ".hidden/1.jpg", "d.mp4/1.JPG"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "stylize.json").write_text("{}")
    assert list(find_videos(str(tmp_path))) == ["a", "d", "deep/b", "deep/c"]
    (tmp_path / "a.avi").write_bytes(b"x")
    with pytest.raises(DataError, match=r"one video of each name.*a\.avi.*a\.mp4"):
        find_videos(str(tmp_path))


def test_what_lies_beside_videos_hides_none(tmp_path):
    make.write_folder(tmp_path / "class" / "v 1", [1, 2])
    (tmp_path / "class" / "cover.jpg").write_bytes(b"x")  # no frame: it has no number
    (tmp_path / "class" / "._1.jpg").write_bytes(b"x")
    (tmp_path / "thumbs").mkdir()
    (tmp_path / "thumbs" / "cover.png").write_bytes(b"x")
    assert list(find_videos(str(tmp_path))) == ["class/v 1"]
    for other in ("class/v 1/flow", "class/v 1/whole.mp4"):
        (tmp_path / other).mkdir()
        with pytest.raises(DataError, match=r"frames of a video in .*v 1.*(flow|whole\.mp4) is"):
            find_videos(str(tmp_path))
        (tmp_path / other).rmdir()


def test_names_are_the_same_however_a_system_writes_their_letters(tmp_path):
    composed, apart = "t\u00e4nze \u97e9", "ta\u0308nze \u97e9"
    make.write_folder(tmp_path / "s0" / composed, [1, 2])
    make.write_folder(tmp_path / "s1" / apart, [1, 2])
    dirs = [str(tmp_path / "s0"), str(tmp_path / "s1")]
    styles = find_styles(dirs)
    assert styles.names == (composed,) and not styles.missing
    assert [Path(path).name for path in styles.of(0)] == [composed, apart]
    (tmp_path / "list").write_text(f"{apart}\n", encoding="utf-8-sig")
    assert find_styles(dirs, str(tmp_path / "list")).names == (composed,)


@pytest.mark.parametrize("again", ["{}", "{}/", "{}/../s0", "link"])
def test_one_folder_twice_is_no_pair_of_styles(bank, tmp_path, again):
    (tmp_path / "link").symlink_to(bank[0])
    again = str(tmp_path / "link") if again == "link" else again.format(bank[0])
    with pytest.raises(DataError, match="another folder for each style"):
        find_styles([bank[0], bank[1], again])


def test_a_bank_says_how_it_was_made_where_that_is_written_beside_it(bank, tmp_path):
    (tmp_path / "stylize.json").write_text('{"styles": {"family": "colour", "seed": 3}}')
    assert find_styles(bank).about()["made"] == {"styles": {"family": "colour", "seed": 3}}
    make.write_folder(tmp_path / "other" / "s3" / "dance", range(1, 31))
    assert "made" not in find_styles([*bank, str(tmp_path / "other" / "s3")]).about()
    (tmp_path / "stylize.json").write_text("half of it")
    assert "made" not in find_styles(bank).about()


def test_videos_of_all_styles_count_and_the_others_are_named(bank, tmp_path):
    make.write_folder(tmp_path / "s0" / "alone", [1])
    styles = find_styles(bank)
    assert (styles.names, styles.num) == (("dance", "jump up"), 3)
    assert styles.missing == {"alone": bank[1:]}
    assert styles.about() == {"source": "folders", "dirs": bank, "num": 3}


def test_a_list_decides_which_videos_and_their_order(bank, tmp_path):
    rows = tmp_path / "list.txt"
    rows.write_text("jump up.mp4\nghost\n\ndance\n")
    styles = find_styles(bank, str(rows))
    assert styles.names == ("jump up", "ghost", "dance")
    with pytest.raises(VideoError, match=r"ghost in every style"):
        styles.of(1)
    assert styles.of(2)[1].endswith("s1/dance")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dance\n../secret\n", "row 2 .*leads out"),
        ("/etc/x\n", "row 1 .*leads out"),
        ("dance\njump up\ndance.mp4\n", "row 3 .*row 1 has it already"),
        ("\n\n", "there are none"),
        ("ghost\n", "in all styles"),
        (b"\xff\xfe\x00", "it is no text"),
    ],
)
def test_a_wrong_list_is_refused_by_row(bank, tmp_path, text, says):
    rows = tmp_path / "list.txt"
    rows.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=says):
        find_styles(bank, str(rows))


def test_styles_without_a_common_video_say_what_they_have(bank, tmp_path):
    make.write_folder(tmp_path / "other" / "swim", [1])
    with pytest.raises(DataError, match=r"s0 has 2 \(dance, jump up\); .*other has 1 \(swim\)"):
        find_styles([bank[0], str(tmp_path / "other")])
    with pytest.raises(DataError, match="two style folders"):
        find_styles(bank[:1])
    with pytest.raises(DataError, match="no such folder"):
        find_styles([bank[0], str(tmp_path / "nowhere")])


def test_both_styles_show_the_same_frames_whatever_they_are_kept_in(bank):
    seen = set()
    for seed in range(6):  # all pairs of styles come up
        source = clips(bank, "BIAS.SEED", seed)
        for video in (0, 1):
            a, b = source.pair(video)
            assert a.shape == b.shape == (8, 64, 64, 3) and a.dtype == torch.uint8
            assert numbers_of(a) == numbers_of(b)
            assert (a.float() - b.float()).abs().mean() < 8  # jpg, png and H.264 of one frame
            seen.add((video, *sorted(draw_styles(3, seed, video))))
    assert len(seen) == 6


def test_the_clip_is_the_middle_one_and_follows_the_sampling_keys(bank, monkeypatch):
    asked = []
    module = "slowfast_bias.datasets.styles.folder_clips"
    read = lambda path, picks, **_: (asked.append(picks), torch.zeros(8, 64, 96, 3).byte())[1]  # noqa: E731
    monkeypatch.setattr(f"{module}.read_frames", read)
    for opts, first in (((), 7), (("BIAS.DATA.STRIDE", "exact"), 7)):
        clips(bank, *opts).pair(0)
        assert asked[-1] == asked[-2] and asked[-1][0] == first
    assert asked[-1] == list(range(7, 23, 2))
    clips(bank, "BIAS.DATA.SAMPLING", "segments").pair(0)
    assert asked[-1] == asked[-2] and asked[-1][-1] > 25


def test_a_rate_beside_the_frames_counts_and_else_the_configs(bank, tmp_path):
    assert aligned([f"{d}/dance" for d in bank], fps=12).fps == 12
    (tmp_path / "s0" / "dance" / "video.json").write_text(json.dumps({"fps": 15.0}))
    assert aligned([f"{d}/dance" for d in bank], fps=12).fps == 15
    assert aligned(find_styles(bank).of(1), fps=12).fps == 30  # the film's own


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "video.json, but it cannot be read"),
        ("[1]", "cannot be read"),
        ("half", "cannot be read"),
        ('{"fps": -5}', "above 0 .* but got -5"),
        ('{"fps": NaN}', "above 0 .* but got nan"),
        ('{"fps": 1e999}', "above 0 .* but got inf"),
        ('{"fps": 5, "every": 0}', "above 0 .* but got 5 and 0"),
    ],
)
def test_a_wrong_rate_beside_the_frames_is_an_error(bank, tmp_path, text, says):
    (tmp_path / "s0" / "dance" / "video.json").write_text(text)
    with pytest.raises(VideoError, match=says):
        aligned([f"{d}/dance" for d in bank])
    assert about_video(f"{bank[1]}/dance") == About(0.0, 1, "")


@pytest.mark.parametrize(
    ("starts", "sound"),
    [((1, 1), True), ((0, 1), True), ((7, 7), True), ((1, 2), False), ((0, 5), False)],
)
def test_styles_of_as_many_frames_must_begin_with_the_same_one(tmp_path, starts, sound):
    """As many of both can be others: one program leaves out the first, another the last."""
    paths = [
        make.write_folder(tmp_path / f"s{k}" / "a", range(start, start + 9), "{:06d}.jpg")
        for k, start in enumerate(starts)
    ]
    if sound:
        assert aligned(paths).frames == 9
        return
    with pytest.raises(VideoError, match=r"s0/a is number \d and that of .*s1/a number \d"):
        aligned(paths)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda s: (s / "dance" / "000030.jpg").unlink(), r"has 30 and .*s2/dance has 29"),
        (lambda s: (s / "dance" / "000010.jpg").unlink(), r"000010\.jpg is missing"),
        (lambda s: (s / "dance" / "000010.jpg").write_bytes(b""), "not a whole one"),
        (lambda s: [p.unlink() for p in (s / "dance").iterdir()], "there are none"),
        (
            lambda s: make.write_folder(s / "dance", range(1, 31), "{:06d}.jpg", (64, 96)),
            "one shape.*(96x64.*64x96|64x96.*96x64)",
        ),
    ],
)
def test_what_is_wrong_with_any_style_drops_the_video_and_is_told(bank, tmp_path, damage, says):
    seed = next(seed for seed in range(9) if 2 in draw_styles(3, seed, 1))
    rows = write(tmp_path / "list", "jump up\ndance\n")
    source = clips(bank, "BIAS.STYLES.LIST", rows, "BIAS.SEED", seed)
    damage(tmp_path / "s2")
    sample = source.sample(1)
    assert (sample.inputs, list(sample.unreadable)) == ((), [1])
    assert re.search(says, sample.unreadable[1]), sample.unreadable
    assert source.describe(1) == (str(tmp_path / "s0" / "dance"), "BIAS.STYLES.DIRS")
    sound = source.sample(0)
    assert len(sound.inputs) == 2 and sound.index == 0 and not sound.unreadable


def write(path, text):
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("order", ["clip", "pathway"])
def test_views_of_two_styles_are_those_of_the_pairs(order):
    styled, restyled = torch.rand(2, 2, 3, 8, 4, 4)
    request = PairRequest(
        clips=styled, videos=[4, 9], pack=lambda x: [x], bank=None, seed=3, order=order,
        others=(restyled,),
    )  # fmt: skip
    maker = pair_maker("static_dynamic_folders")
    assert maker.source is StyledClips
    views, other = maker.make(request), three_views(request, styled, restyled)
    assert torch.equal(views.inputs["styled"][0], styled)
    assert torch.equal(views.inputs["restyled"][0], restyled)
    assert torch.equal(views.inputs["shuffled"][0], other.inputs["shuffled"][0])
    assert set(views.reordered) == ({"shuffled"} if order == "clip" else set())
