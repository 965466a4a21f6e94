"""Where one more partition goes, without looking ahead: the rules that peers place by, and ours for milliseconds.

A rule looks at one GPU. It returns how bad it is to put the partition there and where it would start; None when it does
not fit. The least bad GPU is taken, of equal ones the first.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

from cynosure.model.mig import geometry_of
from cynosure.place.layouts import Layout
from cynosure.place.patterns import openness

Rule = Callable[[str, Layout, str], tuple[float, int] | None]
"""Product, what stands on the GPU, profile."""


@lru_cache(maxsize=65536)
def first_fit(product: str, standing: Layout, profile: str) -> tuple[float, int] | None:
    """The first GPU and the lowest start: NVIDIA's DRA driver through the scheduler, and openshift/instaslice."""
    starts = geometry_of(product).free_starts(standing, profile)
    return (0.0, starts[0]) if starts else None


@lru_cache(maxsize=65536)
def best_region(product: str, standing: Layout, profile: str) -> tuple[float, int] | None:
    """The first GPU, where the largest region in one piece is left (HAMi, pull request 2831)."""
    starts = geometry_of(product).free_starts(standing, profile)
    left = [(-_largest_region(product, (*standing, (profile, start))), start) for start in starts]
    return (0.0, min(left)[1]) if left else None


@lru_cache(maxsize=65536)
def most_open(product: str, standing: Layout, profile: str) -> tuple[float, int] | None:
    """The first GPU, where most can still start beside it."""
    starts = geometry_of(product).free_starts(standing, profile)
    left = [(-openness(product, (*standing, (profile, start))), start) for start in starts]
    return (0.0, min(left)[1]) if left else None


def fragmentation_gradient(popularity: Mapping[str, float]) -> Rule:
    """Where the expected fragmentation grows least (FGD; Weng et al., USENIX ATC 2023, section 4).

    ``popularity`` is the share of each profile in what is asked for.
    """
    shares = MappingProxyType(dict(popularity))

    @lru_cache(maxsize=65536)
    def rule(product: str, standing: Layout, profile: str) -> tuple[float, int] | None:
        starts = geometry_of(product).free_starts(standing, profile)
        before = _fragmentation(product, standing, shares)
        grown = [(_fragmentation(product, (*standing, (profile, s)), shares) - before, s) for s in starts]
        return min(grown) if grown else None

    return rule


def _fragmentation(product: str, standing: Layout, popularity: Mapping[str, float]) -> float:
    """Free compute slices that the next partition cannot use, weighted by which one it will be."""
    geometry = geometry_of(product)
    free = geometry.compute_slices - sum(p.compute_slices for n, _ in standing if (p := geometry.profile(n)))
    return sum(share * (free - _usable(product, standing, name, free)) for name, share in popularity.items())


def _usable(product: str, standing: Layout, name: str, free: int) -> int:
    """Free compute slices that partitions of one profile could fill, however many of them."""
    profile = geometry_of(product).profile(name)
    if profile is None:
        return 0
    filled, used = standing, 0
    while starts := geometry_of(product).free_starts(filled, name):
        filled, used = (*filled, (name, starts[-1])), used + profile.compute_slices
    return min(used, free)


def _largest_region(product: str, standing: Layout) -> int:
    """Return the length of the longest run of free memory slices."""
    geometry = geometry_of(product)
    taken = set[int]()
    for name, start in standing:
        if profile := geometry.profile(name):
            taken.update(range(start, start + profile.memory_slices))
    run = longest = 0
    for number in range(geometry.memory_slices):
        run = 0 if number in taken else run + 1
        longest = max(longest, run)
    return longest
