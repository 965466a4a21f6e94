"""What MIG allows: which partitions a GPU product has, and at which memory slices each may start.

Source: NVIDIA MIG User Guide v580, "Supported MIG Profiles"; starts and sizes from ``nvidia-smi mig -lgipp`` on
A100-40GB and H100, go-nvml's A100 and A30 tables and openshift/instaslice (A30, H100, H200). B200 follows the same
pattern from the guide's memory fractions. One memory slice (index 7) of an eight-slice GPU has no compute slice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

WHOLE_GPU: Final = "gpu"
"""The partition name of a GPU without MIG."""

Spot = tuple[str, int]
"""A partition at its place on one GPU: profile name and first memory slice."""


@dataclass(frozen=True, slots=True)
class Profile:
    """``memory_slices`` from one of ``starts``; ``most`` instances on one GPU."""

    name: str
    compute_slices: int
    memory_slices: int
    memory_gib: int
    starts: tuple[int, ...]
    most: int = 8

    @property
    def has_media(self) -> bool:
        """With the image decoder and the optical flow engine, of which a GPU has one each."""
        return self.name.endswith("+me")

    def slices(self, start: int) -> int:
        """Return the memory slices that it takes, as the bits of a number."""
        return ((1 << self.memory_slices) - 1) << start


@dataclass(frozen=True, slots=True)
class Geometry:
    product: str
    memory_gib: int
    compute_slices: int
    memory_slices: int
    profiles: tuple[Profile, ...]
    _by_name: Mapping[str, Profile] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {profile.name: profile for profile in self.profiles})

    def profile(self, name: str) -> Profile | None:
        return self._by_name.get(name)

    def gpu_share(self, name: str) -> float:
        """Return the part of a GPU that a partition is: compute slices over all of them.

        :raises KeyError: the product has no such profile.
        """
        found = self.profile(name)
        if found is None:
            raise KeyError(f"{self.product} has no partition {name}")
        return found.compute_slices / self.compute_slices

    def legal(self, spots: Iterable[Spot]) -> bool:
        """Whether these partitions can stand together."""
        taken = compute = media = 0
        counts: dict[str, int] = {}
        for name, start in spots:
            profile = self._by_name.get(name)
            if profile is None or start not in profile.starts or taken & profile.slices(start):
                return False
            taken |= profile.slices(start)
            compute, media = compute + profile.compute_slices, media + profile.has_media
            counts[name] = counts.get(name, 0) + 1
            if compute > self.compute_slices or media > 1 or counts[name] > profile.most:
                return False
        return True

    def free_starts(self, spots: Iterable[Spot], name: str) -> tuple[int, ...]:
        """Return where one more partition of this profile could start beside ``spots``."""
        standing, profile = tuple(spots), self.profile(name)
        if profile is None:
            return ()
        return tuple(start for start in profile.starts if self.legal((*standing, (name, start))))


def _like_a100(product: str, memory_gib: int, names: tuple[str, str, str, str, str, str]) -> Geometry:
    """Eight memory slices and seven compute slices: every MIG product since the A100."""
    one, double, two, three, four, seven = names
    single = tuple(range(7))
    shapes = (
        (one, 1, 1, single, 7),
        (f"{one}+me", 1, 1, single, 1),
        (double, 1, 2, (0, 2, 4, 6), 4),
        (two, 2, 2, (0, 2, 4), 3),
        (three, 3, 4, (0, 4), 2),
        (four, 4, 4, (0,), 1),
        (seven, 7, 8, (0,), 1),
    )
    profiles = (Profile(n, c, m, _memory(n), starts, most) for n, c, m, starts, most in shapes)
    return Geometry(product, memory_gib, 7, 8, tuple(profiles))


def _memory(name: str) -> int:
    return int(name.partition(".")[2].partition("gb")[0])


def _a30() -> Geometry:
    shapes = (
        ("1g.6gb", 1, (0, 1, 2, 3), 4),
        ("1g.6gb+me", 1, (0, 1, 2, 3), 1),
        ("2g.12gb", 2, (0, 2), 2),
        ("2g.12gb+me", 2, (0, 2), 1),
        ("4g.24gb", 4, (0,), 1),
    )
    return Geometry(
        "A30-24GB", 24, 4, 4, tuple(Profile(n, s, s, _memory(n), starts, most) for n, s, starts, most in shapes)
    )


_EIGHTY = ("1g.10gb", "1g.20gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb")

GEOMETRIES: Mapping[str, Geometry] = MappingProxyType(
    {
        geometry.product: geometry
        for geometry in (
            _a30(),
            _like_a100("A100-40GB", 40, ("1g.5gb", "1g.10gb", "2g.10gb", "3g.20gb", "4g.20gb", "7g.40gb")),
            _like_a100("A100-80GB", 80, _EIGHTY),
            _like_a100("H100-80GB", 80, _EIGHTY),
            _like_a100("H100-94GB", 94, ("1g.12gb", "1g.24gb", "2g.24gb", "3g.47gb", "4g.47gb", "7g.94gb")),
            _like_a100("H100-96GB", 96, ("1g.12gb", "1g.24gb", "2g.24gb", "3g.48gb", "4g.48gb", "7g.96gb")),
            _like_a100("H200-141GB", 141, ("1g.18gb", "1g.35gb", "2g.35gb", "3g.71gb", "4g.71gb", "7g.141gb")),
            _like_a100("B200-180GB", 180, ("1g.23gb", "1g.45gb", "2g.45gb", "3g.90gb", "4g.90gb", "7g.180gb")),
        )
    }
)


def geometry_of(product: str) -> Geometry:
    """Return the geometry of a product; one that is not known can only be used whole."""
    return GEOMETRIES.get(product) or Geometry(product, 0, 1, 1, (Profile(WHOLE_GPU, 1, 1, 0, (0,), 1),))


def product_of(reported: str) -> str:
    """Return our name of a product as drivers report it: ``NVIDIA A100-SXM4-80GB`` is ``A100-80GB``.

    The model and the memory are looked for as words; a name that holds no known pair is returned as it is.
    """
    words = reported.upper().replace("-", " ").split()
    for product in GEOMETRIES:
        model, memory = product.split("-")
        if model in words and memory in words:
            return product
    return reported
