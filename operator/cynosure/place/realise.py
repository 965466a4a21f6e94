"""From how many GPUs of each kind get which layout to a place for each partition."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cynosure.model.mig import geometry_of
from cynosure.place.choices import Kind, Label
from cynosure.place.greedy import Placed
from cynosure.place.layouts import Layout
from cynosure.place.need import Holding, Need, Stock
from cynosure.place.pack import Packing
from cynosure.place.patterns import arrangement

Waiting = dict[tuple[str, str], deque[str]]
"""The services whose partitions are still to be placed, in order, by product and profile."""


def realise(packing: Packing, needs: Sequence[Need], stock: Stock, members: Mapping[Kind, Sequence[int]]) -> Placed:
    """Give layouts to GPUs, what may stay its place, and the rest the places that are free.

    ``members`` are the GPUs of each kind on which something may stay.
    """
    layouts = dict(_layouts(packing, stock, members))
    may_stay = _may_stay(layouts, stock)
    wanted = _wanted(packing, needs, may_stay)
    _leave_out(wanted, packing, needs, may_stay)
    stays = {gpu: _staying(stock.standing.get(gpu, ()), layout, wanted) for gpu, layout in layouts.items()}
    waiting, placed = _waiting(wanted, needs), Placed()
    for gpu in sorted(layouts, key=lambda gpu: (not stays[gpu], gpu)):
        added = _added(layouts[gpu], stays[gpu], stock.product_of(gpu) or "", waiting)
        if held := (*stays[gpu], *added):
            placed[gpu] = tuple(sorted(held))
    return placed


def _layouts(packing: Packing, stock: Stock, members: Mapping[Kind, Sequence[int]]) -> Iterator[tuple[int, Layout]]:
    taken = {gpu for gpus in members.values() for gpu in gpus}
    for kind, found in packing.layouts.items():
        numbers = iter(members[kind]) if kind.standing else stock.empty(kind.product, taken)
        for choice, times in found:
            yield from ((next(numbers), choice.layout) for _ in range(times))


def _may_stay(layouts: Mapping[int, Layout], stock: Stock) -> Counter[Label]:
    return Counter(
        (held.service, held.profile)
        for gpu, layout in layouts.items()
        for held in stock.standing.get(gpu, ())
        if held.spot in layout
    )


def _wanted(packing: Packing, needs: Iterable[Need], may_stay: Mapping[Label, int]) -> Counter[Label]:
    """How many partitions each service gets of which profile, no more than it takes."""
    wanted: Counter[Label] = Counter()
    for need in needs:
        counts = {p: packing.chosen.get((need.service, p), 0) for p in need.choices}
        if not need.is_choice:
            counts = {need.cheapest: need.most(need.cheapest)}
        elif need.service not in packing.short:
            counts = _trimmed(need, counts, {p: may_stay.get((need.service, p), 0) for p in need.choices})
        wanted.update({(need.service, profile): count for profile, count in counts.items()})
    return +wanted


def _leave_out(wanted: Counter[Label], packing: Packing, needs: Sequence[Need], may_stay: Mapping[Label, int]) -> None:
    """Take from ``wanted`` what finds no place: the last first, and what stands after what does not."""
    for (product, profile), lacking in packing.lacking.items():
        fixed = [need for need in needs if need.product == product and tuple(need.worth) == (profile,)]
        for spared in (may_stay, dict.fromkeys(may_stay, 0)):
            for need in reversed(fixed):
                label = need.service, profile
                out = max(0, min(lacking, wanted[label] - spared.get(label, 0)))
                wanted[label] -= out
                lacking -= out


def _trimmed(need: Need, counts: Mapping[str, int], may_stay: Mapping[str, int]) -> dict[str, int]:
    """Drop what is not needed, the largest first, unless it may stay: then dropping it would be one more move."""
    left = dict(counts)
    share = geometry_of(need.product).gpu_share
    for profile in sorted(left, key=lambda name: (-share(name), name)):
        while left[profile] > may_stay[profile] and need.is_met({**left, profile: left[profile] - 1}):
            left[profile] -= 1
    return left


def _staying(standing: Iterable[Holding], layout: Layout, wanted: Counter[Label]) -> tuple[Holding, ...]:
    """Take from ``wanted`` what stays on a GPU."""
    stays = []
    for held in standing:
        label = held.service, held.profile
        if held.spot in layout and wanted[label] > 0:
            wanted[label] -= 1
            stays.append(held)
    return tuple(stays)


def _waiting(wanted: Mapping[Label, int], needs: Iterable[Need]) -> Waiting:
    waiting = Waiting()
    for need in needs:
        for profile in need.choices:
            count = wanted.get((need.service, profile), 0)
            waiting.setdefault((need.product, profile), deque()).extend([need.service] * count)
    return waiting


def _added(layout: Layout, stays: tuple[Holding, ...], product: str, waiting: Waiting) -> Iterator[Holding]:
    """Fill what the layout has besides; where exactly is chosen so that most could still start."""
    standing = tuple(sorted(held.spot for held in stays))
    queues = [waiting.get((product, name), deque()) for name, start in layout if (name, start) not in standing]
    names = [name for name, start in layout if (name, start) not in standing]
    added: dict[str, list[str]] = {}
    for name, queue in zip(names, queues, strict=True):
        if queue:
            added.setdefault(name, []).append(queue.popleft())
    counts = tuple(sorted((name, len(services)) for name, services in added.items()))
    for name, start in arrangement(product, standing, counts) or ():
        yield Holding(start, name, added[name].pop(0))
