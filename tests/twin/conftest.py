"""Engines with simple numbers, loads, and policies that do as they are told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from cynosure.model.profile import Point, Profile, Task
from cynosure.model.service import Metric, Target
from cynosure.twin.curves import Curves, curves_of
from cynosure.twin.engine import Arrivals, serve, settle
from cynosure.twin.fleet import Fleet, Ground
from cynosure.twin.machines import machines, reset
from cynosure.twin.port import Seen, Setting, Wanted
from cynosure.twin.simulation import Experiment
from cynosure.twin.tally import Tally, tally_for
from cynosure.twin.traffic import Traffic

from loadgen.tokens import QuantileTokens
from loadgen.trace import RateSeries

GPU = "A100-80GB"
TTFT = Target(Metric.TTFT, 95, 400)
SHORT = QuantileTokens((0.0, 1.0), (200, 1800), (5, 45), "short")


def curves(
    *, step: float = 0.01, prompt: float = 0.0, batch: int = 1, kv: float = np.inf, is_text: bool = True
) -> Curves:
    """Partitions 3g.40gb and 7g.80gb alike: each step takes as long, whatever the batch."""
    table = np.full((2, batch + 1), step)
    watts = np.tile(np.append(40.0, np.full(batch, 100.0)), (2, 1))
    prompts = np.full((2, batch + 1), prompt)
    return Curves(is_text, table, prompts, watts, np.array([batch, batch]), np.array([kv, kv]), np.array([3 / 7, 1.0]))


def arrivals(
    at: Sequence[float], inputs: int | Sequence[int] = 1, outputs: int | Sequence[int] = 1, seed: int = 0
) -> Arrivals:
    count = len(at)
    lengths = [np.broadcast_to(np.asarray(n, np.int64), count).copy() for n in (inputs, outputs)]
    return Arrivals(np.asarray(at, np.float64), *lengths, np.random.default_rng(seed).random(count))


def served(load: Arrivals, on: Curves, replicas: int = 1, targets: tuple[Target, ...] = (TTFT,)) -> Tally:
    """What became of the load once all of it is done."""
    state, tally = machines(replicas, int(on.largest_batch.max()), len(load.at_seconds) + 1), tally_for(targets)
    rows = np.arange(replicas)
    for row in rows:
        reset(state, int(row), 0, 0.0)
    assert serve(state, on, tally, load, 0, np.inf, rows, False) == len(load.at_seconds)
    settle(state, on, tally, rows, 1e12)
    return tally


def ground(on: Curves | None = None, *, lead: float = 60.0, gpus: int | None = None) -> Ground:
    return Ground(GPU, ("3g.40gb", "7g.80gb"), on or curves(), gpus, lead)


def fleet(load: Arrivals | None = None, replicas: int = 1, where: Ground | None = None) -> Fleet:
    return Fleet(where or ground(), tally_for((TTFT,)), iter([load] if load else []), "3g.40gb", replicas)


def profile(name: str = "llm") -> Profile:
    """Whole GPUs are a little more than twice as fast as 3g partitions."""
    points = tuple(
        Point(GPU, part, batch, 9.0, 1000, 25, slow * 0.04, slow * 0.006 * (1 + batch / 8), 0.0, 200_000, 4.0, 60.0)
        for part, slow in (("3g.40gb", 2.5), ("7g.80gb", 1.0))
        for batch in (1, 4, 16)
    )
    return Profile(name, Task.TEXT_GENERATION, 8.0, points)


def traffic(rates: Sequence[float], step: float = 300.0, seed: int = 0) -> Traffic:
    """A rate for each step."""
    starts = step * np.arange(len(rates))
    series = RateSeries(starts, starts + step, np.asarray(rates, np.float64), 0.0, step * len(rates), "a test")
    return Traffic(series, SHORT, seed)


def setting(**changes: object) -> Setting:
    plain: dict[str, object] = {
        "profile": profile(),
        "targets": (TTFT,),
        "gpu_product": GPU,
        "partition": "3g.40gb",
        "partitions": ("3g.40gb", "7g.80gb"),
        "max_replicas": 40,
        "lead_time_seconds": 60.0,
        "input_tokens": 1000.0,
        "output_tokens": 25.0,
        "replica_rps": 4.2,
        "replica_concurrency": 4.9,
        "seed": 0,
    }
    return Setting(**(plain | changes))  # type: ignore[arg-type]


def experiment(
    rates: Sequence[float] = (8.0,) * 4, *, replicas: int = 3, seed: int = 0, **changes: object
) -> Experiment:
    chosen = setting(**changes)
    where = Ground(
        GPU,
        chosen.partitions,
        curves_of(chosen.profile, GPU, chosen.partitions),
        chosen.gpus,
        chosen.lead_time_seconds,
    )
    return Experiment(chosen, where, traffic(rates, seed=seed), np.empty(0), replicas)


@dataclass(slots=True)
class Told:
    """Does what ``wanted`` says for the time, and remembers what it saw."""

    wanted: Callable[[float], Wanted]
    interval_seconds: float = 15.0
    name: str = "told"
    seen: list[Seen] = field(default_factory=list)

    def decide(self, seen: Seen) -> Wanted:
        self.seen.append(seen)
        return self.wanted(seen.now_seconds)


def keep(replicas: int) -> Told:
    return Told(lambda now: Wanted(replicas))


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> None:
    """Compiling takes seconds, which no test should be timed for."""
    served(arrivals([0.0]), curves())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The twin's inner loop is compiled first, which alone takes longer than `make check` should."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
