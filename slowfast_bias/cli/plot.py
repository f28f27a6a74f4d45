"""slowfast_bias plot: figures of what runs leave behind."""

from __future__ import annotations

import argparse

from slowfast_bias.cli.arguments import add_out

ABOUT = (
    "Draw what runs leave behind: reports, or bias over epochs, silenced units, frame orders, the "
    "battery of changed clips, the clips that drive units, or those that were made for units."
)
EXAMPLE = "slowfast_bias plot runs/*/bias/report.json --out bias.pdf"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    from slowfast_bias.visualization.figures.unit_scatter import AXES
    from slowfast_bias.visualization.plot import KINDS

    add = parser.add_argument
    add("reports", nargs="*", metavar="REPORT", help="bias/report.json of a run")
    add("--over-epochs", nargs="+", metavar="RUN", help="OUTPUT_DIR of runs: bias over training")
    add("--ablation", nargs="+", metavar="FILE", help="bias/ablation.json of runs: silenced units")
    add("--orders", nargs="+", metavar="FILE", help="bias/orders.json of runs: shuffled frames")
    add("--battery", nargs="+", metavar="FILE", help="bias/battery.json of runs: changed clips")
    add("--top-clips", nargs=1, metavar="FILE",
        help="bias/top_clips.json of a run: the clips that drive units most and least"
        )  # fmt: skip
    add("--maximised", nargs=1, metavar="FILE",
        help="maximised.json of a run: the clips that were made for units")  # fmt: skip
    add("--units", nargs="+", type=int, metavar="UNIT",
        help="units of --maximised: one (its film strips, or its moving picture if --out ends in "
        ".gif, .webp or .mp4), or two side by side; if not given, all in one figure"
        )  # fmt: skip
    add_out(parser, "the figure to write: .png, .pdf or .svg", required=True, metavar="FIG")
    add("--kind", choices=KINDS,
        help="kind of figure of reports; by default a page, which compares several")  # fmt: skip
    add("--layer",
        help="the layer of a scatter or of top clips (by default the last), over epochs (all, or "
        "the last), or of --units"
        )  # fmt: skip
    add("--value", choices=("score", "percent"),
        help="what curves show: scores (S_static, motion-only, content), or the shares of the "
        "paper; by default scores")  # fmt: skip
    add("--axes", choices=tuple(AXES),
        help="what a scatter shows: contrasts (motion-only against look-only, the default where "
        "they were measured), or paper (s_dynamic against s_static)")  # fmt: skip
    add("--names", nargs="+", metavar="NAME", help="names of the networks or runs, one per path")


def main(args: argparse.Namespace) -> int:
    """Writes the figure."""
    from slowfast_bias.visualization.plot import SOURCES, plot_files

    sources = {source: getattr(args, source) for source in SOURCES}
    options = {"kind": args.kind, "layer": args.layer, "value": args.value}
    options |= {"axes": args.axes, "units": args.units}
    plot_files(sources, args.out, args.names, **options)
    return 0
