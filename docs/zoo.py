"""Writes the tables of docs/ZOO.md: `SLOWFAST_MAIN=checkout python docs/zoo.py`.

Which host can build which config is asked of both hosts, each in a process of its own; files and
accuracies come from `slowfast_bias/models/weights/published.py`.
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

from slowfast_bias.models.weights.published import FILES, SOURCES, Published
from slowfast_bias.plain_table import markdown

# Their files name weights; the folder of the hub, for its config.json, says of which network.
HUB = ("TimeSformer", "VideoMAE", "V-JEPA 2")
PAGE = Path(__file__).with_name("ZOO.md")


def configs(checkout: str) -> dict[str, dict[str, str]]:
    """Returns {config: row} of `slowfast_bias models` on the release ("") or on a checkout."""
    words = [sys.executable, "-m", "slowfast_bias", "models", "--format", "csv"]
    env = {**os.environ, "SLOWFAST_MAIN": checkout}
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=True)
    return {row["config"]: row for row in csv.DictReader(done.stdout.splitlines())}


def hosts_table(release: dict, main: dict) -> list[str]:
    """Returns the table of networks and hosts; configs of a network that differ in name only."""
    rows = [("network", "kind", "clips", "pixels", "PyPI release", "GitHub main")]
    for name, row in release.items():
        if not re.search("_shuffled|_static_dropout", name):
            clips = row["frames x rate"]
            there = main[name]["here"]
            rows.append((f"`{name}`", row["kind"], clips, row["pixels"], row["here"], there))
    return markdown(rows, left=6)


def files_table(release: dict) -> list[str]:
    """Returns the table of published files."""
    rows = [("file", "source", "clips", "top-1 %", "views", "command: slowfast_bias measure ...")]
    for file in FILES:
        top1 = f"{file.top1:g}" if file.top1 else ""
        clips = release[file.config]["frames x rate"]
        rows.append((file.file, file.source, clips, top1, file.views, f"`{command(file)}`"))
    return markdown(rows, left=6)


def command(file: Published) -> str:
    """Returns the arguments with which a file is measured."""
    folder, name = file.config.lower().split("/")
    weights = re.split(r",| (?:of|for|with|\()", file.file)[0].replace(" ", "-")
    model = name if folder in ("kinetics", "hf") else f"{folder}/{name}"
    more = " BIAS.HF.FOLDER FOLDER" if file.source in HUB else ""
    if " with " in file.file:  # a probe and its encoder
        weights, more = file.file.split(" with ")[1], f"{more} BIAS.HF.PROBE {weights}"
    return f"--model {model} --weights {weights} --videos clips/{more}"


def sources_table() -> list[str]:
    """Returns the table of sources."""
    return markdown([("source", "listed in"), *SOURCES.items()], left=2)


def main() -> int:
    """Replaces the text between the marks of each table."""
    checkout = os.environ.get("SLOWFAST_MAIN", "")
    if not checkout:
        print("Expected SLOWFAST_MAIN to name a checkout of SlowFast's main branch.")
        return 2
    release, main_ = configs(""), configs(checkout)
    tables = {
        "hosts": hosts_table(release, main_),
        "files": files_table(release),
        "sources": sources_table(),
    }
    text = PAGE.read_text()
    for name, lines in tables.items():
        mark = rf"(<!-- table {name} -->\n).*?(<!-- end -->)"
        table = "\n".join(lines)
        text = re.sub(mark, lambda m, t=table: f"{m[1]}\n{t}\n\n{m[2]}", text, flags=re.DOTALL)
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
