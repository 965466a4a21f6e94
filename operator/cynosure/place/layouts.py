"""Every way to fill a GPU with partitions."""

from collections.abc import Iterator
from functools import lru_cache

from cynosure.model.mig import Geometry, Spot, geometry_of


@lru_cache(maxsize=64)
def maximal_layouts(product: str) -> tuple[tuple[Spot, ...], ...]:
    """Return every set of spots to which nothing can be added, media extensions (+me) left out, sorted."""
    geometry = geometry_of(product)
    names = [profile.name for profile in geometry.profiles if not profile.name.endswith("+me")]
    found = {tuple(sorted(layout, key=lambda spot: spot[1])) for layout in _extended(geometry, names, ())}
    return tuple(sorted(found))


def _extended(geometry: Geometry, names: list[str], spots: tuple[Spot, ...]) -> Iterator[tuple[Spot, ...]]:
    lowest = spots[-1][1] if spots else -1
    free = [(name, start) for name in names for start in geometry.free_starts(spots, name)]
    if not free:
        yield spots
    for name, start in free:
        if start > lowest:  # each set is built once, by rising start
            yield from _extended(geometry, names, (*spots, (name, start)))
