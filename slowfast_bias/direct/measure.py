"""measure: static bias, motion and content of any torch network, from clips or a folder.

report = sb.measure(model, "videos/", layers="Mixed_*", frames=16, size=224)
report = sb.measure(model, clips)                       # (N, 3, T, H, W) in [0, 1]
"""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from slowfast_bias.bias import BiasReport, Tap, evaluating
from slowfast_bias.bias.jackknife import recordings_warning
from slowfast_bias.bias.origin import REFERENCE, UNTRAINED
from slowfast_bias.direct.clips import Clips, Frames, open_clips
from slowfast_bias.direct.run import Run, ViewMaker
from slowfast_bias.errors import RequestError
from slowfast_bias.models.families import family_of
from slowfast_bias.models.fast import tensor_float
from slowfast_bias.progress_bar import bar

MILD = "grade"  # the family of a network of which nothing is known
MEAN, STD = (0.45, 0.45, 0.45), (0.225, 0.225, 0.225)  # SlowFast's


def measure(
    model: nn.Module | Mapping[str, nn.Module],
    clips: Any,
    layers: str | Tap | Iterable[str | Tap] = "auto",
    *,
    frames: int = 16,
    size: int = 224,
    rate: float = 2,
    clips_per_video: int = 1,
    mean: Sequence[float] = MEAN,
    std: Sequence[float] = STD,
    layout: str | None = None,
    keyword: str | None = None,
    styles: Any = MILD,
    seed: int = 0,
    videos: Sequence[Hashable] | None = None,
    batch_size: int = 8,
    effect: bool = False,
    threshold: float = 0.5,
    statistic: str = "pearson",
    progress: bool = True,
    meta: Mapping[str, Any] | None = None,
) -> BiasReport | dict[str, BiasReport]:
    """Returns the report of a network; its mode, weights and hooks are left as they are.

    Args:
        model: any network; it runs where its weights are. Or {name: network}, for {name: report}:
            all are shown the same views, and "untrained" is a reference for the others.
        clips: (N, 3, T, H, W) in [0, 1], or uint8 frames (N, T, H, W, 3); an iterable of clips or
            of batches; or a folder of videos, or of folders of pictures.
        layers: names of modules, patterns ("Mixed_*", "blocks.*"), taps, or "auto".
        frames: of a clip of a folder.
        size: in pixels, of a clip of a folder.
        rate: of a folder: every so many frames of the video.
        clips_per_video: of a folder; they share their recording.
        mean: of the normalisation that the network was trained with, one per colour.
        std: the same.
        layout: "BCTHW", "BTCHW" or "frames" (B*T, C, H, W); None: the one that the network takes.
        keyword: the argument that gets the clips; None: the first, or Hugging Face's.
        styles: a family of styles, or a bank made by `make_styles`. The default is "grade", in
            which a trained network still recognises most clips.
        seed: decides orders and pairs of styles, with the number of the clip.
        videos: (N,) the recording that each clip is cut from: errors are over recordings.
        batch_size: clips at a time.
        effect: whether to show a fourth view, for the share and agreement of the order's effect.
        threshold: see `BiasMeter.compute`.
        statistic: see `BiasMeter.compute`.
        progress: whether to draw a bar, on a terminal.
        meta: kept in the report.
    """
    start = time.perf_counter()
    models = dict(model) if isinstance(model, Mapping) else {"": model}
    shown = open_clips(clips, Frames(frames, size, rate, clips_per_video), batch_size, videos)
    maker = ViewMaker(next(iter(models.values()), None), mean, std, styles, seed, effect)
    runs: dict[str, Run] = {}
    steps = -(-shown.total // batch_size) or None
    exact = tensor_float(allowed=False)  # a GPU gives the numbers of a CPU
    with contextlib.ExitStack() as modes, torch.no_grad(), exact:
        for net in models.values():
            modes.enter_context(evaluating(net))
        for batch in bar(shown, steps, "measurement", quiet=not progress):
            views, filmed = maker.views(*batch[:2]), maker.filmed(*batch[:2], shown.total)
            for name, net in models.items():
                if name not in runs:
                    (clip,) = maker.pack(batch[0][:1])
                    runs[name] = Run.begin(net, clip, layers, layout, keyword)
                runs[name].add(views, filmed, *batch[1:])
    _check_enough(shown, runs)
    reports = {}
    for name, run in runs.items():
        about = {**shown.meta(), **maker.about(), **run.about()}
        about["seconds"] = round(time.perf_counter() - start, 3)
        if name:
            about["name"] = name
        said = recordings_warning(run.clips, len(shown.recordings)) + shown.warnings()
        said += run.recognition.warnings(trained=name != UNTRAINED)
        said += family_of(run.model).warnings(run.model)
        for text in said:
            warnings.warn(text, stacklevel=2)
        about |= {REFERENCE: "initial random weights"} if name == UNTRAINED else meta or {}
        about["warnings"] = [*said, *about.get("warnings", ())]
        reports[name] = run.meter.compute(threshold, about, statistic)
    return reports if isinstance(model, Mapping) else reports[""]


def make_pairs(
    clips: Any,
    *,
    frames: int = 16,
    size: int = 224,
    rate: float = 2,
    mean: Sequence[float] = MEAN,
    std: Sequence[float] = STD,
    styles: Any = MILD,
    seed: int = 0,
    batch_size: int = 8,
    normalise: bool = True,
) -> Iterator[tuple[dict[str, Tensor], dict[str, tuple[str, str]], list[int]]]:
    """Yields ({view: (B, 3, T, H, W)}, {factor: (view, view)}, numbers of the clips).

    For those who run the network themselves; arguments as of `measure`.
    """
    shown = open_clips(clips, Frames(frames, size, rate), batch_size)
    maker = ViewMaker(None, mean, std, styles, seed, False, normalise)
    for batch, numbers, _ in shown:
        views = maker.views(batch, numbers)
        yield {name: inputs[0] for name, inputs in views.inputs.items()}, views.pairs, numbers


def _check_enough(shown: Clips, runs: Mapping[str, Run]) -> None:
    clips = next(iter(runs.values())).clips if runs else 0
    if clips < 2:
        why = f" ({shown.dropped[0][1]}: {shown.dropped[0][2]})" if shown.dropped else ""
        raise RequestError(f"Expected at least two clips, but got {clips}{why}.")
