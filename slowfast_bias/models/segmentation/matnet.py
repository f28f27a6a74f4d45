"""MATNet, and the variants of it that the study compares.

Zhou et al., "Motion-Attentive Transition for Zero-Shot Video Object Segmentation",
https://arxiv.org/abs/2003.04253.

    model = MATNet()                                           # the authors'
    model = MATNet(fusion="convex", crossing="both", gates=True, boundaries=False)
    model([image, flow]).mask                                  # (B, T, H, W)

`encoder.*` and `decoder.*` have the names of the authors' two files.
"""

from __future__ import annotations

from torch import Tensor, nn

from slowfast_bias.errors import RequestError
from slowfast_bias.models.segmentation.crossing import (
    CROSSINGS,
    NONE,
    UP,
    NoCrossing,
    make_crossing,
)
from slowfast_bias.models.segmentation.fusion import FUSIONS, GATED, make_fusion
from slowfast_bias.models.segmentation.matnet_decoder import Decoder
from slowfast_bias.models.segmentation.resnet import DESIGNS, ResNet
from slowfast_bias.models.segmentation.two_stream import (
    STAGES,
    STREAMS,
    Segmentation,
    Through,
    TwoStream,
    check_word,
)


class MATNet(TwoStream):
    """Two ResNets that cross after the stages 3 to 5, a fusion of each stage, and a decoder.

    Args:
        fusion: one of FUSIONS, "gated" or "convex".
        crossing: one of CROSSINGS, "none", "up" (from motion to appearance) or "both".
        gates: whether the crossing has gates.
        boundaries: whether the decoder finds boundaries first.
        trunk: the design of both ResNets, one of `resnet.DESIGNS`.
        width: channels of their stems; 64 in published networks.
    """

    def __init__(
        self,
        fusion: str = GATED,
        crossing: str = UP,
        gates: bool = False,
        boundaries: bool = True,
        trunk: str = "resnet101",
        width: int = 64,
    ) -> None:
        super().__init__()
        check_word("fusion", fusion, FUSIONS)
        check_word("crossing", crossing, CROSSINGS)
        check_word("trunk", trunk, DESIGNS)
        if gates and crossing == NONE:
            raise RequestError("Expected a `crossing` for its `gates`, but got 'none'. Set one.")
        self.encoder = Encoder(fusion, crossing, gates, trunk, width)
        fused = [2 * channels for channels in self.encoder.channels]
        self.decoder = Decoder(fused, 4 * width, boundaries)
        self.unread = frozenset(f"decoder.{name}" for name in self.decoder.unread())

    def segment(self, image: Tensor, flow: Tensor, through: Through) -> Segmentation:
        """Returns logits (N, 1, H, W), and in training those of five boundary maps (N, 5, H, W)."""
        return self.decoder(self.encoder(image, flow, through), image.shape[2:])

    def trunk(self, stream: str) -> dict[str, str]:
        """Returns {part of a `ResNet`: module here} of "app" or "mot"."""
        number = STREAMS.index(stream) + 1
        stages = {f"layer{stage - 1}": f"encoder.res{stage}_{number}" for stage in STAGES}
        return {part: f"encoder.{part}_{number}" for part in ("conv1", "bn1")} | stages


class Encoder(nn.Module):
    """Both streams with their crossings and fusions, under the names of the authors' file."""

    def __init__(self, fusion: str, crossing: str, gates: bool, trunk: str, width: int) -> None:
        super().__init__()
        for number in (1, 2):  # appearance, motion
            net = ResNet(trunk, width)
            for name in ("conv1", "bn1", "relu", "maxpool"):
                self.add_module(f"{name}_{number}", net.get_submodule(name))
            for stage in STAGES:
                self.add_module(f"res{stage}_{number}", net.get_submodule(f"layer{stage - 1}"))
        self.channels = net.channels
        for stage, channels in zip(STAGES, self.channels, strict=True):
            self.add_module(f"gated_res{stage}", make_fusion(fusion, channels))
            # the first stage does not cross
            crosses = make_crossing(crossing, channels, gates) if stage > 2 else NoCrossing()
            self.add_module(f"coa_res{stage}", crosses)

    def forward(self, image: Tensor, flow: Tensor, through: Through) -> list[Tensor]:
        """Returns the fused stages 2 to 5, (N, 2C, h, w) each."""
        app, mot = self._stem(image, 1), self._stem(flow, 2)
        fused = []
        for stage in STAGES:
            app = self.get_submodule(f"res{stage}_1")(app)
            mot = self.get_submodule(f"res{stage}_2")(mot)
            app, mot = self.get_submodule(f"coa_res{stage}")(app, mot)
            app, mot = through(f"app{stage}", app), through(f"mot{stage}", mot)
            both = self.get_submodule(f"gated_res{stage}")(app, mot)
            fused.append(through(f"fuse{stage}", both))
        return fused

    def _stem(self, x: Tensor, number: int) -> Tensor:
        for name in ("conv1", "bn1", "relu", "maxpool"):
            x = self.get_submodule(f"{name}_{number}")(x)
        return x
