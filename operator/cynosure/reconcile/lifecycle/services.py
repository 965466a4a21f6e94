"""Whole services that an approved intent makes or deletes, and their return. Each step can simply be done again.

What is made is known again by the label of its intent and its spec; what is deleted by its uid and its spec. One that
somebody else has changed meanwhile is neither taken for ours nor deleted.
"""

from collections.abc import Sequence

from cynosure.api import InferenceService
from cynosure.api.intent_status import ServiceChange
from cynosure.errors import Conflict, NotFound, Refused
from cynosure.intents.services import CREATE, changed, is_there, place, stands, to_make
from cynosure.kube.port import INFERENCE_SERVICES, KubeApi
from cynosure.model.service import Service
from cynosure.observe.services import service_of
from cynosure.reconcile.lifecycle.picture import Picture


async def rehearse(kube: KubeApi, picture: Picture, changes: Sequence[ServiceChange]) -> str | None:
    """Why the API server would not take what is to be made; None when it would."""
    try:
        for change in to_make(changes, picture.facts):
            await kube.create(INFERENCE_SERVICES, change.manifest, dry_run=True)
    except (Refused, NotFound, Conflict) as error:
        return str(error)
    return None


def newcomers(picture: Picture, changes: Sequence[ServiceChange]) -> tuple[Service, ...]:
    made = (InferenceService.model_validate(change.manifest) for change in to_make(changes, picture.facts))
    return tuple(map(service_of, made))


async def carry_out(kube: KubeApi, picture: Picture, changes: Sequence[ServiceChange]) -> str | None:
    """What stands in the way, None once all is done; what has a time of grace is not deleted yet.

    Raises ``Unavailable`` or ``Conflict``, after which it is done again from a newer picture.
    """
    for change in changes:
        if change.action == CREATE:
            obstacle = await _create(kube, picture, change)
        else:
            obstacle = await delete(kube, picture, change) if change.grace_seconds is None else None
        if obstacle is not None:
            return obstacle
    return None


async def _create(kube: KubeApi, picture: Picture, change: ServiceChange) -> str | None:
    if is_there(change, picture.facts):
        return None
    if picture.facts.service(place(change)) is not None:
        return f"{place(change)} was made by somebody else meanwhile"
    try:
        picture.put_service(await kube.create(INFERENCE_SERVICES, change.manifest))
    except (Refused, NotFound) as error:
        return str(error)
    except Conflict as error:
        there = await kube.get(INFERENCE_SERVICES, change.name, change.namespace)
        if there["metadata"].get("deletionTimestamp"):
            raise  # it is on its way out
        return str(error)
    return None


def in_the_way(picture: Picture, change: ServiceChange) -> str | None:
    """Why it is not to be deleted; None also when it is gone already."""
    found = picture.facts.service(place(change))
    if found is None or stands(change, found):
        return None
    return f"{place(change)} was changed meanwhile: {', '.join(changed(change, found))}"


async def delete(kube: KubeApi, picture: Picture, change: ServiceChange) -> str | None:
    found, obstacle = picture.facts.service(place(change)), in_the_way(picture, change)
    if found is None or obstacle is not None:
        return obstacle
    try:
        await kube.delete(INFERENCE_SERVICES, change.name, namespace=change.namespace, uid=found.metadata.uid)
    except Refused as error:
        return str(error)
    picture.drop_service(place(change))
    return None
