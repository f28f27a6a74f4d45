"""What `slowfast_bias prepare` does with sequences that have masks: davis16, moca and the like."""

from __future__ import annotations

import argparse
import shlex

from slowfast_bias.errors import RequestError
from slowfast_bias.progress_bar import bar

_OF_VIDEOS = ("videos", "separator", "short_side", "quick")  # flags that mean nothing here


def prepare_sequences(args: argparse.Namespace) -> int:
    """Prepares, and prints what goes on the command line of a run, and what is still to be done."""
    from slowfast_bias.datasets.preparing.segments import prepare_segments

    if given := [name for name in _OF_VIDEOS if getattr(args, name)]:
        flag = given[0].replace("_", "-")
        raise RequestError(
            f"Expected no --{flag} with {args.format}, whose images and masks are below --lists. "
            "Leave it out."
        )
    made = prepare_segments(
        args.format, args.lists.rstrip("/") or "/", args.out,
        names=args.names, processes=args.workers, progress=bar,
    )  # fmt: skip
    for split, count in made.counts.items():
        print(
            f"{split:<5} {count.frames} frames, {count.masks} masks of which {count.empty} are "
            f"empty, in {args.out}/{split}.txt"
        )
    print(f"{len(made.bad)} bad sequences, named in {args.out}/bad.csv")
    print("a run takes them with:", shlex.join(w for pair in made.keys.items() for w in pair))
    print(made.no_flow or "their flow is there")
    return 0 if any(count.frames for count in made.counts.values()) else 1
