"""From an answer of the API server to an error of ours."""

import re
from collections.abc import Mapping
from typing import Any

from cynosure.errors import Conflict, CynosureError, NotFound, Refused, Unavailable
from cynosure.kube.port import Gone

_OWNER = re.compile(r'conflict with "([^"]+)"')


def failure(
    status: int, answer: Mapping[str, Any], what: str, *, retry_after_seconds: float | None = None
) -> CynosureError | Gone:
    """``answer`` is a metav1.Status, or empty when a proxy answered in its place; ``what`` names the call."""
    message = f"{what}: {answer.get('message') or f'HTTP {status}'}"
    match status:
        case 404:
            return NotFound(message)
        case 409:
            return Conflict(message, owners=_owners(answer))
        case 410:
            return Gone(message)
        # An expired token is replaced soon; a timeout, an overload and a restart pass.
        case 401 | 408 | 429:
            return Unavailable(message, retry_after_seconds=retry_after_seconds)
        case _ if status >= 500:
            return Unavailable(message, retry_after_seconds=retry_after_seconds)
        case _:
            return Refused(message)


def _owners(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Field managers that hold what an apply wanted, each once."""
    causes = (answer.get("details") or {}).get("causes") or ()
    named = (_OWNER.search(str(cause.get("message"))) for cause in causes)
    return tuple(dict.fromkeys(match.group(1) for match in named if match))
