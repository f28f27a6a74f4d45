"""Keys of learning, testing and writing masks."""

from __future__ import annotations

from slowfast_bias.config.options.option import Option

OPTIONS = (
    Option("BIAS.MASKS.LOSS", "bce",
           "Of every mask that is learnt: bce (binary cross entropy), or structure (that, 1 - SSIM "
           "and 1 - soft overlap, as RTNet). MATNet's boundaries are learnt with bce.",
           choices=("bce", "structure")),
    Option("BIAS.MASKS.EDGES", "",
           "Folder of edges as pictures in grey, from DATA.PATH_TO_DATA_DIR: EDGES/SEQUENCE/"
           "FRAME.png, as MATNet has them of HED. In training edges beside the object weigh up to "
           "twice; all pixels of a frame without them weigh 1."),
    Option("BIAS.MASKS.DECODER_RATE", 1.0,
           "The decoder's learning rate, as a multiple of SOLVER.BASE_LR.", low=0),
    Option("BIAS.MASKS.CUT", 0.5, "A pixel above it is inside, for J and F and in files.",
           low=0, high=1),
    Option("BIAS.MASKS.STRETCH", False,
           "The test stretches each mask to 0 .. 1 by its least and its greatest value, as RTNet's "
           "own does. A frame without any object then has one."),
    Option("BIAS.MASKS.MIRROR", False,
           "The test takes the mean of a frame's mask and of its mirror image's, as MATNet's own "
           "does; BIAS.SEGMENTS.FLIP says what becomes of the colours of flow."),
    Option("BIAS.MASKS.BOX_CUT", 0.2, "The same as CUT for the boxes of MoCA.",
           low=0, high=1),
    Option("BIAS.MASKS.RECTANGLE", "most inside",
           "Of several regions, whose rectangle is MoCA's box: the one with most inside, or the "
           "largest.", choices=("most inside", "largest")),
    Option("BIAS.MASKS.CENTRE", "",
           "List whose mean mask is written to OUTPUT_DIR/centre.json and .png, with how much of "
           "the objects is in the middle of the frames; empty: none.",
           choices=("", "train", "val", "test")),
    Option("BIAS.MASKS.SAVE", True,
           "The test writes masks as PNG: OUTPUT_DIR/masks/SEQUENCE/FRAME.png."),
)  # fmt: skip
