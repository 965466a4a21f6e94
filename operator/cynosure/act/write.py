"""The writes of one service, in an order in which the process may die between any two.

Every step compares with what is observed and does only what is missing, so the next pass, of this process or of
another, goes on wherever the last one stopped: nothing twice, nothing forgotten.
"""

from collections.abc import Awaitable, Callable

from cynosure.act import manifests
from cynosure.act.diff import differs, with_replicas
from cynosure.act.naming import digest
from cynosure.act.victims import cost_changes, victims
from cynosure.act.work import Work
from cynosure.errors import Conflict, CynosureError, Fatal, NotFound
from cynosure.kube.caches import Caches
from cynosure.kube.informer import ObjectKey
from cynosure.kube.labels import APPLIED, DELETION_COST, annotations_of, is_ours, partition_of
from cynosure.kube.owners import is_owned_by
from cynosure.kube.port import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    POD_DISRUPTION_BUDGETS,
    PODS,
    RESOURCE_CLAIM_TEMPLATES,
    SERVICES,
    Body,
    KubeApi,
    Resource,
)
from cynosure.model.gpu import Backend
from cynosure.model.snapshot import Workload
from cynosure.settings import WorkloadSettings

Step = Callable[[Work], Awaitable[None]]


class Writer:
    """Raises only ``Fatal``; what else goes wrong is returned, so that one service never stops another."""

    def __init__(self, api: KubeApi, caches: Caches, settings: WorkloadSettings) -> None:
        self._api = api
        self._caches = caches
        self._settings = settings
        self._written_profiles: dict[str, str] = {}

    async def act(self, work: Work) -> tuple[CynosureError, ...]:
        """Make true what was decided. A failed step does not keep the others from theirs: each is safe alone."""
        if not work.is_act_wanted:
            return ()
        failures = []
        for step in self._steps(work):
            try:
                await step(work)
            except Fatal:
                raise
            except CynosureError as error:
                failures.append(error)
        return tuple(failures)

    def _steps(self, work: Work) -> tuple[Step, ...]:
        if work.service.spec.workload_ref:
            return (self._scale_adopted,)
        return (self._profile, self._claims, self._deployment, self._front, self._scale, self._retire)

    async def _profile(self, work: Work) -> None:
        """Before the pods that mount it. The Deployment's annotation tells a later pass that it is there."""
        manifest = manifests.config_map(work)
        uid = work.service.metadata.uid
        if manifest is None or self._written_profiles.get(uid) == digest(manifest):
            return
        await self._refuse_foreign(CONFIG_MAPS, manifest)
        await self._api.apply(CONFIG_MAPS, manifest)
        self._written_profiles[uid] = digest(manifest)

    async def _claims(self, work: Work) -> None:
        """Before the pods that use it. Replaced, since its spec is immutable; running pods do not notice."""
        if work.backend is not Backend.DRA or work.decision is None:
            return
        option = work.decision.option
        desired = manifests.claim_template(work, option.partition, option.gpu_product, self._settings)
        store = self._caches.store(RESOURCE_CLAIM_TEMPLATES)
        observed = store.get(ObjectKey.of(desired))
        if observed is not None and annotations_of(observed).get(APPLIED) == annotations_of(desired)[APPLIED]:
            return
        if observed is not None:
            await self._remove(RESOURCE_CLAIM_TEMPLATES, observed)
        store.wrote(await self._api.create(RESOURCE_CLAIM_TEMPLATES, desired))

    async def _deployment(self, work: Work) -> None:
        if work.decision is None:
            return
        option = work.decision.option
        desired = manifests.deployment(work, option.partition, option.gpu_product, self._settings)
        observed = self._caches.store(DEPLOYMENTS).get(ObjectKey.of(desired))
        if differs(desired, observed):
            await self._apply(DEPLOYMENTS, with_replicas(desired, observed, option.replicas), observed)

    async def _front(self, work: Work) -> None:
        for resource, desired in (
            (SERVICES, manifests.service(work)),
            (POD_DISRUPTION_BUDGETS, manifests.disruption_budget(work)),
        ):
            observed = self._caches.store(resource).get(ObjectKey.of(desired))
            if differs(desired, observed):
                await self._apply(resource, desired, observed)

    async def _scale(self, work: Work) -> None:
        """Through /scale only, and never where somebody else has set the replicas."""
        if work.decision is None:
            return
        option = work.decision.option
        for deployment, workload in self._children(work):
            if workload.partition != option.partition or workload.replicas == option.replicas:
                continue
            await self._choose_victims(work, option.partition, workload.replicas - option.replicas)
            await self._set_replicas(deployment, option.replicas)

    async def _retire(self, work: Work) -> None:
        """Make before break: another partition goes once as many replicas as wanted serve on the new one."""
        if work.decision is None:
            return
        option = work.decision.option
        ready = [r for r in work.observation.replicas if r.phase == "Ready" and r.partition == option.partition]
        for deployment, workload in self._children(work):
            if workload.partition == option.partition or len(ready) < option.replicas:
                continue
            if workload.replicas > 0:
                await self._set_replicas(deployment, 0)
            elif not any(replica.partition == workload.partition for replica in work.observation.replicas):
                await self._remove_claims(deployment)
                await self._remove(DEPLOYMENTS, deployment)

    async def _scale_adopted(self, work: Work) -> None:
        if work.decision is None:
            return
        if work.adopted is None:
            name = work.service.spec.workload_ref.name if work.service.spec.workload_ref else ""
            raise NotFound(f"spec.workloadRef: there is no Deployment {name} in namespace {work.namespace}")
        workload = work.observation.workloads[0]
        if workload.foreign_owner is None and workload.replicas != work.decision.option.replicas:
            await self._set_replicas(work.adopted, work.decision.option.replicas)

    def _children(self, work: Work) -> list[tuple[Body, Workload]]:
        """Our Deployments as they are now, own writes included, without those whose replicas are somebody else's."""
        owned = {w.partition for w in work.observation.workloads if w.foreign_owner}
        fresh = (self._caches.store(DEPLOYMENTS).get(ObjectKey.of(body)) or body for body in work.children)
        found = ((body, partition_of(body)) for body in fresh)
        return [(b, Workload(p, b["spec"].get("replicas", 1))) for b, p in found if p not in owned]

    async def _choose_victims(self, work: Work, partition: str, surplus: int) -> None:
        """Before there are fewer, say which; where there are to be more, take earlier choices back."""
        living = [replica for replica in work.observation.replicas if replica.partition == partition]
        planned = [slot for slot in work.slots if slot.partition == partition]
        pods = [pod for pod in work.pods if partition_of(pod) == partition]
        for name, cost in cost_changes(pods, victims(living, planned, surplus)).items():
            patch = {"metadata": {"annotations": {DELETION_COST: cost}}}
            try:
                await self._api.patch(PODS, name, patch, namespace=work.namespace)
            except NotFound:
                continue  # it went by itself

    async def _set_replicas(self, deployment: Body, replicas: int) -> None:
        metadata = deployment["metadata"]
        patch = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "spec": {"replicas": replicas}}
        scale = await self._api.patch(
            DEPLOYMENTS, metadata["name"], patch, namespace=metadata["namespace"], subresource="scale"
        )
        written = {**metadata, "resourceVersion": scale["metadata"]["resourceVersion"]}
        spec = {**deployment["spec"], "replicas": replicas}
        self._caches.store(DEPLOYMENTS).wrote({**deployment, "metadata": written, "spec": spec})

    async def _apply(self, resource: Resource, desired: Body, observed: Body | None) -> None:
        if observed is None:
            await self._refuse_foreign(resource, desired)
        elif not is_ours(observed):
            raise _taken(desired)
        self._caches.store(resource).wrote(await self._api.apply(resource, desired))

    async def _refuse_foreign(self, resource: Resource, desired: Body) -> None:
        """An apply would merge ours into an object of the same name that somebody else has made."""
        metadata = desired["metadata"]
        try:
            there = await self._api.get(resource, metadata["name"], metadata["namespace"])
        except NotFound:
            return
        if not is_ours(there):
            raise _taken(desired)
        if not is_owned_by(there, metadata["ownerReferences"][0]["uid"]):
            raise Conflict(
                f"{desired['kind']} {metadata['name']} of an earlier InferenceService is still being deleted"
            )

    async def _remove_claims(self, deployment: Body) -> None:
        template = self._caches.store(RESOURCE_CLAIM_TEMPLATES).get(ObjectKey.of(deployment))
        if template is not None:
            await self._remove(RESOURCE_CLAIM_TEMPLATES, template)

    async def _remove(self, resource: Resource, body: Body) -> None:
        metadata = body["metadata"]
        await self._api.delete(resource, metadata["name"], namespace=metadata["namespace"], uid=metadata["uid"])
        self._caches.store(resource).deleted(body)


def _taken(desired: Body) -> Conflict:
    kind, name = desired["kind"], desired["metadata"]["name"]
    message = f"there is a {kind} {name} that Cynosure has not made; rename one of the two"
    return Conflict(message, owners=(f"the creator of {kind} {name}",))
