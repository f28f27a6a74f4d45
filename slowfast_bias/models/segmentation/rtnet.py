"""RTNet: two frames of a sequence and their flow, each told of the others after every stage.

Ren et al., "Reciprocal Transformations for Unsupervised Video Object Segmentation", CVPR 2021.

    model = RTNet("resnet34")
    model([image, flow]).mask          # (B, 3, 2, H, W), (B, 6, 2, H, W) -> (B, 2, H, W)

The flow of a frame is forward, then backward, each as a picture. The two frames have an axis of
their own throughout: in the authors' code those of different clips of a batch were mixed, which
changed what a batch of more than one gave.
"""

from __future__ import annotations

import torch
from torch import Tensor

from slowfast_bias.models.segmentation.fusion import Convex
from slowfast_bias.models.segmentation.rtnet_attention import Exchange, SelfExchange
from slowfast_bias.models.segmentation.rtnet_stream import StreamNet
from slowfast_bias.models.segmentation.two_stream import (
    Segmentation,
    Through,
    TwoStream,
    check_word,
)

_TRUNKS = ("resnet34", "resnet18", "resnet50", "resnext50_32x4d")


class RTNet(TwoStream):
    """Two streams whose frames exchange features after every stage; both ways, with gates.

    `fuse5` is the decoder's first step, which the study calls so; it gets appearance alone.

    Args:
        trunk: "resnet34" and "resnext50_32x4d" are published; "resnet18" and "resnet50" go as the
            one of them that has their kind of blocks.
        width: channels of the stems; 64 in published networks.
    """

    frames = 2

    def __init__(self, trunk: str = "resnet34", width: int = 64) -> None:
        super().__init__(colours=(3, 6))
        check_word("trunk", trunk, _TRUNKS)
        self.spatial_net, self.temporal_net = StreamNet(trunk, width, 3), StreamNet(trunk, width, 6)
        self.has_bottlenecks = self.spatial_net.has_bridges
        usual = {} if self.has_bottlenecks else {"bias": False, "turned": False}
        for i, channels in enumerate(self.spatial_net.channels, start=1):
            heads, more = 2 ** (i - 1), {"coarse": True} if i == 1 else usual
            for pair, shared in (("SS", True), ("ST", False), ("TT", True)):
                exchange = Exchange(channels, heads, shared, **more)
                self.add_module(f"{pair}Transformer{i}", exchange)
            for stream in ("S", "T"):
                exchange = SelfExchange(channels, heads, **more)
                self.add_module(f"{stream}selfTransformer{i}", exchange)
        for i in (1, 2, 3):
            fused = Convex(width * 2 ** (i - 1), width, add=True)
            self.add_module(f"Transformerstafm{i}", fused)

    def segment(self, image: Tensor, flow: Tensor, through: Through) -> Segmentation:
        """Returns logits (N, 1, H, W), and in training further masks (N, 7, H, W).

        These are of the steps 2 to 4 of the appearance decoder and 1 to 4 of the motion decoder.
        """
        app, mot = self._stages(image, flow, through)
        spatial, temporal, size = self.spatial_net, self.temporal_net, image.shape[2:]

        def fused(i: int) -> Tensor:
            streams = spatial.narrowed(i, app[i - 1]), temporal.narrowed(i, mot[i - 1])
            both = self.get_submodule(f"Transformerstafm{i}")(*streams)
            return through(f"fuse{i + 1}", both)

        mask, *more = spatial.decode(
            app, size, fused, lambda x: through("fuse5", x), all_outputs=self.training
        )
        if not self.training:
            return Segmentation(mask)
        more += temporal.decode(mot, size, lambda i: temporal.narrowed(i, mot[i - 1]))
        return Segmentation(mask, masks=torch.cat(more, 1))

    def trunk(self, stream: str) -> dict[str, str]:
        """Returns {part of a `ResNet`: module here} of "app" or "mot"."""
        net = {"app": "spatial_net", "mot": "temporal_net"}[stream]
        stages = {f"layer{i}": f"{net}.encoder{i}" for i in (1, 2, 3, 4)}
        return {"conv1": f"{net}.inconv.0", "bn1": f"{net}.inconv.1", **stages}

    def _stages(
        self, image: Tensor, flow: Tensor, through: Through
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Returns the stages 2 to 5 of both streams, (N, C, h, w) each."""
        app, mot = self.spatial_net.inconv(image), self.temporal_net.inconv(flow)
        apps, mots = [], []
        for i in (1, 2, 3, 4):
            app = self.spatial_net.get_submodule(f"encoder{i}")(app)
            mot = self.temporal_net.get_submodule(f"encoder{i}")(mot)
            app, mot = self._exchange(i, app, mot)
            apps.append(app := through(f"app{i + 1}", app))
            mots.append(mot := through(f"mot{i + 1}", mot))
        return apps, mots

    def _exchange(self, i: int, app: Tensor, mot: Tensor) -> tuple[Tensor, Tensor]:
        """Returns a stage of both streams after all exchanges, frames (N, C, h, w)."""
        to_app, to_mot = self.get_submodule(f"STTransformer{i}")(app, mot)
        return (
            app + to_app + self._within("S", i, app),
            mot + to_mot + self._within("T", i, mot),
        )

    def _within(self, stream: str, i: int, x: Tensor) -> Tensor:
        """Returns what the frames of each clip take over from each other and from themselves."""
        first, second = x.unflatten(0, (-1, 2)).unbind(1)
        pair = self.get_submodule(f"{stream * 2}Transformer{i}")(first, second)
        return torch.stack(pair, 1).flatten(0, 1) + self.get_submodule(
            f"{stream}selfTransformer{i}"
        )(x)
