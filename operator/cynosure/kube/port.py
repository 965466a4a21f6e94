"""What the control plane needs of a Kubernetes API server, and nothing more.

Bodies are plain dictionaries as the server sends them. Every call may raise ``Unavailable``, ``Conflict``,
``Refused`` or ``NotFound`` of ``cynosure.errors``.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

Body = dict[str, Any]

FIELD_MANAGER = "cynosure"


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind as the REST API addresses it; ``group`` is empty for the core group."""

    group: str
    version: str
    plural: str
    namespaced: bool = True

    @property
    def prefix(self) -> str:
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        scope = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        tail = "".join(f"/{part}" for part in (name, subresource) if part)
        return f"{self.prefix}{scope}/{self.plural}{tail}"


class EventType(StrEnum):
    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"


@dataclass(frozen=True, slots=True)
class WatchEvent:
    type: EventType
    body: Body


@dataclass(frozen=True, slots=True)
class Listing:
    items: Sequence[Body]
    resource_version: str


class KubeApi(Protocol):
    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Body: ...

    async def list(
        self, resource: Resource, *, namespace: str | None = None, label_selector: str | None = None
    ) -> Listing:
        """All objects, fetched in chunks."""
        ...

    def watch(
        self, resource: Resource, resource_version: str, *, label_selector: str | None = None
    ) -> AsyncGenerator[WatchEvent, None]:
        """Events after ``resource_version``, bookmarks included; ends when the server ends it.

        Raises ``Gone`` of ``cynosure.kube.port`` when that version is no longer known (410).
        """
        ...

    async def create(self, resource: Resource, body: Body, *, dry_run: bool = False) -> Body: ...

    async def apply(
        self,
        resource: Resource,
        body: Body,
        *,
        subresource: str | None = None,
        force: bool = False,
        dry_run: bool = False,
    ) -> Body:
        """Server-side apply as ``FIELD_MANAGER``; a field of somebody else raises ``Conflict`` with its owners."""
        ...

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
        """Merge patch; ``metadata.resourceVersion`` in it makes the server refuse a stale one with ``Conflict``."""
        ...

    async def delete(
        self, resource: Resource, name: str, *, namespace: str | None = None, uid: str | None = None
    ) -> None:
        """Delete in the background; an object that is gone already is no error. ``uid`` is a precondition."""
        ...

    async def log(self, pod: str, namespace: str, *, follow: bool = False) -> str:
        """The last lines of a pod's log; ``follow`` waits for the container to end, as long as the caller lets it."""
        ...


class Gone(Exception):
    """The watch cannot go on from the given resource version; list again."""


GROUP = "cynosure.dev"
VERSION = "v1alpha1"

INFERENCE_SERVICES = Resource(GROUP, VERSION, "inferenceservices")
SCALING_INTENTS = Resource(GROUP, VERSION, "scalingintents")
INTENT_APPROVALS = Resource(GROUP, VERSION, "intentapprovals")
MODEL_PROFILES = Resource(GROUP, VERSION, "modelprofiles", namespaced=False)
GPU_CLASSES = Resource(GROUP, VERSION, "gpuclasses", namespaced=False)
TRAFFIC_REPLAYS = Resource(GROUP, VERSION, "trafficreplays")
AUTOMATION_POLICIES = Resource(GROUP, VERSION, "automationpolicies", namespaced=False)

CUSTOM_RESOURCE_DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", namespaced=False)
DEPLOYMENTS = Resource("apps", "v1", "deployments")
SERVICES = Resource("", "v1", "services")
CONFIG_MAPS = Resource("", "v1", "configmaps")
PODS = Resource("", "v1", "pods")
NODES = Resource("", "v1", "nodes", namespaced=False)
POD_DISRUPTION_BUDGETS = Resource("policy", "v1", "poddisruptionbudgets")
RESOURCE_SLICES = Resource("resource.k8s.io", "v1", "resourceslices", namespaced=False)
RESOURCE_CLAIMS = Resource("resource.k8s.io", "v1", "resourceclaims")
RESOURCE_CLAIM_TEMPLATES = Resource("resource.k8s.io", "v1", "resourceclaimtemplates")
LEASES = Resource("coordination.k8s.io", "v1", "leases")
JOBS = Resource("batch", "v1", "jobs")
EVENTS = Resource("events.k8s.io", "v1", "events")
HORIZONTAL_POD_AUTOSCALERS = Resource("autoscaling", "v2", "horizontalpodautoscalers")
