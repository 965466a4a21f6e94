"""Placing one partition after the other by a rule: milliseconds, no proof."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from operator import attrgetter

from cynosure.model.mig import geometry_of
from cynosure.place.choices import Label
from cynosure.place.layouts import Layout
from cynosure.place.need import Holding, Need, Stock
from cynosure.place.rules import Rule

_start = attrgetter("start")
Placed = dict[int, tuple[Holding, ...]]
"""The partitions on each GPU in use, by its number."""


@dataclass(slots=True)
class Shelf:
    """GPUs of one product by what stands on them: those that look alike need to be looked at once."""

    product: str
    rule: Rule
    spare: Iterator[int]
    """Numbers of empty GPUs, ascending."""
    alike: dict[Layout, list[int]] = field(default_factory=dict)

    def put_all(self, gpus: Iterable[tuple[int, Layout]]) -> None:
        for gpu, standing in gpus:
            self.alike.setdefault(standing, []).append(gpu)
        for numbers in self.alike.values():
            heapify(numbers)

    def put_back(self, gpu: int, standing: Layout) -> None:
        heappush(self.alike.setdefault(standing, []), gpu)

    def take(self, profile: str) -> tuple[int, int, Layout] | None:
        """Return GPU, start and what stands there, by the rule; None when it fits nowhere."""
        if not self.alike.get(()) and (fresh := next(self.spare, None)) is not None:
            self.put_back(fresh, ())
        found = [
            (badness, gpus[0], start, standing)
            for standing, gpus in self.alike.items()
            if gpus and (seen := self.rule(self.product, standing, profile)) is not None
            for badness, start in [seen]
        ]
        if not found:
            return None
        _, gpu, start, standing = min(found)
        heappop(self.alike[standing])
        return gpu, start, standing


def place_greedily(
    items: Iterable[Label], product: str, stock: Stock, rule: Rule, standing: Mapping[int, Sequence[Holding]]
) -> tuple[Placed, Counter[Label]]:
    """Place ``items`` in order beside ``standing``. :return: all that stands then, and what found no place."""
    placed: Placed = {gpu: tuple(held) for gpu, held in standing.items() if held}
    shelf = Shelf(product, rule, stock.empty(product, placed))
    alike = ((gpu, held) for gpu, held in placed.items() if stock.product_of(gpu) == product)
    shelf.put_all((gpu, tuple([(h.profile, h.start) for h in sorted(held, key=_start)])) for gpu, held in alike)
    lacking: Counter[Label] = Counter()
    for service, profile in items:
        found = shelf.take(profile)
        if found is None:
            lacking[service, profile] += 1
            continue
        gpu, start, before = found
        placed[gpu] = (*placed.get(gpu, ()), Holding(start, profile, service))
        shelf.put_back(gpu, tuple(sorted((*before, (profile, start)), key=lambda spot: spot[1])))
    return placed, lacking


def efficient(need: Need) -> Counter[str]:
    """Choose partitions as ParvaGPU's segment configurator does (Lee et al., SC'24, section III-D).

    As many as are filled of the profile that gives most for its compute slices, then the smallest that does the rest.
    """
    if not need.is_choice:
        return Counter({need.cheapest: need.most(need.cheapest)})
    best, share = need.cheapest, geometry_of(need.product).gpu_share
    counts = Counter({best: need.most(best) - 1})
    rest = need.amount - counts[best] * need.worth[best]
    enough = [name for name in need.choices if need.worth[name] >= rest * (1 - 1e-9)]
    counts[min(enough, key=lambda name: (share(name), name))] += 1
    return +counts


def large_first(counts: Mapping[Label, int], product: str) -> list[Label]:
    """Every partition by itself, by falling size; equal ones in the order given."""
    geometry = geometry_of(product)

    def size(label: Label) -> tuple[int, int]:
        profile = geometry.profile(label[1])
        return (-profile.memory_slices, -profile.compute_slices) if profile else (0, 0)

    return [label for label in sorted(counts, key=size) for _ in range(counts[label])]
