"""Stylers turn frames into styled frames: a bank of generated styles, or a user's own generators.

A plain, frozen `Recipe` describes a styler, so that it can be saved beside the frames and made
again in another process.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass

import torch
from iopath.common.file_io import g_pathmgr

from slowfast_bias.datasets.styles.bank import make_styles
from slowfast_bias.errors import UserError
from slowfast_bias.models.style_generator import PatchGenerator

# style, frames (T, H, W, 3) uint8 -> the same in that style
Styler = Callable[[int, torch.Tensor], torch.Tensor]
_PIXELS = 2**19  # styled at once; a generator holds about 2 kB for each
_PER_GPU = 4  # processes: while some read and write, others use the GPU


class GeneratorError(UserError, ValueError):
    """A generator's checkpoint that cannot be used as it is."""


@dataclass(frozen=True)
class Recipe:
    """The choice of styles.

    Attributes:
        family: of generated styles: "colour", "randconv" or "grade".
        num: number of generated styles.
        seed: of generated styles.
        generators: instead, checkpoints of Few-Shot-Patch-Based Training, one per style.
        norm: their normalisation if it has no weights: "instance" or "none"; "": it has weights.
    """

    family: str = "colour"
    num: int = 4
    seed: int = 0
    generators: tuple[str, ...] = ()
    norm: str = ""

    @property
    def styles(self) -> int:
        """The number of styles."""
        return len(self.generators) or self.num

    def about(self) -> dict[str, object]:
        """Returns what distinguishes these styles from others."""
        if self.generators:
            return {"generators": list(self.generators), "norm": self.norm}
        return {"family": self.family, "num": self.num, "seed": self.seed}


@functools.lru_cache(maxsize=1)
def make_styler(recipe: Recipe) -> Styler:
    """Returns the function that styles frames; UserError if a generator cannot be loaded."""
    if recipe.generators:
        gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
        device = torch.device("cuda", os.getpid() % gpus) if gpus else torch.device("cpu")
        networks = [read_generator(p, recipe.norm).eval().to(device) for p in recipe.generators]

        def paint(style: int, frames: torch.Tensor) -> torch.Tensor:
            """Returns styled frames for frames, (T, 3, H, W) in [0, 1] both."""
            try:
                return networks[style].stylize(frames.to(device)).cpu()
            except torch.cuda.OutOfMemoryError as error:
                raise GeneratorError(
                    f"Expected memory on the GPU for frames of {frames.shape[3]}x{frames.shape[2]} "
                    "px, but there is not enough. Fewer --workers or a --short-side need less."
                ) from error
    else:
        bank = make_styles(recipe.family, recipe.num, recipe.seed)

        def paint(style: int, frames: torch.Tensor) -> torch.Tensor:
            return bank(frames.transpose(0, 1)[None], style)[0].transpose(0, 1)

    def style(which: int, frames: torch.Tensor) -> torch.Tensor:
        at_once = max(1, _PIXELS // (frames.shape[1] * frames.shape[2]))
        styled = [
            paint(which, part.permute(0, 3, 1, 2).float() / 255).mul(255).round_().byte()
            for part in frames.split(at_once)
        ]
        return torch.cat(styled).permute(0, 2, 3, 1)

    return style


def fingerprints(recipe: Recipe) -> dict[str, list[str]]:
    """Returns hashes of the generators' weights, as names may repeat; {} for generated styles."""
    marks = []
    for path in recipe.generators:
        with g_pathmgr.open(path, "rb") as file:
            marks.append(hashlib.blake2b(file.read(), digest_size=8).hexdigest())
    return {"weights": marks} if marks else {}


def default_processes(recipe: Recipe) -> int:
    """Returns the number of cores, but few per GPU, because each process holds the generators."""
    cores = os.cpu_count() or 1
    gpu = recipe.generators and torch.cuda.is_available()
    return min(cores, _PER_GPU * torch.cuda.device_count()) if gpu else cores


def read_generator(path: str, norm: str = "") -> PatchGenerator:
    """Returns the generator in a checkpoint; never runs code that the file may hold."""
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
    broken = [name for name, x in network.state_dict().items() if not x.isfinite().all()]
    if broken:
        raise GeneratorError(
            f"Expected numbers in {path}, but {broken[0]} has some that are not finite: its "
            "training failed. Use an earlier checkpoint."
        )
    if network.shape.inputs != 3:
        raise GeneratorError(
            f"Expected a generator whose input is frames, 3 channels, but {path} wants "
            f"{network.shape.inputs}: it was trained with guides beside the frames. Style the "
            "frames with that project, and measure its folders."
        )
    return network


def _broken(path: str, error: Exception) -> str:
    return (
        f"Expected a checkpoint in {path}, but it cannot be read (cut short, or not a PyTorch "
        f"file): {str(error).strip().partition(chr(10))[0] or type(error).__name__}"
    )
