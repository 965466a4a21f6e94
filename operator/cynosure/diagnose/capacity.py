"""Rules about requests that are late or wait: the most upstream reason why there is not the capacity that is needed."""

from collections.abc import Callable, Iterator
from math import ceil

from cynosure.api.conditions import Reason, Type
from cynosure.api.directive import Directive, Verb
from cynosure.api.scalars import MAX_REPLICAS
from cynosure.diagnose.causes import Cause, Symptom
from cynosure.diagnose.finding import Clue, FieldChange, Finding, Fix, Proposal
from cynosure.diagnose.statistics import level, share
from cynosure.diagnose.view import View
from cynosure.model.service import Mode
from cynosure.plan.allowed import Allowed

_ROOM = 1.2
"""A limit is proposed so much above what was needed lately, or the next peak would meet it again."""
_LATE_SHARE = 0.6
"""The part of the misses that has to fall into times of too few replicas, for these to be the reason."""
_AFTER_SECONDS = 120.0
"""A queue takes so long to drain, and what waited in it finishes late."""
_SLOW_STARTS, _LEAST_LATE_SECONDS = 2.0, 30.0
_LONGER = 1.25
_FULL, _WAITING_SHARE = 1.05, 0.25
_SCARCE = 0.9

Rule = Callable[[View], Finding | None]


def short(view: View) -> Iterator[Finding]:
    """Who or what keeps the replicas below what is needed: each that does."""
    if view.trouble is None or view.needed is None:
        return
    for rule in (_stopped, _paused, _advisory, _pinned, _limited):
        found = rule(view)
        if found is not None:
            yield found
            return


def slow(view: View) -> Iterator[Finding]:
    """Nobody keeps them: replicas are too slow, or come too late."""
    if view.trouble is None:
        return
    rules: tuple[Rule, ...] = (_unreachable, _batch, _longer, _expired, _unforecast, _slow_start, _bursts, _optimistic)
    found = next((finding for rule in rules if (finding := rule(view)) is not None), None)
    if found is not None:
        yield found


def scale(view: View, **limits: int) -> Proposal:
    key = view.evidence.service.key
    return Proposal(Directive(verb=Verb.SCALE, service=key.name, namespace=key.namespace, **limits))  # type: ignore[arg-type]


def plain(view: View, verb: Verb) -> Proposal:
    key = view.evidence.service.key
    return Proposal(Directive(verb=verb, service=key.name, namespace=key.namespace))


def _told(view: View, cause: Cause, message: str, clue: Clue, fix: Fix, confidence: float = 0.95) -> Finding:
    symptom = view.trouble or Symptom.SLO_MISSED
    return Finding(cause, symptom, message, (view.clue_of_trouble, clue), fix, confidence)


def _fewer(view: View, limit: int) -> str:
    need = f"{view.busy_rps or 0:.1f} rps need {view.needed} replicas of {view.replica_rps or 0:.1f} rps"
    return f"{need}, {limit} are allowed"


def _field(view: View, field: str) -> str:
    return f"InferenceService {view.evidence.service.key} {field}"


def _stopped(view: View) -> Finding | None:
    if not view.evidence.bounds.stop or not view.is_short:
        return None
    fix = FieldChange("AutomationPolicy default", "spec.stop", "false", "true")
    clue = Clue("AutomationPolicy default spec.stop", "true", "false")
    return _told(view, Cause.EMERGENCY_STOP, "the emergency stop keeps replicas from being added", clue, fix)


def _paused(view: View) -> Finding | None:
    if view.evidence.service.mode is not Mode.PAUSED or not view.is_short:
        return None
    clue = Clue(_field(view, "spec.mode"), "Paused", "Automatic")
    return _told(view, Cause.SERVICE_PAUSED, "paused while more is needed", clue, plain(view, Verb.RESUME))


def _advisory(view: View) -> Finding | None:
    if view.evidence.service.mode is not Mode.ADVISORY or not view.is_short:
        return None
    clue = Clue(_field(view, "spec.mode"), "Advisory", "Automatic")
    fix = view.own("spec.mode", "Automatic", "Advisory")
    return _told(view, Cause.ADVISORY_ONLY, "more replicas are advised and nobody adds them", clue, fix)


def _pinned(view: View) -> Finding | None:
    pinned = view.limits.pinned if view.limits else None
    if pinned is None or view.needed is None or pinned >= view.needed:
        return None
    clue = Clue(_field(view, "spec.scale.replicas"), str(pinned), f"{view.needed}")
    return _told(view, Cause.PIN_TOO_SMALL, _fewer(view, pinned), clue, plain(view, Verb.RESUME))


def _limited(view: View) -> Finding | None:
    limits = view.limits
    if limits is None or view.needed is None or limits.pinned is not None or limits.most >= view.needed:
        return None
    if _is_by_intent(view, limits.because):
        return _by_intent(view, limits)
    return _max(view) if limits.because.startswith(("scale.max", "an intent")) else _budget(view, limits)


def _is_by_intent(view: View, because: str) -> bool:
    """An intent that raised scale.max allows as much as that, and is not what limits."""
    own, service = view.evidence.own_bounds, view.evidence.service
    if because.startswith("scale.max"):
        return False
    if because.startswith("an intent"):
        return (own.max_replicas or 0) < service.max_replicas
    watts = "watts" in because
    limit, stated = (own.max_watts, service.budget.watts) if watts else (own.max_gpus, service.budget.gpus)
    return limit is not None and (stated is None or limit < stated)


def _by_intent(view: View, limits: Allowed) -> Finding:
    key, own = view.evidence.service.key, view.evidence.own_bounds
    name = own.sources[-1] if own.sources else ""
    clue = Clue(f"ScalingIntent {key.namespace}/{name} in force", limits.because, str(view.needed))
    fix = Proposal(Directive(verb=Verb.UNDO, namespace=key.namespace, intent=name or None))
    return _told(view, Cause.INTENT_LIMITS, _fewer(view, limits.most), clue, fix)


def _max(view: View) -> Finding:
    most = view.evidence.service.max_replicas
    clue = Clue(_field(view, "spec.scale.max"), str(most), str(view.needed))
    return _told(view, Cause.MAX_TOO_SMALL, _fewer(view, most), clue, scale(view, max=enough(view)))


def _budget(view: View, limits: Allowed) -> Finding:
    budget, bounds, watts = view.evidence.service.budget, view.evidence.bounds, "watts" in limits.because
    stated, summed = (budget.watts, bounds.max_watts) if watts else (budget.gpus, bounds.max_gpus)
    if stated is None or (summed is not None and summed < stated):
        cause, where, field = Cause.POLICY_LIMITS, "AutomationPolicy default", "spec.maxWatts" if watts else "GPUs"
        limit = float(summed or 0)
    else:
        cause, where = Cause.BUDGET_TOO_SMALL, f"InferenceService {view.evidence.service.key}"
        field, limit = f"spec.budget.{'watts' if watts else 'gpus'}", float(stated)
    enlarged = ceil(limit * enough(view) / max(limits.most, 1))
    fix = FieldChange(where, field, str(enlarged), f"{limit:g}")
    clue = Clue(f"{where} {field}", limits.because, str(view.needed))
    return _told(view, cause, _fewer(view, limits.most), clue, fix)


def enough(view: View) -> int:
    """Replicas for the busiest time of the last day and of the window, with room."""
    each = view.replica_rps or 1.0
    busiest = max(level((s.arrival_rps for s in view.recent), 1.0) or 0.0, view.peak_rps or 0.0)
    return min(max(ceil(_ROOM * busiest / each), view.needed or 1), MAX_REPLICAS)


def _unreachable(view: View) -> Finding | None:
    said = view.says(Type.PLACED, Reason.SLO_UNREACHABLE)
    if said is None:
        return None
    allowed = ", ".join(view.evidence.service.partitions) or "all"
    fix = view.own("spec.partitions.allowed", "a larger partition, or a longer time in spec.slo.targets", allowed)
    return _told(view, Cause.SLO_UNREACHABLE, said, Clue(_field(view, "spec.slo.targets"), "SLOUnreachable"), fix)


def throttled(view: View) -> Iterator[Finding]:
    lasting = view.lasting(lambda s: s.throttled)
    if lasting is None:
        return
    clue = Clue("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", f"thermal or power brake in {lasting:.0%} of the window", "none")
    fix = FieldChange("the node", "cooling and power", "drain it until it is mended")
    message = "the GPU runs below its clock"
    clues = (clue, view.clue_of_trouble) if view.trouble else (clue,)
    yield Finding(Cause.GPU_THROTTLED, view.trouble or Symptom.THROTTLED, message, clues, fix, lasting)


def _batch(view: View) -> Finding | None:
    """The engine's own limit, below the batch that it was sized for: requests wait, and none runs beyond the limit."""
    engine, decision = view.evidence.engine, view.evidence.decision
    if engine is None or engine.max_batch is None or decision is None:
        return None
    limit, wanted = engine.max_batch, decision.option.batch
    most = level((None if s.running is None else s.running / max(s.ready, 1) for s in view.recent), 0.95)
    waits = share(view.recent, lambda s: None if s.waiting is None else s.waiting >= 1)
    if limit >= wanted or most is None or most > _FULL * limit or waits is None or waits < _WAITING_SHARE:
        return None
    clue = Clue("vllm:num_requests_running for each replica", f"at most {most:.1f}, others wait", f"{wanted}")
    fix = view.own("spec.engine.args", f"--max-num-seqs {wanted}", f"--max-num-seqs {limit}")
    message = f"each replica works on {limit} requests at most and was sized for {wanted}; others wait meanwhile"
    return _told(view, Cause.BATCH_LIMIT_LOW, message, clue, fix, 0.9)


def _longer(view: View) -> Finding | None:
    """Outside of what was measured the profile's times are a guess."""
    profile = view.evidence.profile
    if profile is None:
        return None
    for name in ("input_tokens", "output_tokens"):
        measured = max((getattr(point, name) for point in profile.points), default=0)
        mean = level((getattr(s, name) for s in view.recent), 0.5)
        if measured and mean is not None and mean > _LONGER * measured:
            clue = Clue(
                f"mean {name.replace('_', ' ')} of a request", f"{mean:.0f}", f"{measured}, the longest measured"
            )
            fix = FieldChange(
                f"ModelProfile {profile.name}", "spec.points", f"measured with {mean:.0f} {name.replace('_', ' ')}"
            )
            message = f"requests are {mean / measured:.1f} times as long as any that the profile was measured with"
            return _told(view, Cause.REQUESTS_LONGER, message, clue, fix, 0.85)
    return None


def _late(view: View) -> float | None:
    """The part of the misses in or just after times with fewer replicas ready than the load needed."""
    miss = view.missed
    if miss is None:
        return None
    scarce = [s.at_seconds for s in view.evidence.samples if (view.load_of(s) or 0.0) > _SCARCE]
    total = sum(step.missed for step in miss.steps)
    near = sum(s.missed for s in miss.steps if any(0 <= s.at_seconds - at + 60 <= 60 + _AFTER_SECONDS for at in scarce))
    return near / total if total > 0 and near / total >= _LATE_SHARE else None


def _more(view: View) -> int:
    """Replicas that would have been enough at each moment of the last windows, within the limits."""
    each = view.replica_rps or 1.0
    busiest = level((s.arrival_rps for s in view.evidence.samples), 1.0) or 0.0
    most = view.limits.most if view.limits else view.evidence.service.max_replicas
    return max(1, min(ceil(busiest / each), most))


def _expired(view: View) -> Finding | None:
    late, least = _late(view), view.limits.fewest if view.limits else 1
    ended = [e for e in view.evidence.expired if e.min_replicas > least]
    if late is None or not ended:
        return None
    last = max(ended, key=lambda e: e.at_seconds)
    clue = Clue(f"ScalingIntent {last.name} spec.expires", "over", f"min {last.min_replicas}")
    message = f"{last.name} kept {last.min_replicas} replicas and has expired; misses come with too few since"
    return _told(view, Cause.INTENT_EXPIRED, message, clue, scale(view, min=last.min_replicas), late)


def _unforecast(view: View) -> Finding | None:
    late = _late(view)
    said = view.says(Type.FORECAST_READY, Reason.HISTORY_MISSING)
    if late is None or said is None:
        return None
    fix = FieldChange("Prometheus", "storage.tsdb.retention.time", "two seasons of the load, 2d at least")
    message = "without a history replicas follow the load, and start too late for it"
    return _told(
        view, Cause.HISTORY_MISSING, message, Clue("ForecastReady", "HistoryMissing", "ForecastFitted"), fix, late
    )


def _slow_start(view: View) -> Finding | None:
    late, profile, lead = _late(view), view.evidence.profile, view.evidence.observation.lead_time_seconds
    if late is None or profile is None or lead < _SLOW_STARTS * profile.load_seconds + _LEAST_LATE_SECONDS:
        return None
    clue = Clue("cynosure_lead_time_seconds", f"{lead:.0f}", f"{profile.load_seconds:g}, the profile's loadSeconds")
    message = f"a replica takes {lead:.0f} s to start, and {late:.0%} of the misses come while there are too few"
    return _told(view, Cause.SLOW_START, message, clue, scale(view, min=_more(view)), late)


def _bursts(view: View) -> Finding | None:
    late = _late(view)
    if late is None:
        return None
    lead = view.evidence.observation.lead_time_seconds
    clue = Clue("cynosure_arrival_rps over capacity", f"{late:.0%} of the misses", f"{lead:.0f} s of lead time")
    message = f"the load jumps faster than replicas start ({lead:.0f} s), and what comes meanwhile is late"
    return _told(view, Cause.BURSTS_TOO_FAST, message, clue, scale(view, min=_more(view)), late)


def _optimistic(view: View) -> Finding | None:
    profile = view.evidence.profile
    cool = view.lasting(lambda s: None if (load := view.load_of(s)) is None else load <= 1.0)
    if profile is None or cool is None or view.missed is None:
        return None
    clue = Clue("load over capacity by the profile", f"at most 1 in {cool:.0%} of the window", "enough by the profile")
    fix = FieldChange(f"ModelProfile {profile.name}", "spec.points", "measured anew on this GPU and engine")
    message = "as many replicas are ready as the profile asks for, and requests are late all the same"
    return _told(view, Cause.PROFILE_OPTIMISTIC, message, clue, fix, 0.8 * cool)
