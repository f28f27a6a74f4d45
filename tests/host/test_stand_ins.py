"""Stand-ins are there for the import of a host and gone after it."""

from __future__ import annotations

import importlib
import sys

import pytest

from slowfast_bias.host.stand_ins import absent, standing_in


def test_a_missing_module_can_be_imported_inside_and_not_after():
    with standing_in({"nowhere": {}, "nowhere.inner": {"answer": 42}}):
        assert importlib.import_module("nowhere.inner").answer == 42
        from nowhere.inner import answer

        assert answer == 42
    assert not any(name.startswith("nowhere") for name in sys.modules)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("nowhere")


def test_everything_is_undone_when_the_import_fails():
    with pytest.raises(ZeroDivisionError), standing_in({"nowhere": {}, "json": {"lent": 1}}):
        raise ZeroDivisionError
    import json

    assert "nowhere" not in sys.modules and not hasattr(json, "lent")


def test_a_real_module_is_lent_what_it_lacks_and_keeps_what_it_has():
    import json

    dumps, before = json.dumps, dict(vars(json))
    with standing_in({"json": {"dumps": "other", "lent": 1}, "json.nowhere": {}}):
        assert json.dumps is dumps and json.lent == 1
    assert vars(json) == before


def test_a_module_that_breaks_while_being_imported_counts_as_missing(tmp_path, monkeypatch):
    (tmp_path / "breaks.py").write_text("raise RuntimeError('built for another torch')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with standing_in({"breaks": {"here": 1}}):
        assert importlib.import_module("breaks").here == 1
    with pytest.raises(RuntimeError):
        importlib.import_module("breaks")


def test_what_is_absent_can_be_inherited_from_and_says_what_is_missing_when_used():
    class Child(absent("torchvision.ops.RoIAlign")):
        pass

    with pytest.raises(ImportError, match=r"torchvision\.ops\.RoIAlign.*Install torchvision"):
        Child(7)


@pytest.mark.host
def test_a_loaded_host_leaves_other_packages_as_they_would_be_without_it(run_python):
    code = (
        "import importlib, sys\n"
        "def look(name):\n"
        "    try: return sorted(vars(importlib.import_module(name)))\n"
        "    except Exception as error: return type(error).__name__\n"
        "names = ['detectron2', 'torchvision', 'torchvision.io', 'vision', 'pytorchvideo',\n"
        "         'pytorchvideo.layers.distributed', 'torchvision.transforms.functional_tensor']\n"
        "if sys.argv[1] == 'with':\n"
        "    from slowfast_bias import host; host.name\n"
        "    from slowfast_bias.host.stand_ins import StandIn\n"
        "    left = [n for n, m in list(sys.modules.items()) if type(m) is StandIn]\n"
        "    assert not left, left\n"
        "else:\n"
        "    import torch\n"
        "if 'pytorchvideo' in sys.modules or sys.argv[1] == 'without':\n"
        "    look('torchvision.transforms'); look('pytorchvideo.models')\n"
        "for name in names:\n"
        "    seen = look(name)\n"
        "    print(name, seen if isinstance(seen, str) or 'distributed' in name else 'there')\n"
    )
    with_host = run_python(code, "with").stdout.splitlines()
    without = run_python(code, "without").stdout.splitlines()
    assert with_host == without
