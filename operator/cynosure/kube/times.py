"""Times as Kubernetes writes them."""

from datetime import UTC, datetime


def seconds(text: str | None) -> float | None:
    """RFC 3339 to Unix seconds."""
    return datetime.fromisoformat(text).timestamp() if text else None


def rfc3339(at_seconds: float) -> str:
    """Unix seconds to RFC 3339 with whole seconds, as metav1.Time."""
    return datetime.fromtimestamp(at_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_time(at_seconds: float) -> str:
    """Unix seconds to RFC 3339 with microseconds, as metav1.MicroTime."""
    return datetime.fromtimestamp(at_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
