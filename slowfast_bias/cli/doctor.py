"""slowfast_bias doctor: what this installation can do, and what it lacks."""

from __future__ import annotations

import argparse
import importlib.util
import platform

from slowfast_bias.errors import UserError

ABOUT = "Show what this installation can do: host, networks, devices, decoders, optional packages."
EXAMPLE = "slowfast_bias doctor"
_OPTIONAL = {
    "tensorboard": "TENSORBOARD.ENABLE True",
    "torchcodec": "BIAS.DATA.DECODER torchcodec",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command: none."""


def main(args: argparse.Namespace) -> int:
    """Prints what was found; returns 1 if the host cannot be used."""
    import torch

    import slowfast_bias
    from slowfast_bias.datasets.decoding.read_frames import backend_version

    print(f"slowfast_bias {slowfast_bias.__version__}, Python {platform.python_version()}, torch "
          f"{torch.__version__}")  # fmt: skip
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    print(f"devices       {', '.join(gpus) or f'CPU, {torch.get_num_threads()} threads'}")
    for decoder in ("pyav", "torchcodec"):
        try:
            print(f"decoder       {backend_version(decoder)}")
        except UserError as error:
            print(f"decoder       {decoder}: not usable: {error}")
    for package, use in _OPTIONAL.items():
        there = importlib.util.find_spec(package) is not None
        print(f"optional      {package}: {'installed' if there else f'missing, for {use}'}")
    return _host()


def _host() -> int:
    from slowfast_bias import host

    try:
        print(f"host          SlowFast {host.name} ({host.root})")
    except (UserError, ImportError) as error:
        print(f"host          not usable: {error}")
        return 1
    print(f"networks      {', '.join(sorted(host.capabilities))}")
    if host.name != "main":
        print(f"              {host.remedy}")
    return 0
