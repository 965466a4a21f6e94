"""Requests of several sizes on a profile's partitions: the cheapest mixture that keeps the SLO when sizes share a GPU.

The integer program adds up loads as if sizes did not slow each other down, but a short request waits behind the prefill
of a long one. So each kind's share is held against the queueing model with the lengths that it was given, and the
program is solved again with less load on every GPU until all targets are met.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cynosure.model.mig import geometry_of
from cynosure.model.profile import Profile
from cynosure.model.service import Service, ServiceKey, Target
from cynosure.model.signals import Floats
from cynosure.size.lengths import ALL_ALIKE, Lengths
from cynosure.size.mixture import Mixture, cheapest_mixture
from cynosure.size.options import Needs, Sizing, size_service
from cynosure.size.text import TextReplica

Kind = tuple[str, str]
"""A GPU product and its partition."""

_FILLS = tuple(fill / 20 for fill in range(20, 7, -1))
"""Loads of a GPU to try: 1, 0.95, … 0.4."""
_GROUPS = 40


@dataclass(frozen=True, slots=True)
class SizeClass:
    """Requests of about one size."""

    input_tokens: float
    output_tokens: float
    rps: float


@dataclass(frozen=True, slots=True)
class Shared:
    """A mixture of ``kinds``, and for each the share of its requests that meets the target it meets least."""

    kinds: tuple[Kind, ...]
    mixture: Mixture
    attainment: tuple[float, ...]


def kinds_of(profile: Profile) -> tuple[Kind, ...]:
    """Return the measured partitions that exist."""
    measured = sorted({(point.gpu, point.partition) for point in profile.points})
    return tuple(kind for kind in measured if geometry_of(kind[0]).profile(kind[1]) is not None)


def sized_alone(of: SizeClass, profile: Profile, targets: tuple[Target, ...]) -> Sizing:
    """Size one class as if it had the partitions to itself: what a replica serves, or why none does."""
    needs = Needs(of.rps or 1.0, of.input_tokens, of.output_tokens, ALL_ALIKE)
    service = Service(ServiceKey("", profile.name), profile.name, targets)
    return size_service(service, profile, needs, targets, {point.gpu for point in profile.points})


def cheapest_shared(
    classes: Sequence[SizeClass],
    profile: Profile,
    targets: tuple[Target, ...],
    kinds: tuple[Kind, ...],
    costs: Sequence[float],
) -> Shared | None:
    """Return the cheapest mixture of ``kinds`` that keeps every target; None when a class fits nowhere."""
    able, rates = throughput_rps(classes, profile, targets, kinds), [of.rps for of in classes]
    for fill in _FILLS:
        found = cheapest_mixture(rates, fill * able, costs)
        if found is None:
            return None
        shares = tuple(_attainment(classes, profile, targets, kind, found, n) for n, kind in enumerate(kinds))
        if all(share >= 0 for share in shares):
            return Shared(kinds, found, shares)
    return None


def throughput_rps(
    classes: Sequence[SizeClass], profile: Profile, targets: tuple[Target, ...], kinds: Sequence[Kind]
) -> Floats:
    """Return what one replica of each kind serves of each class alone (classes x kinds); 0 where the SLO is missed."""
    able = np.zeros((len(classes), len(kinds)))
    for n, of in enumerate(classes):
        for option in sized_alone(of, profile, targets).options:
            kind = (option.gpu_product, option.partition)
            if kind in kinds:
                able[n, kinds.index(kind)] = option.capacity_rps / option.replicas
    return able


def _attainment(
    classes: Sequence[SizeClass],
    profile: Profile,
    targets: tuple[Target, ...],
    kind: Kind,
    found: Mixture,
    column: int,
) -> float:
    """Return the least share of a kind's requests that meets a target; -1 when one is met by too few of them."""
    rates, count = found.rates[:, column], found.counts[column]
    if count == 0 or not rates.any():
        return 1.0
    groups = [of for of, share in zip(classes, _shares(rates), strict=True) for _ in range(share)]
    inputs, outputs = np.array([(of.input_tokens, of.output_tokens) for of in groups]).T
    lengths = Lengths(tuple((inputs / inputs.mean()).tolist()), tuple((outputs / outputs.mean()).tolist()))
    replica = TextReplica(profile.on(*kind), float(inputs.mean()), float(outputs.mean()), lengths)
    met = [replica.attainment(target, float(rates.sum()) / count) for target in targets]
    kept = all(share >= target.objective - 1e-6 for share, target in zip(met, targets, strict=True))
    return min(met) if kept else -1.0


def _shares(rates: Floats) -> list[int]:
    """Return how many of 40 equally likely groups each class is, at least one if it has any rate."""
    parts = rates / rates.sum() * _GROUPS
    return [max(1, round(part)) if part > 0 else 0 for part in parts.tolist()]
