"""`python -m slowfast_bias` is the command `slowfast_bias` for people without it on their path."""

import sys

from slowfast_bias.cli import main

if __name__ == "__main__":
    sys.exit(main())
