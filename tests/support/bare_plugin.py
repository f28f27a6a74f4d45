"""Files of the plugin in a process where it is not installed: it would change SlowFast for good."""

import importlib
import sys
import types

from support import ROOT

PACKAGE = "slowfast_bias.plugin"


def bare(name):
    """The module `slowfast_bias.plugin.<name>`; `slowfast_bias.plugin` itself is not imported."""
    package = types.ModuleType(PACKAGE)
    package.__path__ = [str(ROOT / "slowfast_bias" / "plugin")]
    held = sys.modules.setdefault(PACKAGE, package)
    try:
        return importlib.import_module(f"{PACKAGE}.{name}")
    finally:
        if held is package:
            del sys.modules[PACKAGE]
