"""An API server in this process, over HTTP: versions, watches, 409, 410, bookmarks, server-side apply, /status, /scale.

tests/kube/test_contract.py runs the same tests against this and against a real one.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web

from tests.fakes.objects import Body, FieldConflict, Manager, Stored, apply, merged, update
from tests.fakes.storage import Entry, Key, Kind, Storage

_PATH = re.compile(
    r"^/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<sub>[^/]+))?$"
)


_GROUPS = {
    "",
    "apps",
    "autoscaling",
    "batch",
    "coordination.k8s.io",
    "cynosure.dev",
    "events.k8s.io",
    "policy",
    "resource.k8s.io",
}


@dataclass(frozen=True, slots=True)
class Target:
    kind: Kind
    namespace: str
    name: str
    subresource: str

    @property
    def key(self) -> Key:
        return self.kind, self.namespace, self.name


class Answer(Exception):
    """A refusal, as a metav1.Status."""

    def __init__(self, code: int, reason: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.code = code
        self.status = {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}


@dataclass(slots=True)
class Faults:
    """What goes wrong next. ``failures`` are HTTP codes for the next requests that are no watches."""

    failures: list[int] = field(default_factory=list)
    refuse: Callable[[str, str], int | None] = lambda method, path: None
    silent_watches: bool = False
    absent: set[str] = field(default_factory=set)
    """Plurals that the server does not have."""


class FakeApiServer:
    """Use as an asynchronous context manager; ``url`` is where it listens. ``writes`` are all that succeeded."""

    def __init__(self) -> None:
        self.storage = Storage()
        self.faults = Faults()
        self.logs: dict[tuple[str, str], str] = {}
        """By namespace and name of a pod; one without is still waiting for its container."""
        self.requests: list[tuple[str, str]] = []
        self.writes: list[tuple[str, str]] = []
        self.url = ""
        self._watches: set[asyncio.Task[object]] = set()
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Also after ``stop``: at the same address, with the same objects."""
        application = web.Application()
        application.router.add_route("*", "/{tail:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        self.drop_watches()
        if self._runner:
            await self._runner.cleanup()

    def drop_watches(self) -> None:
        for watch in self._watches:
            watch.cancel()

    def compact(self) -> None:
        """Forget the history: a watch from an older version is answered 410."""
        self.storage.oldest = self.storage.version
        self.storage.history.clear()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path))
        try:
            target = self._target(request)
            if request.method == "GET" and request.query.get("watch"):
                return await self._watch(request, target)
            self._fail(request)
            if target.subresource == "log":
                return web.Response(text=self._log(target))
            answer = await self._verbs(request)[request.method](request, target)
        except Answer as refusal:
            return web.json_response(refusal.status, status=refusal.code)
        if request.method != "GET":
            self.writes.append((request.method, request.path))
        return web.json_response(answer)

    def _verbs(self, request: web.Request) -> dict[str, Callable[[web.Request, Target], Awaitable[Body]]]:
        reading = self._get if _PATH.match(request.path)["name"] else self._list  # type: ignore[index]
        return {"GET": reading, "POST": self._create, "PATCH": self._patch, "DELETE": self._delete}

    def _fail(self, request: web.Request) -> None:
        code = self.faults.failures.pop(0) if self.faults.failures else self.faults.refuse(request.method, request.path)
        if code:
            raise Answer(code, "Injected", "an injected failure")

    def _target(self, request: web.Request) -> Target:
        found = _PATH.match(request.path)
        if not found or found["plural"] in self.faults.absent or (found["group"] or "") not in _GROUPS:
            raise Answer(404, "NotFound", "the server could not find the requested resource")
        kind = (found["group"] or "", found["version"] or found["core"], found["plural"])
        return Target(kind, found["namespace"] or "", found["name"] or "", found["sub"] or "")

    def _log(self, target: Target) -> str:
        self._stored(target)
        try:
            return self.logs[target.namespace, target.name]
        except KeyError:
            raise Answer(400, "BadRequest", f'the container of "{target.name}" is waiting to start') from None

    def _stored(self, target: Target) -> Stored:
        if target.key not in self.storage.objects:
            raise Answer(404, "NotFound", f'{target.kind[2]} "{target.name}" not found')
        return self.storage.objects[target.key]

    async def _get(self, request: web.Request, target: Target) -> Body:
        stored = self._stored(target)
        return _scale(stored) if target.subresource == "scale" else stored.shown()

    async def _list(self, request: web.Request, target: Target) -> Body:
        bodies = list(self.storage.of(target.kind, target.namespace or None))
        items = [body for body in bodies if _selected(body, request.query.get("labelSelector", ""))]
        limit, begin = int(request.query.get("limit", "0")) or len(items), int(request.query.get("continue") or 0)
        page = items[begin : begin + limit]
        more = {"continue": str(begin + limit)} if begin + limit < len(items) else {}
        return {"metadata": {"resourceVersion": str(self.storage.version), **more}, "items": page}

    async def _create(self, request: web.Request, target: Target) -> Body:
        body = await request.json()
        name = body["metadata"]["name"]
        key = (target.kind, target.namespace, name)
        if key in self.storage.objects:
            raise Answer(409, "AlreadyExists", f'{target.kind[2]} "{name}" already exists')
        if request.query.get("dryRun"):
            return dict(body)
        return self.storage.create(key, body, (request.query.get("fieldManager", "unknown"), "Update", ""))

    async def _patch(self, request: web.Request, target: Target) -> Body:
        patch = json.loads(await request.text())
        if request.content_type == "application/apply-patch+yaml":
            return self._apply(request, target, patch)
        stored = self._stored(target)
        version = (patch.get("metadata") or {}).get("resourceVersion")
        if version and version != stored.body["metadata"]["resourceVersion"]:
            raise Answer(
                409, "Conflict", "the object has been modified; please apply your changes to the latest version"
            )
        manager = (request.query.get("fieldManager", "unknown"), "Update", target.subresource)
        if request.query.get("dryRun"):
            return stored.shown()
        changed = self.storage.write(
            target.key, manager, lambda old: update(old, manager, _patched(old, target, patch))
        )
        return _scale(self._stored(target)) if target.subresource == "scale" else changed

    def _apply(self, request: web.Request, target: Target, desired: Body) -> Body:
        manager: Manager = (request.query["fieldManager"], "Apply", target.subresource)
        force, dry = request.query.get("force") == "true", bool(request.query.get("dryRun"))
        if target.subresource == "status":
            desired = {key: value for key, value in desired.items() if key in ("apiVersion", "kind", "status")}
        else:
            desired = {key: value for key, value in desired.items() if key != "status"}
        if target.key not in self.storage.objects:
            if target.subresource:
                self._stored(target)
            return desired if dry else self.storage.create(target.key, desired, manager, applied=True)
        try:
            if dry:
                return apply(self._stored(target), manager, desired, force=force).shown()
            return self.storage.write(target.key, manager, lambda old: apply(old, manager, desired, force=force))
        except FieldConflict as conflict:
            causes = [
                {
                    "reason": "FieldManagerConflict",
                    "message": f'conflict with "{owner}" using v1',
                    "field": "." + ".".join(path),
                }
                for path, owner in conflict.owners.items()
            ]
            raise Answer(409, "Conflict", f"Apply failed with {len(causes)} conflict(s)", causes=causes) from conflict

    async def _delete(self, request: web.Request, target: Target) -> Body:
        text = await request.text()
        uid = ((json.loads(text) if text else {}).get("preconditions") or {}).get("uid")
        stored = self._stored(target)
        if uid and uid != stored.body["metadata"]["uid"]:
            raise Answer(409, "Conflict", "the UID in the precondition does not match")
        self.storage.delete(target.key)
        return {"kind": "Status", "status": "Success"}

    async def _watch(self, request: web.Request, target: Target) -> web.StreamResponse:
        version = int(request.query.get("resourceVersion") or 0)
        if version < self.storage.oldest:
            raise Answer(410, "Expired", "too old resource version")
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        task = asyncio.current_task()
        if task:
            self._watches.add(task)
        try:
            await self._stream(response, target, request.query.get("labelSelector", ""), version)
        except (asyncio.CancelledError, ConnectionResetError):
            pass  # the client went away, or drop_watches
        finally:
            self._watches.discard(task)  # type: ignore[arg-type]
        return response

    async def _stream(self, response: web.StreamResponse, target: Target, selector: str, version: int) -> None:
        while True:
            fresh = [entry for entry in self.storage.history if entry.version > version]
            if not self.faults.silent_watches:
                for entry in fresh:
                    if _watched(entry, target, selector):
                        await response.write(_line(entry.type, entry.body))
                version = self.storage.version
                await response.write(_line("BOOKMARK", {"metadata": {"resourceVersion": str(version)}}))
            async with self.storage.moved:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(BOOKMARK_SECONDS):
                        await self.storage.moved.wait()


BOOKMARK_SECONDS = 0.05


def _line(event: str, body: Body) -> bytes:
    return json.dumps({"type": event, "object": body}).encode() + b"\n"


def _watched(entry: Entry, target: Target, selector: str) -> bool:
    same = entry.kind == target.kind and target.namespace in ("", entry.body["metadata"].get("namespace"))
    return same and _selected(entry.body, selector)


def _selected(body: Body, selector: str) -> bool:
    labels = body["metadata"].get("labels") or {}
    terms = [term.partition("=") for term in selector.split(",") if term]
    return all(labels.get(key) == value if equals else key in labels for key, equals, value in terms)


def _patched(stored: Stored, target: Target, patch: Body) -> Body:
    if target.subresource == "scale":
        body = deepcopy(stored.body)
        body["spec"]["replicas"] = patch["spec"]["replicas"]
        return body
    parts = ("status",) if target.subresource == "status" else tuple(key for key in patch if key != "status")
    body: Body = merged(stored.body, {key: value for key, value in patch.items() if key in parts})
    body["metadata"]["resourceVersion"] = stored.body["metadata"]["resourceVersion"]
    return body


def _scale(stored: Stored) -> Body:
    metadata = {k: stored.body["metadata"][k] for k in ("name", "namespace", "uid", "resourceVersion")}
    return {"kind": "Scale", "metadata": metadata, "spec": {"replicas": stored.body["spec"].get("replicas", 1)}}
