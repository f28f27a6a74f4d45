"""The rules of the house, read off the source: who imports whom, and who may do what."""

from __future__ import annotations

import ast
import re

import pytest
from support import ROOT

FLOORS = {
    "errors": 0, "files": 0, "folder_lock": 0, "preemption": 0, "archive_checks": 0,
    "interrupts": 0, "seeding": 0, "cluster_rank": 0, "outputs": 0,
    "results": 0, "plain_table": 0, "progress_bar": 0, "host": 0,
    "bias": 1, "metrics": 1,
    "models": 2,
    "config": 3,
    "datasets": 4, "optvis": 4, "visualization": 4,
    "engine": 5, "direct": 5,
    "cli": 6, "run": 6, "__main__": 6, "tools": 6, "plugin": 6,
}  # fmt: skip
ENGINE = {
    "runtime": 0,
    "tasks": 1,
    "setup": 2, "styling": 2,
    "preflight": 3, "measuring": 3,
    "training": 4, "testing": 4, "maximising": 4,
    "steps": 5,
    "__init__": 6,
    "studies": 7,
}  # fmt: skip
# Rooms of one floor that may not know each other.
SIBLINGS = [
    {"datasets", "visualization"},
    {"optvis", "visualization"},
    {"config", "optvis"},
    {"bias", "metrics"},
    {"models", "visualization"},
    {"config", "visualization"},
    {"direct", "engine"},
]
ENGINE_SIBLINGS = [
    {"training", "testing"},
    {"maximising", "training"},
    {"preflight", "measuring"},
    {"setup", "styling"},
]
HOOKS = {
    "register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook",
    "register_full_backward_pre_hook", "register_backward_hook",
    "register_module_forward_hook", "register_module_forward_pre_hook",
}  # fmt: skip
# The host's floor, and the plugin, which changes what SlowFast's own loop runs.
IMPORT_SLOWFAST = {"host", "plugin"}
WITHOUT_CFG = {"bias", "metrics", "models", "optvis", "visualization"}
# Words that only a file which knows a kind of network needs, and the rooms that may know kinds.
KINDS = re.compile(
    r"pathway\d_|head\.proj\w*\.bias|ResNetRoIHead|multipathway|[\"'](mvit|x3d|MViT|X3D)[\"']"
)
KNOW_KINDS = (
    "slowfast_bias/models/families/",
    "slowfast_bias/models/networks/",
    "slowfast_bias/models/weights/",
    "slowfast_bias/host/",
    "slowfast_bias/cli/",
)
# What a data set is or has is asked in the contract alone.
ASKS_DATASETS = re.compile(r"(getattr|hasattr)\([^)\n]*dataset")
CONTRACT = "slowfast_bias/datasets/contract.py"
# Code is not a person, and one word has one meaning: fix, probe, unit set, "if it is not set".
PERSONS = re.compile(r"\b(mend(s|ed)?|hears?|heard|minds|listeners?|nobody)\b", re.IGNORECASE)
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


def room_of(words):
    """The room of engine/ that a path or a dotted name leads into; None if it leads elsewhere."""
    if len(words) < 2 or words[:2] != ["slowfast_bias", "engine"]:
        return None
    return words[2] if len(words) > 2 and words[2] in ENGINE else "__init__"


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
    here, room = part_of(path), room_of(list(path.with_suffix("").parts))
    for name in imports(path, tree):
        if name.partition(".")[0] == "slowfast" and here not in IMPORT_SLOWFAST:
            yield f"{path}: imports slowfast; ask slowfast_bias.host"
        words = name.split(".")
        there = words[1] if words[0] == "slowfast_bias" and len(words) > 1 else None
        if there is None or here == "" or there not in FLOORS:
            continue
        if FLOORS[there] > FLOORS[here]:
            yield f"{path}: imports {name}, which is a floor above"
        if here != there and any({here, there} <= pair for pair in SIBLINGS):
            yield f"{path}: imports {name}, a sibling"
        other = room_of(words)
        if room and other and ENGINE[other] > ENGINE[room]:
            yield f"{path}: imports {name}, which is a floor above inside engine/"
        if room != other and any({room, other} <= pair for pair in ENGINE_SIBLINGS):
            yield f"{path}: imports {name}, a sibling inside engine/"


# First words of docstrings: what a function does, in the third person.
VERB = re.compile(r"[A-Z][a-z]+s\b")


def wrong_docstrings(tree):
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        kinds = {getattr(d, "id", getattr(d, "attr", "")) for d in node.decorator_list}
        text = ast.get_docstring(node)
        if text and not {"property", "cached_property"} & kinds and not VERB.match(text):
            yield node.name, f"its docstring begins with {text.split()[0]!r}, not with a verb"


def problems(root):
    """Everything in the source below ``root`` that breaks a rule."""
    found = []
    for path, text in sources(root).items():
        here, tree = part_of(path), ast.parse(text)
        found += wrong_imports(path, tree)
        if here and here not in FLOORS:
            found.append(f"{path}: belongs to no floor")
        if here == "engine" and path.parts[2].removesuffix(".py") not in ENGINE:
            found.append(f"{path}: belongs to no floor inside engine/")
        used = set(names(tree))
        if used & HOOKS and path.as_posix() != "slowfast_bias/bias/taps.py":
            found.append(f"{path}: registers hooks ({', '.join(sorted(used & HOOKS))}); use taps")
        if here in WITHOUT_CFG and {"cfg", "CfgNode"} & used:
            found.append(f"{path}: uses cfg; take plain arguments")
        if text.count("\n") > LONGEST and path.as_posix() not in LONG_ALLOWED:
            found.append(f"{path}: {text.count(chr(10))} lines, more than {LONGEST}")
        if KINDS.search(text) and not path.as_posix().startswith(KNOW_KINDS):
            found.append(f"{path}: knows a kind of network; ask slowfast_bias.models.families")
        if ASKS_DATASETS.search(text) and path.as_posix() != CONTRACT:
            found.append(f"{path}: asks what a data set has; see {CONTRACT}")
        found += [f"{path}: {name}: {wrong}" for name, wrong in wrong_docstrings(tree)]
        if PERSONS.search(text):
            found.append(f"{path}: {PERSONS.search(text)[0]!r} is no word for code")
        if "``" in text:
            found.append(f"{path}: double backticks; single ones everywhere")
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
        ("engine/steps.py", "def f():\n    from slowfast_bias.cli import main", "floor above"),
        ("models/x.py", "from slowfast_bias.datasets.toy import Toyvideos", "floor above"),
        ("visualization/x.py", "from slowfast_bias import models", "a sibling"),
        ("engine/steps.py", "import slowfast", "imports slowfast"),
        ("engine/steps.py", "from slowfast.models import build", "imports slowfast"),
        ("engine/steps.py", "import importlib\nimportlib.import_module('slowfast.x')", "slowfast"),
        (
            "engine/steps.py",
            "from importlib import *\nx.import_module(f'slowfast.{n}')",
            "slowfast",
        ),
        ("bias/x.py", "from ..engine import train", "floor above"),
        ("bias/x.py", "from .. import engine", "floor above"),
        ("models/x.py", "from ..datasets.toy import Toyvideos", "floor above"),
        ("models/x.py", "m.register_forward_hook(f)", "registers hooks"),
        ("bias/x.py", "m.register_forward_pre_hook(f)", "registers hooks"),
        ("engine/steps.py", "add = m.register_full_backward_hook", "registers hooks"),
        ("models/x.py", "def f(cfg): pass", "uses cfg"),
        ("bias/x.py", "from fvcore.common.config import CfgNode\nCfgNode()", "uses cfg"),
        ("engine/steps.py", "x = 1\n" * 251, "251 lines"),
        ("engine/setup/utils.py", "x = 1", "lives with its reason"),
        ("misc/x.py", "x = 1", "no floor"),
        ("engine/steps.py", 'if cfg.MODEL.ARCH == "mvit": pass', "knows a kind"),
        ("models/replay.py", "name = 's1.pathway0_stem'", "knows a kind"),
        ("models/x.py", "x = 1  # a layer that nobody hears", "no word for code"),
        ("engine/steps.py", "getattr(loader.dataset, 'about', None)", "what a data set has"),
        ("engine/steps.py", '"""Of ``x``."""', "double backticks"),
        ("bias/x.py", 'def f():\n    """The sum of x."""', "not with a verb"),
        ("bias/x.py", 'def f():\n    """Return the sum of x."""', "not with a verb"),
        ("engine/x.py", "x = 1", "no floor inside engine/"),
        ("engine/runtime/x.py", "from slowfast_bias.engine.tasks import Task", "inside engine/"),
        ("engine/runtime/x.py", "from slowfast_bias.engine import tasks", "inside engine/"),
        (
            "engine/setup/x.py",
            "from slowfast_bias.engine.measuring.probe import y",
            "inside engine",
        ),
        (
            "engine/measuring/x.py",
            "from slowfast_bias.engine.testing import vote",
            "inside engine/",
        ),
        ("engine/training/x.py", "from slowfast_bias.engine.testing.vote import vote", "a sibling"),
        ("engine/testing/x.py", "from ..training.loop import train", "a sibling inside engine/"),
        ("engine/testing/x.py", "from slowfast_bias import engine", "inside engine/"),
        ("engine/steps.py", "from slowfast_bias.engine.studies import sweep", "inside engine/"),
        (
            "engine/__init__.py",
            "from slowfast_bias.engine.studies.demo import run",
            "inside engine",
        ),
        ("visualization/x.py", "from slowfast_bias.config import get_cfg", "a sibling"),
        ("models/x.py", "from slowfast_bias.config import get_cfg", "a floor above"),
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
        "engine/setup/x.py": "from slowfast_bias import config, datasets, models\nx = 1\n" * 120,
        "engine/testing/x.py": "from slowfast_bias.engine.measuring.layers import make_taps",
        "engine/studies/x.py": "from slowfast_bias import engine",
        "config/x.py": "from slowfast_bias.models.families import family_named",
        "bias/x.py": 'def f():\n    """Returns x."""\n@property\ndef g():\n    """The sum."""',
        "models/families/x.py": 'NAMES = {"mvit": "MViT"}',
        "run.py": "from slowfast_bias import engine",
    }
    for file, text in allowed.items():
        path = tmp_path / "slowfast_bias" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert problems(tmp_path) == []


# Names with an underscore that are others': of namedtuples, torch, argparse, the system.
OTHERS = {"_replace", "_asdict", "_fields", "_exit", "_actions"}
OTHERS |= {"_repr_html_"}  # of notebooks
OTHERS |= {"_forward_hooks", "_forward_pre_hooks", "_set_epoch_num"}


def private_names(text):
    """Names of ours that begin with an underscore and that a test reads, replaces or imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") not in ("self", "cls"):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "setattr":
            words = [x.value for x in node.args[:2] if isinstance(x, ast.Constant)]
            yield from (word.rpartition(".")[2] for word in words if isinstance(word, str))


def test_no_test_is_tied_to_a_private_name():
    for path in (ROOT / "tests").rglob("*.py"):
        used = {n for n in private_names(path.read_text()) if re.match("_[a-z]", n)} - OTHERS
        assert not used, (path, used)
    planted = 'm._x\nfrom a import _y\npatch.setattr("a.b._z", 1)\npatch.setattr(a, "_w", 1)'
    assert {"_x", "_y", "_z", "_w"} <= set(private_names(planted))
