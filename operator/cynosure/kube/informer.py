"""A local copy of one kind that heals itself: list, watch, and list again whenever the watch may have a gap."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import NamedTuple

from cynosure.errors import CynosureError, NotFound, Refused
from cynosure.kube.port import Body, EventType, Gone, KubeApi, Listing, Resource, WatchEvent

log = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 20.0
ABSENT_KIND_RETRY_SECONDS = 60.0
OVERLAY_SECONDS = 60.0
"""How long an own write counts though the watch has not shown it: a lost echo must not pin it for ever."""
RELIST_AFTER_FAILURES = 3


class ObjectKey(NamedTuple):
    namespace: str
    name: str

    @classmethod
    def of(cls, body: Mapping[str, object]) -> "ObjectKey":
        metadata = body.get("metadata")
        known = metadata if isinstance(metadata, Mapping) else {}
        return cls(str(known.get("namespace") or ""), str(known.get("name") or ""))


def version_of(body: Body) -> int:
    """Resource versions of one kind are ordered (KEP-5504); before Kubernetes 1.35 they are etcd's revision."""
    text = str(body["metadata"].get("resourceVersion") or "0")
    return int(text) if text.isdigit() else 0


@dataclass(frozen=True, slots=True)
class _OwnWrite:
    """What the server answered to a write of ours; ``body`` None: it was deleted."""

    body: Body | None
    uid: str
    version: int
    expires: float


class Store:
    """Objects by key: what the watch has shown, with own writes that it has not shown yet laid over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[ObjectKey, Body] = {}
        self._written: dict[ObjectKey, _OwnWrite] = {}

    def __len__(self) -> int:
        return sum(1 for _ in self.items())

    def get(self, key: ObjectKey) -> Body | None:
        written = self._written.get(key)
        if written is None:
            return self._seen.get(key)
        if written.expires <= self._clock():
            del self._written[key]
            return self._seen.get(key)
        return written.body

    def items(self) -> Iterator[Body]:
        for key in self._seen.keys() | self._written.keys():
            if (body := self.get(key)) is not None:
                yield body

    def observe(self, body: Body) -> None:
        key = ObjectKey.of(body)
        self._seen[key] = body
        written = self._written.get(key)
        if written and (_another(body, written) or (written.body and version_of(body) >= written.version)):
            del self._written[key]

    def forget(self, body: Body) -> None:
        key = ObjectKey.of(body)
        self._seen.pop(key, None)
        written = self._written.get(key)
        if written and version_of(body) >= written.version:
            del self._written[key]

    def replace(self, listing: Listing) -> set[ObjectKey]:
        """Take over a whole list; the keys that differ from before, those that are gone included."""
        before = self._seen
        self._seen = {ObjectKey.of(body): body for body in listing.items}
        version = int(listing.resource_version) if listing.resource_version.isdigit() else 0
        self._written = {key: own for key, own in self._written.items() if own.version > version}
        gone = before.keys() - self._seen.keys()
        changed = (key for key, body in self._seen.items() if key not in before or before[key] != body)
        return {*gone, *changed}

    def wrote(self, body: Body) -> None:
        """Lay the server's answer to an own write over the picture until the watch shows it."""
        key, version = ObjectKey.of(body), version_of(body)
        seen = self._seen.get(key)
        if seen is None or version_of(seen) < version:
            uid = body["metadata"].get("uid", "")
            self._written[key] = _OwnWrite(body, uid, version, self._clock() + OVERLAY_SECONDS)

    def deleted(self, body: Body) -> None:
        """Hide an object that was deleted by us until the watch says so."""
        own = _OwnWrite(None, body["metadata"].get("uid", ""), version_of(body), self._clock() + OVERLAY_SECONDS)
        if ObjectKey.of(body) in self._seen:
            self._written[ObjectKey.of(body)] = own
        else:
            self._written.pop(ObjectKey.of(body), None)


def _another(body: Body, written: _OwnWrite) -> bool:
    """An object of the same name that was created after the one that we wrote."""
    return bool(body["metadata"].get("uid", "") != written.uid and version_of(body) > written.version)


class Informer:
    """Keeps ``store`` equal to the server's objects of one kind.

    ``changed`` is called with each key that may differ; ``slim`` drops what nobody reads, to save memory.
    With ``optional`` a kind that the server does not have counts as one without objects.
    """

    def __init__(
        self,
        api: KubeApi,
        resource: Resource,
        *,
        label_selector: str | None = None,
        optional: bool = False,
        changed: Callable[[ObjectKey], None] = lambda key: None,
        slim: Callable[[Body], Body] = lambda body: body,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.resource = resource
        self.store = Store(clock)
        self.synced = False
        self.heard_at = clock()
        """When the server last said anything on this watch, bookmarks included."""
        self._api = api
        self._selector = label_selector
        self._optional = optional
        self._changed = changed
        self._slim = slim
        self._clock = clock
        self._version = ""
        self._failures = 0

    async def run(self) -> None:
        """Until cancelled. Whatever goes wrong is logged, waited for and tried again."""
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
                await asyncio.sleep(FIRST_RETRY_SECONDS)  # a server that ends every watch at once must not be hammered
            except Gone as error:
                log.info("watch has a gap, listing again", extra={"kind": self.resource.plural, "error": str(error)})
                self._version = ""
            except NotFound as error:
                await self._absent(error)
            except CynosureError as error:
                await self._failed(error)
            except Exception as error:
                log.exception("unexpected failure of a watch", extra={"kind": self.resource.plural})
                self._version = ""
                await self._failed(error)

    async def _list(self) -> None:
        listing = await self._api.list(self.resource, label_selector=self._selector)
        slimmed = Listing([self._slim(body) for body in listing.items], listing.resource_version)
        changed = self.store.replace(slimmed)
        self._version = listing.resource_version
        self._heard()
        first, self.synced = not self.synced, True
        for key in changed or ({ObjectKey("", "")} if first else ()):
            self._changed(key)

    async def _watch(self) -> None:
        events = self._api.watch(self.resource, self._version, label_selector=self._selector)
        async with aclosing(events):
            async for event in events:
                self._version = event.body["metadata"]["resourceVersion"]
                self._heard()
                if event.type is not EventType.BOOKMARK:
                    self._observe(event)

    def _observe(self, event: WatchEvent) -> None:
        body = self._slim(event.body)
        if event.type is EventType.DELETED:
            self.store.forget(body)
        else:
            self.store.observe(body)
        self._changed(ObjectKey.of(body))

    def _heard(self) -> None:
        self.heard_at = self._clock()
        self._failures = 0

    async def _failed(self, error: Exception) -> None:
        self._failures += 1
        if self._failures >= RELIST_AFTER_FAILURES:
            self._version = ""  # such as a server that was restored to an older state
        longest = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** min(self._failures - 1, 10))
        level = logging.ERROR if isinstance(error, Refused) else logging.WARNING
        log.log(level, "watch failed, trying again", extra={"kind": self.resource.plural, "error": str(error)})
        await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311  (spreads the clients, no secret)

    async def _absent(self, error: NotFound) -> None:
        if not self._optional:
            await self._failed(error)
            return
        if not self.synced:
            log.info("the API server does not have this kind", extra={"kind": self.resource.plural})
            self.synced = True
            self._changed(ObjectKey("", ""))
        self._heard()
        await asyncio.sleep(ABSENT_KIND_RETRY_SECONDS)
