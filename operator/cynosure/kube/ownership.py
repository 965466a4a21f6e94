"""Who owns a field: read from ``metadata.managedFields``, as server-side apply and /scale leave them."""

from collections.abc import Iterator

from cynosure.kube.port import FIELD_MANAGER, Body

_NOBODY = frozenset({"before-first-apply"})
"""What the server makes up for fields that were set before anybody applied."""


def owners_of_replicas(deployment: Body) -> tuple[str, ...]:
    """The field managers other than us that own ``spec.replicas``, for people: with the way they wrote."""
    entries = (entry for entry in _entries(deployment) if entry.get("manager") not in {FIELD_MANAGER, *_NOBODY})
    return tuple(dict.fromkeys(_shown(entry) for entry in entries if _has_replicas(entry)))


def owners_since(deployment: Body, since: str) -> tuple[str, ...]:
    """As ``owners_of_replicas``, but only who wrote after ``since`` (RFC 3339): for adopted Deployments."""
    entries = (e for e in _entries(deployment) if e.get("manager") not in {FIELD_MANAGER, *_NOBODY})
    later = (entry for entry in entries if str(entry.get("time") or "") > since)
    return tuple(dict.fromkeys(_shown(entry) for entry in later if _has_replicas(entry)))


def applied_replicas(deployment: Body) -> bool:
    """Whether our own apply still owns ``spec.replicas``: it must then repeat it, or the field falls back to 1."""
    return any(
        entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply" and _has_replicas(entry)
        for entry in _entries(deployment)
        if not entry.get("subresource")
    )


def _entries(body: Body) -> Iterator[Body]:
    yield from body["metadata"].get("managedFields") or ()


def _has_replicas(entry: Body) -> bool:
    return "f:replicas" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})


def _shown(entry: Body) -> str:
    manager = str(entry.get("manager"))
    if entry.get("subresource") == "scale":
        if manager == "kube-controller-manager":
            return "an HorizontalPodAutoscaler (kube-controller-manager)"
        return f"{manager} scale"
    return manager
