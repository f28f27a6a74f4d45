"""Files of numpy arrays: numbers come as they are, anything else is refused and never run."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from slowfast_bias.models.weights.readers import CheckpointError, read_checkpoint


def refusal(path):
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(str(path))
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_arrive_with_their_names_types_and_order(tmp_path, save):
    counted = np.arange(24.0).reshape(2, 3, 4)
    arrays = {
        "params|a/b|kernel": counted.astype(np.float16),
        "by columns": np.asfortranarray(counted.astype(np.float32)),
        "other bytes": counted.astype(">f8"),
        "steps": np.array(7),
    }
    save(tmp_path / "a.npz", **arrays)
    state = read_checkpoint(str(tmp_path / "a.npz"))["model_state"]
    assert state.keys() == arrays.keys()
    kinds = [torch.float16, torch.float32, torch.float64, torch.int64]
    assert [value.dtype for value in state.values()] == kinds
    for name, array in arrays.items():
        assert state[name].tolist() == array.tolist()


def test_the_name_of_a_file_does_not_matter(tmp_path):
    np.savez(tmp_path / "a.npz", w=np.ones(3))
    (tmp_path / "a.npz").rename(tmp_path / "a.pth")
    assert read_checkpoint(str(tmp_path / "a.pth"))["model_state"]["w"].tolist() == [1, 1, 1]


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_objects_are_refused_and_not_run(tmp_path):
    np.savez(tmp_path / "a.npz", w=np.ones(2), x=np.array([Evil(tmp_path / "ran")], dtype=object))
    assert "Python objects" in refusal(tmp_path / "a.npz")
    assert not (tmp_path / "ran").exists()


def test_texts_are_refused_by_name(tmp_path):
    np.savez(tmp_path / "a.npz", w=np.ones(2), about=np.array(["made in Spring"]))
    assert "'about' is of <U14" in refusal(tmp_path / "a.npz")


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", w=np.array([1, np.nan]))
    assert "NaN" in refusal(tmp_path / "a.npz")


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_half_a_file_is_called_so(tmp_path, keep):
    np.savez(tmp_path / "a.npz", w=np.ones(1000))
    data = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(data[: int(keep * len(data))])
    assert "half a file" in refusal(tmp_path / "a.npz")


def test_damaged_numbers_are_noticed(tmp_path):
    np.savez(tmp_path / "a.npz", w=np.ones(1000))
    data = bytearray((tmp_path / "a.npz").read_bytes())
    data[len(data) // 2] ^= 1  # the archive has a check sum
    (tmp_path / "a.npz").write_bytes(data)
    assert "checksum of w.npy" in refusal(tmp_path / "a.npz")
