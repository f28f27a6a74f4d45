"""Short names of networks: which shipped config stands for "slow_r50"."""

from __future__ import annotations

from pathlib import Path

from slowfast_bias.cli.arguments import shipped_configs
from slowfast_bias.errors import RequestError

FOLDERS = ("Kinetics", "HF", "SSv2", "Diving48", "DAVIS16")

# Name -> config. A config's own name, in lower case, is a name too, with its folder or without.
ALIASES = {
    "c2d_r50": "Kinetics/C2D_8x8_R50.yaml",
    "fast_r50": "Kinetics/FAST_32x2_R50.yaml",
    "i3d_r101": "Kinetics/I3D_8x8_R101.yaml",
    "i3d_r50": "Kinetics/I3D_8x8_R50.yaml",
    "inception_i3d": "Kinetics/INCEPTION_I3D.yaml",
    "mvit_b": "Kinetics/MVIT_B_16x4.yaml",
    "slow_r18": "SSv2/SLOW_8x8_R18.yaml",
    "slow_r50": "Kinetics/SLOW_8x8_R50.yaml",
    "slowfast_r50": "Kinetics/SLOWFAST_8x8_R50.yaml",
    "x3d_m": "Kinetics/X3D_M.yaml",
}


def find_network(name: str) -> str:
    """Returns the config, `configs/FOLDER/FILE.yaml`, that a network's short name stands for."""
    if name.endswith((".yaml", ".yml")):
        return name
    file = known_networks().get(name.lower())
    if file is None:
        raise RequestError(
            f"Expected the name of a network, one of {', '.join(sorted(ALIASES))}, the name of a "
            "shipped config such as slow_4x16_r50 or ssv2/x3d_m (`slowfast_bias models` lists "
            f"them), or a YAML file, but got {name!r}."
        )
    return f"configs/{file}"


def known_networks() -> dict[str, str]:
    """Returns {name: config below configs/}; the first folder wins if two configs share a name."""
    found: dict[str, str] = {}
    for config in network_configs():
        found.setdefault(config.rpartition("/")[2].lower(), f"{config}.yaml")
        found[config.lower()] = f"{config}.yaml"
    return {**found, **ALIASES}


def network_configs() -> list[str]:
    """Returns the configs of networks, FOLDER/NAME, by folder and name."""
    root = shipped_configs()
    paths = [path for folder in FOLDERS for path in sorted(Path(root, folder).glob("*.yaml"))]
    leaves = [path for path in paths if not path.name.startswith("Base-")]
    return [f"{path.parent.name}/{path.stem}" for path in leaves]
