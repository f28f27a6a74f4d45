"""Cue benchmarks end to end, on tiny folders of pictures and networks whose answers are known."""

from __future__ import annotations

import json
import pickle
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from slowfast_bias.bias.intervals import wilson
from slowfast_bias.config import ConfigError
from slowfast_bias.datasets.toy.world import ToyWorld
from slowfast_bias.engine.tasks import make_task
from slowfast_bias.engine.testing.battery_table import battery_markdown
from slowfast_bias.engine.testing.cue_benchmarks import cue_benchmarks, cue_lists
from slowfast_bias.errors import DataError
from slowfast_bias.outputs import Outputs

pytestmark = pytest.mark.host

FRAMES, SIDE = 8, 32


class Reading(nn.Module):
    """A network that reads its answer off the pixels: a function of clips (B, 3, T, H, W)."""

    def __init__(self, logits):
        super().__init__()
        self.logits, self.anchor = logits, nn.Parameter(torch.zeros(()))

    def forward(self, *pathways):
        return self.logits(pathways[-1]).softmax(-1)


def brightening(x):
    """Class 0 if the light grows, 1 if it sinks, 2 if it stays."""
    light = x.mean((1, 3, 4))
    gap = light[:, -1] - light[:, 0]
    return torch.stack([gap, -gap, 0.1 - gap.abs(), gap * 0 - 9], 1) * 9


def brightness(x):
    """Class 0 of dark clips, 3 of bright ones."""
    light = x.mean((1, 2, 3, 4))[:, None]
    return -9 * (light - torch.tensor([-1.2, -0.4, 0.4, 1.2])).square()


def hops(x):
    """The hop of an orbit, by the place where each frame differs from the mean of all."""
    side = x.shape[-1]
    line = torch.arange(side, dtype=x.dtype) - (side - 1) / 2
    angle = torch.atan2(*torch.meshgrid(line, line, indexing="ij"))
    z = ((x - x.mean(2, keepdim=True)).square().sum(1) * torch.exp(1j * angle)).sum((2, 3))
    hop = (z[:, 1:] * z[:, :-1].conj()).sum(1).angle()
    return 5 * torch.cos(hop[:, None] - torch.tensor([1, -1, 3, -3]) * torch.pi / 4)


def hues(x):
    """The texture's number by the mean colour, as textures have hues of their own."""
    colour = x.mean((2, 3, 4))
    turn = torch.arange(4)[:, None] / 4 - torch.arange(3) / 3
    return 99 * colour @ torch.cos(2 * torch.pi * turn).T


def write(folder, frames, ending="png"):
    folder.mkdir(parents=True)
    for number, frame in enumerate(np.asarray(frames), start=1):
        assert cv2.imwrite(f"{folder}/{number:06d}.{ending}", frame[..., ::-1])


def grey(start, end):
    """Frames (T, H, W, 3) whose light goes from one value to another."""
    light = np.linspace(start, end, FRAMES).astype(np.uint8)
    return np.broadcast_to(light[:, None, None, None], (FRAMES, SIDE, SIDE, 3))


@pytest.fixture
def cues(tiny, tmp_path):
    """A function: the config that reads the lists of a folder; a run has made OUTPUT_DIR."""
    (tmp_path / "run").mkdir()

    def make(*options, **keys):
        words = [w for key, value in keys.items() for w in (f"BIAS.BEHAVIOUR.{key}", str(value))]
        where = ["DATA.TRAIN_JITTER_SCALES", [SIDE, SIDE], "TEST.BATCH_SIZE", 3]
        return tiny(*where, *words, *options)

    return make


def found(cfg, logits):
    model = Reading(logits)
    return cue_benchmarks(cfg, make_task(cfg, model), model)


# -- SCUBA and SCUFO


CLIPS = {  # name: (light at the start, at the end), label
    "up__0": (20, 120, 0), "up__1": (60, 200, 0), "down__0": (240, 120, 1),
    "still__0": (100, 100, 0), "a class/odd name__0": (200, 90, 1),
}  # fmt: skip


@pytest.fixture
def scuba(tmp_path):
    """A folder with SCUBA, and SCUFO of its first frames in another order of rows."""
    rows = [f"{name} {FRAMES} {label}\n" for name, (*_, label) in CLIPS.items()]
    for name, (start, end, _) in CLIPS.items():
        write(tmp_path / "moving" / name, grey(start, end), "jpg")
        write(tmp_path / "lists" / "still" / name, grey(start, start)[:1], "jpg")
    (tmp_path / "lists" / "scuba.txt").write_text("".join(rows))
    still = [row.replace(f" {FRAMES} ", " 1 ") for row in reversed(rows)]
    (tmp_path / "lists" / "still" / "scufo.txt").write_text("".join(still))
    return {
        "SCUBA": tmp_path / "lists" / "scuba.txt",
        "SCUBA_PREFIX": tmp_path / "moving",
        "SCUFO": tmp_path / "lists" / "still" / "scufo.txt",
    }


def test_scuba_scufo_and_contrast_of_lists(cues, scuba):
    data = found(cues(**scuba), brightening)
    share, rest = data["scuba"], data["scufo"]
    assert share["accuracy"] == 80 and rest["accuracy"] == 0
    assert (share["videos"], share["recordings"], share["dropped"]) == (5, 4, 0)
    assert share["list"] == str(scuba["SCUBA"]) and rest["list"] == str(scuba["SCUFO"])
    assert share["effective_n"] < 5  # copies of a video are one recording
    assert share["interval"] == wilson(0.8, share["effective_n"])
    assert data["contrasted"]["accuracy"] == 80 and data["contrasted"]["pairs"] == 5
    json.dumps(data, allow_nan=False)


def test_scufo_is_made_of_scuba_if_it_has_no_list(cues, scuba):
    del scuba["SCUFO"]
    data = found(cues(**scuba), brightening)
    assert data["scuba"]["accuracy"] == 80 and data["scufo"]["accuracy"] == 0
    assert data["contrasted"]["accuracy"] == 80 and data["scufo"]["made_of"] == "scuba"
    several = cues("TEST.NUM_ENSEMBLE_VIEWS", 2, "TEST.NUM_SPATIAL_CROPS", 3, **scuba)
    assert found(several, brightening)["contrasted"]["accuracy"] == 80


def test_a_static_network_has_no_contrast(cues, scuba):
    scuba |= {"SCUBA": scuba["SCUFO"], "SCUBA_PREFIX": scuba["SCUFO"].parent}
    data = found(cues(**scuba), brightness)
    assert data["scuba"]["accuracy"] == data["scufo"]["accuracy"] > 0
    assert data["contrasted"]["accuracy"] == 0


@pytest.mark.parametrize(
    ("list_", "change", "says"),
    [
        ("SCUFO", lambda t: t.partition("\n")[2],
         r"but 1 have no SCUFO partner \(a class/odd name__0\)\. Complete the lists"),
        ("SCUBA", lambda t: "".join(t.splitlines(True)[2:]),
         r"but 2 have no SCUBA partner \(up__1, up__0\)"),
        ("SCUFO", lambda t: t.replace("up__0", "up__7"),
         r"1 have no SCUFO partner \(up__0\) and 1 have no SCUBA partner \(up__7\)"),
        ("SCUFO", lambda t: t.replace("up__0 1 0", "up__0 1 1"),
         "one class for up__0 .*but got 0 and 1"),
        ("SCUBA", lambda t: t.replace("up__1 8 0", "up__1 8 4"), "row 2: the label 4 is not one"),
        ("SCUBA", lambda t: t.replace("up__1 8 0", "up__1 0"), "row 2: expected `folder num_fr"),
    ],
)  # fmt: skip
def test_lists_that_do_not_fit_are_refused_before_anything_is_decoded(
    cues, scuba, list_, change, says
):
    text = scuba[list_].read_text()
    scuba[list_].write_text(change(text))
    cfg = cues(**scuba)
    for path in (scuba["SCUBA_PREFIX"], scuba["SCUFO"].parent / "up__0"):
        Path(path).rename(f"{path} is away")  # nothing could be decoded
    with pytest.raises(DataError, match=says):
        cue_lists(cfg)
    with pytest.raises(DataError, match=says):
        found(cfg, brightening)


def test_what_cannot_be_read_is_dropped_counted_and_named(cues, scuba):
    for picture in (scuba["SCUBA_PREFIX"] / "up__0").iterdir():
        picture.unlink()
    (scuba["SCUBA_PREFIX"] / "down__0" / "000008.jpg").unlink()  # fewer frames than listed
    (scuba["SCUFO"].parent / "up__1" / "000001.jpg").write_bytes(b"no picture")
    cfg = cues(**scuba)
    assert cue_lists(cfg) == [str(scuba["SCUBA"]), str(scuba["SCUFO"])]
    data = found(cfg, brightening)
    assert (data["scuba"]["videos"], data["scuba"]["dropped"]) == (3, 2)
    assert (data["scufo"]["videos"], data["scufo"]["dropped"]) == (4, 1)
    assert (data["contrasted"]["pairs"], data["contrasted"]["dropped"]) == (2, 3)
    assert not_counted(data)["contrasted"] == "3 unreadable"
    assert data["contrasted"]["accuracy"] == 50  # still__0 is wrong
    reasons = {Path(bad["path"]).name: bad["reason"] for bad in data["scuba"]["dropped_because"]}
    assert "Expected 8 frames" in reasons["down__0"] and "has 7" in reasons["down__0"]
    assert "up__0" in reasons
    assert "down__0" in Path(Outputs(cfg.OUTPUT_DIR).unreadable_videos).read_text()


def test_zips_and_single_pictures_pair_by_name(cues, scuba):
    """As ALBAR keeps them: a zip of pictures for each SCUBA video, one picture for its SCUFO."""
    moving, still = scuba["SCUBA_PREFIX"], scuba["SCUFO"].parent
    for name in CLIPS:
        with zipfile.ZipFile(f"{moving}/{name}.zip", "w") as archive:
            for picture in (moving / name).iterdir():
                archive.write(picture, picture.name)
        (still / name / "000001.jpg").rename(still / f"{name}.jpg")
    for key, ending in (("SCUBA", "zip"), ("SCUFO", "jpg")):
        text = scuba[key].read_text()
        scuba[key].write_text(re.sub(r"__(\d)", rf"__\1.{ending}", text))
    data = found(cues(**scuba), brightening)
    assert data["contrasted"]["accuracy"] == 80 and data["contrasted"]["pairs"] == 5
    assert data["scuba"]["recordings"] == 4


def test_a_list_of_which_nothing_can_be_read_is_named(cues, scuba):
    scuba["SCUBA_PREFIX"] = scuba["SCUFO"].parent  # a frame each, where 8 are listed
    with pytest.raises(DataError, match=r"scuba, .*scuba\.txt: Expected at least one readable"):
        found(cues(**scuba), brightening)


def test_scufo_alone_is_an_accuracy(cues, scuba):
    data = found(cues(SCUFO=scuba["SCUFO"]), brightening)
    assert list(data) == ["scufo"] and data["scufo"]["accuracy"] == 0


def test_nothing_is_asked_for_and_nothing_found(tiny):
    assert found(tiny(), brightening) == {} and cue_lists(tiny()) == []


@pytest.mark.ddp
def test_two_processes_find_the_same(cues, scuba, two_ranks):
    one = found(cues(**scuba), brightening)
    two, other = two_ranks.run(found, cues("TEST.BATCH_SIZE", 4, **scuba), brightening)
    assert one == two == other


# -- ConflFG


@pytest.fixture
def conflict(tmp_path):
    """Brightening clips in the light of another class: `brightening` and `brightness` disagree."""
    clips = {"a": (150, 250, 0, 3), "b": (100, 0, 1, 0), "c": (160, 250, 0, 3), "d": (99, 4, 1, 2)}
    for name, (start, end, *_) in clips.items():
        write(tmp_path / name, grey(start, end), "jpg")
    for k, kind in enumerate(("dynamic", "static"), start=2):
        rows = [f"{name} {FRAMES} {clip[k]}\n" for name, clip in clips.items()]
        (tmp_path / f"{kind}_testlist01.txt").write_text("".join(rows))
    return tmp_path


def test_conflfg_counts_both_classes(cues, conflict):
    cfg = cues(CONFLFG=conflict)
    assert cue_lists(cfg) == [f"{conflict}/dynamic_testlist01.txt"]
    data = found(cfg, brightening)["conflfg"]
    assert (data["dynamic"], data["static"], data["prefers_dynamic"]) == (100, 0, 100)
    data = found(cfg, brightness)["conflfg"]
    assert (data["dynamic"], data["static"]) == (0, 75)  # d is dark, and called 2
    # 2 is brighter than 1, so d is called 1 rather than 2
    assert data["prefers_dynamic"] == 25 and data["videos"] == 4
    assert data["static_interval"] == wilson(0.75, 4)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.replace("b 8", "e 8"), "Expected the same folder in row 2 .*/b and .*/e"),
        (lambda t: t.replace("b 8 0", "b 8 1"), r"two classes for .*/b \(row 2\)"),
        (lambda t: t.partition("\n")[2], "but got 4 and 3"),
        (lambda t: t.replace("b 8 0", "b 8 9"), "row 2: the label 9 is not one of the 4 classes"),
    ],
)
def test_label_lists_that_do_not_belong_together_are_refused(cues, conflict, change, says):
    path = conflict / "static_testlist01.txt"
    path.write_text(change(path.read_text()))
    with pytest.raises(DataError, match=says):
        found(cues(CONFLFG=conflict), brightening)


# -- HAT, of the toy world: objects are the humans, and a background's hue names its class


WORLD = ToyWorld(num_clips=64, split="test")


@pytest.fixture(scope="module")
def hat(tmp_path_factory):
    """The folder, its list by motion, and pairs of clips that begin at one place of the orbit."""
    root = tmp_path_factory.mktemp("hat")
    every = [(i, WORLD.factors(i)) for i in range(64)]
    pairs = []
    for start in range(6):
        same = [pair for pair in every if pair[1].start == start]
        first, (_, f) = same[0], same[0]
        other = next(p for p in same[1:] if p[1].texture != f.texture and p[1].motion != f.motion)
        pairs.append((first, other))
    rows, swaps = [], {}
    for (i, _), (j, other) in pairs:
        names = [f"class {i % 3}/clip_{k}" for k in (i, j)]
        for name, k in zip(names, (i, j), strict=True):
            if not (root / "ori" / name).exists():
                write_hat(root, name, WORLD.factors(k))
        rows.append(f"{names[0]} {FRAMES} {WORLD.factors(i).motion}\n")
        swaps[names[0]] = [names[1], FRAMES, other.texture]
    (root / "list.txt").write_text("".join(rows))
    (root / "swap.pickle").write_bytes(pickle.dumps(swaps, 2))
    (root / "swap.json").write_text(json.dumps(swaps))
    textures = [f"{row.rsplit(None, 1)[0]} {f.texture}\n"
                for row, ((_, f), _) in zip(rows, pairs, strict=True)]  # fmt: skip
    (root / "textures.txt").write_text("".join(textures))
    return root


def write_hat(root, name, factors):
    scene = WORLD.render(replace(factors, centre=(9.0, 9.0)))  # its object is far outside
    clip = WORLD.render(factors)
    write(root / "ori" / name, clip)
    write(root / "inp" / name, scene)
    mask = (clip != scene).any(-1, keepdim=True).expand(-1, -1, -1, 3)
    write(root / "seg" / name, mask.numpy().astype(np.uint8) * 255)


def test_background_alone_human_alone_and_swap(cues, hat):
    keys = {"HAT": hat, "HAT_SWAP": hat / "swap.pickle"}
    motion = found(cues(HAT_LIST=hat / "list.txt", **keys), hops)
    assert motion["hat_human_only"]["accuracy"] == 100
    assert motion["hat_background_only"]["accuracy"] < 80  # where nothing moves, chance
    swapped = motion["hat_action_swap"]
    assert swapped["accuracy"] == 100 and swapped["videos"] == 6 and swapped["left_out"] == 0
    texture = found(cues(HAT_LIST=hat / "textures.txt", **keys), hues)
    assert texture["hat_background_only"]["accuracy"] == 100
    assert texture["hat_human_only"]["accuracy"] < 80  # the same grey everywhere
    swapped = texture["hat_action_swap"]
    assert swapped["background"] == 100 and swapped["accuracy"] == 0 and swapped["same_class"] == 0
    assert swapped["background_interval"] == wilson(1.0, 6)
    assert swapped["list"] == str(hat / "textures.txt")
    assert swapped["swaps"] == str(hat / "swap.pickle")


def test_a_pickle_and_json_of_the_same_pairs_are_alike(cues, hat):
    data = [
        found(cues(HAT=hat, HAT_LIST=hat / "list.txt", HAT_SWAP=hat / name), hues)
        for name in ("swap.pickle", "swap.json")
    ]
    for one in data:
        assert one["hat_action_swap"].pop("swaps")
    assert data[0] == data[1]
    without = found(cues(HAT=hat, HAT_LIST=hat / "list.txt"), hues)
    assert list(without) == ["hat_background_only", "hat_human_only"]


def small_hat(root, sizes):
    """HAT of grey clips, whose humans cover a share of the picture, each before the next one's."""
    rows, swaps, names = [], {}, [f"a b/{k}" for k in range(len(sizes))]
    for k, (name, share) in enumerate(zip(names, sizes, strict=True)):
        write(root / "ori" / name, grey(255, 255))
        write(root / "inp" / name, grey(0, 0))
        mask = np.zeros((FRAMES, SIDE * SIDE, 3), np.uint8)
        mask[:, : round(share * SIDE * SIDE)] = 255
        write(root / "seg" / name, mask.reshape(FRAMES, SIDE, SIDE, 3))
        rows.append(f"{name} {FRAMES} 0\n")
        swaps[name] = [names[(k + 1) % len(names)], FRAMES, 0]
    (root / "list.txt").write_text("".join(rows))
    (root / "swap.json").write_text(json.dumps(swaps))
    return {"HAT": root, "HAT_LIST": root / "list.txt", "HAT_SWAP": root / "swap.json"}


def not_counted(benchmarks):
    """{benchmark: what its rows of the text table say of videos that do not count}."""
    figures = {
        "videos": 1, "recordings": 1, "labelled": False, "meta": {}, "divergence": {}, "lists": {},
        "partners": None, "variants": {"ordered": {"per_class": {}}}, "benchmarks": benchmarks,
    }  # fmt: skip
    lines = battery_markdown(figures).partition("## Benchmarks of cues")[2].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    assert rows[0][-2:] == ["videos", "not counted"]
    return {row[0].replace(" ", "_"): row[-1] for row in rows[2:]}


def test_only_humans_of_5_to_50_percent_are_swapped(cues, tmp_path):
    keys = small_hat(tmp_path, [0.04, 0.06, 0.49, 0.51, 0.0])
    swapped = found(cues(**keys), brightness)["hat_action_swap"]
    assert (swapped["videos"], swapped["left_out"], swapped["dropped"]) == (2, 3, 0)
    why = "3 human too small or too large"
    assert not_counted({"hat_action_swap": swapped}) == {"hat_action_swap": why}
    assert swapped["same_class"] == 2 and swapped["accuracy"] == swapped["background"]
    (tmp_path / "list.txt").write_text(f"a b/0 {FRAMES} 0\n")
    with pytest.raises(DataError, match="none of 1 does"):
        found(cues(**keys), brightness)


def test_videos_of_hat_that_cannot_be_read_are_dropped(cues, tmp_path):
    keys = small_hat(tmp_path, [0.2] * 4)
    (tmp_path / "seg" / "a b/1" / "000003.png").write_bytes(b"x")  # 1: its mask; 0: its background
    for path in (tmp_path / "inp" / "a b/3").iterdir():
        path.unlink()
    data = found(cues(**keys), brightness)
    assert [data[name]["dropped"] for name in data] == [1, 1, 3]
    assert data["hat_action_swap"]["videos"] == 1
    assert list(not_counted(data).values()) == ["1 unreadable", "1 unreadable", "3 unreadable"]


def test_masks_of_another_size_are_not_stretched(cues, tmp_path):
    keys = small_hat(tmp_path, [0.2] * 2)
    for path in (tmp_path / "seg" / "a b/1").iterdir():
        cv2.imwrite(str(path), np.zeros((16, 16), np.uint8))
    bad = found(cues(**{**keys, "HAT_SWAP": ""}), brightness)["hat_human_only"]["dropped_because"]
    assert "masks of a b/1 in the size of its frames" in bad[0]["reason"]


def test_a_video_without_background_in_the_pairings_is_refused(cues, tmp_path):
    keys = small_hat(tmp_path, [0.2] * 2)
    (tmp_path / "swap.json").write_text('{"a b/0": ["a b/1", 8, 0]}')
    with pytest.raises(DataError, match="2 videos in .*1 have none: a b/1"):
        cue_lists(cues(**keys))


# -- the toy world


def test_toy_scuba_and_conflict_have_known_answers(cues):
    """Exact readings: motion is right everywhere it can be seen, texture is what conflicts."""
    keys, clips = {"SCUBA": "toy", "CONFLFG": "toy"}, ["BIAS.TOY.NUM_TEST", 160]
    data = found(cues(*clips, **keys), hops)
    assert data["scuba"]["accuracy"] == 100 and data["scufo"]["accuracy"] < 45
    assert data["contrasted"]["accuracy"] > 55
    assert (data["conflfg"]["dynamic"], data["conflfg"]["static"]) == (100, 0)
    data = found(cues(*clips, "BIAS.TOY.LABELS", "static", **keys), hues)
    assert data["scuba"]["accuracy"] < 45 and data["contrasted"]["accuracy"] < 10
    assert data["conflfg"]["dynamic"] == 0 and data["conflfg"]["static"] > 95
    assert data["conflfg"]["list"] == data["scuba"]["list"] == "toy"


@pytest.mark.parametrize(
    ("keys", "options", "says"),
    [
        ({"SCUBA": "/none.txt"}, [], "SCUBA: expected a list .*'/none.txt' is no file"),
        ({"SCUFO": "/none.txt"}, [], "SCUFO: expected a list"),
        ({"SCUFO": "toy"}, [], "SCUFO toy: leave it empty"),
        ({"SCUBA": "toy", "SCUBA_PREFIX": "/"}, [], "SCUBA_PREFIX '/': expected a list"),
        ({"CONFLFG": "/none"}, [], "CONFLFG: expected dynamic_testlist01.txt and static_"),
        ({"SCUBA": "toy"}, ["TEST.DATASET", "videos"], "expected TEST.DATASET toyvideos"),
        ({"SCUBA": "toy"}, ["BIAS.TOY.MOTION", "noise2"], "noise2 has no background"),
        ({"CONFLFG": "toy"}, ["BIAS.TOY.MOTION", "osc3"], "CONFLFG toy: expected as many motions"),
        ({"HAT": "/none"}, [], "expected the folders ori, seg, inp in '/none'"),
        ({"HAT": "/none"}, [], "HAT_LIST: expected the list of BIAS.BEHAVIOUR.HAT"),
        ({"HAT_LIST": "/none"}, [], "set BIAS.BEHAVIOUR.HAT to the folder, too"),
        ({"HAT": "/none", "HAT_SWAP": "/no"}, [], "HAT_SWAP: expected a pickle or JSON"),
    ],
)
def test_keys_that_cannot_be_are_named_at_once(cues, keys, options, says):
    with pytest.raises(ConfigError, match=says):
        cues(*options, **keys)
