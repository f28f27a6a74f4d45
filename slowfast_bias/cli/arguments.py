"""Arguments that mean the same in every command: --cfg, KEY VALUE, --out, --workers."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parent.parent
# Beside the package in a checkout, inside it in an installed wheel.
_ROOTS = (_PACKAGE.parent, _PACKAGE)


def add_config(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """Adds --cfg and KEY VALUE."""
    parser.add_argument(
        "--cfg", dest="cfg_files", action="append", default=[], required=required, metavar="FILE",
        help="YAML file, here or among those that come with the package; given several times, "
        "later ones win",
    )  # fmt: skip
    parser.add_argument(
        "--opts", dest="opts", action="store_const", const=[], default=[],
        help="may stand before KEY VALUE ...",
    )  # fmt: skip
    parser.usage = "%(prog)s --cfg FILE [--cfg FILE ...] [flags] [--opts] KEY VALUE ..."


def add_out(parser: argparse.ArgumentParser, text: str, **options: Any) -> None:
    """Adds --out."""
    parser.add_argument("--out", metavar=options.pop("metavar", "DIR"), help=text, **options)


def add_workers(parser: argparse.ArgumentParser, text: str, default: int | None = None) -> None:
    """Adds --workers, a number of processes."""
    parser.add_argument(
        "--workers", "--processes", dest="workers", type=int, default=default, metavar="N",
        help=text,
    )  # fmt: skip


def find_config(path: str) -> str:
    """Returns the file itself, or the one of that name that comes with this project."""
    if "://" in path or os.path.exists(path):  # which takes names that no file can have, too
        return path
    return next((str(root / path) for root in _ROOTS if os.path.exists(root / path)), path)


def shipped_configs() -> Path:
    """Returns the folder of the configs that come with this project."""
    return next(root / "configs" for root in _ROOTS if (root / "configs" / "Toy").is_dir())


def config_words(args: argparse.Namespace) -> list[Any]:
    """Returns KEY, VALUE, ... of the flags that stand for keys."""
    words: list[Any] = []
    if getattr(args, "out", None):
        words += ["OUTPUT_DIR", args.out]
    if getattr(args, "workers", None) is not None:
        words += ["DATA_LOADER.NUM_WORKERS", args.workers]
    return words


def number(low: float, high: float = math.inf, kind: type = int) -> Any:
    """Returns a type for argparse: numbers from `low` to `high`."""

    def parse(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            span = f"at least {low:g}" if high == math.inf else f"{low:g} to {high:g}"
            raise argparse.ArgumentTypeError(f"expected {span}, but got {text!r}")
        return value

    parse.__name__ = "number"
    return parse


def load(args: argparse.Namespace, first: Sequence[Any] = (), last: Sequence[Any] = ()) -> Any:
    """Returns the config of --cfg, then `first`, then flags, then KEY VALUE, then `last`."""
    from slowfast_bias import engine  # here, so that a missing host is an error like any other

    files = [find_config(path) for path in args.cfg_files]
    return engine.load_cfg(files, [*first, *config_words(args), *args.opts, *last])
