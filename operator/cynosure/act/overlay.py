"""A user's pod template laid over ours."""

from collections.abc import Mapping, Sequence
from typing import Any


def overlaid(base: Any, overlay: Any) -> Any:
    """Objects merge by key and lists of named things by name; anything else of the overlay replaces ours."""
    if isinstance(base, Mapping) and isinstance(overlay, Mapping):
        merged = {key: overlaid(base[key], value) if key in base else value for key, value in overlay.items()}
        return {**base, **merged}
    if _is_named(base) and _is_named(overlay):
        named = {item["name"]: item for item in base}
        for item in overlay:
            named[item["name"]] = overlaid(named[item["name"]], item) if item["name"] in named else item
        return list(named.values())
    return overlay


def _is_named(value: Any) -> bool:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return False
    return bool(value) and all(isinstance(item, Mapping) and "name" in item for item in value)
