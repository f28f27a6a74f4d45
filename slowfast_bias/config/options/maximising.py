"""Keys of activation maximisation: what a unit wants to see."""

from __future__ import annotations

from slowfast_bias.config.options.option import Option

OPTIONS = (
    Option("BIAS.MAXIMISE.ENABLE", False,
           "Make the clips that units answer to most, with numbers that say whether to believe "
           "them."),
    Option("BIAS.MAXIMISE.LAYER", "s5",
           "The layer whose units are maximised, as reports name it; classes have none."),
    Option("BIAS.MAXIMISE.UNITS", ["dynamic:5", "static:5"], texts=True, doc=
           "Which units: static:N, dynamic:N, joint:N, residual:N (the first N of that kind in "
           "the report of OUTPUT_DIR, which is made if there is none), numbers of units, "
           "class:NAME or class:NUMBER, and pairs:N (the N pairs of classes that the network "
           "mixes up most)."),
    Option("BIAS.MAXIMISE.SPEEDS", ["all"], texts=True, doc=
           "Some of unconstrained, fast, medium, slow, frozen; or all. frozen is the control: one "
           "image repeated, or no flow; motion need compares unconstrained with it."),
    Option("BIAS.MAXIMISE.SEEDS", [0, 1, 2], "Starts of each speed, by their seeds."),
    Option("BIAS.MAXIMISE.STEPS", 0,
           "Steps of Adam; 0: 100 for up to 16 frames, 150 for more.", low=0),
    Option("BIAS.MAXIMISE.PARAMETERS", "fourier",
           "What is optimised: Fourier coefficients of the clip with decay over space, or pixels, "
           "as Feichtenhofer et al. (2018).", choices=("fourier", "pixels")),
    Option("BIAS.MAXIMISE.RATE", 0.0, "Learning rate; 0: 0.1 for fourier, 0.05 for pixels.",
           low=0),
    Option("BIAS.MAXIMISE.JITTER", -1,
           "Pixels by which all frames of a clip are moved in each step, at most; -1: a sixteenth "
           "of the picture.", low=-1),
    Option("BIAS.MAXIMISE.TV", -1.0,
           "Weight of spatial variation, in units of the largest natural activation; -1: 0 for "
           "fourier, 0.05 for pixels.", low=-1),
    Option("BIAS.MAXIMISE.MOTION", 0.05,
           "Weight of change over time, in the same units: times 0 for unconstrained, 0.1 for "
           "fast, 1 for medium, 10 for slow.", low=0),
    Option("BIAS.MAXIMISE.NUM_VIDEOS", 256,
           "Natural clips of BIAS.SPLIT, spread evenly over the list, that activations are "
           "compared with; 0 for all.", low=0),
    Option("BIAS.MAXIMISE.TOP_CLIPS", 9, "Natural clips of each unit that are kept beside it.",
           low=1),
    Option("BIAS.MAXIMISE.TWINS", [], texts=True, doc=
           "Checkpoints of other networks of this config: whether what was made drives them too."),
    Option("BIAS.MAXIMISE.BATCH_SIZE", 0,
           "Clips that are made at once; 0 for all speeds and seeds of a unit. It does not change "
           "the clips.", low=0),
)  # fmt: skip
