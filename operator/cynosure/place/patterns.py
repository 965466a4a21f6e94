"""What can be added to a GPU beside the partitions that stand on it.

Memory slices are bits of a number here: all ways are looked at, thousands of times in a pass.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cynosure.model.mig import Profile, Spot, geometry_of

Counts = tuple[tuple[str, int], ...]
"""How many of each profile, sorted by name; those with none are left out."""


@dataclass(frozen=True, slots=True)
class _Free:
    """What is left of a GPU: a bit for each memory slice that is taken, compute slices, instances of each profile."""

    taken: int
    compute_slices: int
    counts: Mapping[str, int]
    has_media: bool
    """Whether a partition that stands has the media extensions."""

    def starts(self, profile: Profile) -> list[int]:
        if profile.compute_slices > self.compute_slices or self.counts[profile.name] >= profile.most:
            return []
        if profile.has_media and self.has_media:
            return []
        return [start for start in profile.starts if not self.taken & profile.slices(start)]


@lru_cache(maxsize=4096)
def arrangement(product: str, standing: tuple[Spot, ...], added: Counts) -> tuple[Spot, ...] | None:
    """Return where ``added`` goes beside ``standing``; None when it does not fit.

    Of all ways the one is chosen that leaves the most compute slices startable elsewhere: holes that fit no other
    partition are what fragments a fleet.
    """
    geometry, free = geometry_of(product), _free(product, standing)
    profiles = [profile for name, count in added if (profile := geometry.profile(name)) for _ in range(count)]
    if free is None or len(profiles) < sum(count for _, count in added) or not _counts_fit(free, profiles):
        return None
    profiles.sort(key=lambda profile: (-profile.memory_slices, profile.name))
    found = list(_ways(free.taken, profiles))
    if not found:
        return None
    return max(found, key=lambda spots: (openness(product, (*standing, *spots)), [-start for _, start in spots]))


@lru_cache(maxsize=16384)
def openness(product: str, spots: tuple[Spot, ...]) -> int:
    """Return how much could still start on a GPU: over all free starts, the compute slices of the profile."""
    free = _free(product, spots)
    if free is None:
        return 0
    return sum(len(free.starts(profile)) * profile.compute_slices for profile in geometry_of(product).profiles)


def _free(product: str, spots: tuple[Spot, ...]) -> _Free | None:
    """None when something stands there that the product does not have: nothing is added to such a GPU."""
    geometry, taken, compute, has_media = geometry_of(product), 0, 0, False
    for name, start in spots:
        profile = geometry.profile(name)
        if profile is None:
            return None
        taken |= profile.slices(start)
        compute += profile.compute_slices
        has_media |= profile.has_media
    return _Free(taken, geometry.compute_slices - compute, Counter(name for name, _ in spots), has_media)


def _counts_fit(free: _Free, profiles: list[Profile]) -> bool:
    wanted = Counter(profile.name for profile in profiles)
    if sum(profile.compute_slices for profile in profiles) > free.compute_slices:
        return False
    if sum(profile.has_media for profile in profiles) + free.has_media > 1:
        return False
    return all(free.counts[profile.name] + wanted[profile.name] <= profile.most for profile in profiles)


def _ways(taken: int, profiles: list[Profile], lowest: int = 0) -> Iterator[tuple[Spot, ...]]:
    """Equal profiles rise in their start, so that each way comes once."""
    if not profiles:
        yield ()
        return
    profile, *rest = profiles
    for start in profile.starts:
        if start < lowest or taken & (bits := profile.slices(start)):
            continue
        same = bool(rest) and rest[0].name == profile.name
        for others in _ways(taken | bits, rest, start + 1 if same else 0):
            yield ((profile.name, start), *others)


def room(product: str, gpus: Sequence[Sequence[Spot]]) -> str:
    """Say what would still fit on GPUs, given what stands on each: the largest profile, and on how many."""
    geometry, alike = geometry_of(product), Counter(tuple(sorted(spots)) for spots in gpus)
    for profile in sorted(geometry.profiles, key=lambda p: (-p.compute_slices, -p.memory_slices, p.name)):
        count = sum(number for spots, number in alike.items() if geometry.free_starts(spots, profile.name))
        if count:
            return f"{profile.name} would still fit on {count} GPU{'s' if count != 1 else ''}"
    return f"all {len(gpus)} GPUs are full"
