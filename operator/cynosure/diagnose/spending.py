"""Rules about what is used for nothing, or beyond its limit."""

from collections.abc import Iterator

from cynosure.api.directive import BoundMetric, Directive, Unit, Verb
from cynosure.api.scalars import decimal
from cynosure.diagnose.capacity import plain, scale
from cynosure.diagnose.causes import Cause, Symptom
from cynosure.diagnose.finding import Clue, FieldChange, Finding, Fix, Proposal
from cynosure.diagnose.statistics import level
from cynosure.diagnose.view import View

_IDLE_REPLICAS = 2
"""One spare replica is prudence."""
_IDLE_SHARE = 0.5
_NOTABLE = 1.02
"""Above a limit by chance or by rounding."""


def wasteful(view: View) -> Iterator[Finding]:
    yield from _power(view)
    yield from _cost(view)
    yield from _idle(view)


def _power(view: View) -> Iterator[Finding]:
    service, own = view.evidence.service, view.evidence.own_bounds
    stated = [watts for watts in (service.budget.watts, own.max_watts) if watts is not None]
    decision = view.evidence.decision
    measured = level((s.watts for s in view.recent), 0.5)
    if not stated or measured is None or decision is None:
        return
    limit = min(stated)
    lasting = view.lasting(lambda s: None if s.watts is None else s.watts > _NOTABLE * limit)
    if lasting is None:
        return
    lower = decimal(
        round(limit * min(1.0, decision.option.watts / measured) if decision.option.watts else limit * limit / measured)
    )
    key = service.key
    directive = Directive(
        verb=Verb.BOUND,
        service=key.name,
        namespace=key.namespace,
        metric=BoundMetric.WATTS,
        value=lower,
        unit=Unit.WATTS,
    )
    clues = (
        Clue("DCGM_FI_DEV_POWER_USAGE", f"{measured:.0f} W", f"{limit:.0f} W"),
        Clue(
            "ModelProfile spec.points.watts", f"{decision.option.watts:.0f} W for {decision.option.replicas} replicas"
        ),
    )
    message = f"{measured:.0f} W are drawn in {lasting:.0%} of the window, the limit is {limit:.0f} W"
    yield Finding(Cause.POWER_UNDERRATED, Symptom.POWER_ABOVE_LIMIT, message, clues, Proposal(directive), lasting)


def _cost(view: View) -> Iterator[Finding]:
    budget, decision = view.evidence.service.budget.cost_per_hour, view.evidence.decision
    if budget is None or decision is None:
        return
    product, prices = decision.option.gpu_product, view.evidence.prices
    field = f"InferenceService {view.evidence.service.key} spec.budget.costPerHour"
    if prices is not None and product not in dict(prices):
        fix: Fix = FieldChange(f"GPUClass of {product}", "spec.prices", "a price in the currency of the budget")
        clue = Clue(f"GPUClass of {product} spec.prices", "none", "one in the currency of the budget")
        message = f"the budget of {budget:g} an hour cannot be kept without a price of {product}"
        yield Finding(Cause.PRICE_MISSING, Symptom.AT_RISK, message, (clue,), fix, 0.98)
        return
    lasting = view.lasting(lambda s: None if s.cost_per_hour is None else s.cost_per_hour > _NOTABLE * budget)
    cost = level((s.cost_per_hour for s in view.recent), 0.5)
    if lasting is None or cost is None:
        return
    replicas = max(len(view.evidence.observation.replicas), 1)
    most = int(replicas * budget / cost + 1e-9)
    least = view.limits.fewest if view.limits else 1
    clues = (
        Clue("status.replicas times the GPUClass's price", f"{cost:.2f} an hour", f"{budget:g}"),
        Clue(field, f"{budget:g}"),
    )
    fix = (
        scale(view, max=most)
        if most >= max(least, 1)
        else view.own("spec.budget.costPerHour", f"{cost:.2f}", f"{budget:g}")
    )
    message = f"{replicas} replicas cost {cost:.2f} an hour, the budget is {budget:g}: {most} would fit"
    yield Finding(Cause.COST_UNBOUNDED, Symptom.COST_ABOVE_BUDGET, message, clues, fix, lasting)


def _idle(view: View) -> Iterator[Finding]:
    """A night is no waste: only what not even the busiest time of the last day needed counts."""
    limits, needed = view.limits, view.peak_needed
    if limits is None or needed is None or view.trouble is not None:
        return
    kept = limits.pinned if limits.pinned is not None else limits.fewest
    lasting = view.lasting(lambda s: s.ready >= kept)
    if lasting is None or kept - needed < _IDLE_REPLICAS or needed > _IDLE_SHARE * kept:
        return
    service, own = view.evidence.service, view.evidence.own_bounds
    peak = Clue(
        "peak of the arrival rate over a day", f"{view.peak_rps or 0:.1f} rps, {needed} replicas", f"{kept} stand"
    )
    message = f"the busiest minute of the last day needed {needed} replicas, {kept} are kept"

    def told(cause: Cause, field: str, fix: Fix) -> Finding:
        return Finding(
            cause, Symptom.GPU_IDLE, message, (peak, Clue(field, str(kept), str(needed))), fix, lasting or 0.0
        )

    where = f"InferenceService {service.key}"
    if limits.pinned is not None:
        yield told(Cause.PIN_TOO_LARGE, f"{where} spec.scale.replicas", plain(view, Verb.RESUME))
    elif (own.min_replicas or 0) > service.min_replicas:
        name = own.sources[-1] if own.sources else ""
        directive = Directive(verb=Verb.UNDO, namespace=service.key.namespace, intent=name or None)
        yield told(Cause.MIN_BY_INTENT, f"ScalingIntent {service.key.namespace}/{name}", Proposal(directive))
    else:
        fix = view.own("spec.scale.min", str(needed), str(service.min_replicas))
        yield told(Cause.MIN_TOO_LARGE, f"{where} spec.scale.min", fix)
