"""What the fake API server keeps, and the history that its watches read."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.fakes.objects import Body, Manager, Stored, apply, update

Kind = tuple[str, str, str]
"""Group, version, plural."""
Key = tuple[Kind, str, str]
"""Kind, namespace, name."""


@dataclass(frozen=True, slots=True)
class Entry:
    version: int
    type: str
    kind: Kind
    body: Body


class Storage:
    def __init__(self) -> None:
        self.objects: dict[Key, Stored] = {}
        self.history: list[Entry] = []
        self.version = 1
        self.oldest = 0
        """Watches from before are answered 410."""
        self.moved = asyncio.Condition()
        self._pending: set[asyncio.Task[None]] = set()

    def of(self, kind: Kind, namespace: str | None = None) -> Iterator[Body]:
        for (which, where, _), stored in sorted(self.objects.items()):
            if which == kind and namespace in (None, where):
                yield stored.shown()

    def create(self, key: Key, body: Body, manager: Manager, *, applied: bool = False) -> Body:
        kind, namespace, name = key
        body = deepcopy(body)
        if kind[2] not in ("nodes", "pods", "resourceclaims"):  # tests make these with their status
            body.pop("status", None)
        metadata = {**body.get("metadata", {}), "name": name, "uid": str(uuid.uuid4()), "generation": 1}
        metadata["creationTimestamp"] = _now()
        body["metadata"] = {**metadata, "namespace": namespace} if namespace else metadata
        empty = Stored({"metadata": {}}, {})
        stored = apply(empty, manager, body, force=True) if applied else update(empty, manager, body)
        stored.body = _defaulted(kind, body)
        return self._store(key, stored, manager, "ADDED")

    def write(self, key: Key, manager: Manager, change: Callable[[Stored], Stored]) -> Body:
        """``change`` makes the new object of the old one; what changes nothing is no event."""
        before = self.objects[key]
        after = change(before)
        after.body = _defaulted(key[0], after.body)
        if after.body == before.body and after.owned == before.owned:
            return before.shown()
        if after.body.get("spec") != before.body.get("spec"):
            after.body["metadata"]["generation"] = before.body["metadata"]["generation"] + 1
        return self._store(key, after, manager, "MODIFIED")

    def delete(self, key: Key) -> None:
        stored = self.objects.pop(key)
        self.version += 1
        stored.body["metadata"]["resourceVersion"] = str(self.version)
        self._remember("DELETED", key[0], stored)
        uid = stored.body["metadata"]["uid"]
        for child in [k for k, s in self.objects.items() if uid in _owners(s.body)]:
            self.delete(child)  # the garbage collector

    def _store(self, key: Key, stored: Stored, manager: Manager, event: str) -> Body:
        self.version += 1
        stored.body["metadata"]["resourceVersion"] = str(self.version)
        stored.times[manager] = _now()
        self.objects[key] = stored
        self._remember(event, key[0], stored)
        return stored.shown()

    def _remember(self, event: str, kind: Kind, stored: Stored) -> None:
        self.history.append(Entry(self.version, event, kind, stored.shown()))
        self.notify()

    def notify(self) -> None:
        """Wake the watches."""

        async def wake() -> None:
            async with self.moved:
                self.moved.notify_all()

        task = asyncio.get_running_loop().create_task(wake())
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)


def _defaulted(kind: Kind, body: Body) -> Body:
    if kind[2] == "deployments":
        body.setdefault("spec", {}).setdefault("replicas", 1)
    return body


def _owners(body: Body) -> set[str]:
    return {owner["uid"] for owner in body["metadata"].get("ownerReferences") or ()}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
