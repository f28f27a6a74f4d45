"""The repairs of host functions, alone and where the host looks for them."""

from __future__ import annotations

import importlib

import pytest
import torch

from slowfast_bias.host.repairs import topks_correct, whole_crop


def test_topks_agree_with_counting_by_hand():
    scores = torch.randn(40, 7, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(40) % 7
    ranks = [(row > row[label]).sum().item() for row, label in zip(scores, labels, strict=True)]
    wanted = [sum(rank < k for rank in ranks) for k in (1, 3, 5)]
    assert [int(n) for n in topks_correct(scores, labels, (1, 3, 5))] == wanted


def test_top_five_of_three_classes_is_everything():
    assert [int(n) for n in topks_correct(torch.randn(6, 3), torch.zeros(6).long(), (5,))] == [6]


def test_a_crop_of_the_whole_image_keeps_its_boxes():
    def never(*_):
        raise AssertionError

    images = torch.zeros(3, 2, 8, 8)
    got, boxes = whole_crop(never)(images, 8, "boxes")
    assert got is images and boxes == "boxes"
    assert whole_crop(lambda *arguments: arguments)(images, 4)[1:] == (4, None)


@pytest.mark.host
def test_the_hosts_own_functions_work_with_four_classes_and_whole_images():
    from slowfast_bias import host

    assert host.name in ("pypi", "main")
    metrics = importlib.import_module("slowfast.utils.metrics")
    transform = importlib.import_module("slowfast.datasets.transform")
    scores, labels = torch.randn(6, 5), torch.arange(6) % 5
    assert [int(n) for n in metrics.topks_correct(scores, labels, (5,))] == [6]
    images, _ = transform.random_crop(torch.zeros(3, 2, 8, 8), 8)
    assert images.shape == (3, 2, 8, 8)
