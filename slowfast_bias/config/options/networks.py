"""Keys of networks that other libraries define."""

from __future__ import annotations

from slowfast_bias.config.options.option import Option

OPTIONS = (
    Option("BIAS.HF.FOLDER", "",
           "MODEL.ARCH hf: the folder of a video classifier of Hugging Face: config.json says what "
           "is built, and its weights are measured and tested if no checkpoint is given."),
    Option("BIAS.HF.KIND", "",
           "The `model_type` that its config.json must have, as a config's clips are for one kind; "
           "empty for any.",
           choices=("", "timesformer", "videomae", "vivit", "vjepa2", "videoprism_vision_model")),
    Option("BIAS.HF.DOWNLOAD", False,
           "BIAS.HF.FOLDER may be a repository of the Hugging Face hub, which is downloaded. "
           "Without it nothing is fetched over the network."),
    Option("BIAS.HF.PROBE", "",
           "V-JEPA 2: the probe (pooler and classifier) of its own repository, for an encoder of "
           "there that is given as a checkpoint."),
)  # fmt: skip
