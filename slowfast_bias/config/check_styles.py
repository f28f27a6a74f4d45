"""Checks of BIAS.STYLES where the styles are folders; what is in them is read later."""

from __future__ import annotations

from collections.abc import Iterator

from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr

from slowfast_bias.models.families.family import SEGMENTATION

FOLDERS = "static_dynamic_folders"  # the pairs of styled folders
FLOW_PAIRS = ("flow_jitter", "flow_swap")  # the static pair has another flow: no frame is reordered


def pairs_name(cfg: CfgNode) -> str:
    """Returns the maker of BIAS.PAIRS; it follows task and BIAS.STYLES.SOURCE."""
    folders, pairs = cfg.BIAS.STYLES.SOURCE == "folders", cfg.BIAS.PAIRS
    if pairs == "auto" and cfg.BIAS.TASK == SEGMENTATION:
        pairs = FLOW_PAIRS[0]
    if pairs in FLOW_PAIRS:
        return f"{pairs}_folders" if folders else pairs
    if pairs != "auto":
        return pairs
    return FOLDERS if folders else "static_dynamic"


def has_flow_pairs(cfg: CfgNode) -> bool:
    """Returns whether pairs are of image and flow: no frames are brought into another order."""
    return pairs_name(cfg).startswith(FLOW_PAIRS)


def style_folders(cfg: CfgNode) -> Iterator[str]:
    """Yields what is wrong with the folders of styled videos, one sentence each."""
    styles = cfg.BIAS.STYLES
    if pairs_name(cfg) not in (FOLDERS, *(f"{pairs}_folders" for pairs in FLOW_PAIRS)):
        return
    dirs = list(map(str, styles.DIRS))
    if len(dirs) < 2:
        yield (
            "BIAS.STYLES.DIRS: expected two folders or more, one per style, for pairs of styled "
            f"folders, but got {dirs}"
        )
    for folder in dirs:
        if not g_pathmgr.isdir(folder):
            yield f"BIAS.STYLES.DIRS: expected a folder of styled videos, but got {folder!r}"
    if len(set(dirs)) < len(dirs):
        yield f"BIAS.STYLES.DIRS: expected another folder for each style, but got {dirs}"
    if styles.LIST and not g_pathmgr.isfile(styles.LIST):
        yield f"BIAS.STYLES.LIST: expected a list of videos, but {styles.LIST!r} is no file"
