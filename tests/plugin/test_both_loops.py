"""The same config trains the same network in SlowFast's own loop and in ours; see both_loops."""

import json

import pytest
from support import ROOT

pytestmark = pytest.mark.host_main
WORDS = [
    "MODEL.MODEL_NAME", "StaticDropoutResNet", "BIAS.STATIC_DROPOUT.ENABLE", True,
    "BIAS.STATIC_DROPOUT.PERIOD", 3, "BIAS.STATIC_DROPOUT.EMA", 0.5, "BIAS.TOY.NUM_TRAIN", 16,
    "TRAIN.CHECKPOINT_EPOCH_RESET", True, "BIAS.ENABLE", True, "BIAS.PERIOD", 2,
    "LOG_MODEL_INFO", False,
]  # fmt: skip
CLOSE = 1e-4  # logs round losses to five decimals; weights are float32 after eight steps
PROGRAM = ROOT / "tests" / "support" / "both_loops.py"


@pytest.fixture(scope="module")
def once():
    return {}


@pytest.fixture
def both(once, run_python, tiny, tmp_path):
    """What came of both loops, trained once for all tests of this file."""
    if not once:
        words = json.dumps([str(word) for word in (*tiny.words, *WORDS)])
        done = run_python(PROGRAM.read_text(), tmp_path, words)
        (line,) = [text for text in done.stdout.splitlines() if text.startswith("RESULT")]
        once.update(json.loads(line.removeprefix("RESULT")))
    return once


def test_losses_weights_and_static_scores_are_equal(both):
    one, other = both["slowfast"], both["ours"]
    assert len(one["losses"]) == 2
    assert one["losses"] == pytest.approx(other["losses"], abs=CLOSE)
    assert both["weights"] < CLOSE
    assert one["scores"] == pytest.approx(other["scores"], abs=CLOSE, nan_ok=True)


def test_scores_are_estimated_in_the_same_iterations(both):
    one, other = both["slowfast"], both["ours"]
    assert one["estimates"] == other["estimates"] == [1, 4, 7]
    assert one["score_means"] == pytest.approx(other["score_means"], abs=CLOSE)


def test_the_same_layers_are_measured_after_the_same_epochs(both):
    one, other = both["slowfast"], both["ours"]
    assert one["measured_epochs"] == other["measured_epochs"] == ["2/2"]
    assert list(one["measured"]) == ["s1", "s2", "s3", "s4", "s5", "head"]
    assert one["measured"] == pytest.approx(other["measured"], abs=CLOSE)


@pytest.mark.parametrize("loop", ["again", "taken over"])
def test_a_run_that_was_cut_goes_on_in_either_loop(both, loop):
    assert both[loop]["weights"] < CLOSE
    assert both[loop]["scores"] == pytest.approx(both["slowfast"]["scores"], abs=CLOSE, nan_ok=True)


def test_our_lines_in_slowfasts_log_have_its_form_and_ours_reads_both(both):
    assert both["lines of one form"] and both["errors read"]


def test_a_run_without_a_test_ends_with_its_report(both):
    assert {"report.json", "report.csv", "report.png", "epoch_00002.json"} <= set(both["files"])


def test_a_run_that_has_nothing_left_to_do_leaves_its_measurements(both):
    assert both["files after"] == both["files"] and both["kept"]


def test_the_tested_network_is_reported_as_our_own_command_measures_it(both):
    report = both["report"]
    assert report["layers"] == ["s1", "s2", "s3", "s4", "s5", "head"]
    assert report["same"] and report["same checkpoint"]
    assert report["model"].startswith("ResNet slow ")
