"""Meters in the place of SlowFast's: which classes they replace, and that off means off."""

import sys
import types

import pytest
import torch
from support.bare_plugin import bare
from torch import nn

from slowfast_bias import engine
from slowfast_bias.config import ConfigError
from slowfast_bias.errors import PluginError, UserError
from slowfast_bias.models.weights.readers import CheckpointError

pytestmark = pytest.mark.host_main


class TheirValMeter:
    """As SlowFast's, as far as the plugin knows it."""

    def __init__(self, max_iter, cfg):
        self.args, self.logged = (max_iter, cfg), []

    def log_epoch_stats(self, cur_epoch):
        self.logged.append(cur_epoch)


class TheirTestMeter:
    __test__ = False

    def __init__(self, *args):
        self.args, self.ended = args, 0

    def finalize_metrics(self, ks=(1, 5)):
        self.ended += 1


@pytest.fixture
def host_meters():
    module = types.ModuleType("meters_of_a_fork")
    module.__file__ = "meters.py"
    module.ValMeter, module.TestMeter = TheirValMeter, TheirTestMeter
    return module


@pytest.fixture
def replaced(host_meters):
    meters = bare("meters")
    for name, before in meters.METERS.items():
        meters.replace_meter(host_meters, name, before)
    return host_meters


def test_the_names_are_replaced_by_subclasses_once(replaced):
    assert replaced.ValMeter.__name__ == "BiasValMeter"
    assert replaced.TestMeter.__name__ == "BiasTestMeter"
    assert issubclass(replaced.ValMeter, TheirValMeter)
    held, meters = vars(replaced).copy(), bare("meters")
    for name, before in meters.METERS.items():
        meters.replace_meter(replaced, name, before)
    assert vars(replaced) == held


def test_off_they_are_their_parents(replaced, tiny):
    cfg, model = tiny(), nn.Linear(1, 1)
    bare("current_model").remember(model, cfg)
    val = replaced.ValMeter(7, cfg)
    val.log_epoch_stats(3)
    assert (val.args, val.logged) == ((7, cfg), [3])
    tested = replaced.TestMeter(1, 2, 3)
    tested.finalize_metrics()
    assert (tested.args, tested.ended) == ((1, 2, 3), 1)


def test_tools_that_hold_the_name_already_are_an_error(host_meters, monkeypatch):
    late = types.ModuleType("train_net_of_a_fork")
    late.ValMeter = TheirValMeter
    monkeypatch.setitem(sys.modules, late.__name__, late)
    with pytest.raises(PluginError, match=r"before SlowFast's tools.*train_net_of_a_fork"):
        bare("meters").replace_meter(host_meters, "ValMeter", bare("meters").MeasuresEpochs)


@pytest.mark.parametrize("found", [None, object, lambda: None])
def test_a_fork_with_another_meter_is_an_error(host_meters, found):
    host_meters.ValMeter = found
    with pytest.raises(PluginError, match=r"class ValMeter with log_epoch_stats\(\)"):
        bare("meters").replace_meter(host_meters, "ValMeter", bare("meters").MeasuresEpochs)


@pytest.mark.parametrize(
    ("listed", "views", "first"), [([], 3, True), ([1, 3], 1, True), ([1, 3], 3, False)]
)
def test_of_several_tests_the_first_is_measured(tiny, listed, views, first):
    words = ("TEST.NUM_TEMPORAL_CLIPS", listed, "TEST.NUM_ENSEMBLE_VIEWS", views)
    assert bare("meters").is_first_test(tiny(*words, check=False)) is first


@pytest.mark.parametrize(
    ("meter", "words", "error", "says"),
    [
        ("TestMeter", [], CheckpointError, "Expected weights"),
        ("TestMeter", ["TEST.CHECKPOINT_FILE_PATH", "{}/other.pyth"], CheckpointError, "to fit"),
        ("ValMeter", ["BIAS.LAYERS", ["s7"]], ConfigError, "s7"),
        ("ValMeter", ["BIAS.PAIRS", "nothing"], UserError, "nothing"),
    ],
)
def test_what_a_measurement_cannot_do_is_raised_before_any_work(
    replaced, tiny, tmp_path, meter, words, error, says
):
    torch.save({"model_state": {"head.projection.bias": torch.zeros(4)}}, tmp_path / "other.pyth")
    words = [word.format(tmp_path) if isinstance(word, str) else word for word in words]
    cfg = tiny("BIAS.ENABLE", True, *words, check=False)
    model = engine.build_network(cfg)
    bare("current_model").remember(model, cfg)
    with pytest.raises(error, match=says):
        getattr(replaced, meter)(1, cfg)


# -- the network that meters measure -------------------------------------------------------------


def test_the_network_built_last_is_the_current_one_while_it_lives(tiny):
    current_model, cfg = bare("current_model"), tiny()
    first, last = nn.Linear(1, 1), nn.Linear(1, 1)
    current_model.remember(first, cfg)
    current_model.remember(last, cfg)
    assert current_model.current().model is last
    assert current_model.current().cfg is cfg
    del last
    with pytest.raises(PluginError, match="network built by slowfast.models.build_model"):
        current_model.current()


def test_build_model_checks_the_keys_and_leaves_its_network(tiny):
    current_model, package, build = bare("current_model"), *map(types.ModuleType, "ab")
    built = []

    def build_model(cfg, gpu_id=None):
        built.append(nn.Linear(1, 1))
        return built[-1]

    package.build_model = build.build_model = build_model
    for _ in range(2):
        current_model.wrap_build_model(package, build, check=lambda cfg: built.append(cfg))
    cfg = tiny()
    assert package.build_model is build.build_model
    model = package.build_model(cfg, gpu_id=0)
    assert built == [cfg, model]  # checked once, and before anything is built
    assert current_model.current().model is model
