"""Lists by chance, of every format: read, or refused by our own error."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzzing import bounded, fuzzed, spoilt, spoilt_json

from slowfast_bias.datasets.lists.class_index import read_class_names
from slowfast_bias.datasets.lists.files import READERS, read_list
from slowfast_bias.datasets.lists.plain_files import read_entries
from slowfast_bias.errors import DataError, UserError

# format -> the files of its list; text, or what becomes JSON
LISTS = {
    "csv": {"train.csv": "a b.mp4 0\nb.mp4#t=1,2 1\n"},
    "kinetics": {"train.csv": 'label,youtube_id,time_start,time_end,split\n"x y",ab,1,11,train\n'},
    "ucf101": {"trainlist01.txt": "x/a.avi 1\ny/b.avi 2\n", "classInd.txt": "1 x\n2 y\n"},
    "hmdb51": {"x_test_split1.txt": "a.avi 1 \nb.avi 2 \n", "y_test_split1.txt": "c.avi 1 \n"},
    "rawframes": {"train.txt": "a/b 12 0\nc 3 1\n"},
    "ssv2": {
        "train.json": [{"id": "7", "template": "Doing [something]", "label": "x"}],
        "labels.json": {"Doing something": "0", "Other": "1"},
    },
    "diving48": {"Diving48_V2_train.json": [{"vid_name": "a", "label": 1, "end_frame": 3}]},
    "activitynet": {
        "activity_net.v1-3.min.json": {"database": {"ab": {
            "subset": "training", "annotations": [{"label": "x", "segment": [0.5, 10]}],
        }}},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lists")
    for name in ("a.mp4", "videos/x/a.avi", "videos/7.webm", "videos/v_ab.mp4", "videos/ab.mp4"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def draw_files(data, files):
    """{name: bytes}, of which one file is spoilt."""
    found = {n: x if isinstance(x, str) else json.dumps(x) for n, x in files.items()}
    found = {name: text.encode() for name, text in found.items()}
    name = data.draw(st.sampled_from(sorted(files)))
    tree = files[name]
    found[name] = data.draw(spoilt(found[name]) if isinstance(tree, str) else spoilt_json(tree))
    return found


def test_all_formats_of_one_file_are_here():
    assert set(LISTS) == set(READERS) - {"folders", "unlabelled", "something_else"}


@pytest.mark.parametrize("form", LISTS)
@fuzzed()
@given(data=st.data())
def test_lists(place, form, data):
    files = draw_files(data, LISTS[form])
    for name, content in files.items():
        (place / name).write_bytes(content)
    prefix = data.draw(st.sampled_from(("", str(place / "videos"))))
    with bounded():
        try:
            listed = read_list(form, str(place), "train", prefix=prefix, num_classes=2)
        except DataError as error:
            str(error).encode(errors="surrogateescape")  # names of files may be any bytes
        else:
            assert listed.videos and all(0 <= video.label < 2 for video in listed.videos)
    for name in files:
        (place / name).unlink()


@fuzzed()
@given(data=st.data())
def test_class_names_and_other_lists(place, data):
    path = str(place / "names")
    texts = (b"x\ny\n", b"0 x\n1 y\n", b'{"x": 0, "y": "1"}', b'["x", "y"]', b"x,y\n1,2\n")
    (place / "names").write_bytes(data.draw(spoilt(data.draw(st.sampled_from(texts)))))
    for reader in (lambda: read_class_names(path, 2), lambda: read_entries(path, "KEY")):
        with bounded(), contextlib.suppress(UserError):
            reader()
