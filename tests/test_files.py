"""Files are whole or not there."""

from __future__ import annotations

import os
import shutil

import pytest

from slowfast_bias.errors import OutputError, UserError
from slowfast_bias.files import alone_in, append, make_output_dir, write_whole


@pytest.mark.parametrize("mode", ["w", "wb"])
def test_a_file_appears_when_the_block_ends(tmp_path, mode):
    path, content = tmp_path / "a", "new" if mode == "w" else b"new"
    with write_whole(path, mode) as file:
        file.write(content)
        assert not path.exists()
    assert path.read_bytes() == b"new" and os.listdir(tmp_path) == ["a"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), write_whole(path) as file:
        file.write("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a"]


KILLED = """
import os, signal, sys
from slowfast_bias.files import write_whole
with write_whole(sys.argv[1]) as file:
    file.write("half"); file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_the_old_file(tmp_path, run_python):
    path = tmp_path / "a"
    path.write_text("old")
    assert run_python(KILLED, path, check=False).returncode == -9
    assert path.read_text() == "old"


def test_output_dir_is_made_and_left_empty(tmp_path):
    made = make_output_dir(str(tmp_path / "a" / "b"))
    assert os.listdir(made) == []
    make_output_dir(made)


def test_an_output_dir_that_cannot_be_written_to_is_named_with_the_way_out(tmp_path):
    (tmp_path / "file").write_text("")
    for path in ("/dev/null/x", str(tmp_path / "file" / "x"), str(tmp_path / "file")):
        with pytest.raises(PermissionError, match=f"OUTPUT_DIR '{path}'.*Give another") as caught:
            make_output_dir(path)
        assert isinstance(caught.value, UserError)


def test_a_held_folder_that_is_gone_is_not_made_again(tmp_path):
    out = tmp_path / "run"
    with alone_in(out):
        with write_whole(out / "deep" / "a.json") as file:
            file.write("{}")
        out.rename(tmp_path / "elsewhere")
        for _ in range(2):
            with (
                pytest.raises(OutputError, match="a.json, but its folder is gone"),
                write_whole(out / "deep" / "a.json"),
            ):
                pass
            with pytest.raises(OutputError, match="log, but its folder is gone"):
                append(str(out / "log"), "line")
            assert not out.exists() or not list(out.iterdir())
            out.mkdir(exist_ok=True)  # another one of that name is not it
    with write_whole(out / "b.json") as file:
        file.write("{}")
    assert (out / "b.json").read_text() == "{}"


def test_a_folder_that_goes_while_a_file_is_written_is_said(tmp_path):
    out, said = tmp_path / "run", "a.json, but its folder is gone"
    with pytest.raises(OutputError, match=said), write_whole(out / "a.json") as file:
        shutil.rmtree(out)
        file.write("{}")
    with pytest.raises(FileNotFoundError, match="other"), write_whole(out / "a.json"):
        (tmp_path / "other").read_text()
