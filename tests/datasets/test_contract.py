"""The contract of data sets: what one must have, and what a batch says of its inputs."""

from __future__ import annotations

import pytest
import torch

from slowfast_bias import host
from slowfast_bias.datasets.contract import (
    FRAMES,
    Sample,
    Stream,
    is_registered,
    open_dataset,
    recordings_of,
    register_dataset,
)
from slowfast_bias.datasets.host_dataset import HostDataset
from slowfast_bias.datasets.loader import collate

pytestmark = pytest.mark.host


def make_class(name, **members):
    """A class `(cfg, split)` with the members of a data set, changed; None leaves one out."""
    nothing = {
        "__init__": lambda self, cfg, split: None,
        "__len__": lambda self: 1,
        "sample": lambda self, index: Sample((), None, index),
        "clip": lambda self, video: None,
        "target": lambda self, video: 0,
        "describe": lambda self, index: ("", ""),
        "about": lambda self: {},
        "streams": FRAMES,
        "views": 1,
    }
    found = {key: x for key, x in {**nothing, **members}.items() if x is not None}
    return type(name, (), found)


def test_a_data_set_of_ours_is_found_by_its_name_in_any_case(tiny):
    cls = register_dataset(make_class("Sounddata"))
    assert is_registered("sounddata") and is_registered("SOUNDDATA")
    assert type(open_dataset("sounddata", tiny(), "val")) is cls


@pytest.mark.parametrize("member", ["sample", "clip", "target", "describe", "about", "__len__"])
def test_what_a_data_set_lacks_is_named_when_it_is_registered(member):
    with pytest.raises(TypeError, match=f"Lackingdata.*it has no {member}"):
        register_dataset(make_class("Lackingdata", **{member: None}))
    assert not is_registered("lackingdata")


def test_a_data_set_is_made_from_a_config_and_a_split():
    with pytest.raises(TypeError, match=r"Otherdata\(cfg, split\).*takes \['cfg'\]"):
        register_dataset(make_class("Otherdata", __init__=lambda self, cfg: None))


@pytest.mark.parametrize("member", ["streams", "views"])
def test_what_is_missing_once_it_is_made_is_named(tiny, member):
    register_dataset(make_class(f"Without{member}", **{member: None}))
    with pytest.raises(TypeError, match=f"Without{member} to have `{member}`"):
        open_dataset(f"without{member}", tiny(), "val")


def test_a_data_set_that_only_the_host_knows_is_opened_through_host_dataset(tiny):
    host.register_dataset(make_class("Hostonly", sample=None))
    assert not is_registered("hostonly")
    assert isinstance(open_dataset("hostonly", tiny(), "val"), HostDataset)


def test_a_batch_knows_its_frames_whatever_its_inputs_are():
    frames, packed = torch.zeros(5, 8, 8, 3, dtype=torch.uint8), torch.zeros(3, 5, 8, 8)
    assert collate([Sample((frames,), 1, 0)]).frames() == 5
    slow = Stream(packed=True, every_frame=False)
    two = collate([Sample((packed[:, ::4], packed), 1, 0)])
    two = two._replace(streams=(slow, Stream(packed=True)))
    assert two.frames() == 5 and two.whole()[0] is two.inputs[1]
    for streams in ((slow, slow), (Stream(), Stream("flow"))):
        with pytest.raises(ValueError, match="one stream with every frame"):
            two._replace(streams=streams).whole()


def test_recordings_are_files_without_their_parts_or_what_the_data_set_says():
    names = ["a.mp4#t=0,1", "a.mp4#t=1,2", "b.mp4#frames=0,9", "a.mp4"]
    members = {
        "__init__": None,
        "views": 3,  # a list of 4 videos has 12 positions
        "__len__": lambda self: 12,
        "describe": lambda self, index: (names[index // 3], ""),
    }
    assert recordings_of(make_class("Parts", **members)()) == [0, 0, 1, 0]
    knows = {**members, "recording": lambda self, index: "xyxz"[index // 3]}
    assert recordings_of(make_class("Knows", **knows)()) == [0, 1, 0, 2]
