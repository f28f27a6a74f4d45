"""Checks of BIAS.STYLES where the styles are folders; what is in them is read later."""

from __future__ import annotations

from collections.abc import Iterator

from fvcore.common.config import CfgNode
from iopath.common.file_io import g_pathmgr

FOLDERS = "static_dynamic_folders"  # the pairs of styled folders
FLOW_PAIRS = ("flow_jitter", "flow_swap")  # the static pair has another flow: no frame is reordered


def pairs_name(cfg: CfgNode) -> str:
    """Returns the maker of BIAS.PAIRS; "auto" and pairs of flow follow BIAS.STYLES.SOURCE."""
    folders = cfg.BIAS.STYLES.SOURCE == "folders"
    if cfg.BIAS.PAIRS in FLOW_PAIRS:
        return f"{cfg.BIAS.PAIRS}_folders" if folders else cfg.BIAS.PAIRS
    if cfg.BIAS.PAIRS != "auto":
        return cfg.BIAS.PAIRS
    return FOLDERS if folders else "static_dynamic"


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
