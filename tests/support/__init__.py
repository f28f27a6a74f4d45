"""What tests share: files to read, networks to run, processes to run them in."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # of the checkout

# Tests start a hundred processes: each would compile the package anew, a second of it, if it may
# not keep what another has compiled. Nor would pytest keep its own form of the tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
