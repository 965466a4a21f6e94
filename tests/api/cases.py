"""The good and the bad objects of the folder objects/, read into scenarios."""

import copy
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

Body = dict[str, Any]

_OBJECTS = Path(__file__).parent / "objects"


@dataclasses.dataclass(frozen=True, slots=True)
class BadCase:
    """``body`` is refused; or, where there is an ``update``, ``body`` is accepted and its change is refused."""

    name: str
    body: Body
    field: str
    reason: str
    message: str
    update: Body | None = None
    status: Body = dataclasses.field(default_factory=dict)
    server_only: str = ""

    @property
    def seen_by_models(self) -> bool:
        return self.update is None and not self.server_only

    def __str__(self) -> str:
        return f"{self.body['kind']}: {self.name}"


def bad_cases() -> list[BadCase]:
    return [case for path in sorted((_OBJECTS / "bad").glob("*.yaml")) for case in _cases(path)]


def good_objects() -> list[Body]:
    paths = sorted((_OBJECTS / "good").glob("*.yaml"))
    return [body for path in paths for body in yaml.safe_load_all(path.read_text())]


def bases() -> list[Body]:
    """The good objects that the bad ones are made from."""
    return [next(yaml.safe_load_all(path.read_text()))["base"] for path in sorted((_OBJECTS / "bad").glob("*.yaml"))]


def label(body: Mapping[str, Any]) -> str:
    return f"{body['kind']}/{body['metadata']['name']}"


def _cases(path: Path) -> Iterator[BadCase]:
    first, *flaws = yaml.safe_load_all(path.read_text())
    for flaw in flaws:
        body = _changed(first["base"], flaw)
        yield BadCase(
            name=flaw["case"],
            body=body,
            field=flaw["field"],
            reason=flaw["reason"],
            message=flaw.get("message", ""),
            update=_changed(body, flaw["then"]) if "then" in flaw else None,
            status=flaw.get("status", {}),
            server_only=flaw.get("server_only", ""),
        )


def _changed(base: Body, flaw: Mapping[str, Any]) -> Body:
    """``drop`` takes fields away, ``set`` puts them in, ``repeat`` and ``long`` make lists and texts too long."""
    body = copy.deepcopy(base)
    for path in flaw.get("drop", ()):
        parent, key = _place(body, path)
        del parent[key]
    for path, value in flaw.get("set", {}).items():
        _put(body, path, value)
    for path, count in flaw.get("repeat", {}).items():
        parent, key = _place(body, path)
        parent[key] = [copy.deepcopy(parent[key][0]) for _ in range(count)]
    for path, length in flaw.get("long", {}).items():
        _put(body, path, "x" * length)
    return body


def _put(body: Body, path: str, value: Any) -> None:
    parent, key = _place(body, path)
    if isinstance(parent, list) and key == len(parent):
        parent.append(value)
    else:
        parent[key] = value


def _place(body: Body, path: str) -> tuple[Any, Any]:
    """The dictionary or list that holds the last step of a dotted path, and that step."""
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    parent: Any = body
    for step in steps:
        parent = parent[step]
    return parent, last
