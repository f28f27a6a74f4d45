"""Keys of training against static bias."""

from __future__ import annotations

from slowfast_bias.config.options.option import Option

OPTIONS = (
    Option("BIAS.RANK_TIMEOUT", 40.0,
           "Seconds without a sign of life after which a process of several counts as lost, and "
           "the run ends with its name; 0: it is waited for without end.", low=0),
    Option("BIAS.CHECKPOINT_MINUTES", 5.0,
           "Minutes between two times that training saves inside an epoch, and that measurements "
           "and tests save what they have so far; less often where saving would take more than a "
           "hundredth of the time. A run that was stopped goes on from there, to the same numbers. "
           "0: checkpoints after epochs only, and nothing of measurements and tests.", low=0),
    Option("BIAS.STALL_TIMEOUT", 1800.0,
           "Seconds without a step (a batch, or a message to all) after which a process of several "
           "that lives ends the run, and all show where they stand; 0, or with RANK_TIMEOUT 0: "
           "never.", low=0),
    Option("BIAS.TRAIN_CHANNELS_LAST", False,
           "Train with channels last in memory: the same steps but for rounding, faster on a GPU "
           "for networks of convolutions over time and space."),
    Option("BIAS.NEW_CLASSIFIER", False,
           "Train from TRAIN.CHECKPOINT_FILE_PATH with a new classifier if the file's has other "
           "classes, or if it has none; all other weights must fit."),
    Option("BIAS.STATIC_DROPOUT.ENABLE", False,
           "StaticDropout: drop the most static channels before the classifier more often."),
    Option("BIAS.STATIC_DROPOUT.KIND", "static",
           "static (StaticDropout), or a baseline in its place: standard (uniform, same rate), "
           "none. Whichever it is takes the place of MODEL.DROPOUT_RATE.",
           choices=("static", "standard", "none")),
    Option("BIAS.STATIC_DROPOUT.RATE", 0.3, "Share of channels dropped, between 0 and 1.",
           low=0, high=1),
    Option("BIAS.STATIC_DROPOUT.PERIOD", 30,
           "Iterations between estimates of the static scores.", low=1),
    Option("BIAS.STATIC_DROPOUT.TEMPERATURE", 1.0,
           "Softmax temperature of eq. (4), above 0; 1.0 is the paper's."),
    Option("BIAS.STATIC_DROPOUT.MASK", "sample", "One draw per sample, or one per batch.",
           choices=("sample", "batch")),
    Option("BIAS.STATIC_DROPOUT.EMA", 0.0,
           "Share of the previous estimate kept at each new one, below 1.", low=0, high=1),
    Option("BIAS.STATIC_DROPOUT.FINETUNE_EPOCHS", 0,
           "Epochs after SOLVER.MAX_EPOCH without any dropout.", low=0),
    Option("BIAS.STATIC_DROPOUT.FINETUNE_LR", 1e-5, "Learning rate of those epochs.", low=0),
)  # fmt: skip
