"""FusionSeg as the study modified it: two DeepLabv3+ encoders that do not cross, fused early.

Jain et al., "FusionSeg", https://arxiv.org/abs/1701.05384; the encoder and the head are those of
Chen et al., https://arxiv.org/abs/1802.02611, with output stride 16.

    FusionSeg()([image, flow]).mask                # (B, T, H, W)
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from slowfast_bias.models.segmentation.deeplab import Head
from slowfast_bias.models.segmentation.maps import enlarge
from slowfast_bias.models.segmentation.resnet import DESIGNS, PARTS, ResNet
from slowfast_bias.models.segmentation.two_stream import (
    LAYERS,
    STAGES,
    Segmentation,
    Through,
    TwoStream,
    check_word,
    freeze,
)

_FUSED = (2, 5)  # the stages that the head takes; fusions of the others are in the file, unused


class FusionSeg(TwoStream):
    """Two ResNets, of which the stages 2 and 5 are fused by a convolution of one pixel.

    Args:
        trunk: the design of both ResNets, one of `resnet.DESIGNS`.
        width: channels of their stems; 64 in published networks.
    """

    def __init__(self, trunk: str = "resnet101", width: int = 64) -> None:
        left_out = {f"fuse{stage}" for stage in STAGES if stage not in _FUSED}
        super().__init__([name for name in LAYERS if name not in left_out])
        check_word("trunk", trunk, DESIGNS)
        app, mot = (ResNet(trunk, width, dilated=True) for _ in range(2))
        fusions = OrderedDict(
            (f"layer{i}", nn.Conv2d(2 * channels, channels, 1))
            for i, channels in enumerate(app.channels, start=1)
        )
        freeze(fusions["layer2"], fusions["layer3"])
        self.backbone = nn.ModuleDict(
            {"app_stream": app, "mot_stream": mot, "sensor_fusion": nn.ModuleDict(fusions)}
        )
        self.classifier = Head(app.channels[0], app.channels[3], 4 * width, 3 * width // 4)

    def segment(self, image: Tensor, flow: Tensor, through: Through) -> Segmentation:
        """Returns logits (N, 1, H, W).

        The head has two, background and foreground: the difference has the same softmax and loss.
        """
        fused = self._fused_stages(image, flow, through)
        background, foreground = self.classifier(*fused).split(1, 1)
        return Segmentation(enlarge(foreground - background, image.shape[2:]))

    def trunk(self, stream: str) -> dict[str, str]:
        """Returns {part of a `ResNet`: module here} of "app" or "mot"."""
        return {part: f"backbone.{stream}_stream.{part}" for part in PARTS}

    def _fused_stages(self, image: Tensor, flow: Tensor, through: Through) -> list[Tensor]:
        nets = self.backbone["app_stream"], self.backbone["mot_stream"]
        app, mot = nets[0].stem(image), nets[1].stem(flow)
        fused = []
        for stage in STAGES:
            name = f"layer{stage - 1}"
            app = through(f"app{stage}", nets[0].get_submodule(name)(app))
            mot = through(f"mot{stage}", nets[1].get_submodule(name)(mot))
            if stage in _FUSED:
                both = self.backbone["sensor_fusion"][name](torch.cat([app, mot], 1))
                fused.append(through(f"fuse{stage}", both))
        return fused
