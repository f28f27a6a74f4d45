"""The plugin: this project in SlowFast's own training loop, registered when it is imported.

Three ways in, for a checkout of SlowFast's main branch or a fork of it (docs/PLUGIN.md):

    python -m slowfast_bias.plugin tools/run_net.py --cfg ... --opts ...    # nothing changed
    import slowfast_bias.plugin                         # first line of a fork's run_net.py
    from slowfast_bias.plugin import add_bias_config    # in slowfast/config/custom_config.py

The one package besides `host` that imports `slowfast`: it changes what SlowFast itself runs.
"""

from __future__ import annotations

from fvcore.common.config import CfgNode

from slowfast_bias import config, host
from slowfast_bias.errors import PluginError
from slowfast_bias.plugin import import_hooks, order

__all__ = ["PluginError", "add_bias_config", "install"]

_installed = False


def install() -> None:
    """Registers networks, data sets, config keys and meters with SlowFast, once.

    If our own command is loading its host, whose custom_config.py imports the plugin, only the keys
    are needed; the rest follows if SlowFast's own loop begins after all.
    """
    global _installed
    if _installed:
        return
    if host.is_loading():
        import_hooks.after_import("slowfast.utils.parser", lambda _: install())
        return
    order.check_host()
    order.check_early()
    _installed = True
    _register()


def add_bias_config(cfg: CfgNode) -> None:
    """Adds the BIAS keys to SlowFast's own defaults, in place; for custom_config.py."""
    if host.is_loading():  # by our own command, which adds the other keys itself
        config.add_bias_config(cfg)
        return
    from slowfast_bias.plugin import config_keys  # it loads the host

    config_keys.add_bias_config(cfg)


def _register() -> None:
    from slowfast.datasets.build import DATASET_REGISTRY
    from slowfast.models.build import MODEL_REGISTRY

    from slowfast_bias.plugin import aliases, config_keys, datasets, meters, networks

    aliases.add_aliases()
    config_keys.add_keys()
    datasets.register_datasets(DATASET_REGISTRY)
    networks.register_networks(MODEL_REGISTRY)
    meters.replace_meters()


if not order.is_launching():
    install()
