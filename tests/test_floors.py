"""The rules of the house, read off the source: who imports whom, and who may do what."""

from __future__ import annotations

import ast

import pytest
from support import ROOT

FLOORS = {
    "errors": 0, "files": 0, "interrupts": 0, "host": 0, "cluster_rank": 0,
    "config": 1, "bias": 1,
    "datasets": 2, "models": 2, "visualization": 2,
    "engine": 3,
    "run": 4, "__main__": 4, "tools": 4,
}  # fmt: skip
SIBLINGS = {"datasets", "models", "visualization"}
HOOKS = {
    "register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook",
    "register_full_backward_pre_hook", "register_backward_hook",
    "register_module_forward_hook", "register_module_forward_pre_hook",
}  # fmt: skip
WITHOUT_CFG = {"bias", "models", "visualization"}
LONGEST = 250
LONG_ALLOWED: set[str] = set()  # a file here needs its reason beside it


def sources(root):
    """Every source file of the package and of tools/, by its path from the root."""
    paths = [*(root / "slowfast_bias").rglob("*.py"), *(root / "tools").glob("*.py")]
    return {path.relative_to(root): path.read_text() for path in sorted(paths)}


def part_of(path):
    """The part of the house a file belongs to: "engine", "files", ...; "" for the entrance."""
    if path.parts[0] == "tools":
        return "tools"
    part = path.parts[1].removesuffix(".py")
    return "" if part == "__init__" else part


def imports(path, tree):
    """Full names of all modules and names that are imported, at any depth of the file."""
    package = path.parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            base += [node.module] if node.module else []
            yield from (".".join([*base, alias.name]) for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            first = node.args[0]
            parts = first.values if isinstance(first, ast.JoinedStr) else [first]
            if isinstance(parts[0], ast.Constant):
                yield str(parts[0].value)


def names(tree):
    """Every identifier that is read, written, passed or called."""
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg"):
            if isinstance(getattr(node, field, None), str):
                yield getattr(node, field)


def wrong_imports(path, tree):
    here = part_of(path)
    for name in imports(path, tree):
        if name.partition(".")[0] == "slowfast" and here != "host":
            yield f"{path}: imports slowfast; ask slowfast_bias.host"
        words = name.split(".")
        there = words[1] if words[0] == "slowfast_bias" and len(words) > 1 else None
        if there is None or here == "" or there not in FLOORS:
            continue
        if FLOORS[there] > FLOORS[here]:
            yield f"{path}: imports {name}, which is a floor above"
        if {here, there} <= SIBLINGS and here != there:
            yield f"{path}: imports {name}, a sibling"


def problems(root):
    """Everything in the source below ``root`` that breaks a rule."""
    found = []
    for path, text in sources(root).items():
        here, tree = part_of(path), ast.parse(text)
        found += wrong_imports(path, tree)
        if here and here not in FLOORS:
            found.append(f"{path}: belongs to no floor")
        used = set(names(tree))
        if used & HOOKS and path.as_posix() != "slowfast_bias/bias/taps.py":
            found.append(f"{path}: registers hooks ({', '.join(sorted(used & HOOKS))}); use taps")
        if here in WITHOUT_CFG and {"cfg", "CfgNode"} & used:
            found.append(f"{path}: uses cfg; take plain arguments")
        if text.count("\n") > LONGEST and path.as_posix() not in LONG_ALLOWED:
            found.append(f"{path}: {text.count(chr(10))} lines, more than {LONGEST}")
        if path.name in ("utils.py", "helpers.py", "common.py"):
            found.append(f"{path}: a helper lives with its reason")
    return found


def test_the_house_keeps_its_rules():
    assert problems(ROOT) == []


def test_the_rules_look_at_something():
    files = {path.as_posix() for path in sources(ROOT)}
    assert {"slowfast_bias/host/main.py", "slowfast_bias/bias/taps.py", "tools/run_net.py"} <= files
    assert any("register_forward_hook" in names(ast.parse(t)) for t in sources(ROOT).values())


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("bias/x.py", "from slowfast_bias.engine import train", "floor above"),
        ("bias/x.py", "import slowfast_bias.engine.train", "floor above"),
        ("bias/x.py", "from slowfast_bias import engine", "floor above"),
        ("host/x.py", "from slowfast_bias.config import get_cfg", "floor above"),
        ("engine/x.py", "def f():\n    from slowfast_bias.run import main", "floor above"),
        ("models/x.py", "from slowfast_bias.datasets.toy import Toyvideos", "a sibling"),
        ("visualization/x.py", "from slowfast_bias import models", "a sibling"),
        ("engine/x.py", "import slowfast", "imports slowfast"),
        ("engine/x.py", "from slowfast.models import build", "imports slowfast"),
        ("engine/x.py", "import importlib\nimportlib.import_module('slowfast.x')", "slowfast"),
        ("engine/x.py", "from importlib import *\nx.import_module(f'slowfast.{n}')", "slowfast"),
        ("bias/x.py", "from ..engine import train", "floor above"),
        ("bias/x.py", "from .. import engine", "floor above"),
        ("models/x.py", "from ..datasets.toy import Toyvideos", "a sibling"),
        ("models/x.py", "m.register_forward_hook(f)", "registers hooks"),
        ("bias/x.py", "m.register_forward_pre_hook(f)", "registers hooks"),
        ("engine/x.py", "add = m.register_full_backward_hook", "registers hooks"),
        ("models/x.py", "def f(cfg): pass", "uses cfg"),
        ("bias/x.py", "from fvcore.common.config import CfgNode\nCfgNode()", "uses cfg"),
        ("engine/x.py", "x = 1\n" * 251, "251 lines"),
        ("engine/utils.py", "x = 1", "lives with its reason"),
        ("misc/x.py", "x = 1", "no floor"),
    ],
)
def test_a_planted_violation_is_found(tmp_path, file, text, says):
    path = tmp_path / "slowfast_bias" / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    (problem,) = problems(tmp_path)
    assert says in problem and file in problem


def test_what_is_allowed_is_not_found(tmp_path):
    allowed = {
        "__init__.py": "from slowfast_bias.bias import Tap",
        "host/x.py": "from slowfast.models import build\nfrom slowfast_bias.errors import E",
        "bias/taps.py": "from . import stats\nfrom .stats import of\nm.register_forward_hook(f)",
        "datasets/x.py": "from slowfast_bias.datasets.toy import T\ndef f(cfg): return cfg",
        "visualization/x.py": "from slowfast_bias.bias import BiasReport",
        "engine/x.py": "from slowfast_bias import config, datasets, models, host\nx = 1\n" * 120,
        "run.py": "from slowfast_bias import engine",
    }
    for file, text in allowed.items():
        path = tmp_path / "slowfast_bias" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert problems(tmp_path) == []
