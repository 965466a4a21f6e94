"""The children of a service as they should be. Pure: the same work gives the same manifests."""

import json
from typing import Any

from cynosure.act.claims import claim_spec, request_partition
from cynosure.act.engines import container, pod_extras
from cynosure.act.naming import deployment_name, digest, profile_name
from cynosure.act.overlay import overlaid
from cynosure.act.spread import spread_pods
from cynosure.act.work import Work
from cynosure.api.inference_service import Engine, EngineKind
from cynosure.api.metadata import API_VERSION
from cynosure.kube.labels import APPLIED, MANAGED_BY, MANAGER, PARTITION, SERVICE, partition_label
from cynosure.kube.owners import owner_reference
from cynosure.settings import WorkloadSettings

Body = dict[str, Any]


def deployment(work: Work, partition: str, product: str, settings: WorkloadSettings) -> Body:
    """One per (service, partition), without ``replicas``: see ``diff.with_replicas``."""
    labels = {SERVICE: work.name, PARTITION: partition_label(partition)}
    spec = {
        "selector": {"matchLabels": labels},
        "revisionHistoryLimit": 2,
        # A new version serves before an old one goes.
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": _template(work, partition, product, settings),
    }
    return _child(work, "apps/v1", "Deployment", deployment_name(work.name, partition), {"spec": spec}, labels)


def _template(work: Work, partition: str, product: str, settings: WorkloadSettings) -> Body:
    engine = _engine(work)
    pod: Body = {
        "containers": [container(work, engine, partition, product, settings)],
        "terminationGracePeriodSeconds": settings.drain_seconds + 10,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        **pod_extras(work, engine),
    }
    request_partition(pod, work, partition)
    spread_pods(pod, work)
    merged: Body = overlaid({"metadata": {}, "spec": pod}, work.service.spec.template or {})
    metadata = merged.setdefault("metadata", {})
    ours = {SERVICE: work.name, PARTITION: partition_label(partition), MANAGED_BY: MANAGER}
    scraped = {"prometheus.io/scrape": "true", "prometheus.io/port": str(engine.port)}
    profile = {"cynosure.dev/profile": digest(_profile(work))} if engine.kind is EngineKind.EMULATED else {}
    metadata["labels"] = {**metadata.get("labels", {}), **ours}
    metadata["annotations"] = {**scraped, **metadata.get("annotations", {}), **profile}
    return merged


def service(work: Work) -> Body:
    port = {"name": "http", "port": _engine(work).port, "targetPort": "http", "protocol": "TCP"}
    spec = {"selector": {SERVICE: work.name}, "ports": [port]}
    return _child(work, "v1", "Service", work.name, {"spec": spec})


def disruption_budget(work: Work) -> Body:
    """Drains of nodes take one replica at a time; one that does not serve anyway is no reason to wait."""
    spec = {
        "maxUnavailable": 1,
        "selector": {"matchLabels": {SERVICE: work.name}},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    return _child(work, "policy/v1", "PodDisruptionBudget", work.name, {"spec": spec})


def config_map(work: Work) -> Body | None:
    """The profile for an emulated engine; None where none is needed."""
    if _engine(work).kind is not EngineKind.EMULATED:
        return None
    data = {"profile.json": json.dumps(_profile(work), sort_keys=True)}
    return _child(work, "v1", "ConfigMap", profile_name(work.name), {"data": data})


def claim_template(work: Work, partition: str, product: str, settings: WorkloadSettings) -> Body:
    """Its spec is immutable: a new plan replaces it under the same name, which only new pods notice."""
    labels = {SERVICE: work.name, PARTITION: partition_label(partition), MANAGED_BY: MANAGER}
    spec = {"metadata": {"labels": labels}, "spec": claim_spec(work, partition, product, settings)}
    name = deployment_name(work.name, partition)
    return _child(work, "resource.k8s.io/v1", "ResourceClaimTemplate", name, {"spec": spec}, labels)


def _engine(work: Work) -> Engine:
    engine = work.service.spec.engine
    if engine is None:
        raise ValueError(f"{work.namespace}/{work.name} has a workloadRef and no children")
    return engine


def _profile(work: Work) -> Body:
    return work.profile.spec.body() if work.profile else {}


def _child(work: Work, version: str, kind: str, name: str, content: Body, labels: dict[str, str] | None = None) -> Body:
    """Owned by the InferenceService, so that it goes with it, whether the operator runs or not."""
    owner = owner_reference(API_VERSION, "InferenceService", work.name, work.service.metadata.uid)
    metadata = {
        "name": name,
        "namespace": work.namespace,
        "labels": {SERVICE: work.name, MANAGED_BY: MANAGER, **(labels or {})},
        "ownerReferences": [owner],
    }
    body = {"apiVersion": version, "kind": kind, "metadata": metadata, **content}
    return {**body, "metadata": {**metadata, "annotations": {APPLIED: digest(body)}}}
