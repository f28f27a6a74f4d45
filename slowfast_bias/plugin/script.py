"""The main module of a launched run: the user's script, with the plugin installed before it.

Processes that torch.multiprocessing spawns import the main module again, as `__mp_main__`. That is
this module and not the script, so they are installed too; then the script is run in them as well,
for what it defines.
"""

import os
import sys

if __name__ in ("__main__", "__mp_main__"):
    __file__ = os.environ["SLOWFAST_BIAS_SCRIPT"]
    sys.argv[0] = __file__
    with open(__file__, "rb") as _file:
        exec(compile(_file.read(), __file__, "exec"), globals())
