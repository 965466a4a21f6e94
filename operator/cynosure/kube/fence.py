"""A KubeApi that writes only as long as it may."""

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from cynosure.errors import Fatal
from cynosure.kube.port import Body, KubeApi, Listing, Resource, WatchEvent


class Fenced:
    """Reads pass; a write raises ``Fatal`` unless ``may_write()``. So a replica that lost its lease does nothing."""

    def __init__(self, api: KubeApi, may_write: Callable[[], bool]) -> None:
        self._api = api
        self._may_write = may_write

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Body:
        return await self._api.get(resource, name, namespace)

    async def list(
        self, resource: Resource, *, namespace: str | None = None, label_selector: str | None = None
    ) -> Listing:
        return await self._api.list(resource, namespace=namespace, label_selector=label_selector)

    def watch(
        self, resource: Resource, resource_version: str, *, label_selector: str | None = None
    ) -> AsyncGenerator[WatchEvent, None]:
        return self._api.watch(resource, resource_version, label_selector=label_selector)

    async def create(self, resource: Resource, body: Body, *, dry_run: bool = False) -> Body:
        self._check()
        return await self._api.create(resource, body, dry_run=dry_run)

    async def apply(
        self,
        resource: Resource,
        body: Body,
        *,
        subresource: str | None = None,
        force: bool = False,
        dry_run: bool = False,
    ) -> Body:
        self._check()
        return await self._api.apply(resource, body, subresource=subresource, force=force, dry_run=dry_run)

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
        self._check()
        return await self._api.patch(
            resource, name, patch, namespace=namespace, subresource=subresource, dry_run=dry_run
        )

    async def delete(
        self, resource: Resource, name: str, *, namespace: str | None = None, uid: str | None = None
    ) -> None:
        self._check()
        await self._api.delete(resource, name, namespace=namespace, uid=uid)

    async def log(self, pod: str, namespace: str, *, follow: bool = False) -> str:
        return await self._api.log(pod, namespace, follow=follow)

    def _check(self) -> None:
        if not self._may_write():
            raise Fatal("the lease is not held any more, so nothing is written")
