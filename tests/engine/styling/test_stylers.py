"""What turns frames into styled ones: a user's generators, read without running what they hold."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import pytest
import torch
from support import videos as make

from slowfast_bias.datasets.decoding.read_frames import read_frames
from slowfast_bias.engine.styling import stylers
from slowfast_bias.engine.styling.folder_writer import Options, stylize
from slowfast_bias.engine.styling.stylers import GeneratorError, Recipe, make_styler, read_generator
from slowfast_bias.errors import OutputError
from slowfast_bias.models.style_generator import PatchGenerator, Shape

SMALL = Shape(stem=4, half=4, quarter=4, up=4, last=4, blocks=1)


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    make.write_video(folder / "jump up.mp4", 24, fps=24)
    return folder


@pytest.fixture
def checkpoints(tmp_path):
    paths = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        paths.append(str(tmp_path / f"style{seed}.pth"))
        torch.save(PatchGenerator(SMALL).state_dict(), paths[-1])
    return paths


def test_a_generator_per_style_writes_what_it_makes_of_a_frame(films, tmp_path, checkpoints):
    recipe = Recipe(generators=tuple(checkpoints))
    stylize(
        [str(films / "jump up.mp4")], str(tmp_path / "out"), Options(recipe, every=12, png=True)
    )
    frames = read_frames(films / "jump up.mp4", [0, 12]).permute(0, 3, 1, 2).float() / 255
    for k, path in enumerate(checkpoints):
        expected = read_generator(path).eval().stylize(frames).mul(255).round().byte()
        found = read_frames(tmp_path / "out" / f"style_{k}" / "jump up", [0, 1])
        assert torch.equal(found.permute(0, 3, 1, 2), expected)


def test_other_weights_under_the_same_name_are_other_styles(films, tmp_path, checkpoints):
    options = Options(Recipe(generators=tuple(checkpoints)), every=12)
    sources, out = [str(films / "jump up.mp4")], str(tmp_path / "out")
    stylize(sources, out, options)
    moved = [shutil.move(path, f"{path}.moved") for path in checkpoints]
    elsewhere = Options(Recipe(generators=tuple(moved)), every=12)
    assert stylize(sources, out, elsewhere).skipped == ["jump up"]
    torch.save(PatchGenerator(SMALL).state_dict(), moved[1])
    stylers.make_styler.cache_clear()
    with pytest.raises(OutputError, match="settings with which .*weights"):
        stylize(sources, out, elsewhere)


def test_frames_are_styled_alike_few_or_many_at_once(films, checkpoints, monkeypatch):
    frames = read_frames(films / "jump up.mp4", range(5))
    for recipe in (Recipe("randconv"), Recipe(generators=tuple(checkpoints))):
        many = make_styler(recipe)(1, frames)
        monkeypatch.setattr(stylers, "_PIXELS", 96 * 64)
        few = make_styler(recipe)(1, frames)
        monkeypatch.undo()
        assert (many.int() - few.int()).abs().max() <= 1  # convolutions round by the batch


def test_processes_are_few_where_they_share_a_gpu(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    network, colours = Recipe(generators=("a", "b")), Recipe()
    for gpus, wanted in ((0, 64), (1, 4), (8, 32), (20, 64)):
        monkeypatch.setattr("torch.cuda.is_available", lambda gpus=gpus: gpus > 0)
        monkeypatch.setattr("torch.cuda.device_count", lambda gpus=gpus: gpus)
        assert stylers.default_processes(network) == wanted
        assert stylers.default_processes(colours) == 64


def test_a_gpu_that_is_too_small_is_told_with_the_remedy(checkpoints, monkeypatch):
    def too_much(*_):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    style = make_styler(Recipe(generators=tuple(checkpoints)))
    monkeypatch.setattr(PatchGenerator, "stylize", too_much)
    with pytest.raises(GeneratorError, match="20x10 px.*--short-side"):
        style(0, torch.zeros(2, 10, 20, 3, dtype=torch.uint8))


class Trap:
    """Leaves a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_a_pickled_network_is_refused_unexecuted_with_the_way_to_convert_it(tmp_path):
    path, trap = str(tmp_path / "model_00020.pth"), tmp_path / "executed"
    for whole in (PatchGenerator(SMALL), {"state_dict": {}, "extra": Trap(str(trap))}):
        torch.save(whole, path)
        with pytest.raises(GeneratorError, match=r"torch\.save\(model\.state_dict\(\)"):
            read_generator(path)
    assert not trap.exists()


def test_checkpoints_that_are_none_are_refused_by_name(tmp_path, checkpoints):
    path = tmp_path / "x.pth"
    with pytest.raises(GeneratorError, match="no file"):
        read_generator(str(path))
    path.write_bytes(Path(checkpoints[0]).read_bytes()[:2000])
    with pytest.raises(GeneratorError, match=r"x\.pth, but it cannot be read"):
        read_generator(str(path))
    path.write_bytes(b"text")
    with pytest.raises(GeneratorError, match=r"x\.pth, but it cannot be read"):
        read_generator(str(path))
    torch.save({"fc.weight": torch.zeros(1)}, path)
    with pytest.raises(GeneratorError, match=r"x\.pth: Expected the weights of a generator"):
        read_generator(str(path))
    for what in ([1, 2], 7, "text", {"epoch": 3}, torch.zeros(3)):
        torch.save(what, path)
        with pytest.raises(GeneratorError, match=r"x\.pth: Expected a state_dict"):
            read_generator(str(path))
    weights = PatchGenerator(SMALL).state_dict()
    torch.save({**weights, "conv1.conv.weight": torch.zeros(4)}, path)
    with pytest.raises(GeneratorError, match=r"x\.pth: Expected `conv1.conv.weight` to be a conv"):
        read_generator(str(path))
    torch.save({**weights, "conv_12.0.bias": torch.full((3,), float("nan"))}, path)
    with pytest.raises(GeneratorError, match=r"x\.pth, but conv_12.0.bias has some .*not finite"):
        read_generator(str(path))
    torch.save(PatchGenerator(Shape(inputs=6, blocks=1)).state_dict(), path)
    with pytest.raises(GeneratorError, match="wants 6"):
        read_generator(str(path))


def test_a_recipe_travels_to_other_processes():
    recipe = Recipe(generators=("a", "b"))
    assert pickle.loads(pickle.dumps(recipe)) == recipe and recipe.styles == 2
    assert recipe.about() == {"generators": ["a", "b"], "norm": ""}
