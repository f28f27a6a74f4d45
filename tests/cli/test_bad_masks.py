"""Bad data and weights of masks through the command line: one line that says what to do."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from support.segments import SIZE, SMALL, flow_of, square, write, write_flows, write_sequences

from slowfast_bias import cli, engine
from slowfast_bias.datasets.flow.files import write_flo
from slowfast_bias.models.segmentation.resnet import ResNet

LENGTHS = {"bear": 4, "cows": 3}
WORDS = [
    *SMALL, "TRAIN.DATASET", "segments", "TEST.DATASET", "segments", "BIAS.SEGMENTS.SIZE", [32, 40],
    "TRAIN.ENABLE", False,
]  # fmt: skip


@pytest.fixture
def asked(tiny, tmp_path, capsys):
    """A function (command, raw flow, what breaks the data, *words): status, stdout and stderr."""

    def ask(command, spoil, *words, raw=False):
        data = tmp_path / "data"
        write_sequences(data, LENGTHS)
        write_flows(data, LENGTHS, raw=raw)
        spoil(data)
        cfg = tiny(*WORDS, "DATA.PATH_TO_DATA_DIR", str(data), *words)
        (tmp_path / "cfg.yaml").write_text(cfg.dump())
        status = cli.main([command, "--cfg", str(tmp_path / "cfg.yaml")])
        return status, *capsys.readouterr()

    return ask


def a_flow_too_many(data):
    flows = data / "FlowImages_gap1/cows"
    shutil.copy(flows / "00001.png", flows / "00002.png")


def an_unknown_name(data):
    (data / "test.txt").write_text("bear\ncow\n")


def a_single_frame(data):
    write_sequences(data, {"one": 1})


def a_mask_of_no_frame(data):
    write(data / "Annotations/cows/00007.png", square(255))


def empty_masks(data):
    for path in (data / "Annotations").rglob("*.png"):
        write(path, square(0))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (a_flow_too_many, "Expected 2 flows for the 3 frames of cows"),
        (an_unknown_name, "row 2: expected a sequence that is there, but got 'cow'"),
        (a_single_frame, "Expected sequences of two frames or more"),
        (a_mask_of_no_frame, "Expected masks of the 3 frames in "),
        (empty_masks, "Expected an object in some mask of "),
    ],
)
def test_data_that_cannot_be_is_told_in_one_line(asked, spoil, says):
    status, _, told = asked("check", spoil)
    assert status == 2 and told.count("\n") == 1
    assert told.startswith("error: ") and says in told


def flow_of_another_shape(data):
    write(data / "FlowImages_gap1/bear/00001.png", np.full((30, 60, 3), 200, np.uint8))


def flow_of_another_kind(data):
    path = data / "FlowImages_gap1/bear/00001.flo"
    path.write_bytes(b"XXXX" + path.read_bytes()[4:])


def flow_with_nan(data):
    flow = np.array(flow_of(0, 1))
    flow[3, 4] = np.nan
    write_flo(str(data / "FlowImages_gap1/bear/00001.flo"), flow)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (flow_of_another_shape, f"{SIZE[1]}x{SIZE[0]} px, but it is 60x30 px"),
        (flow_of_another_kind, "Expected a .flo file, which begins with 202021.25"),
        (flow_with_nan, f"1 of its {SIZE[0] * SIZE[1]} pixels are NaN or unknown"),
    ],
)
def test_frames_that_cannot_be_read_are_named(asked, spoil, says):
    status, shown, _ = asked("check", spoil, raw=spoil is not flow_of_another_shape)
    (line,) = (line for line in shown.splitlines() if "unreadable: " in line)
    assert status == 1 and says in line and "JPEGImages/bear/00001.png" in line


def detr(net):
    return {"model": {"transformer.decoder.layers.0.multihead_attn.out_proj.bias": torch.ones(2)}}


def image_net(net):
    own = ResNet("resnet18", 4).state_dict()
    return {**own, "fc.weight": torch.zeros(1000, 32), "fc.bias": torch.zeros(1000)}


def encoder_alone(net):
    return net.encoder.state_dict()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (detr, "of the kind DETR, and the config builds MATNet"),
        (image_net, "1000 classes (as ImageNet) apart; the network makes masks"),
        (encoder_alone, "half a MATNet, the encoder"),
    ],
)
def test_weights_of_something_else_are_told_in_one_line(asked, tiny, tmp_path, content, says):
    net = engine.build_network(tiny(*WORDS))
    torch.save(content(net), tmp_path / "encoder_0.pt")
    path = ["TEST.CHECKPOINT_FILE_PATH", str(tmp_path / "encoder_0.pt")]
    status, _, told = asked("run", lambda data: None, *path)
    assert status == 2 and told.count("\n") == 1
    assert told.startswith("error: ") and says in told
