"""Where numbers come from, in the words that stand below tables and figures and in the CSV.

The bank of styles, the seed of the pairs, the number of videos and recordings, the decoder. Toy
videos have no decoder, and old reports may lack any of these: what is not known is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slowfast_bias.bias.report import BiasReport

REFERENCE = "reference"  # in the meta of a network that others are compared with: what it is
UNTRAINED = "untrained"  # the name of such a network: the same one with its initial random weights
DESIGN = "design"  # in the meta of a network: its design, one of DESIGNS; not said if not known
CNN, SLOWFAST, TRANSFORMER, TWO_STREAM = DESIGNS = ("cnn", "slowfast", "transformer", "two_stream")
FLOW_PAIRS = ("flow_jitter", "flow_swap")  # kinds of pairs of image and flow
ORIGIN = ("styles", "seed", "videos", "recordings", "decoder")  # as columns name them


def origin(meta: Mapping[str, Any]) -> dict[str, str]:
    """Returns what a report's meta says of each of ORIGIN; none that it does not say."""
    found = {key: str(meta[key]) for key in ORIGIN if isinstance(meta.get(key), (str, int))}
    bank = _bank(meta.get("styles"))
    return {"styles": bank, **found} if bank else found


def flow_pairs(meta: Mapping[str, Any]) -> str:
    """Returns the kind of pairs of image and flow, one of FLOW_PAIRS; "" for pairs of clips."""
    made = str(meta.get("pairs_made", ""))
    return next((kind for kind in FLOW_PAIRS if made.startswith(kind)), "")


def is_reference(report: BiasReport) -> bool:
    """Returns whether a report is of a network that others are compared with, as the untrained."""
    return bool(report.meta.get(REFERENCE))


def origin_words(metas: Iterable[Mapping[str, Any]]) -> str:
    """Returns one line about all these reports, "a / b" where they differ; "" if none says it."""
    metas = list(metas)
    found = [origin(meta) for meta in metas]
    said = {key: " / ".join(dict.fromkeys(x[key] for x in found if key in x)) for key in ORIGIN}
    frames = bool(metas) and all(map(flow_pairs, metas))
    video, recording = ("frame", "sequence") if frames else ("video", "recording")
    words = {
        "styles": f"styles: {said['styles']}",
        "seed": f"pairs {_kinds(metas)}of seed {said['seed']}",
        "videos": f"{said['videos']} {video}{'s' * (said['videos'] != '1')}",
        "recordings": f"{said['recordings']} {recording}{'s' * (said['recordings'] != '1')}",
        "decoder": f"decoder {said['decoder']}",
    }
    if said["recordings"] == said["videos"]:
        del words["recordings"]
    return "; ".join(text for key, text in words.items() if said[key])


def _kinds(metas: Iterable[Mapping[str, Any]]) -> str:
    """Returns "flow_jitter " of pairs of image and flow, whose kinds mean different things."""
    made = dict.fromkeys(str(meta.get("pairs_made", "")) for meta in metas if flow_pairs(meta))
    return f"{' / '.join(made)} " if made else ""


def _bank(styles: Any) -> str:
    """Returns "colour, 4 of seed 0", or the folders; "" if the meta says nothing of it."""
    if not isinstance(styles, Mapping):
        return ""
    if isinstance(styles.get("dirs"), (list, tuple)):
        return f"folders {', '.join(map(str, styles['dirs']))}"
    if not isinstance(styles.get("family"), str):
        return ""
    num, seed = styles.get("num"), styles.get("seed")
    count = "" if num is None else f", {num}"
    return f"{styles['family']}{count}{'' if seed is None else f' of seed {seed}'}"
