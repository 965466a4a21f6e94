"""A real API server with our kinds, a profile and a namespace of the test's own."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cynosure.errors import NotFound
from cynosure.kube.client import HttpKubeApi
from cynosure.kube.port import (
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    INFERENCE_SERVICES,
    PODS,
    RESOURCE_CLAIM_TEMPLATES,
    SERVICES,
    Body,
    Resource,
)

from tests.reconcile.conftest import inference_service

NAMESPACES = Resource("", "v1", "namespaces", namespaced=False)


@dataclass(frozen=True)
class Real:
    api: HttpKubeApi
    namespace: str
    kubeconfig: Path

    async def add(self, name: str = "chat", **spec: Any) -> Body:
        body = inference_service(name, **spec)
        return await self.api.create(INFERENCE_SERVICES, {**body, "metadata": {**body["metadata"], **self._here}})

    async def edit(self, spec: Mapping[str, Any], name: str = "chat") -> None:
        await self.api.patch(INFERENCE_SERVICES, name, {"spec": spec}, namespace=self.namespace)

    async def replicas(self) -> dict[str, int]:
        found = await self.api.list(DEPLOYMENTS, namespace=self.namespace)
        return {body["metadata"]["name"]: body["spec"]["replicas"] for body in found.items}

    async def ready(self) -> dict[str, int]:
        found = await self.api.list(DEPLOYMENTS, namespace=self.namespace)
        return {body["metadata"]["name"]: body["status"].get("readyReplicas", 0) for body in found.items}

    async def children(self) -> dict[str, list[str]]:
        kinds = (DEPLOYMENTS, PODS, RESOURCE_CLAIM_TEMPLATES, SERVICES)
        return {kind.plural: await self.names(kind) for kind in kinds}

    async def names(self, kind: Resource) -> list[str]:
        found = await self.api.list(kind, namespace=self.namespace)
        return [body["metadata"]["name"] for body in found.items]

    async def condition(self, kind: str, name: str = "chat") -> tuple[str, str, str]:
        body = await self.api.get(INFERENCE_SERVICES, name, self.namespace)
        found = [c for c in body.get("status", {}).get("conditions", []) if c["type"] == kind]
        return (found[0]["status"], found[0]["reason"], found[0]["message"]) if found else ("", "", "")

    async def kubectl_scale(self, name: str, replicas: int) -> None:
        path = DEPLOYMENTS.path(self.namespace, name, "scale")
        merge = "application/merge-patch+json"
        await self.api._send("PATCH", path, {"fieldManager": "kubectl"}, {"spec": {"replicas": replicas}}, merge)

    @property
    def _here(self) -> dict[str, str]:
        return {"namespace": self.namespace}


async def until(check: Callable[[], Awaitable[bool]], what: str, seconds: float = 40) -> float:
    """Seconds until it was so."""
    begun = time.monotonic()
    while time.monotonic() < begun + seconds:
        with contextlib.suppress(NotFound, KeyError):
            if await check():
                return time.monotonic() - begun
        await asyncio.sleep(0.2)
    raise AssertionError(f"after {seconds:g} s: not {what}")


async def install(api: HttpKubeApi, crds: list[Body]) -> None:
    """Our kinds, served."""
    for crd in crds:
        await api.apply(CUSTOM_RESOURCE_DEFINITIONS, crd)

    async def served() -> bool:
        found = [await api.get(CUSTOM_RESOURCE_DEFINITIONS, crd["metadata"]["name"]) for crd in crds]
        conditions = [{c["type"]: c["status"] for c in crd["status"]["conditions"]} for crd in found]
        return all(known.get("Established") == "True" for known in conditions)

    await until(served, "our kinds served")
