"""A script for SLURM: an array with one index per run, each a command as one would type it."""

from __future__ import annotations

from collections.abc import Sequence

from slowfast_bias.engine.studies.reproduction.runner import Intent
from slowfast_bias.errors import RequestError
from slowfast_bias.files import write_whole

_HEAD = """\
#!/bin/bash
# {count} runs of slowfast_bias reproduce {names}. Submit with: sbatch {path}
# Partition, time, memory, account: add them here, or give them to sbatch.
#SBATCH --job-name=slowfast_bias
#SBATCH --array=0-{last}
#SBATCH --output={folder}/%A_%a.log
#SBATCH --open-mode=append
#SBATCH --nodes=1
#SBATCH --ntasks=1
{gpus}#SBATCH --cpus-per-task={cpus}
#SBATCH --requeue
#SBATCH --signal=USR1@600
set -u
# One task: the command itself starts NUM_GPUS processes. A run that is started again goes on.
case "$SLURM_ARRAY_TASK_ID" in
"""
_TAIL = """\
esac
# Since SLURM 22.05 srun does not take the number of cores over from above.
export SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"
srun "$@"
status=$?
# 75: the machine was wanted back, and what there was to save is saved.
if [ $status -eq 75 ]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit $status
"""


def write_script(found: Sequence[Intent], folder: str, names: Sequence[str]) -> str:
    """Writes `runs.sbatch` with the runs of an array; returns its path. Submits nothing."""
    todo = runs_for_an_array(found)
    path = f"{folder}/runs.sbatch"
    gpus = max(x.cfg.NUM_GPUS for x in todo)
    cpus = max(1, *(max(1, x.cfg.NUM_GPUS) * (1 + x.cfg.DATA_LOADER.NUM_WORKERS) for x in todo))
    head = _HEAD.format(
        count=len(todo), names=" ".join(names), path=path, last=len(todo) - 1, folder=folder,
        gpus=f"#SBATCH --gpus-per-node={gpus}\n" if gpus else "", cpus=cpus,
    )  # fmt: skip
    lines = (f"{i}) # {x.job.name}\n  set -- {x.job.command()}\n  ;;\n" for i, x in enumerate(todo))
    with write_whole(path) as file:
        file.write(head + "".join(lines) + _TAIL)
    return path


def runs_for_an_array(found: Sequence[Intent]) -> list[Intent]:
    """Returns the runs that are left; RequestError if there is none, or if one needs another.

    Those of `later` are not in it: indices of an array do not wait for each other.
    """
    waiting = later(found)
    todo = [x for x in found if x.left and x not in waiting]
    if not todo:
        lacks = ", ".join(dict.fromkeys(x.job.lacks for x in found if x.job.lacks))
        raise RequestError(
            "Expected a run that is left to do, but all are done or lack something"
            f"{lacks and f': {lacks}'}."
        )
    if chained := next((x.job for x in todo if x.job.after), None):
        raise RequestError(
            f"Expected runs that need no other, but {chained.name} begins with the weights of "
            f"{chained.after}: toy runs take minutes, do them here, without --slurm."
        )
    return todo


def later(found: Sequence[Intent]) -> list[Intent]:
    """Returns the runs that take the weights of another run that is still to be done."""
    left = {x.job.name for x in found if x.left}
    return [x for x in found if x.left and x.job.setting is None and x.job.after in left]
