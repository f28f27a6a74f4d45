"""SlowFast's ResNets: one or two pathways through the stages s1 to s5, then `head`.

Both host generations give them the same names. A list of pathways is one module's output (`s5` of
SlowFast); reports tell pathways apart by a suffix.
"""

from __future__ import annotations

from torch import nn

from slowfast_bias.bias.origin import CNN, SLOWFAST
from slowfast_bias.bias.taps import Tap
from slowfast_bias.models.families.family import Family, head_tap
from slowfast_bias.models.families.heads import slowfast_head

_STAGES = ("s1", "s2", "s3", "s4", "s5")
_RESNETS = ("slow", "i3d", "c2d", "2d", "slow_c2d", "slow_i3d", "fast")

# Modules that call their children and add up what they return. A non-local block is none of them:
# it looks across time with 1x1x1 kernels.
PLUMBING = frozenset(
    ("VideoModelStem", "ResNetBasicStem", "ResStage", "ResBlock", "BottleneckTransform",
     "BasicTransform", "ModuleList", "Sequential")
)  # fmt: skip


def has_stages(model: nn.Module) -> bool:
    """Returns whether a network has the stages and the head of SlowFast's convolutional ones."""
    return "s1" in dict(model.named_children()) and slowfast_head(model) is not None


def is_called(model: nn.Module, name: str) -> bool:
    """Returns whether a network is of the class of that name, or of one made of it."""
    return any(kind.__name__ == name for kind in type(model).__mro__)


def stage_taps(model: nn.Module) -> list[Tap]:
    """Returns taps on the stages, read before the fusion that follows them, and on the head."""
    children = dict(model.named_children())
    return [
        *(Tap(name, channels_last=False, skip_tokens=0) for name in _STAGES if name in children),
        head_tap(slowfast_head(model)),
    ]


def conv_and_norm(module: nn.Module) -> list[tuple[str, str]]:
    """Returns (convolution, batch norm) children by SlowFast's names: `a`/`a_bn`, `conv`/`bn`."""
    children = dict(module.named_children())
    named = [(name, f"{name}_bn") for name in children]
    if type(module).__name__ == "ResNetBasicStem":
        named.append(("conv", "bn"))
    return [(conv, norm) for conv, norm in named if norm in children]


FAMILY = Family(
    name="slowfast",
    matches=lambda model: has_stages(model) and not is_called(model, "X3D"),
    layers=stage_taps,
    head=slowfast_head,
    plumbing=PLUMBING,
    folds=conv_and_norm,
    model_names={"slowfast": "SlowFast"} | dict.fromkeys(_RESNETS, "ResNet"),
    designs=dict.fromkeys(_RESNETS, CNN) | {"slowfast": SLOWFAST, "fast": SLOWFAST},
    depths=(18, 50, 101),
    described_by={"depth": "RESNET.DEPTH"},
    sized_by=("RESNET.DEPTH", "RESNET.WIDTH_PER_GROUP"),
)
