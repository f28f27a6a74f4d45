"""measure: static bias, motion and content of any torch network, from clips or a folder.

report = sb.measure(model, "videos/", layers="Mixed_*", frames=16, size=224)
report = sb.measure(model, clips)                       # (N, 3, T, H, W) in [0, 1]
"""

from __future__ import annotations

import itertools
import time
import warnings
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from slowfast_bias.bias import BiasReport, Tap, evaluating
from slowfast_bias.direct.calling import find_calling
from slowfast_bias.direct.clips import Clips, Frames, open_clips
from slowfast_bias.direct.layers import find_taps
from slowfast_bias.direct.run import Run, ViewMaker
from slowfast_bias.errors import RequestError
from slowfast_bias.progress_bar import bar

MILD = "grade"  # the family of a network of which nothing is known
MEAN, STD = (0.45, 0.45, 0.45), (0.225, 0.225, 0.225)  # SlowFast's


def measure(
    model: nn.Module,
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
) -> BiasReport:
    """Returns the report of a network; its mode, weights and hooks are left as they are.

    Args:
        model: any network; it runs where its weights are.
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
    how = Frames(frames, size, rate, clips_per_video)
    shown = open_clips(clips, how, batch_size, videos)
    maker = ViewMaker(model, mean, std, styles, seed, effect)
    steps = -(-shown.total // batch_size)
    with evaluating(model), torch.no_grad():
        batches = iter(shown)
        first = next(batches, None)
        if first is None:
            raise RequestError(f"Expected at least one clip, but got none{_why(shown)}.")
        clip = maker.pack(first[0][:1])[0]
        calling = find_calling(model, clip, layout, keyword)
        taps = find_taps(model, layers, lambda: calling(model, clip))
        run = Run(model, calling, taps)
        every = itertools.chain([first], batches)
        for batch in bar(every, steps or None, "measurement", quiet=not progress):
            run.add(maker, batch, shown.total)
    found = {
        "model": type(model).__name__,
        "called": calling.words(),
        "pairs": run.meter.pairs(),
        **shown.about,
        **maker.about(),
        **run.about(),
        "videos": run.clips,
        "recordings": len(shown.recordings),
        "dropped_videos": [number for number, _, _ in shown.dropped],
        "dropped_because": [{"path": n, "reason": why} for _, n, why in shown.dropped],
        "seconds": round(time.perf_counter() - start, 3),
        "torch": torch.__version__,
        "warnings": [*_warnings(shown, run), *(meta or {}).get("warnings", ())],
    }
    extra = {key: value for key, value in (meta or {}).items() if key != "warnings"}
    if run.clips < 2:
        raise RequestError(f"Expected at least two clips, but got {run.clips}{_why(shown)}.")
    return run.meter.compute(threshold, {**found, **extra}, statistic)


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


def _warnings(shown: Clips, run: Run) -> list[str]:
    found = [run.recognition.warning()]
    if shown.dropped:
        number, name, why = shown.dropped[0]
        found.append(
            f"{len(shown.dropped)} clips could not be read and do not count, the first is {name}: "
            f"{why}"
        )
    if len(shown.recordings) == 1 and run.clips > 1:
        found.append("all clips are parts of one recording: no error can be given")
    elif len(shown.recordings) < run.clips:
        found.append(
            f"{run.clips} clips are parts of {len(shown.recordings)} recordings: errors are over "
            "recordings"
        )
    for text in filter(None, found):
        warnings.warn(text, stacklevel=4)
    return [text for text in found if text]


def _why(shown: Clips) -> str:
    return f" ({shown.dropped[0][1]}: {shown.dropped[0][2]})" if shown.dropped else ""
