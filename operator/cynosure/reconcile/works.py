"""From a picture and a plan to the work on each service."""

from collections.abc import Mapping

from cynosure.act.work import Work
from cynosure.api.inference_status import FindingStatus
from cynosure.model.forecast import Forecast
from cynosure.model.gpu import Slot
from cynosure.model.plan import Plan
from cynosure.model.service import ServiceKey
from cynosure.observe.world import Picture


def works(
    picture: Picture,
    plan: Plan,
    forecasts: Mapping[ServiceKey, Forecast],
    findings: Mapping[ServiceKey, tuple[FindingStatus, ...]],
) -> tuple[Work, ...]:
    decisions = {decision.service: decision for decision in plan.decisions}
    conditions = dict(plan.conditions)
    slots = _slots(plan)
    return tuple(
        Work(
            service=picture.services[key],
            body=picture.bodies[key],
            observation=observation,
            decision=decisions.get(key),
            conditions=conditions.get(key, ()),
            forecast=forecasts.get(key),
            profile=picture.model_profiles.get(observation.service.profile),
            children=tuple(picture.deployments.get(key, ())),
            adopted=picture.adopted.get(key),
            pods=tuple(picture.pods.get(key, ())),
            slots=slots.get(key, ()),
            target=plan.move.target if plan.move and plan.move.service == key else None,
            gpus=picture.snapshot.gpus,
            backend=picture.backend,
            rivals=rivals(picture, key),
            findings=findings.get(key),
        )
        for observation in picture.snapshot.observations
        for key in (observation.service.key,)
    )


def _slots(plan: Plan) -> dict[ServiceKey, tuple[Slot, ...]]:
    found: dict[ServiceKey, tuple[Slot, ...]] = {}
    for slot in plan.placement.slots:
        if slot.service is not None:
            found[slot.service] = (*found.get(slot.service, ()), slot)
    return found


def rivals(picture: Picture, key: ServiceKey) -> tuple[str, ...]:
    """Autoscalers that aim at the InferenceService itself."""
    aimed = ("InferenceService", key.namespace, key.name)
    return tuple(
        f"HorizontalPodAutoscaler {hpa.name}"
        for hpa in picture.autoscalers
        if (hpa.kind, hpa.namespace, hpa.target) == aimed
    )
