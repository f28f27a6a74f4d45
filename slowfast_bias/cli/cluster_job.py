"""A command as a job of a cluster: what runs on its machines, and how it is started again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from slowfast_bias import preemption


class ClusterJob:
    """A command with its arguments; submitit writes it to a file and calls it on each process."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)

    def __call__(self) -> int:
        """Runs the command; ends this process with its status unless that is 0.

        A run whose machine is wanted back has saved by then, and SLURM is told to start it again.
        """
        from slowfast_bias.cli import main

        status = main(self.words)
        if status == preemption.STATUS:
            requeue()
        if status:
            sys.exit(status)
        return status


def requeue() -> None:
    """Tells SLURM to start this job again, from the first of its processes."""
    job = os.environ.get("SLURM_JOB_ID")
    if not job or os.environ.get("SLURM_PROCID", "0") != "0":
        return
    done = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"error: scontrol requeue {job}: {done.stderr.strip()}", file=sys.stderr)
