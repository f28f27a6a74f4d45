"""What tests share: files to read, networks to run, processes to run them in."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # of the checkout
