"""slowfast_bias measure --model FILE.py:BUILD: a network of one's own, without config or labels."""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from slowfast_bias.errors import RequestError

EXAMPLE = (
    "slowfast_bias measure --model my_net.py:build --weights w.pth --videos clips --frames 16 "
    "--size 224 --layers 'layer*'"
)


def add_own_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that only such a network has."""
    group = parser.add_argument_group("a network of your own, --model FILE.py:BUILD")
    add = group.add_argument
    add("--frames", type=int, metavar="T", help="frames of a clip (16)")
    add("--size", type=int, metavar="PIXELS", help="side of a clip (224)")
    add("--rate", type=float, metavar="N", help="every so many frames of the video (2)")
    add("--clips-per-video", type=int, metavar="K", help="clips of each video, evenly spread (1)")
    add("--layers", nargs="+", metavar="NAME", help="modules, or patterns such as 'Mixed_*'")
    add(
        "--mean",
        type=float,
        nargs="+",
        metavar="X",
        help="subtracted from each colour, in [0, 1] (.45 .45 .45)",
    )
    add(
        "--std",
        type=float,
        nargs="+",
        metavar="X",
        help="each colour is then divided by it (.225 .225 .225)",
    )
    add(
        "--layout",
        choices=("BCTHW", "BTCHW", "frames"),
        help="order of its input; found if not given",
    )
    add("--keyword", metavar="NAME", help="the argument that gets the clips")
    add("--styles", metavar="FAMILY", help="family of the generated styles (grade)")
    add("--seed", type=int, metavar="N", help="seed of orders and pairs of styles (0)")
    add("--effect", action="store_true", default=None, help="show a fourth view, for the order")


_FLAGS = (
    "frames", "size", "rate", "clips_per_video", "layers", "mean", "std", "layout", "keyword",
    "styles", "seed", "effect",
)  # fmt: skip


def is_own(name: str | None) -> bool:
    """Returns whether --model names a function in a Python file."""
    return bool(name) and name.rpartition(":")[0].endswith(".py")


def check_flags(args: argparse.Namespace) -> None:
    """Raises RequestError if a flag of one's own network was given for another."""
    for flag in _FLAGS:
        if getattr(args, flag, None) is not None:
            raise RequestError(
                f"Expected --{flag.replace('_', '-')} only with --model FILE.py:BUILD; for a known "
                "network give KEY VALUE, such as DATA.NUM_FRAMES 16. For example: " + EXAMPLE
            )


def main(args: argparse.Namespace) -> int:
    """Measures the network, and the same one with fresh weights as a reference."""
    if args.cfg_files or args.opts:
        raise RequestError(
            f"Expected no --cfg and no KEY VALUE with --model {args.model}, but got "
            f"{' '.join([*args.cfg_files, *map(str, args.opts)])}. For example: {EXAMPLE}"
        )
    if args.workers is not None:
        raise RequestError(
            f"Expected no --workers with --model {args.model}, whose videos are read by this "
            f"process, but got {args.workers}."
        )
    if args.top_clips is not None:
        raise RequestError(
            f"Expected no --top-clips with --model {args.model}, but got {args.top_clips}: clips "
            "of units are kept for networks of configs alone."
        )
    if args.twin is not None:
        raise RequestError(
            f"Expected no --twin with --model {args.model}, but got {' '.join(args.twin)}: "
            "measure each by itself, or all with `slowfast_bias.measure({name: network, ...})`."
        )
    if not args.videos:
        raise RequestError("Expected --videos DIR, a folder of videos. For example: " + EXAMPLE)
    build = find_build(args.model)
    models = {"trained": _built(build, args.model)}
    if args.weights:
        _load(models["trained"], args.weights)
        if not getattr(args, "no_baseline", False):
            models["untrained"] = _built(build, args.model)
    out = args.out or f"bias_{Path(args.weights or args.model.rpartition(':')[0]).stem}"
    import warnings

    from slowfast_bias.direct import measure
    from slowfast_bias.engine.measuring.report_files import write_reports

    given = {f: getattr(args, f) for f in _FLAGS if getattr(args, f) is not None}
    meta = {"checkpoint": args.weights or "", "build": args.model}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the table and the meta say the same
        reports = measure(models, args.videos, meta=meta, **given)
    write_reports(out, reports)
    others = {name: report for name, report in reports.items() if name == "untrained"}
    print(f"{reports['trained'].table(others)}\n")
    print(f"report: {out}/bias/report.{{json,csv,md,png}}")
    if not args.weights:
        print("without --weights the network is as BUILD returns it, and has no untrained twin")
    return 0


def find_build(name: str) -> Callable[[], Any]:
    """Returns the function that FILE.py:BUILD names."""
    path, _, function = name.rpartition(":")
    if not os.path.isfile(path):
        raise RequestError(f"Expected a Python file at {path}, but there is none.")
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(Path(path).resolve().parent))  # what it imports lies beside it
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise RequestError(
            f"Expected to import {path}, but it raises {type(error).__name__}: {error}"
        ) from error
    build = getattr(module, function, None)
    if not callable(build):
        there = [key for key, value in vars(module).items() if callable(value) and key[0] != "_"]
        raise RequestError(
            f"Expected a function {function!r} in {path}, but it has {', '.join(there) or 'none'}."
        )
    needed = [
        p.name
        for p in inspect.signature(build).parameters.values()
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if needed:
        raise RequestError(
            f"Expected {function!r} in {path} to take no arguments, but it needs "
            f"{', '.join(needed)}: give them defaults."
        )
    return build


def _built(build: Callable[[], Any], name: str) -> Any:
    import torch

    torch.manual_seed(0)  # fresh weights are the same in every run
    model = build()
    if not isinstance(model, torch.nn.Module):
        raise RequestError(
            f"Expected {name} to return a torch.nn.Module, but it returns {type(model).__name__}."
        )
    return model.to("cuda") if torch.cuda.is_available() else model


def _load(model: Any, path: str) -> None:
    from slowfast_bias.models.weights.fit import load_weights
    from slowfast_bias.models.weights.readers import read_checkpoint

    load_weights(model, read_checkpoint(path)["model_state"], path)
