"""Keys of networks that other libraries define, and of those that make masks."""

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
    Option("BIAS.SEGMENTATION.FUSION", "gated",
           "MODEL.ARCH matnet: how the streams are fused after each stage.",
           choices=("gated", "convex")),
    Option("BIAS.SEGMENTATION.CROSSING", "up",
           "MODEL.ARCH matnet: what the streams tell each other before the stages 4 and 5 and the "
           "decoder: nothing, motion to appearance, or both ways.",
           choices=("none", "up", "both")),
    Option("BIAS.SEGMENTATION.GATES", False, "MODEL.ARCH matnet: whether the crossing has gates."),
    Option("BIAS.SEGMENTATION.BOUNDARIES", True,
           "MODEL.ARCH matnet: whether the decoder finds boundaries first."),
    Option("BIAS.SEGMENTATION.TRUNK", "resnet101",
           "MODEL.ARCH matnet and fusionseg: the design of both streams.",
           choices=("resnet18", "resnet34", "resnet50", "resnet101", "resnext50_32x4d")),
    Option("BIAS.SEGMENTATION.APP_WEIGHTS", "",
           "Training of a network of two streams starts with this ResNet in the appearance "
           "stream: a file of torchvision's, or of a DeepLab."),
    Option("BIAS.SEGMENTATION.MOT_WEIGHTS", "", "The same for the motion stream."),
    Option("BIAS.SEGMENTATION.WIDTH", 64,
           "MODEL.ARCH matnet, fusionseg and rtnet_*: channels of the stem of each stream; 64 in "
           "published networks.", low=4),
)  # fmt: skip
