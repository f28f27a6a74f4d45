"""What other sources call the weights of SlowFast's networks, written from their own rules."""

from __future__ import annotations

import re


def in_stage(name, blocks, pathways):
    """A weight of stages s2 to s5, in pytorchvideo's words."""
    found = re.fullmatch(r"s(\d)\.pathway(\d)_res(\d+)\.(.*)", name)
    stage, pathway, block, rest = found.groups()
    rest = re.sub(r"branch1\.(.*)", r"branch1_conv.\1", rest)
    rest = re.sub(r"branch1_bn\.(.*)", r"branch1_norm.\1", rest)
    rest = re.sub(r"branch2\.([abc])\.(.*)", r"branch2.conv_\1.\2", rest)
    rest = re.sub(r"branch2\.([abc])_bn\.(.*)", r"branch2.norm_\1.\2", rest)
    middle = f"multipathway_blocks.{pathway}." if pathways > 1 else ""
    return f"blocks.{blocks[int(stage) - 2]}.{middle}res_blocks.{block}.{rest}"


def of_pytorchvideo(weights, blocks, pathways=1):
    names = {}
    for name in weights:
        stem = re.fullmatch(r"s1\.pathway(\d)_stem\.(conv|bn)\.(.*)", name)
        fuse = re.fullmatch(r"s(\d)_fuse\.(conv_f2s|bn)\.(.*)", name)
        if stem:
            middle = f"multipathway_blocks.{stem[1]}." if pathways > 1 else ""
            part = {"conv": "conv", "bn": "norm"}[stem[2]]
            names[name] = f"blocks.0.{middle}{part}.{stem[3]}"
        elif fuse:
            part = {"conv_f2s": "conv_fast_to_slow", "bn": "norm"}[fuse[2]]
            names[name] = f"blocks.{int(fuse[1]) - 1}.multipathway_fusion.{part}.{fuse[3]}"
        elif name.startswith("head."):
            # SlowFast pools its two pathways in a block of its own
            names[name] = f"blocks.{blocks[-1] + pathways}.{name[5:].replace('projection', 'proj')}"
        else:
            names[name] = in_stage(name, blocks, pathways)
    return {names[name]: value for name, value in weights.items()}


def of_mmaction(weights):
    names = {}
    for name in weights:
        new = re.sub(r"^s1\.pathway0_stem\.", "backbone.conv1.", name)
        new = re.sub(
            r"^s(\d)\.pathway0_res(\d+)\.",
            lambda m: f"backbone.layer{int(m[1]) - 1}.{m[2]}.",
            new,
        )
        for letter, number in zip("abc", "123", strict=True):
            new = new.replace(f"branch2.{letter}.", f"conv{number}.conv.")
            new = new.replace(f"branch2.{letter}_bn.", f"conv{number}.bn.")
        new = new.replace("branch1.", "downsample.conv.").replace("branch1_bn.", "downsample.bn.")
        names[name] = new.replace("head.projection.", "cls_head.fc_cls.")
    return {names[name]: value for name, value in weights.items()}
