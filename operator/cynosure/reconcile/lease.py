"""One replica acts at a time: a Lease of coordination.k8s.io, judged by this machine's own clock only."""

import asyncio
import logging
import time
from collections.abc import Callable

from cynosure.clock import Clock, system_clock
from cynosure.errors import Conflict, CynosureError, Fatal, NotFound, Refused
from cynosure.kube.port import LEASES, Body, KubeApi
from cynosure.kube.times import micro_time
from cynosure.settings import LeaseSettings

log = logging.getLogger(__name__)


class Lease:
    """``held`` turns false ``margin_seconds`` before anybody else may take over, even if no answer comes any more.

    As in client-go's leader election, the times in the object are never compared with the local clock: another
    holder counts as gone when its record has not changed for ``lease_seconds`` of our own clock.
    """

    def __init__(
        self,
        api: KubeApi,
        settings: LeaseSettings,
        identity: str,
        *,
        clock: Clock = system_clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.identity = identity
        self.holder = ""
        """Who held it when we last looked."""
        self._api = api
        self._settings = settings
        self._clock = clock
        self._monotonic = monotonic
        self._until = float("-inf")
        self._seen: tuple[Body, float] | None = None

    @property
    def held(self) -> bool:
        return self._monotonic() < self._until

    async def acquire(self) -> None:
        """Return once we hold it. Trouble on the way is logged and tried again."""
        while True:
            try:
                if await self._try():
                    log.info("the lease is held", extra={"holder": self.identity})
                    return
            except Refused:
                raise
            except CynosureError as error:
                log.warning("the lease cannot be read or written", extra={"error": str(error)})
            await asyncio.sleep(self._settings.renew_seconds)

    async def keep(self) -> None:
        """Renew until cancelled. Raises ``Fatal`` when it is lost, or could not be renewed in time."""
        while True:
            await asyncio.sleep(self._settings.renew_seconds)
            try:
                if not await self._try():
                    raise Fatal(f"the lease is held by {self.holder} now")
            except Fatal:
                raise
            except CynosureError as error:
                log.warning("the lease could not be renewed", extra={"error": str(error)})
            if not self.held:
                raise Fatal("the lease could not be renewed in time")

    async def release(self) -> None:
        """Let the next one start at once; failing that it waits until the lease has run out."""
        if not self.held:
            return
        self._until = float("-inf")
        try:
            lease = await self._api.get(LEASES, self._settings.lease_name, self._settings.lease_namespace)
            if lease["spec"].get("holderIdentity") == self.identity:
                await self._write(lease, {**self._spec(lease), "holderIdentity": "", "leaseDurationSeconds": 1})
        except CynosureError as error:
            log.warning("the lease could not be released", extra={"error": str(error)})

    async def _try(self) -> bool:
        """Take or renew it if nobody else holds it. Counted from before the request, the earliest that it can hold."""
        started = self._monotonic()
        try:
            lease = await self._api.get(LEASES, self._settings.lease_name, self._settings.lease_namespace)
        except NotFound:
            lease = None
        if lease is not None and not self._is_free(lease):
            return False
        try:
            await self._write(lease, self._spec(lease))
        except Conflict:
            return await self._lost_the_race()
        self.holder = self.identity
        self._until = started + self._settings.lease_seconds - self._settings.margin_seconds
        return True

    async def _lost_the_race(self) -> bool:
        lease = await self._api.get(LEASES, self._settings.lease_name, self._settings.lease_namespace)
        self.holder = lease["spec"].get("holderIdentity") or ""
        return False

    def _is_free(self, lease: Body) -> bool:
        spec = lease.get("spec") or {}
        self.holder = spec.get("holderIdentity") or ""
        if self.holder in ("", self.identity):
            return True
        if self._seen is None or self._seen[0] != spec:
            self._seen = spec, self._monotonic()
        return self._monotonic() - self._seen[1] >= float(spec.get("leaseDurationSeconds") or 0)

    def _spec(self, lease: Body | None) -> Body:
        spec: Body = (lease or {}).get("spec") or {}
        now = micro_time(self._clock())
        mine = spec.get("holderIdentity") == self.identity
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": int(self._settings.lease_seconds),
            "acquireTime": spec.get("acquireTime") if mine else now,
            "renewTime": now,
            "leaseTransitions": int(spec.get("leaseTransitions") or 0) + (0 if mine else 1),
        }

    async def _write(self, lease: Body | None, spec: Body) -> None:
        name, namespace = self._settings.lease_name, self._settings.lease_namespace
        if lease is None:
            metadata = {"name": name, "namespace": namespace}
            body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
            await self._api.create(LEASES, body)
        else:
            patch = {"metadata": {"resourceVersion": lease["metadata"]["resourceVersion"]}, "spec": spec}
            await self._api.patch(LEASES, name, patch, namespace=namespace)
