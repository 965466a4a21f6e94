"""From an approved deletion to its end: the services stay untouched for their time of grace, then they go.

``verification.since`` is when that time began, so that it is kept over a restart. An emergency stop begins it anew.
"""

from datetime import datetime, timedelta

from cynosure.api.conditions import Reason, Type
from cynosure.api.intent_status import Verification
from cynosure.intents.services import leaving, place
from cynosure.kube.port import KubeApi
from cynosure.model.condition import Condition, Status
from cynosure.reconcile.lifecycle import services
from cynosure.reconcile.lifecycle.picture import Picture
from cynosure.reconcile.lifecycle.progress import Progress


def begin(progress: Progress) -> None:
    progress.set(verification=Verification(since=progress.now))
    message = f"{_names(progress)} untouched until {_ends(progress, progress.now):%H:%M:%S} UTC; an undo keeps it"
    progress.say(Type.VERIFIED, Status.UNKNOWN, Reason.GRACE_PERIOD, message)


async def look(progress: Progress, kube: KubeApi, picture: Picture) -> None:
    """Delete what is due. Where one of them was changed meanwhile none is deleted, and the intent ends."""
    state = progress.status.verification
    if state is None or not progress.is_(Type.VERIFIED, Status.UNKNOWN, Reason.GRACE_PERIOD):
        return
    is_protected = progress.intent.metadata.namespace in picture.policy.protected_namespaces
    if is_protected or progress.now < _ends(progress, state.since):
        return
    due = leaving(progress.status.undo)
    obstacles = [why for change in due if (why := services.in_the_way(picture, change)) is not None]
    for change in due if not obstacles else ():
        obstacles += [why for why in [await services.delete(kube, picture, change)] if why is not None]
    if obstacles:
        message = f"not deleted: {'; '.join(obstacles)}"
        progress.put(Condition(Type.APPLIED, Status.FALSE, Reason.APPLY_REFUSED, message))
        return
    message = f"{_names(progress)} deleted; an undo makes it anew"
    progress.set(verification=state.model_copy(update={"until": progress.now, "met": True, "message": message}))
    progress.say(Type.VERIFIED, Status.TRUE, Reason.EFFECT_SEEN, message)


def _names(progress: Progress) -> str:
    return ", ".join(str(place(change)) for change in leaving(progress.status.undo))


def _ends(progress: Progress, since: datetime) -> datetime:
    grace = max(change.grace_seconds or 0 for change in leaving(progress.status.undo))
    return since + timedelta(seconds=grace)
