"""Two-stream networks that segment what moves by itself: a picture and its optical flow to a mask.

    MATNet, FusionSeg, RTNet           # model([image, flow]) -> Segmentation

They take plain arguments, and files of their authors load strictly. Licences: none of the authors'
code is here; names, shapes and formulas are facts.
"""

from slowfast_bias.models.segmentation.fusionseg import FusionSeg
from slowfast_bias.models.segmentation.matnet import MATNet
from slowfast_bias.models.segmentation.rtnet import RTNet
from slowfast_bias.models.segmentation.two_stream import LAYERS, Segmentation, TwoStream

__all__ = ["LAYERS", "FusionSeg", "MATNet", "RTNet", "Segmentation", "TwoStream"]
