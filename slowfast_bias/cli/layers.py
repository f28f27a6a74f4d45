"""slowfast_bias layers: the layers of a network, as reports and BIAS.LAYERS name them."""

from __future__ import annotations

import argparse
from typing import Any

from slowfast_bias.cli.arguments import add_config, load
from slowfast_bias.cli.networks import find_network
from slowfast_bias.errors import RequestError

ABOUT = (
    "List the layers of a network that BIAS.LAYERS auto measures, with their number of units "
    "and how their tensors are read; --all lists every module that can be measured, with the shape "
    "of what it returns for one clip, * before those of auto."
)
EXAMPLE = "slowfast_bias layers --model slowfast_r50"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser, required=False)
    parser.add_argument("--model", metavar="NAME", help="name of a network, instead of a YAML file")
    parser.add_argument("--all", action="store_true", help="list every module too")
    parser.usage = "%(prog)s (FILE.yaml | --cfg FILE | --model NAME) [--all] KEY VALUE ..."


def main(args: argparse.Namespace) -> int:
    """Prints a line per layer."""
    if args.opts and str(args.opts[0]).endswith((".yaml", ".yml")):
        args.cfg_files = [args.opts.pop(0), *args.cfg_files]
    if args.model:
        args.cfg_files = [find_network(args.model), *args.cfg_files]
    if not args.cfg_files:
        raise RequestError(f"Expected FILE.yaml or --model NAME. For example: {EXAMPLE}")
    cfg = load(args, first=["NUM_GPUS", 0, "NUM_SHARDS", 1, "TRAIN.ENABLE", False])
    import torch

    from slowfast_bias import engine
    from slowfast_bias.bias import evaluating, tapped
    from slowfast_bias.engine.measuring.layers import configured_taps
    from slowfast_bias.engine.tasks import make_task
    from slowfast_bias.models.families import family_of

    model = engine.build_network(cfg)
    family, task = family_of(model), make_task(cfg, model)
    size = cfg.DATA.TRAIN_CROP_SIZE
    clip = torch.zeros(1, 3, cfg.DATA.NUM_FRAMES, size, size)
    taps, spec = configured_taps(cfg, model), family.input_spec
    streams = sum(stream.channels for stream in spec.streams) // 3 if spec else 1
    inputs = task.pack(clip) * streams  # flow is shown as pictures
    with torch.no_grad(), evaluating(model), tapped(model, taps) as features:
        family.call(model, inputs)
    print(
        f"{family.name}, {', '.join(cfg.BIAS.LAYERS)}: clips of {cfg.DATA.NUM_FRAMES} frames, "
        f"{size} x {size}"
    )
    longest = max(map(len, features))
    for name, units in features.items():
        print(f"  {name:<{longest}} {units.shape[1]:>6} units  {features.axes[name].words()}")
    if args.all:
        with torch.no_grad(), evaluating(model):
            _print_modules(model, lambda: family.call(model, inputs), taps)
    return 0


def _print_modules(model: Any, forward: Any, taps: list) -> None:
    from slowfast_bias.bias.taps import outputs_of

    outputs, modules = outputs_of(model, forward), dict(model.named_modules())
    measured = {tap.module for tap in taps}
    rows = [["  modules", "", ""]]
    for name, runs in outputs.items():
        if not name:
            continue
        shape = " and ".join(str(shape) for shape in runs[0])
        times = f", {len(runs)} times" if len(runs) > 1 else ""
        mark = "*" if name in measured else " "
        rows.append([f"{mark} {name}", f"{type(modules[name]).__name__}  ", f"{shape}{times}"])
    widths = [max(len(row[i]) for row in rows) for i in (0, 1)]
    print("\n".join(f"{a:<{widths[0]}}  {b:<{widths[1]}}{c}".rstrip() for a, b, c in rows))
