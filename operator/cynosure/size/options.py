"""Every way to serve a demand, the cheapest first, with the reason where there is none."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

from cynosure.model.mig import geometry_of
from cynosure.model.plan import Option
from cynosure.model.profile import Point, Profile, Task
from cynosure.model.service import Service, Target
from cynosure.size.images import ImageReplica
from cynosure.size.lengths import AZURE_CODE_2023, Lengths
from cynosure.size.replica import Replica, capacity_rps
from cynosure.size.text import TextReplica

Points = tuple[Point, ...]
"""All of one partition, by rising batch."""

_DEFAULT_WATTS = 400.0
"""Energy is weighed against cost per GPU of this power."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What has to be served: the rate that is planned for, and the mean lengths of its requests."""

    rps: float
    input_tokens: float = 0.0
    output_tokens: float = 0.0
    lengths: Lengths = AZURE_CODE_2023


@dataclass(frozen=True, slots=True)
class Sizing:
    """``options`` by rising price; when there is none, ``unreachable`` says why and what would work.

    ``is_measured`` is False when the profile has no point on what is allowed.
    """

    options: tuple[Option, ...]
    unreachable: str | None = None
    is_measured: bool = True


def size_service(
    service: Service, profile: Profile, needs: Needs, targets: tuple[Target, ...], products: Iterable[str]
) -> Sizing:
    """Return one option for each measured partition that is allowed and can meet every target.

    Replicas are what the rate needs, whatever the service's limits: whoever decides applies those and says so.
    """
    return cheapest_first(
        service,
        profile,
        products,
        lambda points: _option(points, profile, needs, targets),
        lambda candidates: _out_of_reach(candidates, profile, needs, targets),
    )


def cheapest_first(
    service: Service,
    profile: Profile,
    products: Iterable[str],
    option_of: Callable[[Points], Option | None],
    unreachable: Callable[[Sequence[Points]], str],
) -> Sizing:
    """Return the option of each measured partition that is allowed and has one; when none has, why."""
    candidates = _candidates(service, profile, products)
    if not candidates:
        return Sizing((), _no_point(service, profile, products), is_measured=False)
    found = (option_of(points) for points in candidates)
    options = sorted((o for o in found if o is not None), key=lambda option: (price(service, option), option.partition))
    return Sizing(tuple(options), None if options else unreachable(candidates))


def price(service: Service, option: Option) -> float:
    """Return what an option costs by the service's weights, in GPUs; power that was not measured goes by the share."""
    power = option.watts / _DEFAULT_WATTS if option.watts else option.gpu_share
    return service.cost_weight * option.gpu_share + service.energy_weight * power


def option_for(option: Option, replicas: int) -> Option:
    """Return the same partition with another number of replicas."""
    each = max(option.replicas, 1)
    return Option(
        option.partition,
        option.gpu_product,
        replicas,
        option.batch,
        option.capacity_rps / each * replicas,
        option.gpu_share / each * replicas,
        option.watts / each * replicas,
        option.attainment,
        None if option.cost_per_hour is None else option.cost_per_hour / each * replicas,
    )


def replica_of(points: tuple[Point, ...], profile: Profile, needs: Needs) -> Replica:
    if profile.task is Task.IMAGE_CLASSIFICATION:
        return ImageReplica(points)
    return TextReplica(points, *_tokens(points, needs), needs.lengths)


def _tokens(points: tuple[Point, ...], needs: Needs) -> tuple[float, float]:
    """Three digits: means of a window scatter more than that. Where nothing is known, the profile's own lengths."""
    first = points[0]
    inputs, outputs = needs.input_tokens or first.input_tokens, needs.output_tokens or first.output_tokens
    return float(f"{inputs:.3g}"), float(f"{outputs:.3g}")


def _candidates(service: Service, profile: Profile, products: Iterable[str]) -> list[tuple[Point, ...]]:
    """Return the points of each measured partition that the service may use and that its GPU can have."""
    allowed = set(products) & set(service.gpu_products or products)
    measured = {(p.gpu, p.partition) for p in profile.points if p.gpu in allowed}
    kinds = sorted((gpu, part) for gpu, part in measured if geometry_of(gpu).profile(part) is not None)
    return [profile.on(gpu, part) for gpu, part in kinds if not service.partitions or part in service.partitions]


@lru_cache(maxsize=8192)
def _capacity(
    points: tuple[Point, ...], task: Task, inputs: float, outputs: float, lengths: Lengths, targets: tuple[Target, ...]
) -> tuple[float, int]:
    """Return the largest rate and the batch at it. Remembered: many services share a profile, every pass asks."""
    replica = (
        ImageReplica(points) if task is Task.IMAGE_CLASSIFICATION else TextReplica(points, inputs, outputs, lengths)
    )
    each = capacity_rps(replica, targets)
    return each, max(1, round(replica.batch_at(each))) if each > 0 else 0


def _option(points: tuple[Point, ...], profile: Profile, needs: Needs, targets: tuple[Target, ...]) -> Option | None:
    replica = replica_of(points, profile, needs)
    inputs, outputs = _tokens(points, needs)
    each, batch = _capacity(points, profile.task, inputs, outputs, needs.lengths, targets)
    if each <= 0:
        return None
    replicas = max(1, ceil(needs.rps / each - 1e-9))
    rate = min(needs.rps / replicas, each)
    gpu, partition = points[0].gpu, points[0].partition
    return Option(
        partition=partition,
        gpu_product=gpu,
        replicas=replicas,
        batch=batch,
        capacity_rps=each * replicas,
        gpu_share=geometry_of(gpu).gpu_share(partition) * replicas,
        watts=max(point.watts for point in points) * replicas,
        attainment=min((replica.attainment(target, rate) for target in targets), default=None),
    )


def _no_point(service: Service, profile: Profile, products: Iterable[str]) -> str:
    measured = sorted({f"{point.partition} on {point.gpu}" for point in profile.points})
    asked = ", ".join(service.partitions) or "any partition"
    none = "a confidential GPU, as no GPUClass says that one is" if service.confidential else "no GPU"
    return (
        f"profile {profile.name} has no point for {asked} on {', '.join(sorted(products)) or none}; "
        f"measured: {', '.join(measured) or 'nothing'}"
    )


def _out_of_reach(
    candidates: Iterable[tuple[Point, ...]], profile: Profile, needs: Needs, targets: tuple[Target, ...]
) -> str:
    """Name what binds, memory or the target that fails first, and the partition that comes nearest to it."""
    replicas = [(points[0].partition, replica_of(points, profile, needs)) for points in candidates]
    if all(replica.largest_batch == 0 for _, replica in replicas):
        room, partition = max((points[-1].kv_cache_tokens, points[0].partition) for points in candidates)
        inputs, outputs = needs.input_tokens, needs.output_tokens
        return (
            f"requests of {inputs:.0f} + {outputs:.0f} tokens do not fit the KV cache: {partition}, "
            f"the largest of those allowed, holds {room}; allow a larger partition"
        )

    def worst(replica: Replica) -> tuple[float, Target]:
        return max(((replica.floor_milliseconds(t) / t.milliseconds, t) for t in targets), key=lambda pair: pair[0])

    partition, best = min((pair for pair in replicas if pair[1].largest_batch), key=lambda pair: worst(pair[1])[0])
    _, target = worst(best)
    return (
        f"no number of replicas meets {target}: even without load {partition}, the best of those allowed, takes "
        f"{best.floor_milliseconds(target):.0f} ms; allow a larger partition or a longer time"
    )
