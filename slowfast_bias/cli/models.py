"""slowfast_bias models: the networks that come with a config, and the published files they load."""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import Any

from slowfast_bias.cli.arguments import shipped_configs
from slowfast_bias.cli.networks import network_configs
from slowfast_bias.errors import RequestError
from slowfast_bias.plain_table import markdown

ABOUT = (
    "List the networks that come with a config: their kind, their clips, whether this host can "
    "build them, and the published weight files that fit, with the top-1 that their publisher "
    "reports. A config's name, in lower case, is what measure --model takes."
)
EXAMPLE = "slowfast_bias models mvit"
HEAD = ("config", "kind", "frames x rate", "pixels", "here", "published files (top-1 %)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("words", nargs="*", metavar="WORD", help="only configs with these words")
    parser.add_argument(
        "--format", choices=("text", "md", "csv"), default="text", help="how the table is written"
    )


def main(args: argparse.Namespace) -> int:
    """Prints a row per config."""
    rows = [row for row in map(describe, network_configs()) if _is_wanted(row, args.words)]
    if not rows:
        raise RequestError(
            f"Expected words of a config's name or kind, but none has {' '.join(args.words)}. "
            f"For example: {EXAMPLE}"
        )
    table = [HEAD, *rows]
    if args.format == "csv":
        csv.writer(sys.stdout, lineterminator="\n").writerows(table)
    elif args.format == "md":
        print("\n".join(markdown(table, left=len(HEAD))))
    else:
        print("\n".join(line.rstrip() for line in _left(table)))
    return 0


def describe(config: str) -> tuple[str, ...]:
    """Returns the row of a config."""
    from slowfast_bias import engine, host
    from slowfast_bias.models.families import family_named
    from slowfast_bias.models.weights.published import files_for

    path = Path(shipped_configs(), f"{config}.yaml")
    cfg = engine.load_cfg([path], ["NUM_GPUS", 0], check=False)
    family = family_named(cfg.MODEL.MODEL_NAME)
    wants = (family.capability if family else "") or cfg.MODEL.ARCH
    files = [f"{x.file}{f' ({x.top1:g})' if x.top1 else ''}" for x in files_for(config)]
    return (
        config,
        family.name if family else cfg.MODEL.MODEL_NAME,
        *_clip(cfg),
        "yes" if wants in host.capabilities else "no",
        ", ".join(files),
    )


def _clip(cfg: Any) -> tuple[str, str]:
    """Returns frames x rate and pixels; those of a network whose folder says them are left out."""
    if cfg.MODEL.ARCH == "hf":
        return "its folder's", "its folder's"
    data = cfg.DATA
    if cfg.BIAS.DATA.SAMPLING == "segments":
        return f"{data.NUM_FRAMES} segments", str(data.TRAIN_CROP_SIZE)
    return f"{data.NUM_FRAMES} x {data.SAMPLING_RATE}", str(data.TRAIN_CROP_SIZE)


def _is_wanted(row: tuple[str, ...], words: list[str]) -> bool:
    name = f"{row[0]} {row[1]}".lower()
    return all(word.lower() in name for word in words)


def _left(table: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in table]
