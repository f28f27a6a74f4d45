"""Curves by design: which column a report belongs to, where its layers stand, nothing lost."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer

from slowfast_bias import cli
from slowfast_bias.bias import HEADLINE, BiasReport
from slowfast_bias.errors import RequestError
from slowfast_bias.visualization import design_panels
from slowfast_bias.visualization.drawing.block_axis import BlockDepth, block_depths
from slowfast_bias.visualization.drawing.style import REFERENCE
from slowfast_bias.visualization.reading.designs import by_design, design_of

STAGES = ["s1", "s2", "s3", "s4", "s5", "head"]
TWO = [f"s{i}/{path}" for i in range(1, 6) for path in (0, 1)] + ["head"]
UNTRAINED = {"reference": "initial random weights"}


def blocks(count, prefix="blocks"):
    return [f"{prefix}.{i}" for i in range(count)] + ["head"]


@pytest.fixture(scope="session")
def make(make_moving):
    """A report with motion-only over these layers, three units each."""
    return lambda layers, **meta: make_moving(dict.fromkeys(layers, 3), len(layers), 24, meta)


@pytest.fixture(scope="session")
def zoo(make):
    """Reports without a word of their design, as older ones are, in no order."""
    return {
        "TimeSformer": make(blocks(12, "model.timesformer.encoder.layer")),
        "SlowOnly": make(STAGES),
        "V-JEPA 2": make(blocks(24, "model.vjepa2.encoder.layer")),
        "SlowFast": make(TWO),
        "MViT": make(blocks(16)),
        "I3D": make(STAGES, model="ResNet i3d depth 50"),
        "FastOnly": make(STAGES, model="ResNet fast depth 50"),
        "r3d": make(["stem", "layer1", "layer2"]),
    }


def drawn(ax):
    """{(network, layer): (x, y, error)} as drawn; a layer drawn twice is an error."""
    found = {}
    for container in ax.containers:
        if isinstance(container, ErrorbarContainer):
            line, _, (bars,) = container
            layers = line.get_gid().split("|")
            spans = [(x[1, 1] - x[0, 1]) / 2 for x in bars.get_segments()]
            rows = zip(layers, line.get_xdata(), line.get_ydata(), spans, strict=True)
            for layer, *numbers in rows:
                assert (container.get_label(), layer) not in found
                found[container.get_label(), layer] = numbers
    return found


def lines(ax, name):
    return [c[0] for c in ax.containers if c.get_label() == name]


def grid_of(figure, rows):
    return np.reshape(figure.axes, (rows, -1))


def legends(figure):
    """{design: names} of the columns' legends, in order."""
    found = [ax.get_legend() for ax in figure.axes]
    return {x.get_title().get_text(): [t.get_text() for t in x.texts] for x in found if x}


def caption_of(figure):
    return figure.get_supxlabel().replace("\N{NO-BREAK SPACE}", " ").replace("\n", " ")


def test_old_reports_are_grouped_by_their_layers(zoo):
    found = {design: list(members) for design, members in by_design(zoo).items()}
    assert found == {
        "cnn": ["SlowOnly", "I3D"],
        "slowfast": ["SlowFast", "FastOnly"],
        "transformer": ["TimeSformer", "V-JEPA 2", "MViT"],
        "other": ["r3d"],
    }
    assert list(found) == ["cnn", "slowfast", "transformer", "other"]


@pytest.mark.parametrize(
    ("layers", "design"),
    [
        (["s5/0", "s5/1"], "slowfast"),
        (["s5", "head"], "cnn"),
        (["vit.layer.3", "vit.layer.7", "vit.layer.11"], "transformer"),
        ([f"blocks.{i}.{part}" for i in range(8) for part in ("attn", "mlp")], "transformer"),
        (blocks(6), "other"),  # pytorchvideo's CNNs have such names
        (["layer1.0", "layer2.0", "layer3.0"], "other"),
        (["head"], "other"),
    ],
)
def test_names_of_layers_suggest_a_design(make, layers, design):
    assert design_of(make(layers)) == design


def test_what_a_report_says_counts_more_than_its_layers(make):
    assert design_of(make(blocks(6), design="cnn")) == "cnn"
    assert design_of(make(STAGES, design="slowfast")) == "slowfast"
    assert design_of(make(STAGES, design="transformer")) == "transformer"
    for said in ("", "recurrent", 3, None):
        assert design_of(make(STAGES, design=said)) == "cnn"


def test_an_untrained_network_is_beside_its_own(make):
    net, twin = make(blocks(4), design="transformer"), make(blocks(4), **UNTRAINED)
    assert by_design({"twin": twin, "net": net}) == {"transformer": {"twin": twin, "net": net}}
    assert list(by_design({"twin": twin, "other": make(STAGES)})) == ["cnn", "other"]


def test_every_layer_of_every_network_is_drawn_once_in_its_column(zoo):
    groups, figure = by_design(zoo), design_panels(zoo)
    grid = grid_of(figure, len(HEADLINE))
    for score, row in zip(HEADLINE, grid, strict=True):
        for ax, members in zip(row, groups.values(), strict=True):
            points = drawn(ax)
            assert set(points) == {(n, layer) for n, r in members.items() for layer in r.layers}
            for (name, layer), (_, *numbers) in points.items():
                bias = members[name][layer]
                want = bias.score(score), bias.score_error(score)
                np.testing.assert_allclose(numbers, want, atol=1e-12)
    for row in grid:
        assert len({ax.get_ylim() for ax in row}) == 1
    shares = grid_of(design_panels(zoo, "percent"), 2)
    (_, y, _) = drawn(shares[1, 0])["I3D", "s3"]
    assert y == pytest.approx(zoo["I3D"]["s3"].percent()["dynamic"])


def test_a_legend_names_every_network_once(zoo):
    assert legends(design_panels(zoo)) == {
        "3D CNNs": ["SlowOnly", "I3D"],
        "SlowFast variants": ["SlowFast", "FastOnly", "slow pathway", "fast pathway"],
        "Transformers": ["TimeSformer", "V-JEPA 2", "MViT"],
        "Other networks": ["r3d"],
    }


def test_designs_without_a_report_have_no_column(zoo):
    assert list(legends(design_panels({"a": zoo["MViT"]}))) == ["Transformers"]
    two = legends(design_panels({name: zoo[name] for name in ("MViT", "I3D")}))
    assert list(two) == ["3D CNNs", "Transformers"]


def test_stages_stand_in_order_and_pathways_of_one_at_the_same_place(zoo):
    cnn, slowfast, *_ = grid_of(design_panels(zoo), 3)[-1]
    assert [t.get_text() for t in cnn.get_xticklabels()] == STAGES
    points = drawn(slowfast)
    for i, name in enumerate(STAGES[:-1]):
        assert {points["SlowFast", f"{name}/{p}"][0] for p in (0, 1)} == {i}
        assert points["FastOnly", name][0] == i
    slow, fast = (line for line in lines(slowfast, "SlowFast") if "/" in line.get_gid())
    assert slow.get_linestyle() == "-" and fast.get_linestyle() == "--"
    assert slow.get_color() == fast.get_color()
    assert slow.get_markerfacecolor() != fast.get_markerfacecolor()


def test_blocks_of_other_numbers_share_a_relative_depth_and_head_is_last(zoo):
    figure = design_panels({name: zoo[name] for name in ("TimeSformer", "MViT", "V-JEPA 2")})
    points = drawn(figure.axes[-1])
    for name, count in (("TimeSformer", 12), ("MViT", 16), ("V-JEPA 2", 24)):
        x = [x for (network, _), (x, *_) in points.items() if network == name]
        np.testing.assert_allclose(x[:-1], np.linspace(0, 1, count))
        assert x[-1] > 1
    assert len({points[name, "head"][0] for name, _ in points}) == 1
    assert figure.axes[-1].get_xticklabels()[-1].get_text() == "head"
    assert "Blocks: 12 in TimeSformer, 16 in MViT, 24 in V-JEPA 2." in caption_of(figure)


@pytest.mark.parametrize("count", [1, 3, 12, 16, 24, 48])
def test_blocks_of_one_number_stand_at_their_numbers(make, count):
    layers = blocks(count)
    net = make(layers, design="transformer")
    figure = design_panels({"a": net, "b": net})
    ax = figure.axes[-1]
    x = [drawn(ax)["a", layer][0] for layer in layers]
    assert x[:-1] == list(range(count)) and x[-1] >= count
    ticks = dict(zip(ax.get_xticks(), [t.get_text() for t in ax.get_xticklabels()], strict=True))
    assert ticks.pop(x[-1]) == "head" and ticks == {at: f"{at:g}" for at in ticks}
    assert "Blocks:" not in caption_of(figure)


def test_blocks_that_were_left_out_keep_their_room(make):
    depth = BlockDepth.of({"a": make(["b.0", "b.3", "b.11"])})
    assert list(depth.positions(make(["b.0", "b.3", "b.11"])).values()) == [0, 3, 11]
    mixed = BlockDepth.of({"a": make(["b.0", "b.3", "b.11"]), "b": make(["b.0", "b.23"])})
    np.testing.assert_allclose(
        list(mixed.positions(make(["b.0", "b.3", "b.11"])).values()), [0, 3 / 11, 1]
    )


def test_parts_of_a_block_and_a_second_list_go_deeper():
    layers = ["embed", "a.0", "a.1.attn", "a.1.mlp", "between", "b.0", "b.1", "norm", "head"]
    depths = block_depths(layers)
    assert list(depths) == layers[1:-2]
    np.testing.assert_allclose(list(depths.values()), [0, 1, 4 / 3, 5 / 3, 2, 3])
    assert block_depths(["s1", "s2/0", "layer4"]) == {}


def test_what_is_before_and_after_all_blocks_has_a_place_of_its_own(make):
    reports = {
        "b": make(blocks(12)),
        "a": make(["embed", *blocks(12)[:-1], "norm", "head"]),
    }
    b, a = (BlockDepth.of(reports).positions(report) for report in reports.values())
    assert a["embed"] < 0 == a["blocks.0"] and a["blocks.11"] < a["norm"] < a["head"]
    assert {layer: a[layer] for layer in b} == b


def test_networks_of_one_column_differ_in_colour_or_line(make):
    net = make(STAGES)
    (ax, *_) = design_panels({f"n{i}": net for i in range(10)}).axes
    looks = {(c[0].get_color(), c[0].get_linestyle()) for c in ax.containers}
    assert len(looks) == 10
    one = [c[0] for c in design_panels({"x": net, "y": net}).axes[0].containers]
    assert {line.get_linestyle() for line in one} == {"-"}


def test_an_untrained_network_is_dashed_grey_and_has_the_marker_of_its_own(make):
    reports = {
        "a": make(STAGES, model="A"),
        "b": make(STAGES, model="B"),
        "b0": make(STAGES, model="B", **UNTRAINED),
    }
    ax = design_panels(reports).axes[0]
    ((b,), (twin,)) = lines(ax, "b"), lines(ax, "b0")
    assert twin.get_linestyle() == "--" and to_hex(twin.get_color()) == REFERENCE["color"]
    assert twin.get_marker() == b.get_marker() and b.get_linestyle() == "-"


def test_pathways_of_an_untrained_network_differ_in_their_fill(make):
    twin = make(TWO, **UNTRAINED)
    found = [
        line for line in lines(design_panels({"a": twin}).axes[0], "a") if "s1" in line.get_gid()
    ]
    assert len({line.get_markerfacecolor() for line in found}) == len(found) == 2


def test_one_name_may_be_between_the_blocks_of_one_network_and_after_those_of_another(make):
    between = make(["a.0", "norm", "b.0", "b.1", "head"])
    reports = {"between": between, "after": make(["a.0", "a.1", "a.2", "norm", "head"])}
    inside, outside = (BlockDepth.of(reports).positions(report) for report in reports.values())
    assert list(inside.values()) == sorted(inside.values()) and inside["norm"] < 1
    assert list(outside.values()) == sorted(outside.values()) and outside["norm"] > 2


def test_text_neither_overlaps_nor_leaves_the_page(zoo, make, check_text):
    long = {f"SLOW_8x8_R50_kinetics_static_dropout_0.{i}_finetuned": make(STAGES) for i in range(8)}
    parts = make(["model.patch_embedding", *blocks(12)[:-1], "norm", "head"])
    for reports in (zoo, {"V-JEPA 2": zoo["V-JEPA 2"]}, {**long, "MViT": zoo["MViT"]}):
        check_text(design_panels(reports))
    check_text(design_panels({"parts": parts, "MViT": zoo["MViT"]}, "percent"))


def test_reports_that_do_not_compare_are_named_in_the_caption(make):
    reports = {name: make(STAGES, data=name) for name in ("kinetics/val", "ssv2/val")}
    assert "! not comparable: the reports differ in data" in caption_of(design_panels(reports))


def test_errors_say_what_would_do(make):
    with pytest.raises(RequestError, match="at least one report"):
        design_panels({})
    with pytest.raises(RequestError, match="with layers, but empty has none"):
        design_panels({"net": make(STAGES), "empty": BiasReport({})})
    with pytest.raises(RequestError, match="'percent' or 'score'"):
        design_panels({"net": make(STAGES)}, "share")


@pytest.fixture
def files(zoo, tmp_path):
    paths = []
    for name in ("I3D", "SlowFast", "MViT"):
        paths.append(str(tmp_path / name / "report.json"))
        zoo[name].save(paths[-1])
    return paths


@pytest.mark.parametrize("words", [[], ["--value", "percent"]])
def test_compare_and_plot_draw_the_same_panels(files, tmp_path, capsys, words):
    a, b = tmp_path / "a.svg", tmp_path / "b.svg"
    assert cli.main(["compare", *files, "--panels", str(a), *words]) == 0
    table = capsys.readouterr().out
    assert cli.main(["plot", *files, "--kind", "panels", "--out", str(b), *words]) == 0
    assert a.read_bytes() == b.read_bytes()
    assert cli.main(["compare", *files]) == 0 and capsys.readouterr().out == table


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--panels", "a.jpg"], ".png, .pdf, .svg"),
        (["--value", "percent"], "--panels FIG"),
        (["--banks", "--panels", "a.png"], "no --panels with --banks"),
    ],
)
def test_requests_that_cannot_be_met_are_one_line(files, capsys, words, message):
    assert cli.main(["compare", *files, *words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and message in err and err.count("\n") == 1
