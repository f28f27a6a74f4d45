"""slowfast_bias layers: the layers of a network, as reports and BIAS.LAYERS name them."""

from __future__ import annotations

import argparse

from slowfast_bias.cli.arguments import add_config, load
from slowfast_bias.cli.networks import find_network
from slowfast_bias.errors import RequestError

ABOUT = (
    "List the layers of a network that BIAS.LAYERS auto measures, with their number of units "
    "and how their tensors are read; "
    "--all adds every module that can be named."
)
EXAMPLE = "slowfast_bias layers --model slowfast_r50"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser, required=False)
    parser.add_argument("--model", metavar="NAME", help="name of a network, instead of --cfg")
    parser.add_argument("--all", action="store_true", help="list every module too")
    parser.usage = "%(prog)s (--cfg FILE | --model NAME) [--all] KEY VALUE ..."


def main(args: argparse.Namespace) -> int:
    """Prints a line per layer."""
    if args.model:
        args.cfg_files = [find_network(args.model), *args.cfg_files]
    if not args.cfg_files:
        raise RequestError(f"Expected --cfg FILE or --model NAME. For example: {EXAMPLE}")
    cfg = load(args, first=["NUM_GPUS", 0, "TRAIN.ENABLE", False])
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
    with torch.no_grad(), evaluating(model), tapped(model, configured_taps(cfg, model)) as features:
        family.call(model, task.pack(clip))
    print(f"{family.name}: {', '.join(cfg.BIAS.LAYERS)}")
    for name, units in features.items():
        print(f"  {name:<12} {units.shape[1]:>6} units  {features.axes[name].words()}")
    if args.all:
        for name, module in model.named_modules():
            print(f"  {name}  {type(module).__name__}" if name else "modules:")
    return 0
