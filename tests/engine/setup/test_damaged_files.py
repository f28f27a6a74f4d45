"""Files of weights that are not what was written, and files that ask for more than they hold."""

from __future__ import annotations

import pickle
import resource
import zipfile

import pytest
import torch
from torch.serialization import set_crc32_options

from slowfast_bias import archive_checks, host
from slowfast_bias.engine.setup import checkpoint
from slowfast_bias.models.weights.readers import CheckpointError, read_checkpoint

pytestmark = pytest.mark.host


def flip_one_bit(path):
    """Changes one bit inside the numbers of a file of torch."""
    with zipfile.ZipFile(path) as archive:
        part = max(archive.infolist(), key=lambda part: part.file_size)
    with open(path, "r+b") as file:
        file.seek(part.header_offset + part.file_size // 2 + 200)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))


@pytest.fixture
def run_of_two(tiny):
    """A run with checkpoints of two epochs."""
    cfg = tiny()
    model = host.build_model(cfg)
    optimizer = host.construct_optimizer(model, cfg)
    return cfg, [checkpoint.save_checkpoint(cfg, epoch, model, optimizer) for epoch in (0, 1)]


def test_one_flipped_bit_is_noticed_and_the_checkpoint_before_is_taken(run_of_two, caplog):
    cfg, (first, second) = run_of_two
    torch.load(second, weights_only=True)
    flip_one_bit(second)
    torch.load(second, weights_only=True)  # torch itself does not notice
    with pytest.raises(CheckpointError, match=f"{second} .*checksum of .*data/"):
        read_checkpoint(second)
    assert checkpoint.last_good_checkpoint(cfg.OUTPUT_DIR)[0] == first
    (said,) = (r.getMessage() for r in caplog.records if second in r.getMessage())
    assert "Trying the one before it" in said


def test_a_file_without_checksums_is_read(tmp_path):
    path = tmp_path / "none.pyth"
    set_crc32_options(False)
    try:
        torch.save({"model_state": {"w": torch.ones(3)}}, path)
    finally:
        set_crc32_options(True)
    assert read_checkpoint(str(path))["model_state"]["w"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("legacy", [False, True])
def test_a_whole_file_of_either_form_has_no_damage(tmp_path, legacy):
    path = tmp_path / "a.pyth"
    state = {f"layer{i}.weight": torch.zeros(1000) for i in range(300)}
    torch.save({"model_state": state}, path, _use_new_zipfile_serialization=not legacy)
    assert archive_checks.damage_of(path) == ""
    assert archive_checks.damage_of(tmp_path / "none.pyth") == ""


def refused(path):
    """The refusal, and the MB by which the peak of this process rose."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(str(path))
    return str(caught.value), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def test_an_archive_that_unpacks_to_a_thousand_times_its_size_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.pyth"
    block = bytes(1 << 20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", pickle.dumps({}))
        with archive.open("a/data/0", "w") as part:
            for _ in range(200):
                part.write(block)
    said, grown = refused(path)
    assert "would unpack to" in said and grown < 100


@pytest.mark.parametrize("inside", [False, True])
def test_a_pickle_of_a_few_bytes_that_asks_for_gigabytes_is_not_loaded(tmp_path, inside):
    path = tmp_path / "asks.pkl"
    hungry = b"\x80\x02cno\nclass\nr" + (200_000_000).to_bytes(4, "little") + b"."
    if inside:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a/data.pkl", hungry)
    else:
        path.write_bytes(hungry)
    said, grown = refused(path)
    assert "a table of 200000000 objects" in said and grown < 100


def test_an_archive_whose_names_are_no_text_is_a_damaged_file(tmp_path):
    path = tmp_path / "a.pyth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"x" * 10)
    whole = path.read_bytes().replace(b"archive/data.pkl", b"archive/d\x80ta.pkl")
    entry = whole.rindex(b"PK\x01\x02") + 8  # where its flags say that names are UTF-8
    path.write_bytes(whole[:entry] + b"\x00\x08" + whole[entry + 2 :])
    with pytest.raises(CheckpointError, match=r"a\.pyth to be a file of weights"):
        read_checkpoint(str(path))
