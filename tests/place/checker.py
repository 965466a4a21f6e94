"""An independent check of what ``cynosure place`` prints: its own table, nothing of the code under test."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

Document = dict[str, Any]
Spots = tuple[tuple[str, int], ...]

A100: dict[str, tuple[int, int, tuple[int, ...]]] = {  # compute slices, memory slices, starts
    "1g.10gb": (1, 1, (0, 1, 2, 3, 4, 5, 6)),
    "1g.10gb+me": (1, 1, (0, 1, 2, 3, 4, 5, 6)),
    "1g.20gb": (1, 2, (0, 2, 4, 6)),
    "2g.20gb": (2, 2, (0, 2, 4)),
    "3g.40gb": (3, 4, (0, 4)),
    "4g.40gb": (4, 4, (0,)),
    "7g.80gb": (7, 8, (0,)),
}


@lru_cache(maxsize=100_000)
def is_legal(spots: Spots) -> bool:
    cells: list[int] = []
    for profile, start in spots:
        _, memory, starts = A100[profile]
        if start not in starts:
            return False
        cells += range(start, start + memory)
    compute = sum(A100[profile][0] for profile, _ in spots)
    media = sum(profile.endswith("+me") for profile, _ in spots)
    return len(cells) == len(set(cells)) and compute <= 7 and media <= 1


def partitions(answer: Document) -> set[tuple[int, int, str, str]]:
    return {(g["gpu"], s["start"], s["profile"], s["service"]) for g in answer["placement"] for s in g["slices"]}


def check(
    answer: Document,
    demand: Document,
    *,
    inventory: Document | None = None,
    current: Document | None = None,
    points: Sequence[Document] = (),
) -> None:
    """Everything that the contract promises of an answer, but that it is the best."""
    numbers = [gpu["gpu"] for gpu in answer["placement"]]
    assert len(numbers) == len(set(numbers)) == answer["gpus"]
    for gpu in answer["placement"]:
        assert gpu["slices"], "a GPU without a partition is not in use"
        assert is_legal(tuple(sorted((s["profile"], s["start"]) for s in gpu["slices"]))), gpu
    if inventory is not None:
        usable = {g["gpu"] for g in inventory["gpus"] if g.get("usable", True) and g["product"] == demand["gpu"]}
        assert set(numbers) <= usable
    elif current is None:
        assert sorted(numbers) == list(range(len(numbers)))
    counts = Counter((s["service"], s["profile"]) for g in answer["placement"] for s in g["slices"])
    lacking = Counter({(u["service"], u["profile"]): u["count"] for u in answer["unplaced"]})
    for service in demand["services"]:
        _check_service(service, counts, lacking, points)
    assert {service for service, _ in counts} <= {service["name"] for service in demand["services"]}
    assert all(u["count"] > 0 and u["reason"] for u in answer["unplaced"])
    assert answer["feasible"] == (not answer["unplaced"])
    before = partitions(current) if current else set()
    assert answer["moves"] == len(before - partitions(answer)) >= answer["moves_lower_bound"]
    bound = answer["lower_bound"]
    assert 0 <= bound <= answer["gpus"]
    assert answer["gap"] == ((answer["gpus"] - bound) / bound if bound else 0.0)


def _check_service(service: Document, counts: Counter[Any], lacking: Counter[Any], points: Sequence[Document]) -> None:
    name = service["name"]
    if "rate_rps" not in service:
        wanted: Counter[str] = Counter()
        for wish in service["partitions"]:
            wanted[wish["profile"]] += wish["count"]
        assert all(counts[name, p] + lacking[name, p] == n for p, n in wanted.items()), service
        assert {p for s, p in counts if s == name} <= set(wanted)
        return
    best = best_throughputs(points, name, service["latency_ms"])
    served = sum(best[p] * n for (s, p), n in (counts + lacking).items() if s == name and p in best)
    assert not best or served >= service["rate_rps"] * (1 - 1e-9), service
    assert {p for s, p in counts if s == name} <= set(best)


def best_throughputs(points: Sequence[Document], model: str, latency_ms: float) -> dict[str, float]:
    names = {1: "1g.10gb", 2: "2g.20gb", 3: "3g.40gb", 4: "4g.40gb", 7: "7g.80gb"}
    best: dict[str, float] = {}
    for point in points:
        if point["model"] == model and point["throughput_rps"] > 0 and point["latency_ms"] < latency_ms:
            profile = names[point["gpcs"]]
            best[profile] = max(best.get(profile, 0.0), point["throughput_rps"])
    return best


def fits_on(profiles: Sequence[str], gpus: int) -> bool:
    """Try everything: whether the partitions fit on so many empty GPUs."""
    wanted = sorted(profiles, key=lambda p: (-A100[p][1], -A100[p][0], p))
    return _fit(tuple(wanted), ((),) * gpus)


@lru_cache(maxsize=200_000)
def _fit(wanted: tuple[str, ...], gpus: tuple[Spots, ...]) -> bool:
    if not wanted:
        return True
    return any(_fit(wanted[1:], after) for after in {tuple(sorted(way)) for way in _ways(wanted[0], gpus)})


def _ways(profile: str, gpus: tuple[Spots, ...]) -> Iterator[tuple[Spots, ...]]:
    for number, spots in enumerate(gpus):
        for start in A100[profile][2]:
            after = tuple(sorted((*spots, (profile, start))))
            if is_legal(after):
                yield (*gpus[:number], after, *gpus[number + 1 :])


def fewest_gpus(profiles: Sequence[str]) -> int:
    return next(count for count in range(len(profiles) + 1) if fits_on(profiles, count))


def fewest_moves(profiles: Sequence[tuple[str, str]], standing: set[tuple[int, int, str, str]], gpus: int) -> int:
    """Try everything: the fewest moves on any ``gpus`` GPUs, of which those that stand are some.

    ``profiles`` are wanted as (service, profile). A set of partitions may stay if the others fit beside it.
    """
    wanted = Counter(profiles)
    for kept in sorted(_subsets(sorted(standing)), key=len, reverse=True):
        if Counter((service, profile) for _, _, profile, service in kept) - wanted:
            continue
        rest = wanted - Counter((service, profile) for _, _, profile, service in kept)
        held: dict[int, list[tuple[str, int]]] = {}
        for gpu, start, profile, _ in kept:
            held.setdefault(gpu, []).append((profile, start))
        if len(held) > gpus:
            continue
        state = tuple(sorted([tuple(sorted(spots)) for spots in held.values()] + [()] * (gpus - len(held))))
        todo = sorted((p for _, p in rest.elements()), key=lambda p: (-A100[p][1], -A100[p][0], p))
        if _fit(tuple(todo), state):
            return len(standing) - len(kept)
    raise AssertionError("not even with nothing kept")


def _subsets(items: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    for mask in range(1 << len(items)):
        yield tuple(item for number, item in enumerate(items) if mask >> number & 1)
