"""Trains one config in SlowFast's own, unmodified loop and in ours, and prints what came of both.

Run as a program, in a process of its own, where the plugin is installed; the result is JSON.

What the loops do differently by design is made equal here, and nothing else:
- the first weights, which come from one file (SlowFast seeds them otherwise);
- the order of the clips, and the state of torch's generator at the begin of an epoch (we seed every
  epoch, SlowFast the run): SlowFast's sampler is replaced;
- the random orders of shuffled twins: ours follow from the videos, which SlowFast does not tell its
  network, so both draw them by place in the batch.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import slowfast_bias.plugin  # noqa: F401  isort: skip: first of all, as it installs itself

import torch
from slowfast.config.defaults import get_cfg
from slowfast.datasets import loader
from torch.utils.data import RandomSampler
from vision.fair.slowfast.tools import test_net, train_net

from slowfast_bias import engine
from slowfast_bias.bias import BiasReport
from slowfast_bias.datasets.loader import RankSampler
from slowfast_bias.datasets.pairs import frame_order
from slowfast_bias.engine.training import static_dropout
from slowfast_bias.engine.training.resume import errors_so_far
from slowfast_bias.seeding import seed_all

SLOWFAST, OURS = "slowfast", "ours"


class OurOrder(RandomSampler):
    """The positions that our loader reads in an epoch; seeds what dropout draws from, as we do."""

    epoch = 0

    def __init__(self, dataset, cfg):
        super().__init__(dataset)
        self.cfg = cfg
        self.ours = RankSampler(len(dataset), 0, 1, cfg.RNG_SEED, cfg.TRAIN.BATCH_SIZE)

    def __iter__(self):
        self.ours.epoch = self.epoch
        seed_all(self.cfg.RNG_SEED, self.epoch, 0)
        return iter(list(self.ours))


def make_equal():
    sampler, shuffle = loader.utils.create_sampler, loader.shuffle_dataset

    def set_epoch(batches, epoch):
        batches.sampler.epoch = epoch
        return shuffle(batches, epoch)

    loader.utils.create_sampler = lambda dataset, shuffles, cfg: (
        OurOrder(dataset, cfg) if shuffles else sampler(dataset, shuffles, cfg)
    )
    loader.shuffle_dataset = set_epoch
    static_dropout.shuffled = lambda frames, seed, videos: frame_order.shuffled(
        frames, seed, range(len(videos))
    )


def config(words, out):
    cfg = get_cfg()
    cfg.merge_from_list([*words, "OUTPUT_DIR", str(out)])
    Path(out, "checkpoints").mkdir(parents=True, exist_ok=True)  # SlowFast's parser makes it
    return cfg


def checkpoint(run, epoch):
    return Path(run, "checkpoints", f"checkpoint_epoch_{epoch:05d}.pyth")


def state(run, epoch):
    return torch.load(checkpoint(run, epoch), weights_only=True)


def lines(run, kind):
    texts = Path(run, "json_stats.log").read_text().splitlines()
    found = [json.loads(text.removeprefix("json_stats: ")) for text in texts]
    return [line for line in found if line.get("_type") == kind]


def farthest(one, other):
    """The largest difference of any weight, over its largest value."""
    names = [name for name in other if not name.startswith("static_dropout")]
    floats = [name for name in names if other[name].is_floating_point()]
    assert set(names) <= set(one)
    return max(
        float((one[k] - other[k]).abs().max() / other[k].abs().max().clamp(min=1e-6))
        for k in floats
    )


def scores(state):
    """The static scores of a checkpoint of either loop."""
    if "static_dropout_scores" in state["model_state"]:
        return state["model_state"]["static_dropout_scores"].tolist()
    return state["slowfast_bias"]["static_scores"].tolist()


def main(folder, words):
    folder, result = Path(folder), {}
    start = folder / "start.pyth"
    ours = engine.load_cfg((), [*words, "OUTPUT_DIR", str(folder / OURS)])
    torch.save({"model_state": engine.build_network(ours).state_dict()}, start)
    words = [*words, "TRAIN.CHECKPOINT_FILE_PATH", str(start)]
    make_equal()

    train_net.train(config(words, folder / SLOWFAST))
    test_net.test(config(words, folder / SLOWFAST))
    engine.train(engine.load_cfg((), [*words, "OUTPUT_DIR", str(folder / OURS)]))
    for run in (SLOWFAST, OURS):
        at, path = state(folder / run, 2), folder / run
        result[run] = {
            "losses": [line["loss"] for line in lines(path, "train_epoch")],
            "scores": scores(at),
            "estimates": [line["iteration"] for line in lines(path, "static_dropout")],
            "score_means": [line["score_mean"] for line in lines(path, "static_dropout")],
            "measured": {line["layer"]: line["S_static"] for line in lines(path, "bias_epoch")},
            "measured_epochs": sorted({line["epoch"] for line in lines(path, "bias_epoch")}),
        }
    stats = Path(folder, SLOWFAST, "json_stats.log").read_text().splitlines()
    result["lines of one form"] = all(line.startswith("json_stats: {") for line in stats)
    errors = [line["top1_err"] for line in lines(folder / SLOWFAST, "val_epoch")]
    read = errors_so_far(str(folder / SLOWFAST), 2, "top1_err")
    result["errors read"] = list(read.values()) == errors and list(read) == [1, 2]
    last = state(folder / SLOWFAST, 2)["model_state"]
    result["weights"] = farthest(last, state(folder / OURS, 2)["model_state"])

    # its first checkpoint, gone on from in either loop, without a test at the end
    words += ["TEST.ENABLE", "False"]
    for run, train in (("again", train_net.train), ("taken over", engine.train)):
        path = folder / run
        cfg = config(words, path)
        shutil.copy(checkpoint(folder / SLOWFAST, 1), checkpoint(path, 1))
        train(cfg if run == "again" else engine.load_cfg((), [*words, "OUTPUT_DIR", str(path)]))
        end = state(path, 2)
        result[run] = {"weights": farthest(last, end["model_state"]), "scores": scores(end)}
    result["files"] = sorted(path.name for path in (folder / "again" / "bias").iterdir())
    written = (folder / "again" / "bias" / "epoch_00002.json").read_bytes()
    train_net.train(config(words, folder / "again"))  # nothing is left to do
    result["files after"] = sorted(path.name for path in (folder / "again" / "bias").iterdir())
    result["kept"] = written == (folder / "again" / "bias" / "epoch_00002.json").read_bytes()

    # the report of the network that SlowFast tested, and our own command on its checkpoint
    report = BiasReport.load(folder / SLOWFAST / "bias" / "report.json")
    opts = ["OUTPUT_DIR", str(folder / "measured")]
    opts += ["TEST.CHECKPOINT_FILE_PATH", str(checkpoint(folder / SLOWFAST, 2))]
    own = engine.measure(engine.load_cfg(folder / SLOWFAST / "config.yaml", opts))
    result["report"] = {
        "layers": list(report.layers),
        "same": all(report[k].score("motion") == own[k].score("motion") for k in report.layers),
        "same checkpoint": report.meta["checkpoint"] == own.meta["checkpoint"],
        "model": report.meta["model"],
    }
    print("RESULT" + json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
