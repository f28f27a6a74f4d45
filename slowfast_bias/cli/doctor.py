"""slowfast_bias doctor: what this installation can do, what it lacks, and how to get that."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import sys
from collections.abc import Iterator
from typing import NamedTuple

ABOUT = (
    "Show what this installation can do: Python, torch, the host and its networks, decoders, "
    "devices and optional packages; for each that is missing, what it would give and the command "
    "that installs it. The exit status is 1 if the main job, measuring a network on videos, "
    "cannot run."
)
EXAMPLE = "slowfast_bias doctor"

OK, MISSING, BROKEN = "ok", "missing", "BROKEN"
_PYTHON = (3, 10)
# package -> (extra of this project that installs it, what it gives)
_OPTIONAL = {
    "transformers": ("hf", "networks of Hugging Face (configs/HF)"),
    "submitit": ("slurm", "jobs of a SLURM cluster, slowfast_bias submit"),
    "tensorboard": ("tensorboard", "curves in TensorBoard, TENSORBOARD.ENABLE True"),
    "torchcodec": ("torchcodec", "another decoder, BIAS.DATA.DECODER torchcodec"),
}


class Finding(NamedTuple):
    """One line of what was found."""

    state: str  # OK, MISSING or BROKEN; only BROKEN keeps the main job from running
    subject: str
    text: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command: none."""


def main(args: argparse.Namespace) -> int:
    """Prints what was found; returns 1 if the main job cannot run."""
    from slowfast_bias import __version__

    print(f"slowfast_bias {__version__}")
    broken = []
    for finding in find_all():
        print(f"{finding.state:<7} {finding.subject:<13} {finding.text}")
        broken += [finding.subject] if finding.state == BROKEN else []
    if broken:
        print(f"\nthe main job cannot run: see {', '.join(broken)}")
        return 1
    print("\nthe main job can run: slowfast_bias measure --help")
    return 0


def find_all() -> Iterator[Finding]:
    """Yields a finding per piece of the installation."""
    version = platform.python_version()
    enough = sys.version_info >= _PYTHON
    wanted = ".".join(map(str, _PYTHON))
    yield Finding(
        OK if enough else BROKEN, "Python", version if enough else f"{version}, {wanted} is needed"
    )
    yield from _torch()
    yield from _decoders()
    yield from _host()
    yield from _packages()


def _torch() -> Iterator[Finding]:
    import torch

    yield Finding(OK, "torch", torch.__version__)
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    threads = f"CPU: {os.cpu_count()} cores, {torch.get_num_threads()} threads of torch"
    if gpus:
        yield Finding(OK, "devices", ", ".join(gpus))
    else:
        yield Finding(OK, "devices", f"{threads}; no GPU that torch can see: NUM_GPUS 0")


def _decoders() -> Iterator[Finding]:
    from slowfast_bias.datasets.decoding.read_frames import backend_version

    try:
        yield Finding(OK, "decoder", backend_version("pyav"))
    except Exception as error:
        yield Finding(BROKEN, "decoder", f"pyav: {error}. pip install 'av>=17'")
    if importlib.util.find_spec("torchcodec") is None:
        return  # named among the optional packages
    try:
        yield Finding(OK, "decoder", backend_version("torchcodec"))
    except Exception as error:
        yield Finding(MISSING, "decoder", f"torchcodec: {error}")


def _host() -> Iterator[Finding]:
    from slowfast_bias import host

    try:
        name, root = host.name, host.root
    except Exception as error:  # a broken package may raise anything
        yield Finding(BROKEN, "host", f"{error} (pip install pyslowfast==1.0)")
        return
    yield Finding(OK, "host", f"SlowFast {name} ({root})")
    yield Finding(OK, "networks", ", ".join(sorted(host.capabilities)))
    if name != "main":
        yield Finding(
            MISSING, "SlowFast main",
            "its newer data sets, and networks of a fork: git clone "
            "https://github.com/facebookresearch/SlowFast; export SLOWFAST_MAIN=$PWD/SlowFast; "
            "pip install 'slowfast_bias[main]'",
        )  # fmt: skip
    elif "ptv" not in host.capabilities:
        yield Finding(
            MISSING, "pytorchvideo",
            "MODEL.MODEL_NAME PTV...; its weight files need none: pip install torchvision "
            "pytorchvideo",
        )  # fmt: skip


def _packages() -> Iterator[Finding]:
    from slowfast_bias import host

    for package, (extra, gives) in _OPTIONAL.items():
        if importlib.util.find_spec(package) is None:
            yield Finding(MISSING, package, f"{gives}: pip install 'slowfast_bias[{extra}]'")
            continue
        text = f"{importlib.metadata.version(package)}: {gives}"
        lacking = _too_old(host, package)
        yield Finding(MISSING if lacking else OK, package, lacking or text)


def _too_old(host: object, package: str) -> str:
    """Returns what the host says of a package that is there but cannot be used; "" if nothing."""
    try:
        return host.remedy_for("hf") if package == "transformers" else ""
    except Exception:  # the host cannot be used: said above
        return ""
