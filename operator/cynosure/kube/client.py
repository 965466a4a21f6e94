"""The adapter of ``KubeApi`` on aiohttp."""

import json
import random
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import aiohttp

from cynosure.errors import NotFound, Unavailable
from cynosure.kube.credentials import Credentials
from cynosure.kube.failures import failure
from cynosure.kube.port import FIELD_MANAGER, PODS, Body, EventType, Gone, Listing, Resource, WatchEvent
from cynosure.kube.rate import TokenBucket
from cynosure.settings import KubernetesSettings

_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_LOG_TAIL = {"tailLines": "100", "limitBytes": str(16 << 20)}
_LOG_SECONDS = 60.0
"""A line of a log may have megabytes, and a log that is followed lasts as long as its caller wants."""
_Params = dict[str, str]


class HttpKubeApi:
    """Use as an asynchronous context manager. Every answer that is no success becomes an error of ours."""

    def __init__(self, credentials: Credentials, settings: KubernetesSettings) -> None:
        self._credentials = credentials
        self._settings = settings
        self._rate = TokenBucket(settings.requests_per_second, settings.burst)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # Watches hold a connection each, so the pool must not be bounded; writes are, by their caller.
        connector = aiohttp.TCPConnector(limit=0, ssl=self._credentials.tls() or True)
        self._session = aiohttp.ClientSession(connector=connector)
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._session:
            await self._session.close()

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Body:
        return await self._send("GET", resource.path(namespace, name))

    async def list(
        self, resource: Resource, *, namespace: str | None = None, label_selector: str | None = None
    ) -> Listing:
        selector = {"labelSelector": label_selector} if label_selector else {}
        params = {"limit": str(self._settings.list_chunk), **selector}
        items: list[Body] = []
        while True:
            try:
                page = await self._send("GET", resource.path(namespace), params)
            except Gone:  # the continuation expired: the rest would be of another time
                items, params = [], {"limit": str(self._settings.list_chunk), **selector}
                continue
            items += page.get("items") or []
            metadata = page.get("metadata") or {}
            if not (token := metadata.get("continue")):
                return Listing(items, metadata.get("resourceVersion", ""))
            params = {**params, "continue": token}

    async def watch(
        self, resource: Resource, resource_version: str, *, label_selector: str | None = None
    ) -> AsyncGenerator[WatchEvent, None]:
        params = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            # Spread, so that not all watches end at the same moment.
            "timeoutSeconds": str(random.randint(240, 300)),  # noqa: S311
        }
        if label_selector:
            params["labelSelector"] = label_selector
        path = resource.path()
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=self._settings.connect_seconds, sock_read=self._settings.stall_seconds
        )
        async with self._request("GET", path, params, timeout=timeout) as response:
            async for line in _lines(response.content):
                yield _event(json.loads(line), path)

    async def create(self, resource: Resource, body: Body, *, dry_run: bool = False) -> Body:
        path = resource.path(body["metadata"].get("namespace"))
        return await self._send("POST", path, _writing(dry_run), body)

    async def apply(
        self,
        resource: Resource,
        body: Body,
        *,
        subresource: str | None = None,
        force: bool = False,
        dry_run: bool = False,
    ) -> Body:
        metadata = body["metadata"]
        path = resource.path(metadata.get("namespace"), metadata["name"], subresource)
        params = {**_writing(dry_run), "force": "true" if force else "false"}
        return await self._send("PATCH", path, params, body, _APPLY)

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Mapping[str, Any],
        *,
        namespace: str | None = None,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> Body:
        return await self._send("PATCH", resource.path(namespace, name, subresource), _writing(dry_run), patch, _MERGE)

    async def delete(
        self, resource: Resource, name: str, *, namespace: str | None = None, uid: str | None = None
    ) -> None:
        options: Body = {"propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            await self._send("DELETE", resource.path(namespace, name), body=options)
        except NotFound:
            return

    async def log(self, pod: str, namespace: str, *, follow: bool = False) -> str:
        await self._rate.take()
        params = {**_LOG_TAIL, **({"follow": "true"} if follow else {})}
        total = None if follow else _LOG_SECONDS
        timeout = aiohttp.ClientTimeout(total=total, sock_connect=self._settings.connect_seconds)
        async with self._request("GET", PODS.path(namespace, pod, "log"), params, timeout=timeout) as response:
            return (await response.read()).decode("utf-8", "replace")

    async def _send(
        self,
        method: str,
        path: str,
        params: _Params | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> Body:
        await self._rate.take()
        timeout = aiohttp.ClientTimeout(
            total=self._settings.request_seconds, sock_connect=self._settings.connect_seconds
        )
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        async with self._request(method, path, params, data, content_type, timeout=timeout) as response:
            answer: Body = json.loads(await response.read())
            return answer

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        params: _Params | None,
        data: bytes | None = None,
        content_type: str = "application/json",
        *,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One exchange with its failures translated, those while the body is being read included."""
        if self._session is None:
            raise RuntimeError("enter the client with `async with` first")
        what = f"{method} {path}"
        headers = {"Content-Type": content_type, "Accept": "application/json", "User-Agent": FIELD_MANAGER}
        if authorization := self._credentials.authorization():
            headers["Authorization"] = authorization
        try:
            async with self._session.request(
                method, self._credentials.server + path, params=params, data=data, headers=headers, timeout=timeout
            ) as response:
                if response.status >= 400:
                    raise await _refusal(response, what)
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError, json.JSONDecodeError) as error:
            raise Unavailable(f"{what}: {type(error).__name__}: {error}") from error


def _writing(dry_run: bool) -> _Params:
    return {"fieldManager": FIELD_MANAGER, **({"dryRun": "All"} if dry_run else {})}


async def _refusal(response: aiohttp.ClientResponse, what: str) -> Exception:
    try:
        answer = json.loads(await response.read())
    except (json.JSONDecodeError, UnicodeDecodeError):
        answer = {}
    wait = response.headers.get("Retry-After", "")
    retry_after = float(wait) if wait.isdigit() else None
    status = answer if isinstance(answer, dict) else {}
    return failure(response.status, status, what, retry_after_seconds=retry_after)


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Lines of any length; ``StreamReader.readline`` gives up at 128 KiB."""
    rest = b""
    async for chunk in content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line.strip():
                yield line


def _event(document: Mapping[str, Any], path: str) -> WatchEvent:
    if document["type"] == "ERROR":
        status = document.get("object") or {}
        raise failure(int(status.get("code") or 500), status, f"WATCH {path}")
    return WatchEvent(EventType(document["type"]), document["object"])
