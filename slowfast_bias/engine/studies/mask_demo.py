"""The demo of masks: three toy networks, of which it is known what they can use.

One learnt objects that only their motion shows, one those that only their colour shows, one both
kinds. What each loses with the flow, or the image, of another scene says what it uses; the
measurement has to say the same without being told.
"""

from __future__ import annotations

import os
import time
from typing import Any

import torch

from slowfast_bias import plain_table
from slowfast_bias.bias import BiasReport
from slowfast_bias.datasets.toy.camouflage import CUES
from slowfast_bias.engine.runtime.page import write_page
from slowfast_bias.engine.setup.provenance import provenance
from slowfast_bias.engine.studies.toy_masks import (
    FOLLOWS,
    KINDS,
    LAYERS,
    MASK,
    OTHER_FLOW,
    OTHER_IMAGE,
    OWN,
    ToyNetwork,
)
from slowfast_bias.outputs import Outputs
from slowfast_bias.results import write_result
from slowfast_bias.visualization.drawing.save import save_figure
from slowfast_bias.visualization.figures.mask_demo import mask_demo_figure

KIND = "mask_demo"
EXAMPLES = 2
SWAP, JITTER = KINDS
READ = """\
J (%): overlap of mask and object with a scene's own frames, with the flow of another scene, with
the image of another scene. Follows flow: of scenes with two objects, those in which the mask is
rather on the one that moves. S: S_static by stage under another scene's flow, 1 if that changes
nothing; `mask` is the last stage before the mask, and S_dynamic is of it. Jitter, the paper's pair,
leaves the object's outline in the flow, so that S stays high in a network that uses flow alone."""


def run(output_dir: str = "runs/demo_segmentation", configs: str = "") -> dict[str, Any]:
    """Runs the demo, prints its table, writes figure, page and reports; returns what it found.

    Args:
        output_dir: the folder of all results; a second run finds its checkpoints there.
        configs: the folder that holds `configs/`, with its slash.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)  # networks this small lose time to more, on a busy machine much
    start, outputs, rows = time.perf_counter(), Outputs(output_dir), {}
    networks = {cue: ToyNetwork(cue, outputs.run(cue).root, 0, configs) for cue in CUES}
    for cue, network in networks.items():
        network.train()
        reports = {kind: network.measure(kind) for kind in KINDS}
        rows[cue] = {"asked": network.ask(), "scores": _scores(reports)}
    scenes = {cue: network.show(EXAMPLES) for cue, network in networks.items()}
    meta = provenance(networks[CUES[0]].config(), "test", outputs.run(CUES[0]).config)
    found = {"networks": rows, "examples": _examples(scenes)}
    write_result(outputs.mask_demo(), KIND, meta, found)
    save_figure(mask_demo_figure(found), outputs.mask_demo("png"))
    print("\n".join([*summary(rows), "", READ]))
    print(f"\nfigure: {outputs.mask_demo('png')}   reports: {output_dir}/*/*/bias/report.md")
    print(f"{time.perf_counter() - start:.0f} seconds")
    # one kind of pairs, as scores of two do not compare
    folders = [network.measured_in(SWAP) for network in networks.values()]
    if page := write_page(output_dir, folders, list(networks), "Three toy networks of masks"):
        print(f"page: {page}")
    return found


def summary(rows: dict[str, dict[str, Any]]) -> list[str]:
    """Returns the table at the end, a line per network."""
    head = ["learnt", "J own", "other flow", "other image", "follows flow", "S fuse2"]
    lines = [[*head, *LAYERS[1:-1], "mask", "jitter: mask", "S_dynamic"]]
    for cue, row in rows.items():
        asked, scores = row["asked"], row["scores"]
        line = [cue, *(f"{asked[name]:.1f}" for name in (OWN, OTHER_FLOW, OTHER_IMAGE))]
        line += [f"{asked[FOLLOWS]:.0f} %"]
        line += [f"{scores[SWAP][layer]['static']:.2f}" for layer in LAYERS]
        line += [f"{scores[JITTER][MASK]['static']:.2f}", f"{scores[SWAP][MASK]['dynamic']:.2f}"]
        lines.append(line)
    return plain_table.aligned(lines)


def _scores(reports: dict[str, BiasReport]) -> dict[str, dict[str, dict[str, float]]]:
    """Returns {kind of pairs: {layer: {score: value}}}."""
    return {
        kind: {
            layer: {x: report[layer].score(x) for x in ("static", "dynamic")} for layer in LAYERS
        }
        for kind, report in reports.items()
    }


def _examples(scenes: dict[str, list[dict[str, list]]]) -> list[dict[str, Any]]:
    """Returns each scene once, with the masks of all networks."""
    return [
        {
            **{key: shown[0][key] for key in ("image", "flow", "truth")},
            "masks": {cue: one["mask"] for cue, one in zip(scenes, shown, strict=True)},
        }
        for shown in zip(*scenes.values(), strict=True)
    ]
