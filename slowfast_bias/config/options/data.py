"""Keys of the data sets: lists of real videos, and the toy world."""

from __future__ import annotations

from slowfast_bias.config.options.option import Option

LIST_FORMATS = (
    "csv", "kinetics", "ssv2", "something_else", "diving48", "activitynet", "ucf101", "hmdb51",
    "rawframes", "folders", "unlabelled",
)  # fmt: skip

OPTIONS = (
    Option("BIAS.DATA.FORMAT", "csv",
           "How the lists in DATA.PATH_TO_DATA_DIR are written. csv: `path label` a row; "
           "rawframes: `folder num_frames label`; "
           "unlabelled: no list, every video below DATA.PATH_TO_DATA_DIR.", choices=LIST_FORMATS),
    Option("BIAS.DATA.LISTS", [], texts=True, doc=
           "Names of the lists of train, val and test; empty for those that their publisher gave."),
    Option("BIAS.DATA.SAMPLING", "window",
           "Frames of a clip: window (DATA.SAMPLING_RATE apart) or segments (one of each of "
           "DATA.NUM_FRAMES even parts of the video, as SlowFast main does for SSv2).",
           choices=("window", "segments")),
    Option("BIAS.DATA.STRIDE", "host",
           "In a window: host (from its first to its last frame: 8 frames at rate 8 come 9 apart, "
           "as the model zoo was trained) or exact (DATA.SAMPLING_RATE apart).",
           choices=("host", "exact")),
    Option("BIAS.DATA.SHORT", "clamp",
           "A video shorter than the window: clamp (its last frame stays, as SlowFast) or loop.",
           choices=("clamp", "loop")),
    Option("BIAS.DATA.DECODER", "pyav",
           "pyav or torchcodec; one for a whole study, as decoders round colours differently.",
           choices=("pyav", "torchcodec")),
    Option("BIAS.DATA.TIMEOUT", 0.0,
           "Seconds after which a video that is still being read counts as unreadable, and is "
           "named; 0: it is waited for without end.", low=0),
    Option("BIAS.DATA.FOLDER_FPS", 30.0, "Frames per second of folders of pictures.", low=1e-3),
    Option("BIAS.DATA.VAL_CENTRAL", True,
           "The val list shows the middle of each video, in time and space; False: a random view, "
           "as SlowFast, the same one in every epoch."),
    Option("BIAS.DATA.MAX_BAD_SHARE", 0.01,
           "Training stops when a larger share of its list cannot be read.", low=0, high=1),
    Option("BIAS.TOY.MOTION", "orbit4", "What moves how in the toy world.",
           choices=("orbit4", "orbit2", "osc3", "ramp2", "noise2")),
    Option("BIAS.TOY.LABELS", "dynamic",
           "What the label is: static (texture), dynamic (motion), both, or correlated.",
           choices=("static", "dynamic", "both", "correlated")),
    Option("BIAS.TOY.RHO", 1.0, "How often texture agrees with motion when LABELS is correlated.",
           low=0, high=1),
    Option("BIAS.TOY.CUE_CONFLICT", False,
           "Texture and motion always disagree in the val and test lists."),
    Option("BIAS.TOY.NEW_BACKGROUND", False,
           "The objects of the val and test lists move before other backgrounds than they were "
           "labelled with."),
    Option("BIAS.TOY.SEED", 0, "Seed of the toy world."),
    Option("BIAS.TOY.NUM_TRAIN", 256, "Clips of the train list.", low=1),
    Option("BIAS.TOY.NUM_VAL", 128, "Clips of the val list.", low=1),
    Option("BIAS.TOY.NUM_TEST", 128, "Clips of the test list.", low=1),
)  # fmt: skip
