"""slowfast_bias measure: static and dynamic bias of every layer of a network."""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from slowfast_bias.cli import own_network
from slowfast_bias.cli.arguments import (
    add_config,
    add_out,
    add_workers,
    config_words,
    load,
    number,
)
from slowfast_bias.cli.networks import ALIASES, find_network
from slowfast_bias.errors import RequestError

ABOUT = (
    "Measure static and dynamic bias of every layer. Either by a config (--cfg), or in one line: "
    "--model, --weights and --videos need no YAML, no list and no labels."
)
EXAMPLE = "slowfast_bias measure --model slow_r50 --weights SLOWONLY_8x8_R50.pkl --videos clips"
_STEPS = ["TRAIN.ENABLE", False, "TEST.ENABLE", False, "BIAS.ENABLE", True]
_BATCH = 8  # clips at a time; it does not change the numbers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser, required=False)
    add = parser.add_argument
    add("--model", metavar="NAME",
        help=f"network: {', '.join(ALIASES)}, the name of a shipped config, a YAML file, or "
        "FILE.py:BUILD, a function that returns a network of your own"
        )  # fmt: skip
    add(
        "--weights",
        metavar="FILE",
        help="its weights: a file of PyTorch, safetensors, or a model zoo, or a folder of Hugging "
        "Face (--model videomae, ...)",
    )
    add("--videos", metavar="DIR", help="folder of videos; no list and no labels are needed")
    add_out(parser, "where results go; by default bias_WEIGHTS in the short way")
    add_workers(parser, "decoding processes; as DATA_LOADER.NUM_WORKERS")
    add("--no-baseline", action="store_true",
        help="leave out the untrained twin, which is measured from the same views as a reference: "
        "no second decoding, but twice the network's own work")  # fmt: skip
    add("--top-clips", type=number(0), metavar="N",
        help="clips of either end of a unit that are shown: those that drive it most and least; "
        "as BIAS.TOP_CLIPS")  # fmt: skip
    add("--twin", action="append", metavar="FILE",
        help="other weights of the same network, measured from the same reading of the videos; "
        "may be given several times; as BIAS.TWINS")  # fmt: skip
    own_network.add_own_flags(parser)
    parser.usage = (
        "%(prog)s --model NAME --weights FILE --videos DIR [flags] KEY VALUE ...\n"
        "       %(prog)s --model FILE.py:BUILD [--weights FILE] --videos DIR [flags]\n"
        "       %(prog)s --cfg FILE [--cfg FILE ...] [flags] KEY VALUE ..."
    )


def main(args: argparse.Namespace) -> int:
    """Measures, and prints the long command that does the same."""
    if own_network.is_own(args.model):
        return own_network.main(args)
    own_network.check_flags(args)
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    short = [args.model, args.weights, args.videos]
    if any(short):
        first = _short_way(args)
    elif args.cfg_files:
        first = _steps(args)
    else:
        raise RequestError(
            "Expected --model NAME --weights FILE --videos DIR, or --cfg FILE, but got neither. "
            f"For example: {EXAMPLE}"
        )
    cfg = load(args, first=first)
    from slowfast_bias import engine

    engine.run(cfg)
    if any(short):
        words = map(str, [*first, *config_words(args), *args.opts])
        files = (word for path in args.cfg_files for word in ("--cfg", path))
        print(f"\nthe same in full:\n  {shlex.join(['slowfast_bias', 'run', *files, *words])}")
    return 0


def _steps(args: argparse.Namespace) -> list[Any]:
    clips = [] if args.top_clips is None else ["BIAS.TOP_CLIPS", args.top_clips]
    twins = [] if args.twin is None else ["BIAS.TWINS", args.twin]
    return [*_STEPS, "BIAS.BASELINE", not args.no_baseline, *clips, *twins]


def _short_way(args: argparse.Namespace) -> list[Any]:
    """Fills in --cfg and --out; returns KEY, VALUE, ... for the weights and the videos."""
    for name in ("model", "weights", "videos"):
        if not getattr(args, name):
            raise RequestError(
                f"Expected --model NAME, --weights FILE and --videos DIR together, but --{name} "
                "is missing."
            )
    if not os.path.isdir(args.videos) and "://" not in args.videos:
        raise RequestError(
            f"Expected a folder of videos with --videos, but {args.videos!r} is none."
        )
    args.cfg_files = [find_network(args.model), *args.cfg_files]
    args.out = args.out or f"bias_{Path(args.weights).stem}"
    import torch

    words: list[Any] = [
        *_steps(args),
        "TEST.CHECKPOINT_FILE_PATH", args.weights,
        "TRAIN.DATASET", "videos",
        "BIAS.DATA.FORMAT", "unlabelled",
        "BIAS.STYLES.FAMILY", "grade",  # a trained network still recognises most clips in it
        "DATA.PATH_TO_DATA_DIR", args.videos,
        "NUM_GPUS", int(torch.cuda.is_available()),
        "BIAS.BATCH_SIZE", _BATCH,
    ]  # fmt: skip
    if args.workers is None:
        words += ["DATA_LOADER.NUM_WORKERS", min(8, os.cpu_count() or 1)]
    return words + _keys_of_weights(args.weights)


def _keys_of_weights(path: str) -> list[Any]:
    """Returns KEY, VALUE, ... that follow from a file: its classes, and how it wants colours."""
    if os.path.isfile(f"{path}/config.json"):
        return ["BIAS.HF.FOLDER", path]  # which says it all
    from slowfast_bias.models.weights.describe import classes_of
    from slowfast_bias.models.weights.names import find_table_of
    from slowfast_bias.models.weights.readers import read_checkpoint
    from slowfast_bias.models.weights.tables import colours_of

    weights = read_checkpoint(path)["model_state"]
    classes, table = classes_of(weights), find_table_of(weights)[0]
    keys = colours_of(table) | ({"MODEL.NUM_CLASSES": classes} if classes else {})
    return [word for pair in keys.items() for word in pair]
