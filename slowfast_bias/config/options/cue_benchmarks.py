"""Keys of the cue benchmarks: published tests of which cues a network uses."""

from __future__ import annotations

from slowfast_bias.config.options.option import Option

OPTIONS = (
    Option("BIAS.BEHAVIOUR.SCUBA", "",
           "SCUBA: actions before other, still backgrounds. A list `folder num_frames label`; or "
           "toy: the toy world's test list with new backgrounds."),
    Option("BIAS.BEHAVIOUR.SCUBA_PREFIX", "",
           "The folder that its rows begin in; empty: that of the list."),
    Option("BIAS.BEHAVIOUR.SCUFO", "",
           "SCUFO: one frame of each SCUBA video throughout. A list; empty: made of what SCUBA "
           "shows, by a random frame of each clip (several a video, if it has several temporal "
           "views) that BIAS.SEED and the video decide."),
    Option("BIAS.BEHAVIOUR.SCUFO_PREFIX", "",
           "The folder that its rows begin in; empty: that of the list."),
    Option("BIAS.BEHAVIOUR.CONFLFG", "",
           "ConflFG: a moving foreground beside a still one of another class. The folder of "
           "dynamic_testlist01.txt and static_testlist01.txt; or toy: motion against texture."),
    Option("BIAS.BEHAVIOUR.CONFLFG_PREFIX", "",
           "The folder that its rows begin in; empty: that of the lists."),
    Option("BIAS.BEHAVIOUR.HAT", "",
           "HAT: humans without background and backgrounds without humans. The folder that holds "
           "ori/, seg/ and inp/."),
    Option("BIAS.BEHAVIOUR.HAT_LIST", "",
           "Its list `class name/video num_frames label`."),
    Option("BIAS.BEHAVIOUR.HAT_SWAP", "",
           "Pickle or JSON {A: [B, B_frames, B_class]}: the human of A before the background of "
           "B; empty: humans are not swapped."),
)  # fmt: skip
