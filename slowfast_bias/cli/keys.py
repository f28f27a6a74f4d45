"""slowfast_bias --help-keys: every config key with its meaning, range and default."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fvcore.common.config import CfgNode

from slowfast_bias.errors import RequestError

_ASSIGNED = re.compile(r"_C\.([\w.]+)\s*=")


def print_keys(sections: Sequence[str]) -> int:
    """Prints the keys in `sections` (BIAS, BIAS.TOY, or one key); all of them if none is given."""
    from slowfast_bias.config import get_cfg
    from slowfast_bias.config.options import find_option

    keys = dict(_leaves(get_cfg()))
    wanted = [
        key for key in keys
        if not sections or any(key == s or key.startswith(f"{s.rstrip('.')}.") for s in sections)
    ]  # fmt: skip
    if not wanted:
        tops = sorted({key.partition(".")[0] for key in keys})
        raise RequestError(
            f"Expected a section of the config, one of {', '.join(tops)}, a part of one "
            f"such as BIAS.TOY, or a key, but got {' '.join(sections)}."
        )
    comments = _host_comments()
    for key in wanted:
        option = find_option(key)
        doc = (option.doc if option else "") or comments.get(key, "")
        allowed = option.allowed() if option else ""
        print(f"{key}  (default {keys[key]!r}{f'; {allowed}' if allowed else ''})")
        if doc:
            print(textwrap.fill(doc, 96, initial_indent="    ", subsequent_indent="    "))
    return 0


def _leaves(node: CfgNode, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, CfgNode) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _host_comments() -> dict[str, str]:
    """Returns {key: the comment above it} of the host's own defaults."""
    from slowfast_bias import host

    found, comment = {}, []
    for line in Path(host.root, "config", "defaults.py").read_text().splitlines():
        text = line.strip()
        if text.startswith("#"):
            comment.append(text.strip("# -"))
            continue
        if match := _ASSIGNED.match(text):
            found[match[1]] = " ".join(word for word in comment if word)
        if text:
            comment = []
    return found
