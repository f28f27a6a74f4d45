"""The plugin's ways into SlowFast, each in a process of its own: it changes what it enters."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

pytestmark = [pytest.mark.host, pytest.mark.host_main]

MAIN = Path(os.environ.get("SLOWFAST_MAIN", "/nowhere"))


def run(*words, path=(), **env):
    """The output of `python words...`, with this project and `path` importable."""
    paths = os.pathsep.join(map(str, [ROOT, *path]))
    plain = {key: value for key, value in os.environ.items() if key != "SLOWFAST_MAIN"}
    return subprocess.run(
        [sys.executable, *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
        env={**plain, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", **env},
    )  # fmt: skip


def test_what_is_installed_works():
    """`installed.py`, a file of tests."""
    file = Path(__file__).parent / "installed.py"
    words = ["-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", file]
    done = run(*words, path=[ROOT / "tests"], SLOWFAST_MAIN=str(MAIN))
    assert done.returncode == 0, done.stdout


def test_with_bias_off_the_weights_are_those_of_slowfast_without_the_plugin(tmp_path):
    done = run(Path(__file__).parent / "off.py", MAIN, tmp_path)
    digests = [line for line in done.stdout.splitlines() if re.fullmatch("[0-9a-f]{64}", line)]
    assert done.returncode == 0 and len(digests) == 2, done.stdout
    assert digests[0] == digests[1]


SCRIPT = """
import sys
import torch
from slowfast.config.defaults import get_cfg
from vision.fair.slowfast.tools.train_net import train

def found(rank, word):
    print("in", __name__, rank, word, "BIAS" in get_cfg(), train.__module__, flush=True)

if __name__ == "__main__":
    found(0, sys.argv[1:])
    torch.multiprocessing.spawn(found, nprocs=1, args=("child",))
"""


def test_the_launcher_runs_an_unmodified_script_and_the_processes_that_it_spawns(tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    (tmp_path / "slowfast").symlink_to(MAIN / "slowfast")
    (tools / "train_net.py").symlink_to(MAIN / "tools" / "train_net.py")
    (tools / "run_net.py").write_text(SCRIPT)
    done = run("-m", "slowfast_bias.plugin", tools / "run_net.py", "--cfg", "x.yaml")
    assert done.returncode == 0, done.stdout
    of_tools = "vision.fair.slowfast.tools.train_net"
    assert f"in __main__ 0 ['--cfg', 'x.yaml'] True {of_tools}" in done.stdout
    assert f"in __mp_main__ 0 child True {of_tools}" in done.stdout


IMPORT = "from slowfast_bias.plugin import add_bias_config"
# above the function, when SlowFast's defaults do not exist yet, or in it
LINES = (
    f"{IMPORT}\ndef add_custom_config(_C):\n    add_bias_config(_C)\n",
    f"def add_custom_config(_C):\n    {IMPORT}\n    add_bias_config(_C)\n",
)
ASKED = """
import slowfast_bias.host as host
if {ours}:  # our own command loads its host before anything else
    print(host.name, host.get_cfg().BIAS.PERIOD)
    import slowfast.utils.parser  # and now SlowFast's loop after all
from slowfast.config.defaults import assert_and_infer_cfg
from slowfast.utils.misc import launch_job
from slowfast.utils.parser import load_config
from vision.fair.slowfast.tools.demo_net import demo
from slowfast.datasets.build import DATASET_REGISTRY
print("Shuffledssv2" in DATASET_REGISTRY, getattr(load_config, "checks_bias", None), host.root)
"""


@pytest.mark.parametrize(("lines", "ours"), [(LINES[0], False), (LINES[1], True)], ids=["", "ours"])
def test_lines_in_custom_config_are_enough_and_our_command_takes_that_fork(lines, ours, tmp_path):
    shutil.copytree(MAIN / "slowfast", tmp_path / "slowfast")
    (tmp_path / "tools").symlink_to(MAIN / "tools")
    custom = tmp_path / "slowfast" / "config" / "custom_config.py"
    custom.write_text(lines)
    done = run("-c", ASKED.format(ours=ours), path=[tmp_path])
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith(f"True True {tmp_path.resolve() / 'slowfast'}\n"), done.stdout
