"""Family: what the rest of the house needs to know of one kind of network, as one frozen row.

A new kind of network is a file with a row and a line in `families/__init__.py`. Nothing outside
this folder asks what kind of network it has; it asks the row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import Tensor, nn

from slowfast_bias.bias.taps import Tap
from slowfast_bias.host.own_networks import OwnNetwork

CLASSIFICATION, SEGMENTATION = "classification", "segmentation"


class Head(NamedTuple):
    """Where the classifier sits, by `named_modules()` names.

    `dropout` is the slot whose input has channels last (B, T, H, W, C) or is (B, C), or, with
    `dropout_channels_last` False, channels first (B, C, T, H, W).
    """

    path: str  # the head module
    projection: str  # its linear classifier
    dropout: str  # its dropout slot; the attribute may be absent
    dropout_channels_last: bool


class InputStream(NamedTuple):
    """One input of a network, (B, channels, T, H, W)."""

    holds: str  # "rgb" or "flow", as of `datasets.contract.Stream`
    channels: int


@dataclass(frozen=True)
class InputSpec:
    """What published networks of a kind are given.

    Attributes:
        streams: its inputs, in their order.
        frames: T; None if any number will do, each frame a row by itself.
        size: height and width of training and test.
        mean: what is subtracted from each colour in [0, 1], of pictures of flow as well.
        std: what each is divided by then.
    """

    streams: tuple[InputStream, ...]
    frames: int | None
    size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def call_with_list(model: nn.Module, inputs: Sequence[Tensor]) -> Any:
    """Returns what `model` makes of its pathways, given as one list."""
    return model(list(inputs))  # a new list: SlowFast's stem overwrites the one it gets


def same(output: Any) -> Any:
    """Returns the output itself."""
    return output


def no_folds(module: nn.Module) -> list[tuple[str, str]]:
    """Returns no children: names prove nothing about a forward."""
    return []


def all_read(model: nn.Module) -> frozenset[str]:
    """Returns no names: every weight is read by some forward."""
    return frozenset()


def no_warnings(model: nn.Module) -> list[str]:
    """Returns no sentences."""
    return []


@dataclass(frozen=True)
class Family:
    """One kind of network.

    Attributes:
        name: what the kind is called.
        matches: whether a network is of this kind.
        layers: the taps that `BIAS.LAYERS auto` stands for, in network order.
        head: its classifier; None if it has none.
        call: runs a network on its inputs (a list, one tensor (B, C, T, H, W) per pathway or
            stream): the only place that spells a forward.
        logits: what the loss takes, from an output in training mode.
        scores: class scores (B, classes) from an output in eval mode. They are probabilities
            for every kind, so that votes over views and kinds of networks mean the same.
        plumbing: class names of modules that only call their children, one after the other, and
            add up what these return: they see one frame at a time if their children do.
        folds: the children of a module that are a convolution and the batch norm after it.
        unread: names of the weights that no forward reads and that files may lack, all of them.
        task: what BIAS.TASK such networks are for.
        input_spec: what they are given; None for clips, which the config describes.
        warnings: what a reader of a report on a network must know of its weights, in sentences.
        model_names: {MODEL.ARCH: MODEL.MODEL_NAME} of the configs that build such networks.
        prefix: MODEL_NAMEs that begin with this are of this kind, whatever MODEL.ARCH is.
        capability: what the host must offer to build one; "" stands for its MODEL.ARCH.
        depths: values of RESNET.DEPTH; empty if the kind does not read that key.
        designs: {MODEL.ARCH: one of `bias.origin.DESIGNS`}, by which figures group networks; what
            it does not name is grouped by the names of its layers.
        described_by: {label: config key} that reports name beside MODEL_NAME and ARCH.
        sized_by: config keys that give its weights their shapes, for messages.
        one_size: whether such networks take clips of the frames and pixels alone that they are
            built for.
        own: this project's own network of this kind, for hosts that have none.
        decoder: the module that makes masks of what was encoded; "" if there is not one alone.
    """

    name: str
    matches: Callable[[nn.Module], bool]
    layers: Callable[[nn.Module], list[Tap]]
    head: Callable[[nn.Module], Head | None]
    call: Callable[[nn.Module, Sequence[Tensor]], Any] = call_with_list
    logits: Callable[[Any], Tensor] = same
    scores: Callable[[Any], Tensor] = same
    plumbing: frozenset[str] = frozenset()
    folds: Callable[[nn.Module], list[tuple[str, str]]] = no_folds
    unread: Callable[[nn.Module], frozenset[str]] = all_read
    task: str = CLASSIFICATION
    input_spec: InputSpec | None = None
    warnings: Callable[[nn.Module], list[str]] = no_warnings
    model_names: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    capability: str = ""
    depths: tuple[int, ...] = ()
    designs: Mapping[str, str] = field(default_factory=dict)
    described_by: Mapping[str, str] = field(default_factory=dict)
    sized_by: tuple[str, ...] = ()
    one_size: bool = False
    own: OwnNetwork | None = None
    decoder: str = ""


def head_tap(head: Head) -> Tap:
    """Returns the tap on what a classifier gets, after pooling, called "head" in reports."""
    return Tap(head.projection, of="input", channels_last=True, name="head", skip_tokens=0)


def token_taps(blocks: str, count: int, has_class_token: bool) -> list[Tap]:
    """Returns taps on blocks whose outputs are tokens (B, L, C), a class token first or not."""
    skip = int(bool(has_class_token))
    return [Tap(f"{blocks}.{i}", channels_last=True, skip_tokens=skip) for i in range(count)]
