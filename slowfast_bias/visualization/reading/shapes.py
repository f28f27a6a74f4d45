"""Checks that the data of a result file have the shape that the page reads.

A file may be valid JSON and still hold text for a number, or a list for an object: it is named in
one line, with the place in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from slowfast_bias.results import ResultError

LARGEST = 1e6  # no number of these files is near it; a larger one is damage
_OBJECTS = {
    "variants", "per_class", "divergence", "lists", "benchmarks", "intervals", "against_ordered",
    "against_own", "follows", "overlap",
    "partners", "class_names", "curves", "scores", "ordered", "shuffled", "reversed", "frozen",
}  # fmt: skip
_NEEDED = {"variants", "ordered", "shuffled", "curves"}  # never null
_OF_OBJECTS = {"variants", "divergence", "lists"}  # objects that hold objects alone
_NUMBERS = {
    "accuracy", "difference", "mean", "median", "rate", "spread", "relative_drop", "effective_n",
    "evidence", "value", "guess", "flow_J", "image_J",
}  # fmt: skip
_SHARES = {  # in percent
    "accuracy", "rate", "background", "dynamic", "static", "prefers_dynamic", "flow_share",
    "image_share", "flow_pixels", "J", "mIoU",
}  # fmt: skip
_COUNTS = {
    "sequences", "videos", "recordings", "units", "channels", "frames", "orders", "left_out",
    "dropped",
}  # fmt: skip


def check_shape(path: str, content: Mapping[str, Any]) -> None:
    """Raises ResultError if data, or their `meta`, have a wrong shape."""
    check_meta(path, content.get("meta", {}))
    data = {key: value for key, value in content.items() if key != "meta"}
    for place, wrong, wanted in _wrong(data, ""):
        raise shape_error(path, place, wrong, wanted)
    if not _is_classes(data.get("classes")):
        raise shape_error(path, "classes", data["classes"], "the number of classes")


def check_rows(path: str, rows: list[dict[str, Any]]) -> None:
    """Raises ResultError if a row of a sweep has text for a number, or lacks its dropout's."""
    for place, row in enumerate(rows):
        needs = {"static": ("rate", "temperature"), "standard": ("rate",)}.get(row["kind"], ())
        for key in ("rate", "temperature", "ordered", "shuffled", "dynamic_ratio", "dynamic_share",
                    "cue_motion"):  # fmt: skip
            value = row.get(key)
            if not (_is_number(value) and (value is not None or key not in needs)):
                raise shape_error(path, f"{place}.{key}", value, "a number")


def check_meta(path: str, meta: Mapping[str, Any]) -> None:
    """Raises ResultError if what a result says of its origin has a wrong shape."""
    rows = meta.get("dropped_because") or []
    shapes = {
        "dropped_videos": isinstance(meta.get("dropped_videos") or [], list),
        "dropped_because": isinstance(rows, list) and all(isinstance(x, Mapping) for x in rows),
        "layers_read": isinstance(meta.get("layers_read") or {}, Mapping),
        "classes": _is_classes(meta.get("classes")),
    }
    for key, right in shapes.items():
        if not right:
            raise shape_error(path, f"meta.{key}", meta[key], "what a run writes")


def _wrong(data: Any, place: str) -> Iterator[tuple[str, Any, str]]:
    """Returns every value of a wrong shape: (its place, itself, what was expected)."""
    if isinstance(data, (int, float)) and not abs(data) <= LARGEST:
        yield place, data, "a number that a network can give"
    if isinstance(data, Mapping):
        for key, value in data.items():
            here = f"{place}.{key}" if place else str(key)
            wanted = _expected(str(key), value, place)
            if wanted:
                yield here, value, wanted
            yield from _wrong(value, here)
    if isinstance(data, list):
        for number, value in enumerate(data):
            yield from _wrong(value, f"{place}.{number}")


def _expected(key: str, value: Any, place: str) -> str:
    """Returns what was expected under a key; "" if it is there."""
    parent = place.rpartition(".")[2]
    if key == "partners" and value is not None:
        known = isinstance(value, Mapping) and "videos" in value
        return "" if known else "the rate of mirrored classes with its `videos`"
    if parent == "partners" and key in ("pairs", "videos"):
        return _partners(key, value)
    if place == "" and key in ("further", "score"):
        return _EXPECTED[key](value)
    if parent in ("class_names", "per_class", "scores", "curves", "intervals"):
        return _EXPECTED[parent](value)
    if parent in _OF_OBJECTS or key in _OBJECTS:
        needed = parent in _OF_OBJECTS or key in _NEEDED
        return "" if _is_object(value, needed) else "an object"
    if key == "interval" or key.endswith("_interval"):
        return _pair(value)
    if key in _SHARES:
        right = _is_number(value) and (value is None or -0.5 <= value <= 100.5)
        return "" if right else "a share from 0 to 100 percent"
    if key in _NUMBERS:
        return "" if _is_number(value) else "a number"
    return _count(key, value) if key in _COUNTS and not _is_list_of(key, value) else ""


def _is_list_of(key: str, value: Any) -> bool:
    """Returns whether this is the list of units of top clips; a curve has their number."""
    return key == "units" and isinstance(value, list)


def _count(key: str, value: Any) -> str:
    right = value is None or (isinstance(value, int) and value >= 0)
    return "" if right else f"the number of {key}"


def _partners(key: str, value: Any) -> str:
    if key == "videos":
        return "the number of videos" if value is None else _count(key, value)
    right = value is None or (
        isinstance(value, list) and all(isinstance(x, list) and len(x) == 2 for x in value)
    )
    return "" if right else "pairs of names"


def _pair(value: Any) -> str:
    right = value is None or (isinstance(value, list) and len(value) == 2)
    return "" if right and all(map(_is_number, value or ())) else "two numbers"


def _rate(value: Any) -> str:
    return "" if isinstance(value, Mapping) or _is_number(value) else "an accuracy"


def _curve(points: Any) -> str:
    right = isinstance(points, list) and all(
        isinstance(x, Mapping) and x.get("fraction") is not None and _is_number(x["fraction"])
        for x in points
    )
    return "" if right else "points with a `fraction` each"


def _layers(parts: Any) -> str:
    keys = {"layer", "channels", "curves"}
    right = isinstance(parts, list) and all(
        isinstance(x, Mapping) and keys <= set(x) for x in parts
    )
    return "" if right else "layers with channels and curves"


_EXPECTED: dict[str, Callable[[Any], str]] = {
    "class_names": lambda value: "" if isinstance(value, str) else "a name",
    "per_class": _rate,
    "scores": lambda value: "" if _is_number(value) else "a number",
    "curves": _curve,
    "intervals": _pair,
    "further": _layers,
    "score": lambda value: "" if isinstance(value, str) else "a name",
}


def _is_object(value: Any, needed: bool) -> bool:
    return isinstance(value, Mapping) or (value is None and not needed)


def _is_number(value: Any) -> bool:
    """Returns whether a value is a number or null, which stands for NaN."""
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _is_classes(value: Any) -> bool:
    return value is None or (isinstance(value, int) and value > 0)


def shape_error(path: str, place: str, value: Any, wanted: str) -> ResultError:
    """Returns the error of a value of a wrong shape: what was expected, and its place."""
    got = repr(value)
    got = got if len(got) <= 40 else f"{got[:40]}..."
    return ResultError(f"Expected {wanted} as `{place}` of {path}, but got {got}: run it again.")
