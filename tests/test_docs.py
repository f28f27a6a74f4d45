"""The pages: every command in them is one that exists, and a newcomer's are run, on miniatures."""

from __future__ import annotations

import glob
import re
import shlex

import pytest
from support import ROOT
from support.miniatures import make_miniatures

from slowfast_bias import host
from slowfast_bias.cli import COMMANDS, main

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("draft_figures")]

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# What a newcomer follows, in this order; EXPERIMENTS and RESULTS take hours or other people's data.
FOLLOWED = ["README.md", "INSTALL.md", "TOUR.md", "CHECKPOINT.md", "TRAINING.md", "READING.md",
            "DATA.md", "ZOO.md", "FAQ.md"]  # fmt: skip
FENCE = re.compile(r" *```(\w*)")
# Run elsewhere: by `make demo`, and by tests of their own.
ELSEWHERE = {"demo", "reproduce", "submit"}


def blocks(page):
    """(kind, lines) of every fenced block of a page; of those in test_own_data.py none."""
    kind, lines, before = None, [], ""
    for line in page.read_text().splitlines():
        fence = FENCE.fullmatch(line)
        if fence and kind is None:
            kind, lines = fence[1], []
            kind = "own" if before.startswith("<!-- own data") else kind
        elif fence:
            yield kind, lines
            kind = None
        elif kind is not None:
            joined = lines and lines[-1].endswith("\\")
            lines[-1:] = [lines[-1][:-1] + line.strip()] if joined else [*lines[-1:], line]
        before = line


def commands(page, console):
    """Words of every command of ours on a page, and the output that the page shows below it."""
    for kind, lines in blocks(page):
        if kind not in (("console",) if console else ("", "sh")):
            continue
        shown = []
        for line in lines:
            text = line.strip().removeprefix("$ ")
            if text.startswith("slowfast_bias "):
                shown = []
                yield shlex.split(text, comments=True)[1:], shown
            else:
                shown.append(line)


def here(word):
    """A word of a command with the page's folders in the place where the test runs."""
    return re.sub(r"^/data/", "data/", word)


def expanded(words):
    """Words with patterns of files replaced by the files, as a shell does; without "..."."""
    for word in map(here, words):
        if word != "...":
            found = sorted(glob.glob(word)) if "*" in word and "/" in word else []
            yield from found or [word]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with everything that the pages name, in small."""
    folder = tmp_path_factory.mktemp("pages")
    make_miniatures(folder)
    return folder


def followed(console):
    """(page, words, shown) of the commands to be run, each once."""
    seen = set()
    for name in FOLLOWED:
        path = next((page for page in PAGES if page.name == name), None)
        for words, shown in commands(path, console) if path else ():
            if words[0] not in ELSEWHERE and tuple(words) not in seen:
                seen.add(tuple(words))
                yield name, words, shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_exists(page):
    for console in (False, True):
        for words, _ in commands(page, console):
            assert words[0] in COMMANDS or words[0].startswith("--"), words
            for word in words:
                if word.startswith("configs/") and "$" not in word:
                    assert (ROOT / word).is_file(), word


def test_links_lead_to_files_and_headings_that_are_there():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            file, _, heading = target.partition("#")
            if "://" in target:
                continue
            path = (page.parent / file) if file else page
            assert path.exists(), f"{page.name}: {target}"
            if heading:
                titles = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
                names = [re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles]
                assert heading in names, f"{page.name}: {target}"


def test_commands_of_the_pages_run(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    for page, words, _ in followed(console=False):
        if "hf" not in host.capabilities and any("videomae" in word.lower() for word in words):
            continue
        status = main(list(expanded(words)))
        said = capsys.readouterr()
        assert status == 0, f"{page}: {shlex.join(words)}\n{said.out[-1500:]}\n{said.err}"


def test_errors_are_those_that_the_pages_show(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    shown = list(followed(console=True))
    assert len(shown) > 5
    for page, words, expected in shown:
        assert main(words) == 2, f"{page}: {shlex.join(words)}"
        said = capsys.readouterr().err
        pattern = re.escape("\n".join(expected).strip()).replace(re.escape("..."), ".*")
        assert re.search(pattern, said), f"{page}: {shlex.join(words)}\n{said}"
