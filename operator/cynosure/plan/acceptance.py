"""The partitions that services are likely to want next, and how many of them would find room."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from cynosure.model.gpu import Gpu, Slot
from cynosure.model.repacking import Acceptance, Repacking
from cynosure.model.snapshot import Snapshot
from cynosure.place.demand import Demand, Inventory, Limits
from cynosure.place.solve import place
from cynosure.plan.allowed import allowed
from cynosure.plan.decide import Verdict
from cynosure.plan.demand import demand_of
from cynosure.plan.limits import spreading_of

Kind = tuple[str, str]
"""Product and profile."""

_ROUNDING = 1e-9
_NO_MOVES = Repacking()


@dataclass(frozen=True, slots=True)
class Upcoming:
    """What a namespace wants by the peak of its forecasts. ``ours`` stand for it already; everybody else stays."""

    demands: tuple[Demand, ...]
    ours: tuple[Slot, ...]
    others: tuple[Slot, ...]
    gpus: tuple[Gpu, ...]
    limits: Limits

    @property
    def more(self) -> Counter[Kind]:
        """Partitions that are wanted and do not stand."""
        standing = Counter((slot.service, slot.partition) for slot in self.ours)
        found: Counter[Kind] = Counter()
        for demand in self.demands:
            lacking = demand.count - standing[demand.service, demand.partition]
            found[demand.product, demand.partition] += max(0, lacking)
        return +found

    def lacking(self, repacking: Repacking = _NO_MOVES) -> int:
        """How many of those find no room after the moves."""
        targets = {move.origin: move.target for move in repacking.moves}
        ours, others = (tuple(targets.get(s, s) for s in slots) for slots in (self.ours, self.others))
        found = place(Inventory(self.gpus, ours, others), self.demands, self.limits)
        return sum(unplaced.count for unplaced in found.unplaced)

    def acceptance(self, repacking: Repacking) -> Acceptance | None:
        """None where nothing more is wanted."""
        if not (more := self.more.total()):
            return None
        return Acceptance(more, more - self.lacking(), more - self.lacking(repacking))


def upcoming(namespace: str, verdicts: Sequence[Verdict], snapshot: Snapshot) -> Upcoming:
    demands = tuple(demand for v in verdicts if v.case.service.key.namespace == namespace for demand in _next(v))
    wanted = {(demand.service, demand.partition) for demand in demands}
    slots = [r.slot for o in snapshot.observations for r in o.replicas if r.slot is not None]
    ours = tuple(slot for slot in slots if (slot.service, slot.partition) in wanted)
    others = tuple(slot for slot in slots if (slot.service, slot.partition) not in wanted)
    spreads, apart = spreading_of(v.case.service for v in verdicts)
    return Upcoming(demands, ours, (*others, *snapshot.foreign), snapshot.gpus, Limits(spreads=spreads, apart=apart))


def _next(verdict: Verdict) -> Iterator[Demand]:
    """What is decided, and as much more as the forecast's peak asks for and the limits allow."""
    case, decision = verdict.case, verdict.decision
    if decision is None or decision.dry:
        return
    option, forecast, wanted = decision.option, case.forecast, decision.option.replicas
    each = option.capacity_rps / max(option.replicas, 1)
    if forecast is not None and each > 0:
        end = forecast.made_at_seconds + len(forecast.values) * forecast.step_seconds
        peak = forecast.peak_rps(demand_of(case).upscale_level, case.now_seconds, end)
        most = allowed(case.service, case.bounds, option, case.now)
        wanted = max(wanted, min(ceil(peak / each - _ROUNDING), most.most if most.pinned is None else most.pinned))
    yield Demand(case.service.key, option.gpu_product, option.partition, wanted)
