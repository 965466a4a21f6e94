"""A schedule played to a service in the twin: the requests that would be sent, and what would become of each."""

from dataclasses import replace
from typing import Final

import numpy as np

from cynosure.errors import BadInput
from cynosure.model.profile import Task
from cynosure.model.signals import Floats
from cynosure.model.snapshot import ReplicaPhase
from cynosure.twin.curves import curves_of
from cynosure.twin.fleet import Ground
from cynosure.twin.policies.cynosure import Cynosure
from cynosure.twin.port import Setting
from cynosure.twin.simulation import Experiment, simulate
from cynosure.twin.site import Site
from cynosure.twin.tally import Ledger
from cynosure.twin.traffic import Traffic
from loadgen.engine import EngineOptions
from loadgen.outcomes import Outcomes, Status
from loadgen.schedule import Kind, Schedule
from loadgen.trace import RequestTrace

ENGINE: Final = "twin"
PATIENCE_SECONDS: Final = EngineOptions().timeout_seconds
"""After which the builtin engine gives a request up; in the twin it goes on all the same, and is a failure.

So does one whose user has lost patience: it fails as abandoned, and still takes its place in the queue.
"""
_TOO_LONG: Final = 400
"""What an engine answers to a prompt that its KV cache could never hold."""


def replayed(site: Site, schedule: Schedule, seed: int) -> Outcomes:
    """Play a schedule to the service under the product's own policy, from its present replicas on.

    How late requests would have left is unknown, and NaN. The same site, schedule and seed give the same outcomes.
    :raises BadInput: the service has no GPU or partition that was measured, or the schedule asks for something else.
    """
    experiment = experiment_of(site, schedule, seed)
    tally = simulate(experiment, Cynosure(experiment.setting, site=site)).tally
    return _outcomes(schedule, tally.ledger, experiment.ground.curves.kv_cache_tokens, str(site.service.key))


def experiment_of(site: Site, schedule: Schedule, seed: int) -> Experiment:
    """A schedule as the load of a service where it stands. :raises BadInput: see ``replayed``."""
    service, profile, partitions = site.service, site.profile, site.partitions
    _check_kind(site, schedule)
    curves = curves_of(profile, site.gpu_product, partitions)
    lead = site.observed.lead_time_seconds
    ground = Ground(site.gpu_product, partitions, curves, None, lead)
    ready, starting = site.count(ReplicaPhase.READY), site.count(ReplicaPhase.PENDING)
    setting = Setting(
        profile=profile,
        targets=service.targets,
        gpu_product=site.gpu_product,
        partition=site.partition,
        partitions=partitions,
        max_replicas=max(service.max_replicas, service.pinned_replicas or 0, ready + starting),
        lead_time_seconds=lead,
        input_tokens=float(np.mean(schedule.input_tokens)),
        output_tokens=float(np.mean(schedule.output_tokens)),
        replica_rps=float("nan"),
        replica_concurrency=float("nan"),
        seed=seed,
    )
    ground = replace(ground, gpus=_room(site, ground))
    traffic = Traffic(_trace(schedule), None, seed)
    return Experiment(setting, ground, traffic, np.empty(0), ready, starting=starting, kept=len(schedule))


def _room(site: Site, ground: Ground) -> float:
    """GPUs of the product, less what others have on them."""
    gpus = {gpu.uuid for gpu in site.snapshot.gpus if gpu.usable and gpu.product == ground.product}
    taken = sum(ground.room(slot.partition) for slot in site.snapshot.foreign if slot.gpu in gpus)
    return max(0.0, len(gpus) - taken)


def _trace(schedule: Schedule) -> RequestTrace:
    """What is due at the very end belongs to it."""
    at = schedule.send_at_seconds
    end = max(schedule.duration_seconds, float(np.nextafter(at[-1], np.inf)))
    return RequestTrace(at, schedule.input_tokens, schedule.output_tokens, 0.0, end, "the schedule of the replay")


def _check_kind(site: Site, schedule: Schedule) -> None:
    kind = Kind.CLASSIFICATION if site.profile.task is Task.IMAGE_CLASSIFICATION else Kind.COMPLETION
    if np.any(schedule.kind != kind):
        raise BadInput(f"{site.service.key}: takes {kind.name.lower()}s, and the schedule has others; use one for it")


def _outcomes(schedule: Schedule, ledger: Ledger, kv_cache_tokens: Floats, name: str) -> Outcomes:
    due, is_text = schedule.send_at_seconds, schedule.kind == Kind.COMPLETION
    with np.errstate(invalid="ignore"):
        in_time = np.where(is_text, ledger.first_at, ledger.finished_at) - due <= schedule.patience_seconds
        abandoned = ~in_time & ~ledger.dropped & (schedule.patience_seconds < PATIENCE_SECONDS)
        finished = (ledger.finished_at - due <= PATIENCE_SECONDS) & ~abandoned
    given_up = np.where(np.isnan(ledger.finished_at), int(Status.UNFINISHED), int(Status.TIMEOUT))
    too_long = schedule.input_tokens + schedule.output_tokens > kv_cache_tokens.min()
    refused = np.where(is_text & too_long, _TOO_LONG, int(Status.CONNECTION))
    lost = np.where(ledger.dropped, refused, np.where(abandoned, int(Status.ABANDONED), given_up))
    status = np.where(finished, int(Status.SUCCEEDED), lost)
    return Outcomes(
        due_seconds=due,
        lag_seconds=np.full(len(due), np.nan),
        first_seconds=np.where(is_text & ~abandoned, ledger.first_at - due, np.nan),
        latency_seconds=np.where(finished, ledger.finished_at - due, np.nan),
        tokens=np.where(finished & is_text, schedule.output_tokens, 0),
        kind=schedule.kind,
        status=status.astype(np.int64),
        duration_seconds=schedule.duration_seconds,
        engine=ENGINE,
        targets={Kind(int(kind)).name.lower(): name for kind in np.unique(schedule.kind)},
        provenance={**schedule.provenance, **_not_simulated(schedule)},
        classes=schedule.classes,
        request_class=schedule.request_class,
    )


def _not_simulated(schedule: Schedule) -> dict[str, str]:
    if schedule.retries is None:
        return {}
    return {"not_simulated": "retries: in the twin each request is sent once, and a refused one has failed"}
