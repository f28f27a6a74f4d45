"""slowfast_bias submit: another command, as a job of SLURM that is started again if preempted."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from typing import Any

from slowfast_bias.cli.arguments import number
from slowfast_bias.cli.cluster_job import ClusterJob
from slowfast_bias.cli.cluster_runs import COMMANDS, jobs_of
from slowfast_bias.errors import MissingPackageError, RequestError

ABOUT = (
    "Send a command to SLURM by submitit. Time that runs out and machines that are wanted back are "
    "announced by SIGUSR1: training saves after the epoch, and the job is queued again and goes "
    "on. A sweep or a reproduction is an array with a job per run."
)
EXAMPLE = (
    "slowfast_bias submit run --cfg configs/SSv2/SLOW_8x8_R50.yaml OUTPUT_DIR runs/plain "
    "--partition gpu --nodes 2 --gpus 8 --time 24:00:00"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command; all others are the other command's."""
    add = parser.add_argument
    add("command", choices=COMMANDS, metavar="COMMAND",
        help=f"{', '.join(COMMANDS)}, with its own arguments behind it")  # fmt: skip
    add("--partition", metavar="NAME", help="queue of the cluster; its default if not given")
    add("--nodes", type=number(1), default=1, metavar="N", help="machines of each job")
    add("--gpus", type=number(0), default=1, metavar="N",
        help="GPUs of each machine, with a process each: NUM_GPUS; 0: one process on the CPU"
        )  # fmt: skip
    add("--cpus", type=number(1), default=8, metavar="N",
        help="cores for each GPU, and for a process on the CPU: its own and its decoders'"
        )  # fmt: skip
    add("--mem", type=number(1), metavar="GB", help="memory of each machine")
    add("--time", type=minutes, default="24:00:00", metavar="[D-]H:M:S",
        help="limit of each start, of which there may be any number")  # fmt: skip
    add("--warn", type=number(30), default=600, metavar="S",
        help="seconds before the end at which SIGUSR1 comes: more than an epoch takes")  # fmt: skip
    add("--parallel", type=number(1), default=64, metavar="N", help="jobs of an array at a time")
    add("--slurm", action="append", default=[], metavar="KEY=VALUE",
        help="another flag of sbatch, such as account=lab; may be given several times")  # fmt: skip
    add("--jobs", default="runs/jobs", metavar="DIR",
        help="folder of scripts and logs; every machine must see it")  # fmt: skip
    add("--cluster", choices=("slurm", "local"), default="slurm",
        help="local: in the background of this machine, to try a command")  # fmt: skip
    parser.set_defaults(opts=[])
    parser.usage = "%(prog)s COMMAND [flags of the cluster] [arguments of the command]"


def main(args: argparse.Namespace) -> int:
    """Submits, and prints the number and the command of each job."""
    words = jobs_of(args.command, args.opts, args.gpus, args.nodes)
    for job, command in zip(submit(args, words), words, strict=True):
        print(f"job {job.job_id}: slowfast_bias {shlex.join(command)}")
    print(f"scripts and logs: {args.jobs}")
    return 0


def submit(args: argparse.Namespace, words: Sequence[Sequence[str]]) -> list[Any]:
    """Returns submitit's jobs, one per command; several are one array of SLURM."""
    executor = _executor(args.jobs, args.cluster)
    executor.update_parameters(**parameters(args))
    if len(words) == 1:
        return [executor.submit(ClusterJob(words[0]))]
    with executor.batch():
        return [executor.submit(ClusterJob(command)) for command in words]


def parameters(args: argparse.Namespace) -> dict[str, Any]:
    """Returns what submitit calls the flags: a process per GPU, which srun starts."""
    each = max(1, args.gpus) if args.nodes > 1 else 1  # on one machine the command starts them
    cpus = args.cpus * max(1, args.gpus) // each
    found = {
        "name": f"slowfast_bias_{args.command}",
        "timeout_min": args.time,
        "nodes": args.nodes,
        "tasks_per_node": each,
        "cpus_per_task": cpus,
        "slurm_array_parallelism": args.parallel,
        # since SLURM 22.05 srun does not take --cpus-per-task over from the script
        "slurm_srun_args": [f"--cpus-per-task={cpus}"],
        "slurm_additional_parameters": {
            "requeue": True, "signal": f"USR1@{args.warn}", **_more(args.slurm)
        },
    }  # fmt: skip
    found |= {"gpus_per_node": args.gpus} if args.gpus else {}
    found |= {"mem_gb": args.mem} if args.mem else {}
    return found | ({"slurm_partition": args.partition} if args.partition else {})


def minutes(text: str) -> int:
    """Returns the minutes of a time as SLURM writes it: M, M:S, H:M:S, D-H, D-H:M, D-H:M:S."""
    days, dash, clock = text.rpartition("-")
    try:
        day, numbers = int(days or 0), [int(part) for part in clock.split(":")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected [D-]H:M:S, but got {text!r}") from None
    hour, minute = (*numbers, 0)[:2] if dash or len(numbers) == 3 else (0, numbers[0])
    return max(1, 60 * (24 * day + hour) + minute)


def _executor(folder: str, cluster: str) -> Any:
    try:
        import submitit
    except ImportError as error:
        raise MissingPackageError(
            "Expected the package submitit, which submits jobs, but it is not installed: "
            "`pip install 'slowfast_bias[slurm]'`, or use the scripts in examples/slurm."
        ) from error
    try:
        return submitit.AutoExecutor(folder, cluster=cluster)
    except RuntimeError as error:  # no srun
        raise RequestError(
            f"Expected SLURM, but there is none here ({error}). Submit on a machine of the "
            "cluster, or try it with --cluster local."
        ) from error


def _more(pairs: Sequence[str]) -> dict[str, str]:
    if odd := next((pair for pair in pairs if "=" not in pair), None):
        raise RequestError(f"Expected --slurm KEY=VALUE, such as account=lab, but got {odd!r}.")
    return dict(pair.lstrip("-").split("=", 1) for pair in pairs)
