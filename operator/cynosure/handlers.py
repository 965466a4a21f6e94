"""kopf's side: it sees our own kinds and wakes the loop. No finalizer, no timer, no daemon, no index.

What it sees is not remembered: the informers hold the state, and a relist of theirs heals what a watch missed.
"""

from collections.abc import Callable
from typing import Any

import kopf

from cynosure.kube.credentials import Credentials
from cynosure.kube.port import GROUP, VERSION

OBSERVED = ("inferenceservices", "modelprofiles", "scalingintents", "intentapprovals", "automationpolicies")


def registry(wake: Callable[[str], None], credentials: Credentials) -> kopf.OperatorRegistry:
    """Handlers that never raise and return nothing: a bad object is a fact for the loop to read."""
    handlers = kopf.OperatorRegistry()

    @kopf.on.startup(registry=handlers)
    async def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
        settings.watching.inactivity_timeout = 70
        settings.watching.connect_timeout = 10
        settings.networking.request_timeout = 30
        settings.networking.enforce_retry_after = True
        settings.queueing.worker_limit = None
        settings.queueing.idle_timeout = 0.5
        settings.posting.enabled = False  # events are written by act/events.py
        # Nothing of ours needs one; should that ever change by mistake, its name tells.
        settings.persistence.finalizer = f"{GROUP}/unused"
        settings.peering.standalone = True  # who acts is decided by our Lease
        settings.execution.max_workers = 1

    @kopf.on.login(registry=handlers)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        scheme, _space, secret = (credentials.authorization() or "").partition(" ")
        pair = credentials.client_certificate
        return kopf.ConnectionInfo(
            server=credentials.server,
            ca_path=credentials.authority,
            insecure=not credentials.verify,
            scheme=scheme or None,
            token=secret or None,
            certificate_path=pair[0] if pair else None,
            private_key_path=pair[1] if pair else None,
        )

    for plural in OBSERVED:
        kopf.on.event(GROUP, VERSION, plural, registry=handlers, id=f"wake-{plural}")(_waking(plural, wake))
    return handlers


def _waking(plural: str, wake: Callable[[str], None]) -> Callable[..., Any]:
    async def observe(namespace: str | None, name: str | None, **_: Any) -> None:
        wake(f"{plural}/{namespace or ''}/{name}")

    return observe
