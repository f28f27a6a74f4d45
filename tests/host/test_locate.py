"""Which SlowFast is used: chosen by file, before anything of it is imported."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from pathlib import Path

import pytest

from slowfast_bias.host.locate import HostNotFoundError, find_host

CHOSEN = {"SLOWFAST_MAIN": os.environ.get("SLOWFAST_MAIN", "")}
MARKS = {"main": "config/custom_config.py", "pypi": "models/model_builder.py"}


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch):
    """As in a fresh interpreter in which nobody chose a host."""
    monkeypatch.delenv("SLOWFAST_MAIN", raising=False)
    monkeypatch.delitem(sys.modules, "slowfast", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    assert "slowfast" not in sys.modules  # finding is not importing


def plant(folder, generation):
    """A folder with a fake slowfast package of a generation in it."""
    mark = folder / "slowfast" / (MARKS.get(generation) or "other.py")
    mark.parent.mkdir(parents=True)
    mark.write_text("")
    # one that cannot even be imported must be found all the same
    (folder / "slowfast" / "__init__.py").write_text("raise RuntimeError('imported')")
    return folder


def find(*folders):
    sys.path[:0] = map(str, folders)
    importlib.invalidate_caches()
    return find_host()


@pytest.mark.parametrize("generation", ["main", "pypi"])
def test_generation_follows_from_its_files(tmp_path, generation):
    found = find(plant(tmp_path, generation))
    assert (found.generation, found.root) == (generation, tmp_path / "slowfast")


@pytest.mark.parametrize("order", [("pypi", "main"), ("main", "pypi")])
def test_the_first_on_the_path_wins_and_the_other_is_named(tmp_path, order):
    first, second = (plant(tmp_path / generation, generation) for generation in order)
    found = find(first, second)
    assert found.generation == order[0] and found.shadowed[0] == second / "slowfast"


def test_slowfast_main_goes_before_everything_else(tmp_path, monkeypatch):
    first, named = plant(tmp_path / "a", "pypi"), plant(tmp_path / "b", "main")
    monkeypatch.setenv("SLOWFAST_MAIN", str(named))
    found = find(first)
    assert (found.generation, found.root) == ("main", named / "slowfast")
    assert first / "slowfast" in found.shadowed


def test_no_slowfast_at_all_says_how_to_get_one(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(HostNotFoundError, match=r"found none.*pip install") as caught:
        find_host()
    assert "SLOWFAST_MAIN" in str(caught.value) and isinstance(caught.value, ImportError)


def test_a_slowfast_of_neither_generation_is_refused_by_its_folder(tmp_path):
    with pytest.raises(HostNotFoundError, match=MARKS["main"]) as caught:
        find(plant(tmp_path, "else"))
    assert str(tmp_path / "slowfast") in str(caught.value)


@pytest.mark.parametrize("generation", ["pypi", "else", None])
def test_slowfast_main_that_names_no_checkout_says_what_is_missing(
    tmp_path, monkeypatch, generation
):
    if generation:
        plant(tmp_path, generation)
    monkeypatch.setenv("SLOWFAST_MAIN", str(tmp_path))
    with pytest.raises(HostNotFoundError, match=r"does not exist.*unset SLOWFAST_MAIN") as caught:
        find()
    assert str(tmp_path / "slowfast" / MARKS["main"]) in str(caught.value)


@pytest.mark.host_main
def test_a_main_checkout_and_torch_that_do_not_fit_are_one_line(tmp_path, run_python):
    copy = tmp_path / "SlowFast"
    shutil.copytree(Path(CHOSEN["SLOWFAST_MAIN"], "slowfast"), copy / "slowfast")
    losses = copy / "slowfast" / "models" / "losses.py"
    losses.write_text(f"from torch import no_such_name\n{losses.read_text()}")
    code = "from slowfast_bias.cli import main; main(['layers', '--model', 'slow_r50'])"
    said = run_python(code, env={"SLOWFAST_MAIN": str(copy)}).stderr
    assert "Traceback" not in said and said.count("error: Expected SlowFast main") == 1
    assert "no_such_name" in said.splitlines()[-1]


@pytest.mark.host
def test_a_second_slowfast_is_mentioned_once_and_not_used(tmp_path, run_python):
    code = (
        "import sys; sys.path.append(sys.argv[1])\n"
        "from slowfast_bias import host\n"
        "host.name; host.get_cfg(); host.name; print(host.root)"
    )
    other = plant(tmp_path, "pypi")
    done = run_python(code, other, env=CHOSEN)
    # with SLOWFAST_MAIN set a third one, the installed release, may be on the path as well
    assert done.stderr.count("Several SlowFast packages") == 1
    assert done.stderr.count(str(other / "slowfast")) == 1
    assert str(other) not in done.stdout


SPAWNS = """
import multiprocessing, sys
from slowfast_bias import host
from slowfast_bias.datasets.loader import DeterministicDataset
if __name__ == "__main__":
    sys.path.append(sys.argv[1])
    print(host.name)
    for method in ("spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        process = context.Process(target=print, args=(DeterministicDataset([], 0),))
        process.start()
        process.join()
        assert process.exitcode == 0
"""


@pytest.mark.host
def test_processes_that_start_afresh_do_not_mention_it_again(tmp_path, run_python):
    script = tmp_path / "spawns.py"
    script.write_text(SPAWNS)
    code = f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')"
    done = run_python(code, plant(tmp_path, "pypi"), env=CHOSEN)
    assert done.stderr.count("Several SlowFast packages") == 1


def test_importing_the_package_loads_neither_a_host_nor_matplotlib(run_python):
    code = (
        "import sys\n"
        "for name in ('simplejson', 'av', 'cv2', 'matplotlib', 'scipy', 'pandas', 'slowfast'):\n"
        "    sys.modules[name] = None  # not to be had\n"
        "import slowfast_bias, slowfast_bias.host\n"
        "for name in ('slowfast', 'matplotlib'): del sys.modules[name]\n"
        "print([m for m in sys.modules if m.partition('.')[0] in ('slowfast', 'matplotlib')])"
    )
    assert run_python(code).stdout.strip() == "[]"
