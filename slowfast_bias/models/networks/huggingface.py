"""Huggingface: a video classifier of the library transformers, called as SlowFast's networks are.

    model = Huggingface("videomae-base-finetuned-kinetics", num_classes=400)    # fresh weights
    model([clips])                                      # (B, 3, T, H, W) -> (B, 400)

TimeSformer, VideoMAE, ViViT, V-JEPA 2 and VideoPrism. Only config.json is read here; the weights
beside it are `models/weights/huggingface_folder.py`'s. transformers is imported when a network is
built, not with this file.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from slowfast_bias.errors import MissingPackageError
from slowfast_bias.models.networks.huggingface_files import read_config
from slowfast_bias.models.networks.huggingface_folders import find_folder

_OLDEST = (5, 18)  # some before it lose the biases of published VideoMAE files without an error
# transformers has no fused attention for the others. With eager attention a block of V-JEPA 2
# returns its attention map beside its features.
_ATTENTION = {"videomae": "sdpa", "vivit": "sdpa", "vjepa2": "sdpa"}


class Classifier(nn.Module):
    """The head: dropout, a linear layer, and in eval mode a softmax, as SlowFast's heads."""

    def __init__(self, projection: nn.Linear, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.projection = projection

    def forward(self, features: Tensor) -> Tensor:
        """Returns logits (B, classes) in training and probabilities otherwise."""
        scores = self.projection(self.dropout(features))
        return scores if self.training else scores.softmax(1)


class Huggingface(nn.Module):
    """A video network of transformers with its classifier taken out into `head`.

    Attributes:
        model: the network; it returns what its classifier gets as `logits`.
        head: the classifier.
    """

    def __init__(
        self, folder: str, num_classes: int, dropout: float = 0.0, download: bool = False
    ) -> None:
        """Builds the network that config.json describes, with fresh weights.

        Args:
            folder: where config.json is; see `find_folder`.
            num_classes: of the classifier, whatever config.json says.
            dropout: share of its inputs that the classifier drops in training.
            download: whether `folder` may be an id of the Hugging Face hub.
        """
        super().__init__()
        path = find_folder(folder, download)
        read_config(path)  # refuses what cannot be built
        transformers = import_transformers()
        with quiet(transformers):
            config = transformers.AutoConfig.from_pretrained(
                path, num_labels=num_classes, **reading(path)
            )
            self.model = transformers.AutoModelForVideoClassification.from_config(
                config,
                dtype=torch.float32,
                attn_implementation=_ATTENTION.get(config.model_type, "eager"),
            )
        self.head = Classifier(self.model.classifier, dropout)
        self.model.classifier = nn.Identity()
        if hasattr(self.model, "vjepa2"):
            # trains the encoder, never runs in classification: weights without a gradient would
            # stop training by several processes
            del self.model.vjepa2.predictor

    @property
    def kind(self) -> str:
        """The `model_type` of its config.json."""
        return self.model.config.model_type

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Returns scores (B, classes) of [clips (B, 3, T, H, W)]."""
        (clips,) = inputs
        features = self.model(**{self.model.main_input_name: clips.transpose(1, 2)}).logits
        return self.head(features.flatten(1))  # VideoPrism's are (B, 1, C)


def reading(path: Path) -> dict[str, Any]:
    """Returns the arguments with which a folder is read: nothing is fetched, no code of it run.

    What its config.json may say of outputs is set aside: a network returns features, no more.
    """
    return {
        "local_files_only": True,
        "trust_remote_code": False,
        "return_dict": True,
        "output_attentions": False,
        "output_hidden_states": False,
    }


def missing() -> str:
    """Returns what has to be installed first, in a sentence; "" if nothing. Imports nothing."""
    advice = "`pip install 'slowfast_bias[hf]'` installs transformers 5.18 or newer"
    if importlib.util.find_spec("transformers") is None:
        return f"{advice}; there is none."
    try:
        found = importlib.metadata.version("transformers")
    except importlib.metadata.PackageNotFoundError:
        return f"{advice}; the version that is there is not known."
    numbers = tuple(map(int, re.findall(r"\d+", found)[:2]))
    return "" if numbers >= _OLDEST else f"{advice}; {found} is there."


def import_transformers() -> Any:
    """Returns the library; MissingPackageError if it is absent or too old."""
    if advice := missing():
        raise MissingPackageError(f"Expected the library transformers. {advice}")
    import transformers

    return transformers


@contextmanager
def quiet(transformers: Any) -> Iterator[None]:
    """Hides bars and reports of transformers in this block: what is wrong is said by errors."""
    logs = transformers.utils.logging
    level, bars = logs.get_verbosity(), logs.is_progress_bar_enabled()
    logs.set_verbosity(logs.CRITICAL)
    logs.disable_progress_bar()
    try:
        yield
    finally:
        logs.set_verbosity(level)
        if bars:
            logs.enable_progress_bar()
