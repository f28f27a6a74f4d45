"""CONTRIBUTING.md: its recipes are followed to the letter, in a copy of the project."""

import json
import os
import re
import shutil

import pytest
from support import ROOT, warm
from test_floors import problems

STEP = re.compile(
    r"(?:New\s+file\s+`(?P<new>[^`]+)`|"
    r"In\s+`(?P<old>[^`]+)`,\s+(?P<place>before|after)\s+`(?P<line>[^`]+)`|"
    r"See\s[^\n]*):\n\n```(?P<kind>python|sh|text)\n(?P<text>.*?)```",
    re.DOTALL,
)


def recipes():
    """[(title, its steps)] of the guide."""
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    guide = guide.split("\n## Recipes\n")[1].split("\n### Smaller things\n")[0]
    parts = re.split(r"\n### (.+)\n", guide)
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    return [(title, list(STEP.finditer(text)), text) for title, text in found.items()]


def insert(path, place, line, text):
    """Puts `text` before or after the one line of a file that begins with `line`."""
    lines = path.read_text().splitlines(keepends=True)
    (at,) = (i for i, whole in enumerate(lines) if whole.startswith(line))
    at += place == "after"
    path.write_text("".join([*lines[:at], text, *lines[at:]]))


# All that the guide says shows a result, one after the other in one process: a start costs seconds.
FOLLOW = """
import contextlib, io, json, shlex, subprocess, sys
from slowfast_bias.cli import main
printed = {}
for title, kind, text in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        if kind == "python":
            exec(text, {"__name__": "__main__"})
        for line in text.splitlines() if kind == "sh" else ():
            name, *words = shlex.split(line)
            if name != "slowfast_bias":
                print(subprocess.check_output(line, shell=True, text=True))
                continue
            try:
                status = main(words)
            except SystemExit as stopped:  # --help
                status = stopped.code
            assert status == 0, line
    printed[title] = said.getvalue()
print(json.dumps(printed))
"""


def follow(copy, steps):
    """Runs (title, kind, text) in a copy of the project; returns {title: what it printed}."""
    env = {**os.environ, "PYTHONPATH": str(copy)}
    done = warm.run(["-c", FOLLOW, json.dumps(steps)], cwd=copy, env=env)
    assert not done.returncode, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The project with every recipe followed, and what its commands printed."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("slowfast_bias", "configs"):
        shutil.copytree(ROOT / name, copy / name)  # what is compiled stays so
    (copy / "tools").mkdir()
    for _, steps, _ in recipes():
        for step in steps:
            if step["new"]:
                assert not (copy / step["new"]).exists()
                (copy / step["new"]).write_text(step["text"])
            elif step["old"]:
                insert(copy / step["old"], step["place"], step["line"], step["text"])
    return copy


def test_every_contract_has_a_recipe_and_no_code_is_left_out():
    found = recipes()
    titles = " ".join(title for title, *_ in found)
    for word in ("data set", "pairs", "network", "task", "result", "command"):
        assert word in titles
    for title, steps, text in found:
        assert len(steps) == text.count("```") // 2, title


def test_what_the_recipes_add_obeys_the_floors(copy):
    assert problems(copy) == []


def test_what_the_recipes_promise_is_seen(copy):
    seen = [
        (title, step["kind"], step["text"])
        for title, steps, _ in recipes()
        for step in steps
        if not step["new"] and not step["old"]
    ]
    printed = follow(copy, seen)
    assert "top-1 accuracy" in printed["A data set"]
    assert "head" in printed["A kind of pairs"]
    assert "min_distance" in printed["A task"]
    assert "which classes are taken for which" in printed["A command"]
    assert (copy / "runs/recipe/bias/confusion.json").is_file()
