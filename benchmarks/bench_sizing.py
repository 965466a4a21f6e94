"""How well the sizing room predicts what others measured, and what its integer programs cost.

Service times: half of the runs of each model and GPU are fitted, the other half is predicted. Twice for the runs of
agullo_lora_adapters: with the mean batch known (by Little's law, from the run's own throughput and token times), and
from nothing but the settings and the offered load. Results go to benchmarks/results/sizing.json; the figure is last.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from cynosure.model.service import Metric, Target
from cynosure.model.signals import Floats
from cynosure.size.deadline import ImageGpu, fewest_gpus, most_images
from cynosure.size.kriging import Kriging
from cynosure.size.lengths import AZURE_CODE_2023
from cynosure.size.measured import read_profile
from cynosure.size.mixture import cheapest_mixture
from cynosure.size.service_time import ServiceTime, Work, prefill_terms, running_batch, step_terms
from cynosure.size.text import TextReplica
from measured_runs import (
    DATA,
    AdapterRuns,
    Runs,
    adapter_runs,
    aiconfigurator,
    grouped,
    leaderboard,
    small_models,
    splitwise,
)

from tests.builders.engine import CHAT, CODE, poisson, serve, stable_rps

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "sizing.json"
SEED = 1
FEWEST = 6
"""Runs of a group of which half are fitted."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Relative errors of the held-out runs: of the law alone, and with the residual; ``inside`` its 90 % interval."""

    law: list[float]
    full: list[float]
    inside: list[bool]

    @classmethod
    def none(cls) -> "Errors":
        return cls([], [], [])

    def add(self, law: Floats, predicted: Floats, deviation: Floats, measured: Floats) -> None:
        self.law.extend((law / measured - 1).tolist())
        self.full.extend((predicted / measured - 1).tolist())
        self.inside.extend((np.abs(np.log(measured / predicted)) <= 1.645 * deviation).tolist())

    def summary(self) -> dict[str, Any]:
        return {
            "held_out_runs": len(self.full),
            "median": _percentile(self.full, 50),
            "p90": _percentile(self.full, 90),
            "law_alone_median": _percentile(self.law, 50),
            "law_alone_p90": _percentile(self.law, 90),
            "inside_90_percent_interval": round(float(np.mean(self.inside)), 3),
        }


def _percentile(errors: list[float], percent: float) -> float:
    return round(float(np.percentile(np.abs(errors), percent)), 4)


def half(count: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which runs are fitted."""
    return np.random.default_rng(SEED).permutation(count) % 2 == 0


def every_other(count: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Fit both ends and every other run between: for sweeps of a few batches."""
    return (np.arange(count) % 2 == 0) | (np.arange(count) == count - 1)


def held_out(
    groups: Iterable[Runs],
    terms_of: Callable[[Work], Floats] = step_terms,
    split: Callable[[int], np.ndarray[Any, np.dtype[np.bool_]]] = half,
) -> dict[str, Any]:
    errors = Errors.none()
    for runs in groups:
        if len(runs.seconds) < FEWEST:
            continue
        fitted, terms, places = split(len(runs.seconds)), terms_of(runs.work), runs.work.places()
        model = ServiceTime.fit(terms[fitted], places[fitted], runs.seconds[fitted])
        predicted, deviation = model.seconds(terms[~fitted], places[~fitted])
        errors.add(model.law_seconds(terms[~fitted]), predicted, deviation, runs.seconds[~fitted])
    return errors.summary()


def adapters_by_batch(groups: Iterable[AdapterRuns]) -> Iterator[Runs]:
    for runs in groups:
        yield Runs(runs.model, runs.work(runs.batch), runs.step_seconds)


def adapters_by_load(groups: Iterable[AdapterRuns]) -> dict[str, Any]:
    """Throughput and token times of held-out runs from settings and load, by the fixed point of the batch."""
    throughput, tpot = Errors.none(), Errors.none()
    for runs in groups:
        fitted, work = half(len(runs.settings)), runs.work(runs.batch)
        step = ServiceTime.fit(step_terms(work)[fitted], work.places()[fitted], runs.step_seconds[fitted])

        def seconds(batch: Floats, runs: AdapterRuns = runs, step: ServiceTime = step) -> Floats:
            then = runs.work(batch)
            return step.seconds(step_terms(then), then.places())[0]

        offered = runs.setting("offered_rps") * runs.output_tokens
        batch = running_batch(seconds, offered, _most(runs, fitted))
        law = {"tokens": np.minimum(batch / seconds(batch), offered), "seconds": seconds(batch)}
        places = _settings_places(runs, offered, batch)
        for errors, name, measured in (
            (throughput, "tokens", runs.tokens_per_second),
            (tpot, "seconds", runs.tpot_seconds),
        ):
            residual = Kriging.fit(places[fitted], np.log(measured / law[name])[fitted])
            mean, deviation = residual.at(places[~fitted])
            errors.add(law[name][~fitted], law[name][~fitted] * np.exp(mean), deviation, measured[~fitted])
    return {"tokens_per_second": throughput.summary(), "tpot": tpot.summary()}


def _most(runs: AdapterRuns, fitted: np.ndarray[Any, np.dtype[np.bool_]]) -> Floats:
    """Return the largest batch: by the setting, by how many requests there were, and by KV memory.

    KV tokens = free - per_rank x slots x rank, fitted to saturated runs whose adapters are all loaded.
    """
    context = runs.input_tokens + runs.output_tokens / 2
    slots, rank, limit = runs.setting("slots"), runs.setting("rank"), runs.setting("most_requests")
    full = runs.tokens_per_second < 0.9 * runs.setting("offered_rps") * runs.output_tokens
    by_memory = full & (runs.batch < 0.9 * limit) & (runs.setting("served") <= slots)
    used = fitted & by_memory & (runs.input_tokens > 100) & (runs.requests > 200)
    terms, tokens = np.column_stack([np.ones_like(slots), slots * rank]), runs.batch * context
    weights = np.linalg.lstsq(terms[used] / tokens[used, None], np.ones(used.sum()), rcond=None)[0]
    room = np.maximum(terms @ weights, 1000.0) / context
    return np.asarray(np.minimum(np.minimum(limit, runs.requests), room))


def _settings_places(runs: AdapterRuns, offered: Floats, batch: Floats) -> Floats:
    known = [np.minimum(offered, 2e4), runs.input_tokens, runs.output_tokens, batch]
    known += [runs.setting(name) for name in ("slots", "rank", "served", "most_requests")]
    known.append(np.array([setting.distinct(1e9) for setting in runs.settings]))
    return np.log1p(np.column_stack(known))


def image_deadline() -> dict[str, Any]:
    random = np.random.default_rng(SEED)
    gpus = [
        ImageGpu(
            latency_seconds=(random.uniform(0.001, 0.1), random.uniform(0.0001, 0.01)),
            warmup_seconds=(random.uniform(0.1, 5), random.uniform(0, 0.1)),
            max_minibatch=int(random.integers(1, 512)),
            max_runs=10_000,
        )
        for _ in range(64)
    ]
    images = sum(share.images for share in most_images(gpus, 60.0)) // 2
    times = []
    for _ in range(10):
        began = perf_counter()
        fewest_gpus(gpus, images, 60.0)
        times.append(perf_counter() - began)
    return {"gpus": len(gpus), "solve_milliseconds_median": round(1000 * float(np.median(times)), 1)}


def melange() -> dict[str, Any]:
    """Solve the published example (melange-release, config/example.json): 30 requests/s, A10G and A100-80GB."""
    throughput = np.array([[2, 20], [1, 20], [5, 40], [2, 20]], dtype=float)
    found = cheapest_mixture((6.0, 3.0, 15.0, 6.0), throughput, (1.01, 3.67))
    assert found is not None
    return {"cost_per_hour": found.cost, "published": 6.7, "a10g": found.counts[0], "a100": found.counts[1]}


def attainment() -> dict[str, Any]:
    """How far the predicted share of requests in time is from the emulated engine's, at limits near its percentiles."""
    profile = read_profile(ROOT / "examples" / "profiles" / "opt-1.3b.yaml")
    loads: dict[str, Any] = {}
    for load in (0.3, 0.5, 0.7, 0.85):
        errors: dict[Metric, list[float]] = {metric: [] for metric in Metric}
        for partition, tokens in product(("1g.10gb", "2g.20gb", "3g.40gb", "7g.80gb"), (CODE, CHAT)):
            points = profile.on("A100-80GB", partition)
            replica = TextReplica(points, *tokens, AZURE_CODE_2023)
            rps = load * stable_rps(replica)
            served = serve(points, poisson(rps), tokens)
            for metric, percentile in product(Metric, (90, 95, 99)):
                limit = 1.05 * float(np.percentile(served.of(metric), percentile))
                predicted = replica.attainment(Target(metric, percentile, 1000 * limit), rps)
                errors[metric].append(predicted - float(np.mean(served.of(metric) <= limit)))
        loads[str(load)] = {
            metric: {"mean_absolute": round(float(np.mean(np.abs(e))), 4), "bias": round(float(np.mean(e)), 4)}
            for metric, e in errors.items()
        }
    return loads


def main() -> int:
    if not DATA.is_dir():
        print("bench_sizing: ../shared/data is absent; it has the measured runs", file=sys.stderr)
        return 2
    groups = tuple(adapter_runs())
    result: dict[str, Any] = {
        "runs": sum(len(runs.settings) for runs in groups),
        "step_time": {
            "agullo_lora_adapters": held_out(adapters_by_batch(groups)),
            "slm_replication_memory_gap": held_out(grouped(small_models())),
            "ml_energy_v3_h100": held_out(grouped(leaderboard("H100")), split=every_other),
            "splitwise_sim_h100": held_out(grouped(splitwise("token_time"))),
            "aiconfigurator_h100": held_out(grouped(aiconfigurator())),
        },
        "prefill_time": {"splitwise_sim_h100": held_out(grouped(splitwise("prompt_time")), prefill_terms, every_other)},
        "from_load_and_settings": {"agullo_lora_adapters": adapters_by_load(groups)},
        "attainment_by_load": attainment(),
        "image_deadline": image_deadline(),
        "melange_example": melange(),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))
    step = result["step_time"]["agullo_lora_adapters"]
    count, median, p90 = step["held_out_runs"], step["median"], step["p90"]
    print(f"step time of {count} held-out vLLM runs: median error {median:.1%}, p90 {p90:.1%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
