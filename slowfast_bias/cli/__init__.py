"""Floor 6: the command line. `slowfast_bias COMMAND ...`, or `python -m slowfast_bias COMMAND ...`.

Each command is a file of this folder with `ABOUT`, `EXAMPLE`, `add_arguments(parser)` and
`main(args)`, and a line in COMMANDS. Without a command, flags such as `--cfg` mean `run`.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import importlib
import sys
import textwrap
from collections.abc import Sequence
from types import ModuleType

from slowfast_bias.cli.boundary import guarded

# Name of a file here -> what it does, in the order in which a newcomer meets them.
COMMANDS = {
    "demo": "train and measure four toy networks whose bias is known",
    "measure": "measure a network: by a config, or in one line without one",
    "run": "train, measure and test as a config says (SlowFast's run_net)",
    "test": "test a checkpoint, also with shuffled frames or silenced units",
    "battery": "test a checkpoint with changed clips: frames, looks, outputs that move",
    "maximise": "make the clips that units want to see, with numbers",
    "report": "a page for a person, and a table, of what runs found",
    "compare": "one table over several reports, or the agreement of two banks",
    "plot": "draw reports, bias over epochs, silenced units, frame orders, batteries",
    "models": "the networks that come with a config, and the files they load",
    "layers": "list the layers of a network",
    "prepare": "make checked lists of a data set",
    "check": "decode the videos of a config before a run",
    "flow": "compute the optical flow of sequences of pictures",
    "centre": "where in the frames of a data set objects are: the mean mask",
    "stylize": "write videos in several styles, to be measured",
    "styles": "how strong a bank of styles is, and whether it flickers",
    "sweep": "train with every kind, rate and seed of dropout",
    "submit": "another command as a job of SLURM, started again if preempted",
    "reproduce": "run, draw and tabulate the figures of the paper, or toy counterparts",
    "doctor": "what this installation can do",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status.

    0, 1 if the command found something bad or left something out, 2 if the user can fix what went
    wrong, 130 after Ctrl-C.
    """
    atexit.register(gc.freeze)  # else Python looks at all that torch is before it ends: .5 s
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        print(overview())
        return 0
    if words[0] == "--version":
        from slowfast_bias import __version__

        print(f"slowfast_bias {__version__}")
        return 0
    if words[0] == "--help-keys":
        from slowfast_bias.cli.keys import print_keys

        return guarded(lambda: print_keys(words[1:]))
    if words[0] in COMMANDS:
        return run_command(words[0], words[1:])
    if words[0].startswith("-") or (words[0].isupper() and "--cfg" in words):  # KEY VALUE first
        return run_command("run", words)
    print(f"error: {unknown(words[0])}", file=sys.stderr)
    return 2


def run_command(name: str, words: Sequence[str]) -> int:
    """Runs one command with its arguments; returns the exit status."""
    command = importlib.import_module(f"slowfast_bias.cli.{name}")
    parser = make_parser(name, command)
    args, rest = parser.parse_known_args(list(words))
    if "opts" in args:
        args.opts = [*args.opts, *rest]  # what argparse does not know is KEY VALUE
    elif rest:
        parser.error(f"unknown arguments: {' '.join(rest)}")
    interrupted = getattr(command, "interrupted", None)
    return guarded(lambda: command.main(args), (lambda: interrupted(args)) if interrupted else None)


def make_parser(name: str, command: ModuleType) -> argparse.ArgumentParser:
    """Returns the parser of a command, with its example and its defaults in the help."""
    parser = argparse.ArgumentParser(
        prog=f"slowfast_bias {name}",
        description=textwrap.fill(command.ABOUT, 80),
        epilog=f"example:\n  {command.EXAMPLE}",
        formatter_class=_Help,
        allow_abbrev=False,
        fromfile_prefix_chars=getattr(command, "FROM_FILE", None),
    )
    command.add_arguments(parser)
    return parser


def overview() -> str:
    """Returns what `slowfast_bias --help` prints."""
    lines = [
        "usage: slowfast_bias COMMAND ...",
        "",
        "Measures how much of a video network answers to what a clip looks like, and how much to",
        "how things move.",
        "",
    ]
    lines += [f"  {name:<9} {summary}" for name, summary in COMMANDS.items()]
    return "\n".join(
        [
            *lines,
            "",
            "slowfast_bias COMMAND --help shows its arguments and an example,",
            "slowfast_bias --help-keys [SECTION] every config key with meaning, range and default.",
        ]
    )


def unknown(name: str) -> str:
    """Returns the error about a command that does not exist."""
    import difflib

    near = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"Expected a command, one of {', '.join(COMMANDS)}, but got {name!r}.{hint}"


class _Help(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the example and adds defaults that say something."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default in (None, "", False, [], ()) or not action.option_strings:
            return action.help
        return super()._get_help_string(action)
