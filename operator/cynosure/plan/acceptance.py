"""The partitions that services are likely to want next, and how many of them would find room."""

from collections import Counter
from collections.abc import Iterator, Sequence
from math import ceil

from cynosure.model.gpu import Slot
from cynosure.model.repacking import Acceptance, Repacking
from cynosure.model.snapshot import Snapshot
from cynosure.place.demand import Demand, Inventory, Limits
from cynosure.place.solve import place
from cynosure.plan.allowed import allowed
from cynosure.plan.decide import Verdict
from cynosure.plan.demand import demand_of
from cynosure.plan.limits import spreading_of

_ROUNDING = 1e-9


def acceptance(
    namespace: str, verdicts: Sequence[Verdict], snapshot: Snapshot, repacking: Repacking
) -> Acceptance | None:
    """Count what ``namespace`` wants by the peak of its forecasts and does not have, and what of it finds room.

    ``repacking`` tells before from after. Everybody else stays as they are. None where nothing more is wanted.
    """
    demands = [demand for v in verdicts if v.case.service.key.namespace == namespace for demand in _next(v)]
    wanted = {(demand.service, demand.partition) for demand in demands}
    slots = [r.slot for o in snapshot.observations for r in o.replicas if r.slot is not None]
    own = [slot for slot in slots if (slot.service, slot.partition) in wanted]
    standing = Counter((slot.service, slot.partition) for slot in own)
    more = sum(max(0, demand.count - standing[demand.service, demand.partition]) for demand in demands)
    if not more:
        return None
    spreads, apart = spreading_of(v.case.service for v in verdicts)
    limits = Limits(spreads=spreads, apart=apart)
    targets = {move.origin: move.target for move in repacking.moves}

    def fitting(moved: dict[Slot, Slot]) -> int:
        others = (moved.get(slot, slot) for slot in slots if (slot.service, slot.partition) not in wanted)
        ours = tuple(moved.get(slot, slot) for slot in own)
        inventory = Inventory(snapshot.gpus, ours, (*others, *snapshot.foreign))
        return more - sum(unplaced.count for unplaced in place(inventory, demands, limits).unplaced)

    return Acceptance(more, fitting({}), fitting(targets))


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
