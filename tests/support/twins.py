"""Networks of our own beside SlowFast main's, built from one config, with the same weights."""

import os
from pathlib import Path

import torch
from torch import nn

from slowfast_bias import engine, host
from slowfast_bias.models.networks import mvit, x3d

CONFIGS = Path(os.environ.get("SLOWFAST_MAIN", "/nowhere"), "configs")
# Keys that only the release has; main's networks are built with these numbers.
RELEASE_ONLY = {"BN.EPSILON": 1e-5, "BN.MOMENTUM": 0.1}
# No chance in training, so that gradients can be compared.
CALM = [
    "MODEL.DROPOUT_RATE", 0.0, "MVIT.DROPPATH_RATE", 0.0, "MVIT.DROPOUT_RATE", 0.0,
    "MODEL.NUM_CLASSES", 5,
]  # fmt: skip


def load(file, *opts):
    """The config of one of main's files, on this machine."""
    words = ["TRAIN.ENABLE", False, "NUM_GPUS", 0, "NUM_SHARDS", 1, *opts]
    return engine.load_cfg(CONFIGS / file, words)


def value(cfg, key):
    """What a config says, or would say if this host had the key."""
    if key in RELEASE_ONLY:
        return RELEASE_ONLY[key]
    for part in key.split("."):
        cfg = cfg[part]
    return cfg


def ours(cfg):
    """Our network as a config describes it."""
    module, name = {"x3d": (x3d, "X3D"), "mvit": (mvit, "MViT")}[cfg.MODEL.ARCH]
    arguments = {name: value(cfg, key) for name, key in module.ARGUMENTS.items()}
    return getattr(module, name)(**arguments)


def twins(file, *opts):
    """Main's network and ours with the same weights and statistics, random and not small."""
    cfg = load(file, *CALM, *opts)
    torch.manual_seed(0)
    theirs = host.build_model(cfg)
    for name, parameter in theirs.named_parameters():
        if parameter.ndim > 1:  # as large as keeps the features' size: no part is negligible
            parameter.data.normal_(0.0, parameter[0].numel() ** -0.5)
        elif name.endswith("weight"):
            parameter.data.uniform_(0.5, 1.5)
        else:
            parameter.data.normal_(0.0, 0.1)
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.running_mean.normal_(0.0, 0.1)
            module.running_var.uniform_(0.5, 2.0)
    our = ours(cfg)
    our.load_state_dict(theirs.state_dict())
    return cfg, theirs, our


def clips(cfg, batch=2, size=None):
    """Random clips as large as those of training; coarse, as noise is the same in all clips."""
    coarse = torch.randn(batch, 3, 4, 4, 4, generator=torch.Generator().manual_seed(1))
    size = size or cfg.DATA.TRAIN_CROP_SIZE
    return [2 * nn.functional.interpolate(coarse, (cfg.DATA.NUM_FRAMES, size, size))]


def check_scores(theirs, our, inputs):
    """Asserts that both networks give the same scores in evaluation."""
    with torch.no_grad():
        expected, found = theirs.eval()(list(inputs)), our.eval()(inputs)
    assert expected.std(0).max() > 1e-3  # they depend on the clip
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def check_gradients(theirs, our, inputs):
    """Asserts that one step of training has the same gradients, of every parameter."""
    found = []
    for network in (theirs, our):
        network.train().zero_grad()
        labels = torch.arange(len(inputs[0])) % 5
        nn.functional.cross_entropy(network(list(inputs)), labels).backward()
        found.append({name: p.grad for name, p in network.named_parameters()})
    for name, expected in found[0].items():
        # Sums are in another order: a few 1e-6 of the largest. Biases of keys have no gradient but
        # rounding, 1e-8.
        bound = 1e-4 * float(expected.abs().max()) + 1e-6
        torch.testing.assert_close(found[1][name], expected, rtol=0, atol=bound)


def check_first_weights(theirs, our):
    """Asserts that weights begin equal where they are constant, and spread equally elsewhere."""
    for (name, expected), found in zip(theirs.named_parameters(), our.parameters(), strict=True):
        if expected.std(correction=0) == 0 or found.std(correction=0) == 0:
            torch.testing.assert_close(found, expected, msg=name)
        elif expected.numel() >= 1000:  # then 15 % are many standard errors
            ratio = found.std() / expected.std()
            assert 0.85 < ratio < 1.15, name
            assert (found.mean() - expected.mean()).abs() < 0.15 * expected.std(), name
