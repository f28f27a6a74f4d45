"""slowfast_bias run: trains, measures and tests, as the config says. SlowFast's run_net."""

from __future__ import annotations

import argparse
import logging
import sys

from slowfast_bias.cli.arguments import add_config, add_out, add_workers, load

ABOUT = (
    "Train, measure and test, as TRAIN.ENABLE, BIAS.ENABLE and TEST.ENABLE say. Flags are "
    "SlowFast's; tools/run_net.py is the same."
)
EXAMPLE = (
    "slowfast_bias run --cfg configs/Toy/SLOW_motion.yaml BIAS.ENABLE True OUTPUT_DIR runs/motion"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_out(parser, "where everything goes; the same as OUTPUT_DIR")
    add_workers(parser, "decoding processes of each process; as DATA_LOADER.NUM_WORKERS")
    parser.add_argument(
        "--init_method", "--init-method", metavar="URL",
        help="where several machines meet, tcp://HOST:PORT",
    )  # fmt: skip
    parser.add_argument("--num_shards", "--num-shards", type=int, help="number of machines")
    parser.add_argument("--shard_id", "--shard-id", type=int, help="number of this machine")


def main(args: argparse.Namespace) -> int:
    """Runs what the config enables."""
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    flags = {"NUM_SHARDS": args.num_shards, "SHARD_ID": args.shard_id}
    last = [word for key, value in flags.items() if value is not None for word in (key, value)]
    args.cfg = load(args, last=last)
    from slowfast_bias import engine

    engine.run(args.cfg, args.init_method)
    return 0


def interrupted(args: argparse.Namespace) -> str:
    """Returns what the user should know after Ctrl-C."""
    cfg = getattr(args, "cfg", None)
    if cfg is None:
        return "interrupted; the same command begins anew"
    if not cfg.TRAIN.ENABLE:
        return f"interrupted; the same command goes on from what {cfg.OUTPUT_DIR} has of it"
    more = "the same command" if cfg.TRAIN.AUTO_RESUME else "TRAIN.AUTO_RESUME True"
    return f"interrupted; the checkpoints in {cfg.OUTPUT_DIR} are whole, {more} goes on"
