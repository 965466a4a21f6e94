"""Names of the children of a service."""

import hashlib
import json
from typing import Any

from cynosure.kube.labels import PLACEMENT_PREFIX
from cynosure.model.service import ServiceKey


def deployment_name(service: str, partition: str) -> str:
    """Also of the ResourceClaimTemplate: one of each per service and partition. At most 63 characters."""
    return f"{service}-{partition.replace('.', '-').replace('+', '-')}"


def profile_name(service: str) -> str:
    """The ConfigMap that brings the profile to emulated engines."""
    return f"{service}-profile"


def placement_label(key: ServiceKey, partition: str) -> str:
    """The node label that says where replicas of (service, partition) are planned. The pods prefer such nodes."""
    return PLACEMENT_PREFIX + digest([key.namespace, key.name, partition])[:10]


def digest(document: Any) -> str:
    """Of JSON: equal documents have equal digests, whatever the order of their keys."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
