"""Limits on what all services use together: who gets less when the sum would be too much.

First nobody grows, the largest growth first; then whoever has most above their minimum gives, one replica at a time.
Services that nothing may change (paused, advisory, somebody else's) count and give nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from heapq import heapify, heappop, heappush

from cynosure.api.conditions import Type
from cynosure.model.bounds import Bounds
from cynosure.model.plan import Decision, Option
from cynosure.plan import conditions as told
from cynosure.plan.allowed import allowed, price_per_hour
from cynosure.plan.decide import Verdict, revised

Each = Callable[[Verdict, Option], float]
"""What one replica uses."""


def within_fleet(verdicts: Sequence[Verdict], bounds: Bounds) -> list[Verdict]:
    """Return the verdicts with no more watts and cost in sum than the bounds allow, as far as replicas can go."""
    kept = list(verdicts)
    for limit, each, what in _limits(bounds):
        kept = _trimmed(kept, limit, each, f"the limit of {limit:g} {what} of all services together")
    return kept


def _limits(bounds: Bounds) -> Iterator[tuple[float, Each, str]]:
    if bounds.max_watts is not None:
        yield bounds.max_watts, _power, "W"
    if bounds.max_cost_per_hour is not None:
        yield bounds.max_cost_per_hour, _price, f"{bounds.currency} an hour"


def _power(verdict: Verdict, option: Option) -> float:
    """What was decided; of what only stands the most that was measured."""
    if option.watts or verdict.case.profile is None:
        return option.watts / max(option.replicas, 1)
    return max((p.watts for p in verdict.case.profile.on(option.gpu_product, option.partition)), default=0.0)


def _price(verdict: Verdict, option: Option) -> float:
    """Nothing where no price is known; then the service alone does not grow."""
    case = verdict.case
    return price_per_hour(option, case.classes.get(option.gpu_product), case.bounds.currency) or 0.0


def _trimmed(verdicts: list[Verdict], limit: float, each: Each, what: str) -> list[Verdict]:
    wanted = {n: v.decision.option.replicas for n, v in enumerate(verdicts) if v.decision is not None}
    costs = {n: each(verdicts[n], _decided(verdicts[n]).option) for n in wanted}
    fewest = {n: _fewest(verdicts[n]) for n in wanted}
    excess = sum(costs[n] * wanted[n] for n in wanted) - limit
    grown = {n: max(verdicts[n].case.replicas, fewest[n]) for n in wanted}
    for floors in (grown, fewest):
        above = [(floors[n] - wanted[n], n) for n in wanted if costs[n] > 0 and wanted[n] > floors[n]]
        heapify(above)
        while excess > 1e-9 and above:
            less, n = heappop(above)
            wanted[n] -= 1
            excess -= costs[n]
            if less < -1:
                heappush(above, (less + 1, n))
    return [_fewer(v, wanted[n], what) if n in wanted else v for n, v in enumerate(verdicts)]


def _decided(verdict: Verdict) -> Decision:
    assert verdict.decision is not None  # noqa: S101  (only those are asked about)
    return verdict.decision


def _fewest(verdict: Verdict) -> int:
    decision, case = _decided(verdict), verdict.case
    if decision.dry or verdict.is_held:
        return decision.option.replicas
    return max(1, min(allowed(case.service, case.bounds, decision.option, case.now).fewest, decision.option.replicas))


def _fewer(verdict: Verdict, replicas: int, what: str) -> Verdict:
    option = _decided(verdict).option
    if replicas >= option.replicas:
        return verdict
    limited = told.within_budget(option.replicas, replicas, what, is_budget=True)
    others = tuple(c for c in verdict.conditions if c.type != Type.WITHIN_BUDGET)
    return replace(revised(verdict, replicas, f"{what} allows no more"), conditions=(*others, limited))
