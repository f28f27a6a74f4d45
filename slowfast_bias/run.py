"""Floor 4: the command line. ``python -m slowfast_bias --cfg FILE [--cfg FILE ...] KEY VALUE ...``.

Trains, measures and tests, as TRAIN.ENABLE, BIAS.ENABLE and TEST.ENABLE say. Flags are SlowFast's;
a config that is not a file here is looked up among those that come with the package.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from fvcore.common.config import CfgNode

from slowfast_bias import interrupts
from slowfast_bias.errors import UserError

_HERE = Path(__file__).resolve().parent
# Beside the package in a checkout, inside it in an installed wheel.
_CONFIGS = (_HERE.parent, _HERE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the config enables; returns the exit status.

    2 where the user can mend what went wrong, 130 after Ctrl-C.
    """
    args = _parse(arguments)
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    cfg = None
    try:
        cfg = _load(args)
        _run(cfg, args.init_method)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(_interrupted(cfg), file=sys.stderr)
        return interrupts.STATUS
    return 0


def _load(args: argparse.Namespace) -> CfgNode:
    from slowfast_bias import engine

    flags = {"NUM_SHARDS": args.num_shards, "SHARD_ID": args.shard_id}
    opts = [word for key, value in flags.items() if value is not None for word in (key, value)]
    return engine.load_cfg([find_config(path) for path in args.cfg_files], [*args.opts, *opts])


def _run(cfg: CfgNode, init_method: str | None) -> None:
    from slowfast_bias import engine
    from slowfast_bias.engine.preflight.lists import check_lists

    check_lists(cfg)
    if cfg.TRAIN.ENABLE:
        engine.train(cfg, init_method)
    if cfg.BIAS.ENABLE:
        engine.measure(cfg, init_method)
    if cfg.TEST.ENABLE:
        engine.test(cfg, init_method)
    if cfg.BIAS.SHUFFLE.TEST:
        engine.test_orders(cfg, init_method)
    if cfg.BIAS.ABLATION.ENABLE:
        engine.ablate(cfg, init_method)


def _interrupted(cfg: CfgNode | None) -> str:
    """What the user should know after Ctrl-C."""
    if cfg is None or not cfg.TRAIN.ENABLE:
        return "interrupted; the same command begins anew"
    more = "the same command" if cfg.TRAIN.AUTO_RESUME else "TRAIN.AUTO_RESUME True"
    return f"interrupted; the checkpoints in {cfg.OUTPUT_DIR} are whole, {more} goes on"


def find_config(path: str) -> str:
    """The file itself, or the one of that name that comes with this project."""
    if "://" in path or Path(path).exists():
        return path
    return next((str(root / path) for root in _CONFIGS if (root / path).exists()), path)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="slowfast_bias",
        description=__doc__.split("\n\n")[1],
        usage="%(prog)s --cfg FILE [--cfg FILE ...] [flags] [--opts] KEY VALUE ...",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--cfg", dest="cfg_files", action="append", required=True, metavar="FILE",
        help="YAML file; may be given several times, later ones win",
    )  # fmt: skip
    parser.add_argument(
        "--init_method", "--init-method", help="meeting point of several machines, tcp://HOST:PORT"
    )
    parser.add_argument("--num_shards", "--num-shards", type=int, help="number of machines")
    parser.add_argument("--shard_id", "--shard-id", type=int, help="which one this is")
    parser.add_argument("--opts", action="store_true", help="may stand before KEY VALUE ...")
    # what argparse does not know is KEY VALUE; a typo in a flag becomes an unknown key
    args, args.opts = parser.parse_known_args(arguments)
    return args
