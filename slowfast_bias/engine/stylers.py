"""What turns frames into styled frames: a bank of generated styles, or a user's own generators.

A styler is named by a plain, frozen `Recipe`, so that it can be written down beside the frames and
made again in another process.
"""

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable
from dataclasses import dataclass

import torch
from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.styles import make_styles
from slowfast_bias.errors import UserError
from slowfast_bias.models.patch_generator import PatchGenerator

# style, frames (T, H, W, 3) uint8 -> the same in that style
Styler = Callable[[int, torch.Tensor], torch.Tensor]
_FRAMES = 8  # styled at once


class GeneratorError(UserError, ValueError):
    """A generator's checkpoint that cannot be used as it is."""


@dataclass(frozen=True)
class Recipe:
    """Which styles are made.

    Attributes:
        family: of generated styles: "colour" or "randconv".
        num: how many of them.
        seed: what they are drawn from.
        generators: instead, checkpoints of Few-Shot-Patch-Based Training, one per style.
        norm: theirs where it has no weights: "instance" or "none"; "": it has.
    """

    family: str = "colour"
    num: int = 4
    seed: int = 0
    generators: tuple[str, ...] = ()
    norm: str = ""

    @property
    def styles(self) -> int:
        """How many styles are made."""
        return len(self.generators) or self.num

    def about(self) -> dict[str, object]:
        """What tells these styles from others."""
        if self.generators:
            return {"generators": list(self.generators), "norm": self.norm}
        return {"family": self.family, "num": self.num, "seed": self.seed}


@functools.lru_cache(maxsize=1)
def make_styler(recipe: Recipe) -> Styler:
    """The function that styles frames; UserError where a generator cannot be loaded."""
    if recipe.generators:
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        networks = [read_generator(p, recipe.norm).eval().to(device) for p in recipe.generators]

        def paint(style: int, frames: torch.Tensor) -> torch.Tensor:
            """(T, 3, H, W) in [0, 1], in and out."""
            return networks[style].stylize(frames.to(device)).cpu()
    else:
        bank = make_styles(recipe.family, recipe.num, recipe.seed)

        def paint(style: int, frames: torch.Tensor) -> torch.Tensor:
            return bank(frames.transpose(0, 1)[None], style)[0].transpose(0, 1)

    def style(which: int, frames: torch.Tensor) -> torch.Tensor:
        styled = [
            paint(which, part.permute(0, 3, 1, 2).float() / 255).mul(255).round_().byte()
            for part in frames.split(_FRAMES)
        ]
        return torch.cat(styled).permute(0, 2, 3, 1)

    return style


def read_generator(path: str, norm: str = "") -> PatchGenerator:
    """The generator in a checkpoint; nothing that it may hold besides tensors is ever executed."""
    if not g_pathmgr.isfile(path):
        raise GeneratorError(f"Expected a generator's checkpoint at {path}, but there is no file.")
    try:
        with g_pathmgr.open(path, "rb") as file:
            checkpoint = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "global" not in str(error):
            raise GeneratorError(_broken(path, error)) from error
        raise GeneratorError(
            f"Expected weights in {path}, but it holds Python objects (that project saves whole "
            "networks), which are not loaded because that could run code. If you trust the file, "
            "convert it in a checkout of that project:\n"
            '  python -c "import torch; model = torch.load('
            f"'{path}', map_location='cpu', weights_only=False); "
            "torch.save(model.state_dict(), 'weights.pth')\"\n"
            "and give weights.pth."
        ) from error
    except Exception as error:  # torch reports a cut file as RuntimeError, EOFError, ValueError...
        raise GeneratorError(_broken(path, error)) from error
    try:
        network = PatchGenerator.of(checkpoint, norm or None)
    except ValueError as error:
        raise GeneratorError(f"{path}: {error}") from error
    if network.shape.inputs != 3:
        raise GeneratorError(
            f"Expected a generator that is given frames, 3 channels, but {path} wants "
            f"{network.shape.inputs}: it was trained with guides beside the frames. Style the "
            "frames with that project, and measure its folders."
        )
    return network


def _broken(path: str, error: Exception) -> str:
    return (
        f"Expected a checkpoint in {path}, but it cannot be read (cut short, or not a PyTorch "
        f"file): {str(error).strip().partition(chr(10))[0] or type(error).__name__}"
    )
