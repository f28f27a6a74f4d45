"""As much of SLURM as a batch script sees: sbatch's flags, srun and scontrol.

`srun` writes down each process that it would start as the flags say, with the environment that
SLURM gives to it, and ends as it is told.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

# flags of sbatch(1) that scripts here may use
FLAGS = (
    "job-name", "partition", "nodes", "ntasks", "ntasks-per-node", "gpus-per-node", "cpus-per-task",
    "time", "output", "error", "open-mode", "signal", "array", "mem", "account", "wckey",
)  # fmt: skip
WRITE = """
import json, os, sys
def write(words, env):
    with open(env["FAKE_RECORDS"], "a") as file:
        print(json.dumps([os.path.basename(words[0]), words[1:], dict(env)]), file=file)
"""
SRUN = f"""{WRITE}
env, words = os.environ, sys.argv[1:]
while words[0].startswith("--"):
    words = words[1 if "=" in words[0] or words[0] == "--unbuffered" else 2 :]
nodes, each = int(env["FAKE_NODES"]), int(env["FAKE_EACH"])
step = {{"SLURM_STEP_NUM_TASKS": str(nodes * each),
        "SLURM_STEP_NODELIST": env["SLURM_JOB_NODELIST"],
        "SLURM_STEP_TASKS_PER_NODE": f"{{each}}(x{{nodes}})" if nodes > 1 else str(each)}}
for rank in range(nodes * each):
    mine = {{"SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank % each)}}
    write(words, {{**env, **step, **mine}})
sys.exit(int(env["FAKE_STATUS"]))
"""
SCONTROL = f"{WRITE}write(sys.argv, os.environ)"
SBATCH = f"{SCONTROL}\nprint('Submitted batch job 71')"


def parse(path: str | Path) -> argparse.Namespace:
    """The flags of a script's #SBATCH lines; one that sbatch does not know ends the test."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for flag in FLAGS:
        parser.add_argument(f"--{flag}")
    parser.add_argument("--requeue", action="store_true")
    words = re.findall(r"^#SBATCH (\S+)$", Path(path).read_text(), re.MULTILINE)
    assert len(words) == Path(path).read_text().count("#SBATCH")
    return parser.parse_args(words)


class FakeSlurm:
    """Runs batch scripts in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.records = folder / "bin", folder / "records"
        self.bin.mkdir()
        for name, code in {"srun": SRUN, "scontrol": SCONTROL, "sbatch": SBATCH}.items():
            (self.bin / name).write_text(f"#!{sys.executable} -SE\n{code}")
            (self.bin / name).chmod(0o755)

    def run(self, path: str | Path, index: int | None = None, status: int = 0) -> int:
        """Runs a script, or one index of its array, on `nodes`; its commands end with `status`."""
        flags = parse(path)
        nodes = int(flags.nodes or 1)
        each = int(flags.ntasks_per_node or int(flags.ntasks or nodes) // nodes)
        self.records.unlink(missing_ok=True)
        env = {
            "PATH": f"{self.bin}:{os.environ['PATH']}", "FAKE_RECORDS": str(self.records),
            "FAKE_STATUS": str(status), "FAKE_NODES": str(nodes), "FAKE_EACH": str(each),
            "SLURM_JOB_ID": "71", "SLURM_NTASKS": str(nodes * each),
            "SLURM_JOB_NODELIST": "gpu[03-06]" if nodes > 1 else "gpu03",
        }  # fmt: skip
        if flags.cpus_per_task:
            env["SLURM_CPUS_PER_TASK"] = flags.cpus_per_task
        if index is not None:
            env |= {"SLURM_ARRAY_JOB_ID": "70", "SLURM_ARRAY_TASK_ID": str(index)}
        return subprocess.run(["bash", str(path)], env=env, check=False).returncode

    def started(self, program: str) -> list[tuple[list[str], dict[str, str]]]:
        """(arguments, environment) of each process of a program in the last run."""
        lines = self.records.read_text().splitlines() if self.records.exists() else []
        return [(words, env) for name, words, env in map(json.loads, lines) if name == program]
