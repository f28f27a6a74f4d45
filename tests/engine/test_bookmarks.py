"""A measurement or a test that was stopped goes on, to the numbers of one that was not."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from pathlib import Path

import pytest
import torch

from slowfast_bias import engine, host, preemption
from slowfast_bias.datasets.contract import Batch, Sample, open_dataset
from slowfast_bias.datasets.loader import Loader
from slowfast_bias.datasets.source_clips import SourceClips
from slowfast_bias.datasets.toy.dataset import Toyvideos
from slowfast_bias.engine.measuring.measurement import measure_and_keep
from slowfast_bias.engine.runtime import ranks
from slowfast_bias.engine.setup import bookmark, fingerprint
from slowfast_bias.engine.setup.network import build_network
from slowfast_bias.engine.tasks.classification import ScoreTally
from slowfast_bias.engine.tasks.mask_scores import MaskRule, MaskScores
from slowfast_bias.engine.tasks.verdicts import VerdictTally
from slowfast_bias.metrics import BoxFigures, MaskFigures
from slowfast_bias.outputs import Outputs

pytestmark = pytest.mark.host
OPTS = [
    "BIAS.TOY.NUM_VAL", 17, "BIAS.BATCH_SIZE", 2,
    "BIAS.TOY.NUM_TEST", 9, "TEST.BATCH_SIZE", 2, "TEST.NUM_ENSEMBLE_VIEWS", 2,
]  # fmt: skip
BAD = (3, 12)


@contextlib.contextmanager
def stopping(cls, at):
    """Reads clips of `cls`, of which some are damaged; at a position the machine is wanted back."""
    get = cls.sample

    def sample(self, position):
        if position == at:
            os.kill(os.getpid(), signal.SIGTERM)
        if position in BAD:
            return Sample((), 0, position, {position: "damaged"})
        return get(self, position)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cls, "sample", sample)
        yield


def unbroken(flow, cfg, cls):
    with stopping(cls, None):
        return flow(cfg)


def stop_once(flow, cfg, cls, at):
    """Runs `flow`, of which each process stops in a batch of its own, and again.

    Returns the names of the bookmarks, and what it gives in the end.
    """
    stop = stopping(cls, at[ranks.rank()])
    with stop, preemption.accepting(), pytest.raises(preemption.Preempted):
        flow(cfg)
    ranks.wait()
    left = sorted(os.listdir(Outputs(cfg.OUTPUT_DIR).bookmarks))
    ranks.wait()
    return left, unbroken(flow, cfg, cls)


def reported(cfg):
    """The report and the top clips of a fresh network, as text, every digit of them."""
    network = build_network(cfg)
    reports, kept = measure_and_keep(cfg, {"trained": network}, "none", {}, clips=2)
    path = Path(cfg.OUTPUT_DIR, f"{ranks.rank()}.json")
    reports["trained"].save(path)
    content, top = json.loads(path.read_text()), kept.extremes
    content["meta"].pop("seconds")
    return json.dumps([content, top.values.tolist(), top.videos.tolist()])


def test_a_stopped_measurement_goes_on(tiny):
    cfg = tiny(*OPTS)
    whole = unbroken(reported, cfg, SourceClips)
    (left,), broken = stop_once(reported, cfg, SourceClips, [7])
    assert left.startswith("measurement-0-of-1-")
    assert broken == whole and str(list(BAD)) in whole


@pytest.mark.ddp
def test_a_stopped_measurement_of_two_processes_goes_on(tiny, two_ranks):
    cfg = tiny(*OPTS, "NUM_GPUS", 2)
    whole = two_ranks.run(unbroken, reported, cfg, SourceClips)
    left, broken = zip(*two_ranks.run(stop_once, reported, cfg, SourceClips, [4, 11]), strict=True)
    assert [name[:18] for name in left[0]] == ["measurement-0-of-2", "measurement-1-of-2"]
    assert list(broken) == whole and whole[0] == whole[1]


def test_a_damaged_bookmark_is_not_gone_on_with(tiny, caplog):
    cfg = tiny(*OPTS)
    with stopping(SourceClips, 7), preemption.accepting(), pytest.raises(preemption.Preempted):
        reported(cfg)
    (name,) = os.listdir(Outputs(cfg.OUTPUT_DIR).bookmarks)
    with open(f"{Outputs(cfg.OUTPUT_DIR).bookmarks}/{name}", "r+b") as file:
        file.truncate(1000)
    damaged = reported(cfg)
    (said,) = [r.getMessage() for r in caplog.records if "bookmark" in r.getMessage()]
    assert said.startswith("measurement begins anew, as its bookmark cannot be read")
    caplog.set_level("INFO", "slowfast_bias")
    reported(tiny(*OPTS, "BIAS.SEED", 1))
    assert f"measurement begins anew: what {Outputs(cfg.OUTPUT_DIR).bookmarks}" in caplog.text
    bookmark.clear(cfg.OUTPUT_DIR)
    assert damaged == reported(cfg)


def test_what_decides_the_numbers_is_in_the_fingerprint(tiny):
    def found(*opts, scale=1.0):
        cfg = tiny(*opts)
        torch.manual_seed(0)
        model = host.build_model(cfg)
        with torch.no_grad():
            model.s1.pathway0_stem.conv.weight.fill_(scale)
        return fingerprint.fingerprint(cfg, fingerprint.weights_digest(model))

    mine = found()
    assert found("DATA_LOADER.NUM_WORKERS", 2, "BIAS.RANK_TIMEOUT", 1, "OUTPUT_DIR", "o") == mine
    assert len({mine, found("BIAS.SEED", 1), found("DATA.NUM_FRAMES", 4), found(scale=2.0)}) == 4
    data = open_dataset("toyvideos", tiny(), "val")
    more = open_dataset("toyvideos", tiny("BIAS.TOY.NUM_VAL", 6), "val")
    assert fingerprint.list_digest(data) != fingerprint.list_digest(more)


def test_a_stopped_test_goes_on(tiny):
    cfg = tiny(*OPTS, "SOLVER.MAX_EPOCH", 1, "TEST.SAVE_RESULTS_PATH", "scores.pkl")
    engine.train(cfg)
    scores = Path(cfg.OUTPUT_DIR, "scores.pkl")
    unbroken(engine.test, cfg, Toyvideos)
    whole = scores.read_bytes()
    scores.unlink()
    left, _ = stop_once(engine.test, cfg, Toyvideos, [8])
    assert left[0].startswith("test-0-of-1-") and len(left) == 1
    assert scores.read_bytes() == whole
    assert not os.path.exists(Outputs(cfg.OUTPUT_DIR).bookmarks)


@pytest.mark.parametrize("kind", ["scores", "verdicts"])
def test_a_tally_goes_on_from_its_state(kind):
    def empty():
        if kind == "scores":
            return ScoreTally(2, 5, 3, torch.device("cpu"))
        return VerdictTally(2, 5, 3, torch.device("cpu"), views=2, pairs=[(0, 1)])

    random = torch.Generator().manual_seed(0)
    whole, tally = empty(), empty()
    for start in range(0, 8, 3):
        clips = torch.arange(start, min(start + 3, 8))
        scores = torch.rand(2, len(clips), 3, generator=random).softmax(2)
        batch = Batch([], clips // 2 % 3, clips, {})
        whole.add(list(scores), batch, clips // 2)
        fresh = empty()
        fresh.load_state(tally.state())
        tally = fresh
        tally.add(list(scores), batch, clips // 2)
    assert torch.equal(tally.clips_of(), whole.clips_of()) and whole.clips_of().sum() == 8
    complete = whole.clips_of() == 2
    assert torch.equal(tally.labels, whole.labels)
    assert all(torch.equal(tally.hits(k, complete), whole.hits(k, complete)) for k in (0, 1))
    assert torch.equal(tally.finite(), whole.finite())
    if kind == "verdicts":
        assert torch.equal(tally.divergences(0, complete), whole.divergences(0, complete))
    else:
        assert torch.equal(tally.scores, whole.scores)


def test_a_pass_begins_once_at_another_batch():
    class Numbers:
        streams, views = (), 1

        def __len__(self):
            return 10

        def sample(self, index):
            return Sample((torch.zeros(1),), 0, index)

    loader = Loader(Numbers(), 2, training=True, seed=0, rank=1, world=2)
    loader.set_epoch(3)
    whole = [batch.indices.tolist() for batch in loader]
    loader.begin_at(1)
    assert [batch.indices.tolist() for batch in loader] == whole[1:]
    assert [batch.indices.tolist() for batch in loader] == whole and len(loader) == 2


def test_scores_of_masks_go_on_from_their_state(tmp_path):
    rule = MaskRule(threshold=0.4)
    masks = MaskFigures(
        {"bear": 5, "bus": 4}, {"bear": {1: (0.25, 0.5), 2: (0.125, 1.0)}, "bus": {}}
    )
    scores = MaskScores(masks, BoxFigures(rule.box, {"bear": {3: 0.75}}), 4, rule)
    torch.save(scores.state(), tmp_path / "state")
    state = torch.load(tmp_path / "state", weights_only=True)
    assert MaskScores.of_state(state, rule) == scores
