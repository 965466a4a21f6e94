"""Objects as an API server keeps them: versions, merge patches, and who owns which field."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]
Path = tuple[str, ...]
Manager = tuple[str, str, str]
"""Name, operation (Apply or Update) and subresource."""


class FieldConflict(Exception):
    """``owners`` by the field that they own."""

    def __init__(self, owners: dict[Path, str]) -> None:
        super().__init__(owners)
        self.owners = owners


@dataclass(slots=True)
class Stored:
    """``body`` without ``metadata.managedFields``, which follow from ``owned``."""

    body: Body
    owned: dict[Manager, set[Path]] = field(default_factory=dict)
    times: dict[Manager, str] = field(default_factory=dict)

    def shown(self) -> Body:
        body = deepcopy(self.body)
        body["metadata"]["managedFields"] = [
            {
                "manager": name,
                "operation": operation,
                **({"subresource": subresource} if subresource else {}),
                "time": self.times.get((name, operation, subresource), ""),
                "fieldsV1": _tree(paths),
            }
            for (name, operation, subresource), paths in self.owned.items()
            if paths
        ]
        return body


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Lists are atomic here; the real server merges some by key, which no test relies on."""
    if isinstance(value, Mapping) and value:
        for key, child in value.items():
            yield from leaves(child, (*path, key))
    else:
        yield path, value


_OWNERLESS = {("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"), ("metadata", "uid")}
_OWNERLESS |= {("metadata", "resourceVersion"), ("metadata", "creationTimestamp"), ("metadata", "generation")}


def owned_leaves(body: Body) -> dict[Path, Any]:
    return {path: value for path, value in leaves(body) if path not in _OWNERLESS}


def apply(stored: Stored, manager: Manager, desired: Body, *, force: bool) -> Stored:
    """Server-side apply: set what is desired, drop what the same manager applied before and nobody else owns."""
    wanted, present = owned_leaves(desired), owned_leaves(stored.body)
    others = {path: name for name, paths in stored.owned.items() if name != manager for path in paths}
    conflicts = {p: others[p][0] for p, value in wanted.items() if p in others and present.get(p) != value}
    if conflicts and not force:
        raise FieldConflict(conflicts)
    body, owned = deepcopy(stored.body), {name: set(paths) for name, paths in stored.owned.items()}
    for name, paths in owned.items():
        if name != manager:
            paths -= conflicts.keys()
    for path in owned.get(manager, set()) - wanted.keys():
        if not any(path in paths for name, paths in owned.items() if name != manager):
            _remove(body, path)
    for path, value in wanted.items():
        _set(body, path, deepcopy(value))
    owned[manager] = set(wanted)
    return Stored(body, owned, dict(stored.times))


def update(stored: Stored, manager: Manager, body: Body) -> Stored:
    """Any other write: who changes a field owns it alone from then on."""
    before, after = owned_leaves(stored.body), owned_leaves(body)
    changed = {path for path, value in after.items() if path not in before or before[path] != value}
    gone = before.keys() - after.keys()
    owned = {name: paths - changed - gone for name, paths in stored.owned.items()}
    owned[manager] = owned.get(manager, set()) | changed
    return Stored(body, owned, dict(stored.times))


def merged(value: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, Mapping):
        return deepcopy(patch)
    result = dict(value) if isinstance(value, Mapping) else {}
    for key, child in patch.items():
        if child is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), child)
    return result


def _set(body: Body, path: Path, value: Any) -> None:
    for key in path[:-1]:
        child = body.get(key)
        if not isinstance(child, dict):
            child = body[key] = {}
        body = child
    body[path[-1]] = value


def _remove(body: Body, path: Path) -> None:
    for key in path[:-1]:
        child = body.get(key)
        if not isinstance(child, dict):
            return
        body = child
    body.pop(path[-1], None)


def _tree(paths: set[Path]) -> Body:
    tree: Body = {}
    for path in paths:
        node = tree
        for key in path:
            node = node.setdefault(f"f:{key}", {})
    return tree
