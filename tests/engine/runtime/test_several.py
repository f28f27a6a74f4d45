"""Several processes: the same clips, the same statistics, the same numbers as one."""

from __future__ import annotations

import json
import os

import pytest
import torch
from support import double, warm

from slowfast_bias import engine
from slowfast_bias.config import ConfigError
from slowfast_bias.engine.runtime import launcher
from slowfast_bias.engine.setup import checkpoint, network
from slowfast_bias.outputs import Outputs

pytestmark = [pytest.mark.host, pytest.mark.ddp]

# seven videos: no number of processes divides them
OPTS = [
    "BN.NORM_TYPE", "sync_batchnorm", "SOLVER.BASE_LR", 0.001, "TRAIN.BATCH_SIZE", 4,
    "BIAS.TOY.NUM_VAL", 7, "BIAS.TOY.NUM_TEST", 7,
]  # fmt: skip
CONSTANT = ["SOLVER.LR_POLICY", "steps_with_relative_lrs", "SOLVER.STEPS", [0], "SOLVER.LRS", [1]]
RUN = """
import atexit, sys, torch
from torch import distributed as dist
atexit.register(lambda: print("in a group:", dist.is_initialized()))  # runs last
from slowfast_bias.run import main
torch.set_default_dtype(torch.float64)
sys.exit(main(sys.argv[1:]))
"""


def lines(cfg, kind):
    with open(f"{cfg.OUTPUT_DIR}/json_stats.log") as file:
        return [line for line in map(json.loads, file) if line["_type"] == kind]


def weights(path):
    return checkpoint.read_checkpoint(path)["model_state"]


def distance(a, b, cfg):
    """How far apart two trained networks are, as a share of the way they came."""
    with double.float64():
        start = network.build_network(cfg).state_dict()
    names = [name for name, _ in network.build_network(cfg).named_parameters()]
    assert all(weights[name].dtype == torch.float64 for weights in (a, b) for name in names)
    ways = [torch.cat([(w[name] - start[name]).flatten() for name in names]) for w in (a, b)]
    return float((ways[0] - ways[1]).norm() / ways[0].norm())


# In float64 the order of a sum changes the 16th digit, and no activation changes its sign for it.
# Plain batch norm, or gradients off by a factor, give more than 0.5.
CLOSE = 1e-6


@pytest.fixture
def cfg_of(tiny, tmp_path):
    def make(name, *opts):
        return tiny(*OPTS, "OUTPUT_DIR", str(tmp_path / name), *opts)

    return make


def test_two_processes_do_what_one_does(cfg_of, two_ranks):
    one, two = cfg_of("one"), cfg_of("two", "NUM_GPUS", 2)
    results = [double.train(cfg) for cfg in (one, two)]
    losses = [[line["loss"] for line in lines(cfg, "train_epoch")] for cfg in (one, two)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)  # as the log rounds them
    assert distance(*(weights(result.checkpoint) for result in results), one) < CLOSE
    assert [result.val["clips"] for result in results] == [7, 7]
    assert results[0].val["top1_err"] == results[1].val["top1_err"]
    # and each tests what the other trained
    weights_of_two = ["TEST.CHECKPOINT_FILE_PATH", results[1].checkpoint]
    across = [
        *two_ranks.run(engine.test, cfg_of("one", "NUM_GPUS", 2, *weights_of_two)),
        engine.test(cfg_of("two", *weights_of_two)),
    ]
    assert [result.videos for result in across] == [7, 7, 7]
    assert across[0].top1 == across[1].top1 == across[2].top1
    # only the first process writes
    assert len(lines(two, "train_epoch")) == 2 and len(lines(two, "train_iter")) == 4


def test_a_run_changes_its_number_of_processes_between_epochs(cfg_of, two_ranks):
    whole = double.train(cfg_of("whole", *CONSTANT))
    first = cfg_of("parts", *CONSTANT, "SOLVER.MAX_EPOCH", 1, "NUM_GPUS", 2)
    two_ranks.run(double.train, first)
    parts = double.train(cfg_of("parts", *CONSTANT, "SOLVER.MAX_EPOCH", 2))
    cfg = cfg_of("whole")
    assert distance(weights(whole.checkpoint), weights(parts.checkpoint), cfg) < CLOSE


def test_plain_batch_norm_ends_with_the_same_statistics_everywhere(cfg_of, two_ranks):
    """Without sync batch norm each rank has its own; the mean is that of all clips."""
    opts = [*CONSTANT, "SOLVER.MAX_EPOCH", 1, "SOLVER.BASE_LR", 0.0, "BIAS.TOY.NUM_TRAIN", 4]
    opts += ["SOLVER.WEIGHT_DECAY", 0.0, "BN.NORM_TYPE", "batchnorm"]
    one = weights(engine.train(cfg_of("one", *opts)).checkpoint)
    result, _ = two_ranks.run(engine.train, cfg_of("two", *opts, "NUM_GPUS", 2))
    assert result.val["clips"] == 7
    name = "s1.pathway0_stem.bn.running_mean"
    torch.testing.assert_close(weights(result.checkpoint)[name], one[name], rtol=1e-4, atol=1e-6)


def test_torchrun(cfg_of, tmp_path):
    one = cfg_of("one", "TEST.ENABLE", True)
    double.train(one)
    cfg = cfg_of("torchrun")
    path = tmp_path / "torchrun.yaml"
    path.write_text(cfg.dump())
    port = launcher.free_port()
    group = [
        warm.start(
            ["-c", RUN, "--cfg", path],
            env={**os.environ, "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2",
                 "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)},
        )
        for rank in range(2)
    ]  # fmt: skip
    output = [process.communicate(timeout=120) for process in group]
    assert [process.returncode for process in group] == [0, 0], output
    # else threads of gloo now and then let go of a tensor after that, which is SIGABRT
    assert all("in a group: False" in said for said, _ in output)
    ends = [weights(Outputs(c.OUTPUT_DIR).checkpoint(2)) for c in (one, cfg)]
    assert distance(*ends, one) < CLOSE
    (line,) = lines(cfg, "test_final")
    assert line["videos"] == 7


def test_several_machines_need_a_meeting_point(cfg_of):
    with pytest.raises(ConfigError, match="--init_method tcp://HOST:PORT"):
        engine.train(cfg_of("shards", "NUM_GPUS", 2, "NUM_SHARDS", 2))


def test_ranks_count_through_the_machines(cfg_of, monkeypatch, tmp_path):
    joined = []
    monkeypatch.setattr(launcher.ranks, "join", lambda rank, *how: joined.append((rank, *how)))
    # Ctrl-C stays pytest's
    monkeypatch.setattr(launcher.interrupts, "accept_one_sigint", lambda: None)
    monkeypatch.setattr(launcher.preemption, "accept", lambda: None)
    for shard in (0, 1):
        cfg = cfg_of("shards", "NUM_GPUS", 2, "NUM_SHARDS", 2, "SHARD_ID", shard)
        for local in (0, 1):
            result = str(tmp_path / f"{shard}{local}")
            launcher.run_child(local, cfg, lambda cfg: cfg.SHARD_ID, 4, "tcp://a:1", result)
    assert [rank[:4] for rank, *_ in joined] == [
        (rank, 4, rank % 2, "tcp://a:1") for rank in range(4)
    ]
    assert [how for _, *how in joined] == [[2, torch.cuda.is_available()]] * 4
    # the first process of each machine hands its result to the parent
    assert sorted(path.name for path in tmp_path.glob("?0")) == ["00", "10"]
    assert not list(tmp_path.glob("?1"))
