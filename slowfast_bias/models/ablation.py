"""The former place of `silenced`, which is in `slowfast_bias.models.silencing`."""

from slowfast_bias.models.silencing import silenced as silenced
