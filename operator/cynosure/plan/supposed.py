"""The snapshot of a dry run: with services that are not there yet, and without those that are to go."""

from dataclasses import replace

from cynosure.model.bounds import Bounds
from cynosure.model.service import Service
from cynosure.model.signals import AbsenceReason, Absent, Load
from cynosure.model.snapshot import Observation, Snapshot

_UNKNOWN = Absent(AbsenceReason.MISSING, "it is not there yet, so nothing is known of its load")


def supposed(snapshot: Snapshot, bounds: Bounds) -> Snapshot:
    """A newcomer has no load that is known, which is not the same as none: it begins with its minimum."""
    if not bounds.newcomers and not bounds.leavers:
        return snapshot
    there = {observation.service.key for observation in snapshot.observations}
    stay = (o for o in snapshot.observations if o.service.key not in bounds.leavers)
    come = (_observation(service, snapshot) for service in bounds.newcomers if service.key not in there)
    return replace(snapshot, observations=tuple(sorted([*stay, *come], key=lambda o: o.service.key)))


def _observation(service: Service, snapshot: Snapshot) -> Observation:
    profile = snapshot.profiles.get(service.profile)
    load = Load(_UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN)
    return Observation(service, load, lead_time_seconds=profile.load_seconds if profile else 0.0)
