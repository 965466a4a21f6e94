"""What could be moved to free whole GPUs, or to make room: a proposal, which changes nothing."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cynosure.model.bounds import Bounds
from cynosure.model.gpu import Gpu, Slot
from cynosure.model.mig import Spot, geometry_of
from cynosure.model.plan import Action
from cynosure.model.repacking import Defragmentation, Move, Repacking, Saving, Scope
from cynosure.model.service import Mode, ServiceKey
from cynosure.model.snapshot import Observation, ReplicaPhase, Snapshot
from cynosure.place.need import Holding, Stock
from cynosure.place.repack import Hop, Repacked, make_room, played, repack, rooms, used
from cynosure.plan.acceptance import Upcoming, upcoming
from cynosure.plan.decide import Verdict
from cynosure.plan.limits import gpu_limit, spreading_of


@dataclass(frozen=True, slots=True)
class _Ground:
    """The GPUs that may be touched, by number, and whose partitions stand on them."""

    gpus: tuple[Gpu, ...]
    stock: Stock
    services: dict[str, ServiceKey]

    def slot(self, gpu: int, held: Holding) -> Slot:
        return Slot(self.gpus[gpu].uuid, held.start, held.profile, self.services[held.service])

    def repacking(self, found: Repacked) -> Repacking:
        moves = tuple(Move(self.slot(*old), self.slot(*new)) for old, new in found.hops)
        return Repacking(moves, tuple(self.gpus[gpu].uuid for gpu in found.freed))

    def hops(self, repacking: Repacking) -> list[Hop] | None:
        """None where a GPU may not be touched any more."""
        numbers = {gpu.uuid: number for number, gpu in enumerate(self.gpus)}
        places = {slot.gpu for move in repacking.moves for slot in (move.origin, move.target)}
        if not places <= numbers.keys():
            return None
        return [
            (
                (numbers[m.origin.gpu], Holding(m.origin.start, m.origin.partition, str(m.service))),
                (numbers[m.target.gpu], Holding(m.target.start, m.target.partition, str(m.service))),
            )
            for m in repacking.moves
        ]


def defragmentation(scope: Scope, verdicts: Sequence[Verdict], snapshot: Snapshot, bounds: Bounds) -> Defragmentation:
    """Propose moves within ``scope``, or say why there are none.

    Left as they are: GPUs that cannot be used, and those that hold a partition of somebody else or of a service that
    must not be touched: one that is paused, pinned, advised only, scaled by somebody else, held to a number of GPUs,
    spread over nodes or zones, kept apart from another, not all ready, or about to change.
    """
    if bounds.repacking:
        return Defragmentation(obstacle="partitions are being moved already; limit: one defragmentation at a time")
    movable = {v.case.service.key for v in verdicts if _is_movable(v, scope)} - _ruled(verdicts)
    ground = _ground(scope, movable, snapshot, in_use_only=bounds.max_gpus is not None)
    if not any(ground.stock.standing.values()):
        return Defragmentation(obstacle=_nothing(scope, snapshot))
    ahead, before = upcoming(scope.namespace, verdicts, snapshot), used(ground.stock.standing)
    found = _proposed(scope, ground) or repack(ground.stock)
    if not found.freed:
        found = _making_room(ground, ahead, found)
    if not found.hops:
        return Defragmentation(gpus_before=before, gpus_after=before, obstacle=_no_gain(ground, before, found.blocked))
    repacking, after = ground.repacking(found), played(ground.stock, found.hops) or {}
    moved = Counter(move.service for move in repacking.moves)
    leads = {o.service.key: o.lead_time_seconds for o in snapshot.observations}
    return Defragmentation(
        repacking,
        before,
        used(after),
        rooms(ground.stock, after),
        tuple((key, leads[key]) for key in sorted(moved)),
        ahead.acceptance(repacking),
        _saving(ground, found.freed, snapshot, bounds.currency),
        notes=_notes(found.blocked),
    )


def _making_room(ground: _Ground, ahead: Upcoming, instead_of: Repacked) -> Repacked:
    """Where no GPU becomes free: moves that leave room for more of what is likely to be wanted next."""
    before = ahead.lacking() if ahead.more else 0
    if not before:
        return replace(instead_of, hops=())
    found = instead_of if instead_of.hops else make_room(ground.stock, ahead.more)
    gains = bool(found.hops) and ahead.lacking(ground.repacking(found)) < before
    return found if gains else replace(instead_of, hops=())


def _ruled(verdicts: Iterable[Verdict]) -> set[ServiceKey]:
    """Whose replicas stand where they stand for a reason that moves do not look at."""
    spreads, apart = spreading_of(verdict.case.service for verdict in verdicts)
    return {*spreads, *(key for rule in apart for key in (rule.one, rule.other))}


def _saving(ground: _Ground, freed: Iterable[int], snapshot: Snapshot, currency: str) -> Saving:
    products = [ground.gpus[number].product for number in freed]
    prices = {p: c.prices[currency] for p, c in snapshot.classes.items() if currency in c.prices}
    priced = [prices[product] for product in products if product in prices]
    return Saving(sum(priced) if priced else None, currency, tuple(sorted(set(products) - prices.keys())))


def _is_movable(verdict: Verdict, scope: Scope) -> bool:
    case, decision = verdict.case, verdict.decision
    service, observation = case.service, case.observation
    if service.key.namespace != scope.namespace or scope.service not in (None, service.key.name):
        return False
    if decision is None or decision.dry or decision.action is not Action.HOLD or service.mode is not Mode.AUTOMATIC:
        return False
    is_free = gpu_limit(service, case.own_bounds) is None and case.own_bounds.pinned_replicas is None
    owned = any(workload.foreign_owner for workload in observation.workloads)
    return is_free and service.pinned_replicas is None and not owned and _is_settled(observation)


def _is_settled(observation: Observation) -> bool:
    """Whether there is one partition, and as many replicas as wanted serve on it."""
    wanted = sum(workload.replicas for workload in observation.workloads)
    one = len({replica.partition for replica in observation.replicas}) == 1
    ready = all(r.phase is ReplicaPhase.READY and r.slot is not None for r in observation.replicas)
    return one and ready and len(observation.replicas) == wanted


def _ground(scope: Scope, movable: set[ServiceKey], snapshot: Snapshot, *, in_use_only: bool) -> _Ground:
    """``in_use_only``: a limit on GPUs leaves none to move over that is empty now."""
    slots = [r.slot for o in snapshot.observations for r in o.replicas if r.slot is not None]
    product = {gpu.uuid: gpu.product for gpu in snapshot.gpus}
    fixed = {s.gpu for s in (*slots, *snapshot.foreign) if s.service not in movable} | _unclear(slots, product)
    open_gpus = {gpu.uuid for gpu in snapshot.gpus if gpu.usable and _is_in(gpu, scope)} - fixed
    if in_use_only:
        open_gpus &= {slot.gpu for slot in slots}
    gpus = tuple(gpu for gpu in sorted(snapshot.gpus) if gpu.uuid in open_gpus)
    numbers = {gpu.uuid: number for number, gpu in enumerate(gpus)}
    standing: dict[int, tuple[Holding, ...]] = {}
    for slot in sorted(slots):
        if slot.gpu in numbers:
            number = numbers[slot.gpu]
            standing[number] = (*standing.get(number, ()), Holding(slot.start, slot.partition, str(slot.service)))
    stock = Stock({number: gpu.product for number, gpu in enumerate(gpus)}, standing)
    return _Ground(gpus, stock, {str(key): key for key in movable})


def _unclear(slots: Iterable[Slot], products: Mapping[str, str]) -> set[str]:
    """GPUs that cannot be as they are seen, such as those of a driver that does not tell where a partition starts."""
    spots: dict[str, list[Spot]] = {}
    for slot in slots:
        spots.setdefault(slot.gpu, []).append((slot.partition, slot.start))
    return {gpu for gpu, found in spots.items() if not geometry_of(products.get(gpu, "")).legal(found)}


def _is_in(gpu: Gpu, scope: Scope) -> bool:
    return scope.node in (None, gpu.node) and scope.product in (None, gpu.product)


def _proposed(scope: Scope, ground: _Ground) -> Repacked | None:
    """The same as before, as long as it can still be carried out and frees what it freed."""
    hops = ground.hops(scope.proposed)
    after = played(ground.stock, hops) if hops else None
    if hops is None or after is None:
        return None
    freed = tuple(number for number, gpu in enumerate(ground.gpus) if gpu.uuid in scope.proposed.frees)
    is_same = len(freed) == len(scope.proposed.frees) and not any(after.get(gpu) for gpu in freed)
    return Repacked(tuple(hops), freed) if is_same else None


def _nothing(scope: Scope, snapshot: Snapshot) -> str:
    where = f" on node {scope.node}" if scope.node else ""
    where += f" on {scope.product}" if scope.product else ""
    whose = f"{scope.namespace}/{scope.service}" if scope.service else f"namespace {scope.namespace}"
    standing = sum(r.slot is not None for o in snapshot.observations for r in o.replicas)
    return (
        f"no partition of {whose}{where} can be moved, of {standing} that stand; limit: services that are automatic, "
        "not pinned, not spread and all ready, on GPUs that hold nothing else"
    )


def _no_gain(ground: _Ground, gpus: int, blocked: int) -> str:
    count = sum(map(len, ground.stock.standing.values()))
    if blocked:
        return (
            f"{blocked} of {count} partitions would have to go before there is room for their successors, below the "
            f"floor of their services; limit: a replica serves before one goes; {_room(ground)}"
        )
    return f"{count} partitions stand on {gpus} GPU{'s' if gpus != 1 else ''}, and no fewer GPUs would hold them"


def _room(ground: _Ground) -> str:
    more = ", ".join(
        f"{room.before} more {room.partition}" for room in rooms(ground.stock, dict(ground.stock.standing))
    )
    return f"there is room for {more}"


def _notes(blocked: int) -> tuple[str, ...]:
    if not blocked:
        return ()
    return (f"{blocked} more moves are left out, as there is no room for a successor before the old one goes",)
