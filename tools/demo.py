#!/usr/bin/env python3
"""Trains three toy networks, measures them and an untrained one: tools/demo.py [OUTPUT_DIR]."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # a checkout needs no installation

from slowfast_bias.engine.studies import demo  # noqa: E402

if __name__ == "__main__":
    demo.run(*sys.argv[1:2] or ["runs/demo"], configs=f"{ROOT}/")
