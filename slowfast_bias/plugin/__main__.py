"""The launcher: `python -m slowfast_bias.plugin tools/run_net.py --cfg ... --opts ...`."""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

from slowfast_bias.cli.boundary import guarded
from slowfast_bias.errors import PluginError
from slowfast_bias.plugin import install, order

USAGE = (
    "python -m slowfast_bias.plugin tools/run_net.py --cfg FILE.yaml --opts KEY VALUE ...\n"
    "runs the script, unchanged, with slowfast_bias in SlowFast's registries; see docs/PLUGIN.md"
)


def main() -> int:
    """Runs the script that the command line names, as `python SCRIPT ...` would."""
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(USAGE)
        return 0 if len(sys.argv) > 1 else 2
    script = Path(sys.argv[1])
    if not script.is_file():
        raise PluginError(
            f"Expected a script such as tools/run_net.py, but {script} is no file. Give its path."
        )
    order.put_checkout_first(script)
    install()
    sys.argv = sys.argv[1:]
    sys.path.insert(0, str(script.absolute().parent))  # as python does
    os.environ["SLOWFAST_BIAS_SCRIPT"] = str(script.absolute())
    # not run_path: processes that torch spawns import the main module again, by its name
    runpy.run_module("slowfast_bias.plugin.script", run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
