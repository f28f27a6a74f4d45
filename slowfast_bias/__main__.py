"""``python -m slowfast_bias`` is ``tools/run_net.py`` for people without a checkout."""

import sys

from slowfast_bias.run import main

if __name__ == "__main__":
    sys.exit(main())
