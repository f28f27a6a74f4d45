"""Folders of Hugging Face on this machine; from its hub only if that is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from slowfast_bias.errors import RequestError

FOLDER, DOWNLOAD, KIND = "BIAS.HF.FOLDER", "BIAS.HF.DOWNLOAD", "BIAS.HF.KIND"
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


def find_folder(folder: str, download: bool = False, weights: bool = False) -> Path:
    """Returns the folder on this machine that has config.json; RequestError if there is none.

    Nothing is fetched over the network unless `download`.

    Args:
        folder: its path, or with `download` the id of a repository of the Hugging Face hub.
        download: whether `folder` may be such an id.
        weights: whether to fetch weights too, not only JSON.
    """
    if not folder:
        raise RequestError(
            f"{FOLDER}: expected the folder of config.json and weights of a network, as "
            "`save_pretrained` writes it or as it is downloaded, but got ''"
        )
    if not Path(folder).is_dir() and download:
        return _downloaded(folder, _WEIGHTS if weights else ("*.json",))
    if not (Path(folder) / "config.json").is_file():
        what = "it has no config.json" if Path(folder).is_dir() else "there is no such folder"
        raise RequestError(
            f"{FOLDER}: expected a folder with the config.json of a network, but got {folder!r}: "
            f"{what}. For a repository of the Hugging Face hub set {DOWNLOAD} True, or download it"
        )
    return Path(folder)


def read_json(path: Path) -> dict[str, Any] | None:
    """Returns the content of a JSON file, {...}; None if there is no such file."""
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, RecursionError, ValueError) as error:
        raise RequestError(
            f"{FOLDER}: expected JSON in {path}, but it cannot be read ({error}); copy it again"
        ) from error
    if not isinstance(found, dict):
        raise RequestError(f"{FOLDER}: expected {{...}} in {path}, but got {type(found).__name__}")
    return found


def _downloaded(name: str, patterns: tuple[str, ...]) -> Path:
    from huggingface_hub import snapshot_download

    try:
        for pattern in patterns:  # files of the second kind only if there are none of the first
            path = Path(snapshot_download(name, allow_patterns=["*.json", pattern]))
            if any(path.glob(pattern)):
                break
    except Exception as error:  # the hub's own, of its http client, or of the file system
        why = " ".join(str(error).split())[:200]
        raise RequestError(
            f"{FOLDER}: expected a folder, or a repository of the Hugging Face hub, but {name!r} "
            f"is no folder here and cannot be downloaded: {type(error).__name__}: {why}"
        ) from error
    return find_folder(str(path))
