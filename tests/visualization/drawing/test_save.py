"""A saved figure is whole, the same bytes again, and of a kind we write."""

from __future__ import annotations

import pytest

from slowfast_bias.visualization import report_figure, save_figure


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg", ".PNG"])
def test_the_same_report_gives_the_same_bytes(plain, tmp_path, suffix):
    files = [tmp_path / "deep" / f"{i}{suffix}" for i in range(2)]
    for file in files:
        save_figure(report_figure(plain), file)
    first, second = (file.read_bytes() for file in files)
    assert first == second and len(first) > 1000
    magic = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}[suffix.lower()]
    assert first.startswith(magic)


def test_a_failed_save_leaves_the_old_file(plain, tmp_path, monkeypatch):
    file = tmp_path / "a.png"
    file.write_bytes(b"old")
    figure = report_figure(plain)
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            save_figure(figure, file)
    assert file.read_bytes() == b"old" and list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.png.txt"])
def test_another_suffix_is_an_error_that_names_those_we_write(plain, tmp_path, name):
    with pytest.raises(ValueError, match=r"\.png, \.pdf, \.svg"):
        save_figure(report_figure(plain), tmp_path / name)
    assert not list(tmp_path.iterdir())
