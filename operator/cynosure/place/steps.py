"""From one placement to another in an order that is safe: no service below its floor, no GPU overfull.

A partition is created, its replica started and waited for, before one that it replaces is drained and destroyed, as
long as there is room. The floor of a service is the less of its compute slices before and after. Which partition is
removed when is a search: depth first, the most useful removal first, with what was seen to fail remembered; creating
never has to be undone, because the partitions of the target fit together. Where every order fails, all GPUs that count
are full: one partition is put somewhere else for a while, or, where there is no such place, one service falls below its
floor, and how far is said beforehand.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from cynosure.model.mig import geometry_of
from cynosure.place.greedy import Placed
from cynosure.place.need import Holding, Stock

_MOST_LOOKS = 2_000
"""Removals that are tried before an order counts as not found."""

At = tuple[int, Holding]
"""A partition on a GPU."""


class Action(StrEnum):
    CREATE = "create"
    """Create the partition, start its replica, wait until that is ready."""
    REMOVE = "remove"
    """Drain the replica, stop it, destroy the partition."""


@dataclass(frozen=True, slots=True)
class Step:
    """Steps of one ``wave`` may be done at once; the next wave begins when they are done."""

    action: Action
    gpu: int
    partition: Holding
    is_temporary: bool = False
    below_floor: int = 0
    """Compute slices by which the service falls below its floor until its next partition is ready."""
    wave: int = 0


@dataclass(slots=True)
class _Site:
    """What stands now, and what is still to be done."""

    products: Mapping[int, str]
    standing: dict[int, set[Holding]]
    to_create: dict[int, set[Holding]]
    to_remove: set[At]
    slack: Counter[str]
    """Compute slices that each service has above its floor."""
    temporary: set[At] = field(default_factory=set)

    @property
    def is_done(self) -> bool:
        return not self.to_remove and not any(self.to_create.values())

    def size(self, at: At) -> int:
        profile = geometry_of(self.products[at[0]]).profile(at[1].profile)
        return profile.compute_slices if profile else 0

    def fits(self, gpu: int, partition: Holding, without: Holding | None = None) -> bool:
        spots = [held.spot for held in self.standing.get(gpu, ()) if held != without]
        return geometry_of(self.products[gpu]).legal([*spots, partition.spot])

    def is_out_of_the_way(self, gpu: int, partition: Holding) -> bool:
        """Whether it fits beside what will stand there in the end, and what stands there for a while."""
        stays = {h for h in self.standing.get(gpu, ()) if (gpu, h) not in self.to_remove - self.temporary}
        spots = [held.spot for held in stays | self.to_create.get(gpu, set())]
        return geometry_of(self.products[gpu]).legal([*spots, partition.spot])

    def create(self, at: At) -> None:
        gpu, partition = at
        self.standing.setdefault(gpu, set()).add(partition)
        self.to_create.get(gpu, set()).discard(partition)
        self.slack[partition.service] += self.size(at)

    def remove(self, at: At) -> None:
        gpu, partition = at
        self.standing[gpu].discard(partition)
        self.to_remove.discard(at)
        self.slack[partition.service] -= self.size(at)

    def undo(self, steps: Iterable[Step]) -> None:
        for step in steps:
            at = step.gpu, step.partition
            if step.action is Action.CREATE:
                self.standing[step.gpu].discard(step.partition)
                self.to_create[step.gpu].add(step.partition)
                self.slack[step.partition.service] -= self.size(at)
            else:
                self.standing[step.gpu].add(step.partition)
                self.to_remove.add(at)
                self.slack[step.partition.service] += self.size(at)

    def advance(self, gpus: Iterable[int]) -> list[Step]:
        """Do what cannot be wrong: create what fits, and remove where a service can spare all that it has to remove."""
        made = self._create_on(gpus)
        while spared := self._spared():
            for at in spared:
                made.append(self.removal(at))
            made += self._create_on(sorted({gpu for gpu, _ in spared}))
        return made

    def removal(self, at: At) -> Step:
        self.remove(at)
        return Step(Action.REMOVE, *at, at in self.temporary, max(0, -self.slack[at[1].service]))

    def _create_on(self, gpus: Iterable[int]) -> list[Step]:
        made = []
        for gpu in gpus:
            for partition in sorted(self.to_create.get(gpu, ())):
                if self.fits(gpu, partition):
                    self.create((gpu, partition))
                    made.append(Step(Action.CREATE, gpu, partition))
        return made

    def _spared(self) -> list[At]:
        needed: Counter[str] = Counter()
        for at in self.to_remove:
            needed[at[1].service] += self.size(at)
        return sorted(at for at in self.to_remove if needed[at[1].service] <= self.slack[at[1].service])

    def safe_removals(self) -> list[At]:
        """Return what may go now, the most useful first: what makes room at once, then where least is in the way."""
        in_the_way = Counter(gpu for gpu, _ in self.to_remove)

        def use(at: At) -> tuple[bool, bool, int, At]:
            gpu, partition = at
            wanted = self.to_create.get(gpu, ())
            makes_room = any(self.fits(gpu, other, without=partition) for other in wanted)
            return not makes_room, not wanted, in_the_way[gpu], at

        return sorted((at for at in self.to_remove if self.slack[at[1].service] >= self.size(at)), key=use)


def steps_between(before: Placed, after: Placed, products: Mapping[int, str], stock: Stock) -> tuple[Step, ...]:
    """Return the steps in a safe order, with their waves.

    ``products`` of all GPUs of both placements, those included that may no longer be used; ``stock`` is where something
    may be put for a while.
    """
    site, steps = _site(before, after, products), list[Step]()
    steps += site.advance(sorted(site.to_create))
    while not site.is_done:
        steps += _search(site) or _unlock(site, stock)
    return tuple(_in_waves(steps))


def _site(before: Placed, after: Placed, products: Mapping[int, str]) -> _Site:
    old = {(gpu, held) for gpu, found in before.items() for held in found}
    new = {(gpu, held) for gpu, found in after.items() for held in found}
    site = _Site(products, {gpu: set(found) for gpu, found in before.items()}, {}, old - new, Counter())
    for gpu, held in new - old:
        site.to_create.setdefault(gpu, set()).add(held)
    ready, then = Counter[str](), Counter[str]()
    for group, at in [(ready, at) for at in old] + [(then, at) for at in new]:
        group[at[1].service] += site.size(at)
    site.slack = Counter({service: ready[service] - min(ready[service], then[service]) for service in ready | then})
    return site


def _search(site: _Site) -> list[Step]:
    """Do everything that is left, in a safe order; do nothing where none is found."""
    trail: list[list[Step]] = []
    open_choices = [iter(site.safe_removals())]
    failed: set[frozenset[At]] = set()
    for _ in range(_MOST_LOOKS):
        if site.is_done:
            return [step for taken in trail for step in taken]
        at = next(open_choices[-1], None)
        if at is None:
            failed.add(frozenset(site.to_remove))
            open_choices.pop()
            if not open_choices:
                return []
            site.undo(reversed(trail.pop()))
        elif frozenset(site.to_remove - {at}) not in failed:
            trail.append([site.removal(at), *site.advance([at[0]])])
            open_choices.append(iter(site.safe_removals()))
    while trail:
        site.undo(reversed(trail.pop()))
    return []


def _unlock(site: _Site, stock: Stock) -> list[Step]:
    """Take one step that no safe order has: a partition elsewhere for a while, or a service below its floor."""
    for at in _by_use(site):
        if (spare := _spare(site, stock, at)) is not None:
            site.create(spare)
            site.to_remove.add(spare)
            site.temporary.add(spare)
            made = Step(Action.CREATE, *spare, is_temporary=True)
            return [made, site.removal(at), *site.advance([at[0]])]
    _, at = min((site.size(at) - site.slack[at[1].service], at) for at in _by_use(site))
    return [site.removal(at), *site.advance([at[0]])]


def _by_use(site: _Site) -> list[At]:
    """What is to be removed where something is to be created, the least in the way first."""
    in_the_way = Counter(gpu for gpu, _ in site.to_remove - site.temporary)
    wanted = [at for at in site.to_remove - site.temporary if site.to_create.get(at[0])]
    return sorted(wanted, key=lambda at: (in_the_way[at[0]], at))


def _spare(site: _Site, stock: Stock, at: At) -> At | None:
    """Find a place for one more partition like this one, where it is in the way of nothing; an empty GPU last."""
    product = site.products[at[0]]
    used = [gpu for gpu in sorted(site.standing) if site.standing[gpu] and stock.product_of(gpu) == product]
    empty = next(stock.empty(product, {*used, *site.to_create}), None)
    if empty is not None:
        site.products = {**site.products, empty: product}
    for gpu in (*used, *(() if empty is None else (empty,))):
        for start in geometry_of(product).free_starts([h.spot for h in site.standing.get(gpu, ())], at[1].profile):
            spare = replace(at[1], start=start)
            if gpu != at[0] and site.is_out_of_the_way(gpu, spare):
                return gpu, spare
    return None


def _in_waves(steps: Iterable[Step]) -> Iterator[Step]:
    """Give each step the first wave after those that it waits for.

    A creation waits for earlier removals on its GPU, a removal for earlier creations of its service: whatever the order
    within a wave, GPUs then hold no more, and services no less, than they do one step after the other.
    """
    removed, created = Counter[int](), Counter[str]()
    for step in steps:
        service = step.partition.service
        if step.action is Action.CREATE:
            wave = removed[step.gpu] + 1
            created[service] = max(created[service], wave)
        else:
            wave = created[service] + 1
            removed[step.gpu] = max(removed[step.gpu], wave)
        yield replace(step, wave=wave)
