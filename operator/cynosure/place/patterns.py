"""What can be added to a GPU beside the partitions that stand on it."""

from collections.abc import Iterator
from functools import lru_cache

from cynosure.place.geometry import Geometry, Spot, geometry_of

Counts = tuple[tuple[str, int], ...]
"""How many of each profile, sorted by name; those with none are left out."""


@lru_cache(maxsize=4096)
def arrangement(product: str, standing: tuple[Spot, ...], added: Counts) -> tuple[Spot, ...] | None:
    """Return where ``added`` goes beside ``standing``; None when it does not fit.

    Of all ways the one is chosen that leaves the most compute slices startable elsewhere: holes that fit no other
    partition are what fragments a fleet.
    """
    geometry = geometry_of(product)
    names = [name for name, count in added for _ in range(count)]
    names.sort(key=lambda name: (-_memory_slices(geometry, name), name))
    found = list(_ways(geometry, standing, names))
    if not found:
        return None
    return max(found, key=lambda spots: (_openness(geometry, (*standing, *spots)), [-start for _, start in spots]))


def openness(product: str, spots: tuple[Spot, ...]) -> int:
    """Return how much could still start on a GPU: over all free starts, the compute slices of the profile."""
    return _openness(geometry_of(product), spots)


def _ways(geometry: Geometry, standing: tuple[Spot, ...], names: list[str]) -> Iterator[tuple[Spot, ...]]:
    if not names:
        yield ()
        return
    name, *rest = names
    for start in geometry.free_starts(standing, name):
        if rest and rest[0] == name:
            later = _ways(geometry, (*standing, (name, start)), rest)
            yield from (((name, start), *others) for others in later if others[0][1] > start)
        else:
            for others in _ways(geometry, (*standing, (name, start)), rest):
                yield ((name, start), *others)


def _openness(geometry: Geometry, spots: tuple[Spot, ...]) -> int:
    return sum(len(geometry.free_starts(spots, profile.name)) * profile.compute_slices for profile in geometry.profiles)


def _memory_slices(geometry: Geometry, name: str) -> int:
    profile = geometry.profile(name)
    return profile.memory_slices if profile else 0
