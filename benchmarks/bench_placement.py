"""Placement against what peers do, in one run: GPUs, time, moves, and how many arrivals are accepted.

1. ParvaGPU's scenarios, if their data is there: first fit and HAMi's rule with ParvaGPU's choice of partitions, the
   authors' own figures, and the exact program.
2. Fleets of 10 to 100,000 GPUs, placed anew and after a change of one service of a thousand; rates, for which the
   partitions are chosen too; and a fleet that changes 200 times.
3. Partitions that come and go at 95 % load, with the sizes of Alibaba's 2023 trace if it is there.

The figures come last.
"""

import csv
import gzip
import random
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cynosure.place.fleet import place_fleet  # noqa: E402
from cynosure.place.greedy import efficient, large_first, place_greedily  # noqa: E402
from cynosure.place.layouts import Layout  # noqa: E402
from cynosure.place.need import Holding, Need, Stock  # noqa: E402
from cynosure.place.points_file import MeasuredPoint, throughputs  # noqa: E402
from cynosure.place.prices import GPUS  # noqa: E402
from cynosure.place.rules import Rule, best_region, first_fit, fragmentation_gradient, most_open  # noqa: E402

from tests.place.rates import rates_of  # noqa: E402
from tests.place.test_parvagpu import PUBLISHED, demand_of, points_of  # noqa: E402

A100 = "A100-80GB"
DATA = ROOT.parent / "shared" / "data"
PROFILES = ("1g.10gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb")
SHARES = {"1g.10gb": 1, "2g.20gb": 2, "3g.40gb": 3, "4g.40gb": 4, "7g.80gb": 7}


def scenarios(processes: int) -> list[list[Need]]:
    folder = DATA / "parvagpu"
    points = points_of(folder, processes)
    models = sorted({point["model"] for point in points})
    measured = {
        model: tuple(
            MeasuredPoint(p["gpcs"], p["throughput_rps"], p["latency_ms"]) for p in points if p["model"] == model
        )
        for model in models
    }
    return [
        [
            Need(s["name"], A100, s["rate_rps"], throughputs(measured[s["name"]], A100, s["latency_ms"]))
            for s in demand_of(folder, number, models)["services"]
        ]
        for number in range(len(PUBLISHED))
    ]


def by_rule(needs: Iterable[Need], rule: Rule, *, sort: bool) -> int:
    counts = {(n.service, profile): count for n in needs for profile, count in efficient(n).items()}
    items = large_first(counts, A100) if sort else [label for label, count in counts.items() for _ in range(count)]
    return len(place_greedily(items, A100, Stock({}, {}, A100), rule, {})[0])


def parvagpu() -> str:
    """GPUs of the six scenarios by placer; every exact one is proven."""
    print(f"GPUs of ParvaGPU's scenarios: {'':24} SLO1..6")
    print(f"  ParvaGPU, as its authors' code gives: {PUBLISHED}")
    sums = {}
    for processes in (3, 5):
        tasks = scenarios(processes)
        rows = {
            "first fit": [by_rule(needs, first_fit, sort=False) for needs in tasks],
            "HAMi's rule, large first": [by_rule(needs, best_region, sort=True) for needs in tasks],
            "large first, most open": [by_rule(needs, most_open, sort=True) for needs in tasks],
        }
        began = perf_counter()
        fleets = [place_fleet(needs, Stock({}, {}, A100)) for needs in tasks]
        seconds = (perf_counter() - began) / len(fleets)
        assert all(fleet.is_optimal(GPUS) for fleet in fleets)
        rows[f"exact ({seconds:.2f} s each)"] = [len(fleet.placed) for fleet in fleets]
        for name, gpus in rows.items():
            print(f"  {name}, at most {processes} processes: {tuple(gpus)}")
        sums[processes] = sum(rows[f"exact ({seconds:.2f} s each)"])
    return f"GPUs SLO1..6: {sums[3]} with 3 processes, {sums[5]} with 5, ParvaGPU {sum(PUBLISHED)}"


def fleet_of(services: int, gpus: int, seed: int) -> list[Need]:
    """Services with a fixed number of partitions that fill about so many GPUs."""
    chance = random.Random(seed)
    kinds = [chance.choice(PROFILES) for _ in range(services)]
    scale = 7 * gpus / sum(SHARES[kind] for kind in kinds)
    return [Need(f"s{n}", A100, max(1, round(scale * chance.uniform(0.5, 1.5))), {k: 1.0}) for n, k in enumerate(kinds)]


def growth() -> str:
    figure = ""
    for gpus in (10, 100, 1_000, 10_000, 100_000):
        needs = fleet_of(min(1_000, 3 * gpus), gpus, seed=gpus)
        began = perf_counter()
        fleet = place_fleet(needs, Stock({}, {}, A100))
        anew = perf_counter() - began
        gap = fleet.cost / fleet.cost_bound - 1
        changed = [replace(needs[0], amount=needs[0].amount + 1), *needs[1:]]
        began = perf_counter()
        after = place_fleet(changed, Stock({}, fleet.placed, A100))
        again = perf_counter() - began
        print(
            f"  {len(needs)} services on {len(fleet.placed)} GPUs: anew {anew:.3f} s, gap {gap:.2%}; one service "
            f"changed {again:.3f} s, {after.moves} moves, {len(after.placed)} GPUs ({fleet.solver})"
        )
        if gpus == 10_000:
            figure = f"10,000 GPUs {anew:.2f} s, gap {gap:.2%}, a change {again * 1000:.0f} ms and {after.moves} moves"
    return figure


def rates() -> str:
    """Services with a rate each: the partitions are chosen as well."""
    figure = ""
    for services in (30, 300, 1_000, 3_000):
        needs = rates_of(services, seed=services)
        began = perf_counter()
        fleet = place_fleet(needs, Stock({}, {}, A100))
        seconds = perf_counter() - began
        gap = fleet.cost / fleet.cost_bound - 1
        quick = by_rule(needs, most_open, sort=True)
        print(f"  {services} rates on {len(fleet.placed)} GPUs (by rule {quick}): {seconds:.2f} s, gap {gap:.2%}")
        if services == 1_000:
            figure = f"1,000 rates {seconds:.2f} s, gap {gap:.2%}"
    return figure


def changes(services: int = 300, gpus: int = 300, count: int = 200) -> str:
    """One service at a time wants one or two partitions more or less: moves, and GPUs against a fresh start."""
    chance, needs = random.Random(11), fleet_of(services, gpus, seed=3)
    placed, moves = place_fleet(needs, Stock({}, {}, A100)).placed, []
    for _ in range(count):
        number = chance.randrange(services)
        amount = max(1, needs[number].amount + chance.choice((-2, -1, 1, 2)))
        lost = max(0, int(needs[number].amount - amount))
        needs[number] = replace(needs[number], amount=amount)
        fleet = place_fleet(needs, Stock({}, placed, A100))
        moves.append(fleet.moves - lost)
        placed = fleet.placed
    fresh = len(place_fleet(needs, Stock({}, {}, A100)).placed)
    mean, most = sum(moves) / count, max(moves)
    print(f"  {count} changes: {mean:.2f} moves each, at most {most}, {len(placed)} GPUs (afresh {fresh})")
    return f"{count} changes {mean:.2f} moves each"


def sizes() -> list[str]:
    """The mix of partitions that a real cluster would be asked for; uniform where the trace is not there."""
    path = DATA / "alibaba_gpu_2023" / "openb_pod_list_default.csv.gz"
    if not path.is_file():
        return list(PROFILES)
    with gzip.open(path, "rt") as file:
        shares = [int(row["gpu_milli"]) / 1000 for row in csv.DictReader(file) if row["num_gpu"] == "1"]
    return [next((name for name, g in SHARES.items() if share <= g / 7), "7g.80gb") for share in shares]


@dataclass(slots=True)
class Cluster:
    gpus: int
    standing: dict[int, tuple[Holding, ...]] = field(default_factory=dict)

    def layout(self, gpu: int) -> Layout:
        return tuple(sorted((h.spot for h in self.standing.get(gpu, ())), key=lambda spot: spot[1]))

    def place(self, rule: Rule, profile: str, name: str) -> bool:
        found = [
            (seen[0], not self.standing.get(gpu), gpu, seen[1])
            for gpu in range(self.gpus)
            if (seen := rule(A100, self.layout(gpu), profile)) is not None
        ]
        if not found:
            return False
        *_, gpu, start = min(found)
        self.standing[gpu] = (*self.standing.get(gpu, ()), Holding(start, profile, name))
        return True

    def leave(self, name: str) -> None:
        for gpu, found in self.standing.items():
            self.standing[gpu] = tuple(h for h in found if h.service != name)

    def repack(self, profile: str, name: str) -> int | None:
        """Make room by moving the fewest others; None when all GPUs are really full."""
        needs = [Need(h.service, A100, 1, {h.profile: 1.0}) for found in self.standing.values() for h in found]
        stock = Stock(dict.fromkeys(range(self.gpus), A100), self.standing)
        fleet = place_fleet([*needs, Need(name, A100, 1, {profile: 1.0})], stock, time_limit_seconds=2.0)
        if fleet.unplaced:
            return None
        self.standing = dict(fleet.placed)
        return fleet.moves


def churn(rule: Rule, mix: Sequence[str], *, moving: bool = False, gpus: int = 32, arrivals: int = 3_000) -> str:
    """Poisson arrivals that stay for an exponential time, at an offered load of 95 % of the compute slices."""
    chance, cluster, leaving = random.Random(7), Cluster(gpus), list[tuple[float, str]]()
    mean = sum(SHARES[profile] for profile in mix) / len(mix)
    now, moves, refused, free = 0.0, 0, Counter[str](), 7 * gpus
    for number in range(arrivals):
        now += chance.expovariate(0.95 * 7 * gpus / mean)
        while leaving and leaving[0][0] <= now:
            name = heappop(leaving)[1]
            cluster.leave(name)
            free += SHARES[name.partition(" ")[2]]
        profile = chance.choice(mix)
        name = f"p{number} {profile}"
        stays = chance.expovariate(1.0)
        if not cluster.place(rule, profile, name):
            made = cluster.repack(profile, name) if moving and free >= SHARES[profile] else None
            if made is None:
                refused["although enough slices were free" if free >= SHARES[profile] else "full"] += 1
                continue
            moves += made
        free -= SHARES[profile]
        heappush(leaving, (now + stays, name))
    told = f"{1 - refused.total() / arrivals:.2%} accepted, {refused['although enough slices were free']} refused"
    return f"{told} with enough slices free" + (f", {moves} moves" if moving else "")


def main() -> None:
    figures = []
    if (DATA / "parvagpu").is_dir():
        figures.append(parvagpu())
    print("Time against GPUs, fixed partitions:")
    figures += [growth(), rates(), changes()]
    mix = sizes()
    print("32 GPUs, 3,000 arrivals at 95 % load:")
    popular = {name: count / len(mix) for name, count in Counter(mix).items()}
    rules = {"first fit": first_fit, "HAMi's rule": best_region, "most open": most_open}
    for name, rule in {**rules, "FGD's rule": fragmentation_gradient(popular)}.items():
        print(f"  {name}: {churn(rule, mix)}")
    moved = churn(most_open, mix, moving=True)
    print(f"  most open, and others moved where that makes room: {moved}")
    print("; ".join(figures))


if __name__ == "__main__":
    main()
