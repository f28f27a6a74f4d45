"""Segments: frames, flow and masks that belong together, and what is told of those that do not."""

from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pytest
import torch
from support.segments import SIZE, flow_of, picture, square, write, write_flows, write_sequences

from slowfast_bias import engine  # registers
from slowfast_bias.config.options.segments import SEGMENT_FORMATS
from slowfast_bias.datasets.contract import open_dataset, recordings_of
from slowfast_bias.datasets.decoding.timeline import VideoError
from slowfast_bias.datasets.flow.files import write_flo
from slowfast_bias.datasets.flow.wheel import coded
from slowfast_bias.datasets.loader import Loader
from slowfast_bias.datasets.pairs.request import pair_maker
from slowfast_bias.datasets.segments.collections import COLLECTIONS
from slowfast_bias.datasets.segments.dataset import Segments
from slowfast_bias.datasets.segments.frames import find_sequences
from slowfast_bias.errors import DataError

LENGTHS = {"bear": 4, "cows": 3}
assert engine


@pytest.fixture
def segments(tiny):
    """A function: the data set of a folder, with changes of keys."""

    def make(root, *more, split="val", **changes):
        words = ("TRAIN.DATASET", "segments", "TEST.DATASET", "segments")
        words += ("DATA.PATH_TO_DATA_DIR", str(root), "DATA.NUM_FRAMES", 1)
        words += ("BIAS.SEGMENTS.SIZE", list(SIZE), *more)
        cfg = tiny(*words, check=False)
        return open_dataset("segments", cfg, split)

    return make


@pytest.fixture
def davis(tmp_path):
    write_sequences(tmp_path, LENGTHS)
    write_flows(tmp_path, LENGTHS)
    return tmp_path


def test_formats_of_the_config_are_those_that_can_be_read():
    assert tuple(COLLECTIONS) == SEGMENT_FORMATS


def test_a_frame_comes_with_its_flow_and_its_mask(davis, segments):
    data = segments(davis, "BIAS.SEGMENTS.BACKWARD", True)
    assert [(item.sequence.frames.name, item.frame) for item in data.items] == [
        ("bear", 1), ("bear", 2), ("cows", 1),
    ]  # fmt: skip
    assert recordings_of(data) == [0, 0, 1] and data.recording(2) == "cows"
    for index, (number, time) in enumerate([(0, 1), (0, 2), (1, 1)]):
        image, flow, back = data.sample(index).inputs
        wanted, mask = picture(number, time)
        assert np.array_equal(image[0], wanted)
        assert np.array_equal(flow[0], coded(flow_of(number, time)))
        assert np.array_equal(back[0], coded(flow_of(number, time - 1 + 20)))
        truth = data.sample(index).target
        assert np.array_equal(truth.mask, mask != 0) and truth.size == SIZE
        name = ["bear", "cows"][number]
        assert truth[3:7] == (name, time, LENGTHS[name], f"{time:05d}")
        assert data.describe(index)[0].endswith(f"{name}/0000{time}.png")
    about = data.about()
    assert about["sequences"] == 2 and about["flow"][1]["folder"].endswith("gap-1")


def test_without_backward_flow_only_the_last_frame_is_left_out(davis, segments):
    data = segments(davis)
    assert [item.frame for item in data.items] == [0, 1, 2, 0, 1]
    assert [stream.holds for stream in data.streams] == ["rgb", "flow"]


def test_a_batch_holds_truths_of_several_sizes(davis, segments):
    large = cv2.resize(picture(1, 0)[0], (96, 72))
    write(davis / "JPEGImages/cows/00000.png", large)
    write(davis / "Annotations/cows/00000.png", square(255, (72, 96)))
    (batch,) = Loader(segments(davis), 5, training=False, seed=0)
    assert batch.inputs[0].shape == batch.inputs[1].shape == (5, 1, *SIZE, 3)
    shapes = [tuple(mask.shape) for mask in batch.targets.masks]
    assert shapes == [SIZE] * 3 + [(72, 96), SIZE] and batch.targets.boxes.isnan().all()
    assert batch.targets.sequences == ["bear"] * 3 + ["cows"] * 2


def test_a_clip_of_two_frames_takes_its_partner_from_near_and_always_the_same(davis, segments):
    data = segments(davis, "DATA.NUM_FRAMES", 2, "BIAS.SEGMENTS.REACH", 1)
    for index, item in enumerate(data.items):
        first, other = data.frames_of(index)
        assert first == item.frame and abs(other - first) == 1
        assert other < len(item.sequence.frames) - 1  # it has flow
        assert data.frames_of(index) == [first, other]
        assert np.array_equal(data.sample(index).inputs[0][1], item.sequence.frames.picture(other))


def train_list(root, names=LENGTHS):
    (root / "ImageSets").mkdir(exist_ok=True)
    (root / "ImageSets/train.txt").write_text("".join(f"{name}\n" for name in names))


def test_training_changes_image_flow_and_mask_alike(davis, segments):
    train_list(davis)
    data = segments(davis, split="train")
    shown = set()
    for draw in range(12):
        torch.manual_seed(draw)
        (image, flow), truth_shown = data.sample(0)[:2]
        mask = truth_shown.mask
        plain, truth = picture(0, 0)
        mirror = not np.array_equal(image[0], plain)
        step = -1 if mirror else 1
        assert np.array_equal(image[0], plain[:, ::step])
        assert np.array_equal(mask, (truth != 0)[:, ::step])
        motion = flow_of(0, 0)[:, ::step] * np.array([step, 1])
        assert np.abs(flow[0].numpy().astype(int) - coded(motion)).max() <= (4 if mirror else 0)
        shown.add(mirror)
    assert shown == {False, True}
    matnet = segments(davis, "BIAS.SEGMENTS.FLIP", "picture", split="train")
    kept = {matnet.sample(0).inputs[1].numpy().tobytes() for _ in range(12)}
    assert kept == {np.ascontiguousarray(coded(flow_of(0, 0))[:, ::s]).tobytes() for s in (1, -1)}
    for name in ("bear/00001", "cows/00001"):  # of frames that are left out no flow is wanted
        (davis / f"FlowImages_gap1/{name}.png").unlink()
    every = segments(davis, "BIAS.SEGMENTS.EVERY", 2, split="train")
    assert [item.frame for item in every.items] == [0, 2, 0]


def test_training_knows_the_masks_of_all_frames_of_a_clip(davis, segments):
    """They are changed as their images; the other frame is one of those with a mask."""
    train_list(davis, ["bear"])
    words = ("DATA.NUM_FRAMES", 2, "BIAS.SEGMENTS.FORMAT", "sequences")
    data, shown = segments(davis, *words, split="train"), set()
    for draw in range(8):
        torch.manual_seed(draw)
        (images, _), truth = data.sample(0)[:2]
        scenes = {k: picture(0, k) for k in (1, 2)}
        ((frame, step),) = (
            (k, step)
            for k, (plain, _) in scenes.items()
            for step in (1, -1)
            if np.array_equal(images[1], plain[:, ::step])
        )
        assert np.array_equal(truth.mask, (picture(0, 0)[1] != 0)[:, ::step])
        assert np.array_equal(truth.others, (scenes[frame][1] != 0)[None, :, ::step])
        shown.add((frame, step))
    assert {frame for frame, _ in shown} == {1, 2} and {step for _, step in shown} == {1, -1}
    assert not len(segments(davis, *words).sample(0).target.others)
    listed = data.list.sequences[0]
    del listed.masks["00002"]
    assert {data.frames_of(0)[1] for _ in range(8)} == {1}
    near = segments(davis, *words, "BIAS.SEGMENTS.TRAIN_REACH", 1, split="train")
    assert {near.frames_of(0)[1] for _ in range(8)} == {1}
    del near.list.sequences[0].masks["00001"]
    with pytest.raises(VideoError, match="flow and mask within 1 of .* BIAS.SEGMENTS.TRAIN_REACH"):
        near.frames_of(0)


def test_a_turned_and_scaled_frame_keeps_object_and_mask_together(davis, segments):
    train_list(davis)
    keys = ("BIAS.SEGMENTS.TURN", 20.0, "BIAS.SEGMENTS.SCALE", [0.75, 1.25])
    data = segments(davis, *keys, "BIAS.SEGMENTS.FLIP", "none", split="train")
    sizes, (plain, mask) = set(), picture(0, 0)
    for draw in range(8):
        torch.manual_seed(draw)
        (image, _), truth = data.sample(0)[:2]
        inside = truth.mask.numpy() > 0
        sizes.add(int(inside.sum()))
        apart = image[0].numpy()[inside].mean(0) - plain[mask > 0].mean(0)
        assert np.abs(apart).max() < 30  # the colours of ground and object are 70 apart
    assert len(sizes) > 4


# --- known data sets


def test_davis_lists_name_frames_or_sequences(tmp_path, segments):
    write_sequences(tmp_path, LENGTHS, "JPEGImages/480p", "Annotations/480p")
    write_flows(tmp_path, LENGTHS)
    (tmp_path / "ImageSets/480p").mkdir(parents=True)
    rows = [f"/JPEGImages/480p/cows/{k:05d}.png /Annotations/480p/cows/{k:05d}.png" for k in (0, 1)]
    (tmp_path / "ImageSets/480p/val.txt").write_text("\n".join(rows))
    (tmp_path / "ImageSets/2017").mkdir()
    (tmp_path / "ImageSets/2017/val.txt").write_text("bear\ncows\n")
    for form, names in (("davis16", ["cows"]), ("davis17", ["bear", "cows"])):
        data = segments(tmp_path, "BIAS.SEGMENTS.FORMAT", form)
        assert [s.frames.name for s in data.list.sequences] == names
    with pytest.raises(DataError, match="train list of davis16 at .*480p/train.txt or .*2016"):
        segments(tmp_path, "BIAS.SEGMENTS.FORMAT", "davis16", split="train")


def test_youtube_vos_takes_frames_with_masks_and_a_split_in_json(tmp_path, segments):
    write_sequences(tmp_path, LENGTHS, "train/JPEGImages", "train/Annotations")
    for k in (1, 3):
        (tmp_path / f"train/Annotations/bear/0000{k}.png").unlink()
    write_flows(tmp_path, LENGTHS)
    (tmp_path / "train/train-val-meta.json").write_text(json.dumps({"videos": {"bear": {}}}))
    data = segments(tmp_path, "BIAS.SEGMENTS.FORMAT", "youtube-vos")
    assert [item.frame for item in data.items] == [0, 2]


@pytest.mark.parametrize(
    ("form", "images", "masks"),
    [
        ("tao-vos", "frames/train", "annotations_vos/train/Annotations"),
        ("imagenet-vid", "ILSVRC2015/Data/VID/train", "segmentation/ILSVRC2015/Data/VID/train"),
    ],
)
def test_sequences_in_folders_of_folders(tmp_path, segments, form, images, masks):
    lengths = {"ArgoVerse/a": 3, "YFCC/a": 3}
    write_sequences(tmp_path, lengths, images, masks)
    write_flows(tmp_path, lengths)
    data = segments(tmp_path, "BIAS.SEGMENTS.FORMAT", form, split="train")
    assert {data.recording(k) for k in range(len(data))} == set(lengths)
    with pytest.raises(DataError, match=f"val list of {form}.*BIAS.DATA.LISTS"):
        segments(tmp_path, "BIAS.SEGMENTS.FORMAT", form)


def test_moca_has_boxes_and_no_masks(tmp_path, segments):
    write_sequences(tmp_path, LENGTHS, masks="")
    write_flows(tmp_path, LENGTHS)
    rows = [f'{k},/bear/0000{k}.jpg,"[2,{k},2,5,6]",{{}}' for k in range(4)]
    (tmp_path / "annotations.csv").write_text(
        "\n".join([",file_list,spatial_coordinates,metadata", *rows])
    )
    data = segments(tmp_path, "BIAS.SEGMENTS.FORMAT", "moca", split="test")
    assert len(data) == 3 and data.target(2).box == (2, 2, 7, 8)
    (batch,) = Loader(data, 3, training=False, seed=0)
    assert batch.targets.boxes[1].tolist() == [1, 2, 6, 8] and batch.targets.masks[0].numel() == 0
    shutil.rmtree(tmp_path / "JPEGImages/bear")
    with pytest.raises(DataError, match="all 1 videos that have boxes, but 1 .* bear"):
        segments(tmp_path, "BIAS.SEGMENTS.FORMAT", "moca", split="test")


def test_frames_are_in_the_order_of_their_numbers_with_or_without_zeros(tmp_path):
    for name in ("10.png", "9.png", "100.png"):
        write(tmp_path / "a" / name, square(0))
    assert find_sequences(str(tmp_path))["a"].frames == ("9", "10", "100")
    write(tmp_path / "a" / "9.jpg", square(0))
    with pytest.raises(DataError, match="both 9.(jpg|png) and 9.(jpg|png)"):
        find_sequences(str(tmp_path))


# --- bad input


def test_missing_flow_names_the_command(davis, segments):
    (davis / "FlowImages_gap1/cows/00001.png").unlink()
    command = f"slowfast_bias flow {davis}/JPEGImages --out {davis}"
    with pytest.raises(DataError, match=f"1 have none.*cows/00001.png. Compute it: {command}"):
        segments(davis)


def test_missing_masks_are_counted(davis, segments):
    for name in ("bear/00001", "cows/00002"):
        (davis / f"Annotations/{name}.png").unlink()
    with pytest.raises(DataError, match="masks of 7 frames, but 2 have none.*bear/00001.png"):
        segments(davis)


def test_a_sequence_of_one_frame_is_refused(davis, segments):
    write_sequences(davis, {"one": 1})
    with pytest.raises(DataError, match="two frames or more.*1 have one.*one"):
        segments(davis)


def test_a_mask_of_a_frame_that_is_not_there_is_refused(davis, segments):
    write(davis / "Annotations/cows/00007.png", square(255))
    with pytest.raises(DataError, match="masks of the 3 frames in .*cows, but 1 in .* 00007"):
        segments(davis)


def test_masks_of_sequences_without_images_are_refused_if_no_list_says_what_is_wanted(
    davis, segments
):
    write(davis / "Annotations/ghost/00000.png", square(255))
    with pytest.raises(DataError, match="images of all 3 sequences .* 1 are not there.* ghost"):
        segments(davis)
    train_list(davis)
    assert len(segments(davis, split="train")) == 5


def test_masks_that_are_all_empty_are_refused(davis, segments):
    for path in sorted((davis / "Annotations").rglob("*.png"))[:-2]:
        write(path, square(0))
    assert len(segments(davis)) == 5  # an object may come and go
    for path in (davis / "Annotations").rglob("*.png"):
        write(path, square(0))
    with pytest.raises(
        DataError, match="object in some mask of .*, but all 5 are empty.*bear/00000"
    ):
        segments(davis)


def test_a_list_that_names_no_sequence_is_refused_with_its_row(davis, segments):
    (davis / "ImageSets").mkdir()
    (davis / "ImageSets/val.txt").write_text("bear\ncow\n")
    with pytest.raises(DataError, match="row 2: expected a sequence .*'cow'; did you mean cows"):
        segments(davis)
    (davis / "ImageSets/val.txt").write_text("\n")
    with pytest.raises(DataError, match="but it has none"):
        segments(davis)
    with pytest.raises(DataError, match="train list of sequences"):
        segments(davis, split="train")  # else all of it would be trained on and tested


@pytest.mark.parametrize("place", ["FlowImages_gap1", "Annotations"])
def test_a_picture_of_another_shape_is_a_frame_that_cannot_be_read(davis, segments, place):
    other = square(255, (30, 60))
    write(davis / place / "bear/00001.png", np.stack([other] * 3, -1) if "Flow" in place else other)
    sample = segments(davis).sample(1)
    assert not sample.inputs
    (reason,) = sample.unreadable.values()
    assert "48x36 px, but it is 60x30" in reason and f"{place}/bear/00001.png" in reason


def test_flow_of_another_size_and_the_same_shape_is_resized(davis, segments):
    write(davis / "FlowImages_gap1/bear/00001.png", np.full((72, 96, 3), 200, np.uint8))
    assert (segments(davis).sample(1).inputs[1] == 200).all()


def test_raw_flow_with_nan_is_a_frame_that_cannot_be_read(tmp_path, segments):
    write_sequences(tmp_path, LENGTHS)
    write_flows(tmp_path, LENGTHS, raw=True)
    flow = flow_of(0, 0).copy()
    flow[3, 4] = np.nan
    write_flo(f"{tmp_path}/FlowImages_gap1/bear/00000.flo", flow)
    data = segments(tmp_path)
    assert "NaN" in data.sample(0).unreadable[0] and data.sample(1).inputs
    batches = list(Loader(data, 2, training=False, seed=0))
    assert sum(batch.clips() for batch in batches) == 4


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("BIAS.SEGMENTS.SIZE", [480]), "height and width"),
        (("DATA.NUM_FRAMES", 4), "Raise BIAS.SEGMENTS.REACH"),
        (("BIAS.DATA.LISTS", ["a.txt"]), "lists of train, val and test"),
        (("BIAS.SEGMENTS.FORMAT", "davis16"), "val list of davis16"),
        (("BIAS.SEGMENTS.FORMAT", "youtube-vos"), "images of youtube-vos"),
        (("BIAS.SEGMENTS.FLOW", "elsewhere"), "elsewhere, but it is not there"),
        (("BIAS.SEGMENTS.SCALE", [1.2, 0.8]), "BIAS.SEGMENTS.SCALE"),
    ],
)
def test_keys_that_cannot_be_are_told(davis, segments, words, says):
    with pytest.raises(DataError, match=says):
        data = segments(davis, *words)
        raise DataError(next(iter(data.sample(0).unreadable.values())))


# --- styled folders


def styled(root, names, files="0000{}.png"):
    for style in ("one", "two"):
        for name in names:
            for time in range(LENGTHS[name]):
                value = 10 * time + (100 if style == "two" else 1)
                path = root / style / name / files.format(time)
                write(path, np.full((*SIZE, 3), value, np.uint8))
    return ["BIAS.STYLES.SOURCE", "folders", "BIAS.STYLES.DIRS", [f"{root}/one", f"{root}/two"]]


@pytest.mark.parametrize("files", ["0000{}.png", "frame_0000{}.png"])
def test_styled_folders_change_the_image_and_never_the_flow(davis, segments, files):
    words = styled(davis / "styles", LENGTHS, files)
    data = segments(davis, *words)
    assert isinstance(data, Segments)
    source = pair_maker("flow_swap_folders").source(data.cfg, "val")
    assert [stream.holds for stream in source.streams] == ["rgb", "rgb", "flow", "flow"]
    for position, item in enumerate(data.items):
        first, second, flow, other = source.sample(position).inputs
        values = {int(first.unique()), int(second.unique())}
        assert values == {10 * item.frame + 1, 10 * item.frame + 100}
        assert torch.equal(flow, data.sample(position).inputs[1])
        assert torch.equal(other, data.sample(source.partner(position)).inputs[1])
        assert data.recording(source.partner(position)) != data.recording(position)


def test_a_style_without_a_sequence_is_refused(davis, segments):
    data = segments(davis, *styled(davis / "styles", ["bear"]))
    with pytest.raises(DataError, match="2 sequences in all 2 styles, but 2 are missing.*one/cows"):
        pair_maker("flow_jitter_folders").source(data.cfg, "val")


def test_a_single_sequence_has_no_other_flow(davis, segments):
    (davis / "ImageSets").mkdir()
    (davis / "ImageSets/val.txt").write_text("bear\n")
    with pytest.raises(DataError, match="two sequences or more.*flow_jitter"):
        pair_maker("flow_swap").source(segments(davis).cfg, "val")
