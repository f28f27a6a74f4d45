#!/usr/bin/env python3
"""Trains, measures and tests a network: tools/run_net.py --cfg FILE [--cfg ...] KEY VALUE ..."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a checkout needs no installation

from slowfast_bias.cli import run_command  # noqa: E402

if __name__ == "__main__":
    sys.exit(run_command("run", sys.argv[1:]))
