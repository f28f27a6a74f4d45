"""What has to be so before the plugin is installed: which SlowFast it is, and that it is early."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from slowfast_bias import host
from slowfast_bias.errors import PluginError

# Names that SlowFast's tools import by value: once bound, replacing them changes nothing.
_BOUND = {
    "ValMeter": "slowfast.utils.meters",
    "TestMeter": "slowfast.utils.meters",
    "build_model": "slowfast.models.build",
    "load_config": "slowfast.utils.parser",
}


def is_launching() -> bool:
    """Returns whether `python -m slowfast_bias.plugin` imports this package on its way to it.

    `sys.argv[0]` is "-m" as long as python looks for the main module. The launcher then installs
    the plugin itself, once the script's checkout is on the path.
    """
    return sys.argv[:1] == ["-m"] and "slowfast_bias.plugin" in sys.orig_argv


def put_checkout_first(script: Path) -> None:
    """Puts the checkout that a script in its tools/ belongs to in front of python's path."""
    root = script.absolute().parent.parent
    if not (root / "slowfast" / "config").is_dir():
        return
    named = os.environ.get("SLOWFAST_MAIN", "")
    if named and Path(named).expanduser().resolve() != root.resolve():
        raise PluginError(
            f"Expected {script} to belong to the checkout that SLOWFAST_MAIN names, but that is "
            f"{named}. Unset SLOWFAST_MAIN, or give the run_net.py of that checkout."
        )
    sys.path.insert(0, str(root))


def check_host() -> None:
    """Raises PluginError if the SlowFast in use has no loop of its own."""
    if host.name != "main":
        raise PluginError(
            f"Expected a checkout of SlowFast's main branch or a fork of it, but `import slowfast` "
            f"finds the PyPI release ({host.root}), which has no run_net.py of its own. Run the "
            "command in the checkout, set SLOWFAST_MAIN to it, or use this project's own loop: "
            "`slowfast_bias run --cfg ...`."
        )


def check_early() -> None:
    """Raises PluginError if a tool of SlowFast has already taken the names that are replaced."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("slowfast", "slowfast_bias"):
            continue
        for bound, origin in _BOUND.items():
            value = vars(module).get(bound) if hasattr(module, "__dict__") else None
            if value is not None and getattr(value, "__module__", "") == origin:
                raise PluginError(
                    f"Expected slowfast_bias.plugin to be imported before SlowFast's tools, but "
                    f"{name} already has SlowFast's own {bound}. Make `import "
                    "slowfast_bias.plugin` the first line of run_net.py, or add it to "
                    "slowfast/config/custom_config.py."
                )
