"""Every way to fill a GPU with partitions."""

from collections.abc import Iterator
from functools import lru_cache

from cynosure.model.mig import Geometry, Spot, geometry_of

Layout = tuple[Spot, ...]
"""Partitions that stand together on one GPU, by rising start."""


@lru_cache(maxsize=256)
def maximal_layouts(product: str, names: tuple[str, ...] | None = None) -> tuple[Layout, ...]:
    """Return every layout to which no profile of ``names`` can be added, sorted.

    Without ``names``: of all profiles but those with media extensions (+me).
    """
    geometry = geometry_of(product)
    if names is None:
        names = tuple(profile.name for profile in geometry.profiles if not profile.has_media)
    found = {tuple(sorted(layout, key=lambda spot: spot[1])) for layout in _extended(geometry, names, ())}
    return tuple(sorted(found))


def _extended(geometry: Geometry, names: tuple[str, ...], spots: Layout) -> Iterator[Layout]:
    lowest = spots[-1][1] if spots else -1
    free = [(name, start) for name in names for start in geometry.free_starts(spots, name)]
    if not free:
        yield spots
    for name, start in free:
        if start > lowest:  # each set is built once, by rising start
            yield from _extended(geometry, names, (*spots, (name, start)))
