#!/usr/bin/env python3
"""What reading a clip costs, decoder against decoder, as ratios in one run.

8 frames (rate 8: a window of 64) out of 10 s of 340x256 H.264 at 30 fps, at ten positions, for
several distances between keyframes. Every decoder uses one thread and ends with uint8 (8, H, W, 3).
Rounds alternate, so that a noisy machine is noisy for all; the median counts. Frames carry their
number: the last column says how many clips came with exactly the wanted ones.

    python benchmarks/decode.py [--gop 12 50 250] [--rounds 5] [--folder DIR]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.videos import read_numbers, write_folder, write_video  # noqa: E402

from slowfast_bias import host  # noqa: E402
from slowfast_bias.datasets.decoding import read_frames, torchcodec_reader  # noqa: E402
from slowfast_bias.datasets.sampling.frame_picks import pick_frames  # noqa: E402

FRAMES, CLIPS = 300, 10
ENCODER = {"preset": "medium", "sc_threshold": 0}
Way = Callable[[str, int], torch.Tensor]  # path, number of the clip -> (8, H, W, 3)


def main() -> None:
    """Prints one table per distance between keyframes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--gop", nargs="+", type=int, default=[12, 50, 250])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", help="keep the videos here for the next time")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    print(f"{read_frames.backend_version()}; cv2 {cv2.__version__}; torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(args.folder or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for gop in args.gop:
            path = folder / f"gop{gop}.mp4"
            if not path.exists():
                write_video(path, FRAMES, size=(340, 256), gop=gop, crf=20, **ENCODER)
            compare(f"H.264, a keyframe every {gop}", str(path), ways(), args.rounds)
        pictures = folder / "pictures"
        if not pictures.exists():
            write_folder(pictures, range(FRAMES), size=(340, 256))
        compare("JPEG pictures", str(pictures), {"ours, folder": ours}, args.rounds)


def ways() -> dict[str, Way]:
    """The decoders by name; those that are not installed are left out."""
    found = {"ours, pyav": ours, "full decode": everything, "cv2": by_cv2}
    if host.name == "pypi":
        found["pyslowfast 1.0"] = by_host
    if torchcodec_reader.is_usable():
        found["torchcodec"] = by_torchcodec
        found["ours, torchcodec"] = lambda path, clip: ours(path, clip, backend="torchcodec")
    return found


def compare(title: str, path: str, ways: dict[str, Way], rounds: int) -> None:
    """Times every way on the same clips, round by round."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    exact = dict.fromkeys(ways, 0)
    for number in range(rounds + 1):
        for clip in range(CLIPS):
            for name, way in ways.items():
                start = time.perf_counter()
                frames = way(path, clip)
                if number:  # the first round warms up, and looks at the frames
                    seconds[name].append(time.perf_counter() - start)
                else:
                    exact[name] += read_numbers(frames) == wanted(clip)
    print(f"\n{title}\n{'decoder':<18} ms/clip  frames/s   / ours   exact")
    mine = next(iter(seconds.values()))
    for name, times in seconds.items():
        ratio = statistics.median(t / m for t, m in zip(times, mine, strict=True))
        middle = statistics.median(times)
        share = f"{exact[name]}/{CLIPS}"
        print(f"{name:<18} {middle * 1e3:7.1f} {8 / middle:9.0f} {ratio:8.2f}   {share}")


def wanted(clip: int) -> list[int]:
    """The frame numbers of a clip."""
    return pick_frames(FRAMES, 30.0, 8, 8, clip=clip, num_clips=CLIPS)


def ours(path: str, clip: int, backend: str = "pyav") -> torch.Tensor:
    """Our reader."""
    return read_frames.read_frames(path, lambda _: wanted(clip), backend=backend)


def by_host(path: str, clip: int) -> torch.Tensor:
    """The PyPI release's, as its Kinetics calls it."""
    from slowfast.datasets import decoder, video_container

    container = video_container.get_video_container(path, False)
    return decoder.decode(container, 8, 8, clip, num_clips=CLIPS, target_fps=30)


def everything(path: str, clip: int) -> torch.Tensor:
    """All frames, of which 8 are kept."""
    with av.open(path) as container:
        container.streams.video[0].codec_context.thread_count = 1
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return torch.from_numpy(np.stack([frames[i] for i in wanted(clip)]))


def by_cv2(path: str, clip: int) -> torch.Tensor:
    """OpenCV: jumps to the first frame, passes over those between."""
    picks = wanted(clip)
    threads = [cv2.CAP_PROP_N_THREADS, 1]
    capture, frames = cv2.VideoCapture(path, cv2.CAP_FFMPEG, threads), []
    capture.set(cv2.CAP_PROP_POS_FRAMES, picks[0])
    for i in range(picks[0], picks[-1] + 1):
        capture.grab()
        if i in picks:
            frames.append(cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB))
    return torch.from_numpy(np.stack(frames))


def by_torchcodec(path: str, clip: int) -> torch.Tensor:
    """Torchcodec, in its exact mode."""
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(path, dimension_order="NHWC", num_ffmpeg_threads=1, seek_mode="exact")
    return decoder.get_frames_at(wanted(clip)).data


if __name__ == "__main__":
    main()
