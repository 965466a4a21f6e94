"""Writes status and events of InferenceServices."""

from collections.abc import Callable, Sequence

from cynosure.act.conditions import conditions
from cynosure.act.events import events
from cynosure.act.status import Throttle, apply_body, service_status, stamped
from cynosure.act.work import Work
from cynosure.api.conditions import Reason, Type
from cynosure.api.metadata import StatusBase
from cynosure.errors import Conflict, CynosureError, NotFound
from cynosure.kube.caches import Caches
from cynosure.kube.port import EVENTS, INFERENCE_SERVICES, Body, KubeApi
from cynosure.model.condition import Condition, Status


class Publisher:
    def __init__(
        self, api: KubeApi, caches: Caches, clock: Callable[[], float], *, status_seconds: float, reporter: str
    ) -> None:
        self._api = api
        self._caches = caches
        self._clock = clock
        self._throttle = Throttle(status_seconds)
        self._reporter = reporter
        self._written_at: dict[str, float] = {}

    async def publish(self, work: Work, failures: Sequence[CynosureError]) -> None:
        """May raise what the port raises. An object that is gone has no status to write."""
        now, uid = self._clock(), work.service.metadata.uid
        before = work.service.status
        after = service_status(work, conditions(work, failures), now)
        if not self._throttle.is_due(before, after, now - self._written_at.get(uid, 0.0)):
            return
        # Events first: were the status first and the process killed, nobody would ever hear of the decision.
        for event in events(work, before, after, now, self._reporter):
            await self._api.create(EVENTS, event)
        await self._write(work.name, work.namespace, after.body())
        self._written_at[uid] = now

    async def publish_invalid(self, body: Body, message: str) -> None:
        """An object that cannot be read says so; the rest of its status stays as it is."""
        metadata, status = body["metadata"], body.get("status") or {}
        others = [c for c in status.get("conditions") or () if c.get("type") != Type.READY]
        known = [c for c in status.get("conditions") or () if c.get("type") == Type.READY]
        before = StatusBase.model_validate({"conditions": known}).conditions
        if before and (before[0].reason, before[0].message) == (Reason.SPEC_INVALID, message):
            return
        generation = metadata.get("generation", 0)
        invalid = Condition(Type.READY, Status.FALSE, Reason.SPEC_INVALID, message)
        said = stamped([invalid], before, generation, self._clock())
        conditions = [*(condition.body() for condition in said), *others]
        after = {**status, "observedGeneration": generation, "conditions": conditions}
        await self._write(metadata["name"], metadata["namespace"], after)

    async def _write(self, name: str, namespace: str, status: Body) -> None:
        body = apply_body(name, namespace, "InferenceService", status)
        try:
            # Nobody else has a right to this status, so what an earlier version wrote otherwise is taken over.
            written = await self._api.apply(INFERENCE_SERVICES, body, subresource="status", force=True)
        except (NotFound, Conflict):
            return
        self._caches.store(INFERENCE_SERVICES).wrote(written)
