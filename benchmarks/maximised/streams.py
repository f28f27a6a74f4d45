"""Units of a network of two streams: which flow is made for them."""

from __future__ import annotations

from torch import Tensor

from benchmarks.maximised.networks import FREE, FROZEN, Many, Network, network
from slowfast_bias.engine.maximising.natural import open_source, show_natural
from slowfast_bias.engine.measuring.measurement import measure_networks
from slowfast_bias.optvis import Canvas, Recipe, Row, maximise, quantised
from slowfast_bias.optvis.flow_numbers import magnitude_and_spread

SCENE = Canvas(1, 48, 48, flow=True)


def streams(out: str, first: int, number: int = 4, steps: int = 100) -> None:
    """Prints how far the flow moves that is made for units of either stream, and of their fusion.

    Fused units of look-only scores are gated by flow too: how much, their motion need says.
    """
    source = network("streams", first, out)
    report = measure_networks(source.cfg, {"trained": source.model}, "")["trained"]
    wanted = (("mot4", "motion"), ("app4", "look"), ("fuse4", "motion"), ("fuse4", "look"))
    for layer, score in wanted:
        values = report[layer].unit_scores(score)
        chosen = values.nan_to_num(-2.0).argsort(descending=True)[:number]
        rows = [Row(speed, 0) for speed in (FREE, FROZEN) for _ in chosen]
        natural = natural_scenes(source, layer)[:, chosen]
        scales = natural.abs().amax(0).clamp(min=1e-6)
        target = Many(chosen.repeat(2), scales.repeat(2), layer)
        responder = source.responder(layer)
        scene = quantised(maximise(responder, target, rows, SCENE, Recipe(steps=steps)).scene)
        free, frozen = target.value(responder.measure(scene)).view(2, -1)
        mean = natural.mean(0)
        need = 1 - (frozen - mean) / (free - mean)
        lengths = [magnitude_and_spread(x.numpy())[0] for x in scene[1][:number]]
        contrast = scene[0][:number].flatten(1).std(1).mean()
        print(
            f"  {layer}, {score} {values[chosen].min():.2f} to {values[chosen].max():.2f}: flow "
            f"{min(lengths):.3f} to {max(lengths):.3f} of the full colour, contrast of the image "
            f"{contrast:.3f}, motion need {', '.join(f'{x:.2f}' for x in need)}",
            flush=True,
        )


def natural_scenes(source: Network, layer: str) -> Tensor:
    """Returns (N, C) the activations of a layer for the scenes of a two-stream network."""
    clips = open_source(source.cfg, flow=True)
    return show_natural(source.cfg, clips, source.responder(layer)).response.features[layer]
