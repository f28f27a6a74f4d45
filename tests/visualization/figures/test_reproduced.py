"""Bars of reproduced figures: what is drawn is what was given, and all of it can be read."""

from __future__ import annotations

import pytest

from slowfast_bias.errors import RequestError
from slowfast_bias.visualization.drawing.style import COLORS
from slowfast_bias.visualization.figures.debiasing import debiasing_bars
from slowfast_bias.visualization.figures.training_data import share_bars

PUBLISHED = {"static": 38.4, "dynamic": 21.4}


def share(network, data, static, dynamic, published=()):
    return {
        "network": network, "data": data, "shares": {"static": static, "dynamic": dynamic},
        "errors": {"static": 0.4}, "published": dict(published),
    }  # fmt: skip


SHARES = [
    share("SlowOnly", "Kinetics-400", 36.0, 22.0, PUBLISHED),
    share("SlowOnly", "Something-Something", 30.5, 24.5),
    share("FastOnly", "Something-Something", 23.0, 28.0),
]


def treated(data, dropout, top1, dynamic, least=None, published=()):
    return {
        "data": data, "dropout": dropout, "top1": top1, "dynamic": dynamic, "least_common": least,
        "published": dict(published),
    }  # fmt: skip


TREATED = [
    treated("SSv2", "none", 54.0, 11.0, 20.0,
            {"top1": 54.18, "dynamic_units": 10.7}),
    treated("SSv2", "static 0.3, temperature 0.1", 55.0, None, 22.0),
    treated("Something-Else", "static 0.5", 50.0, 51.0),
]  # fmt: skip


def marks(ax, gid):
    return [line.get_xydata()[0].tolist() for line in ax.lines if line.get_gid() == gid]


def test_shares_stand_by_network_and_training_data(check_text):
    figure = share_bars(SHARES)
    slow, fast = figure.axes
    assert [ax.get_title() for ax in figure.axes] == ["SlowOnly", "FastOnly"]
    static, dynamic = slow.containers
    assert [bar.get_height() for bar in static] == [36.0, 30.5]
    assert [bar.get_height() for bar in dynamic] == [22.0, 24.5]
    (bar,) = fast.containers[0]
    assert bar.get_height() == 23.0 and round(bar.get_x() + bar.get_width() / 2) == 1
    (first, missing) = marks(slow, "static published")
    assert first[1] == 38.4 and missing[1] != missing[1]
    assert "published" in [text.get_text() for text in figure.legends[0].get_texts()]
    check_text(figure)
    plain = share_bars(SHARES[1:])
    assert "published" not in [text.get_text() for text in plain.legends[0].get_texts()]


def test_what_dropout_does_stands_by_data_and_kind(check_text):
    figure = debiasing_bars(TREATED)
    assert len(figure.axes) == 2 * 3  # nothing is known of the most common classes
    first, top1, least = figure.axes[:3]
    assert [bar.get_width() for bar in top1.containers[0]] == [54.0, 55.0]
    assert first.containers[0][0].get_facecolor()[:3] == pytest.approx(
        tuple(int(COLORS["dynamic"][i : i + 2], 16) / 255 for i in (1, 3, 5))
    )
    assert marks(first, "dynamic published")[0] == [10.7, 0]
    assert [text.get_text() for text in first.texts] == ["11.0", "-"]
    assert least.get_xlabel() == "" and figure.axes[5].get_xlabel() == "least common classes (%)"
    check_text(figure)


def test_nothing_to_draw_is_an_error():
    for draw in (share_bars, debiasing_bars):
        with pytest.raises(RequestError, match="at least one network"):
            draw([])
    with pytest.raises(RequestError, match="a number in some row"):
        debiasing_bars([treated("SSv2", "none", None, None)])
