"""How well the sizing room predicts what others measured, and what its integer programs cost.

Service times: half of the runs of each model and GPU are fitted, the other half is predicted. Twice for the runs of
agullo_lora_adapters: with the mean batch known (by Little's law, from the run's own throughput and token times), and
from nothing but the settings and the offered load. Results go to benchmarks/results/sizing.json; the figure is last.
"""

import csv
import gzip
import json
import sys
from ast import literal_eval
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from cynosure.model.signals import Floats
from cynosure.size.deadline import ImageGpu, fewest_gpus, most_images
from cynosure.size.kriging import Kriging
from cynosure.size.mixture import cheapest_mixture
from cynosure.size.service_time import ServiceTime, Work, prefill_terms, running_batch, step_terms

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
RESULT = ROOT / "benchmarks" / "results" / "sizing.json"
SEED = 1
FEWEST = 6
"""Runs of a group of which half are fitted."""
UNBOUNDED_RPS = 1000.0
"""Stands for requests that were all sent at once."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Measured runs of one model on one GPU in one setting."""

    name: str
    work: Work
    seconds: Floats


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


# -- vLLM with LoRA adapters: 1,854 runs ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Setting:
    """What one run was given. ``rates_rps`` of equally many adapters each; None when all was sent at once."""

    served: float
    slots: float
    rank: float
    most_requests: float
    rates_rps: tuple[float, ...]
    without_adapter: bool

    @property
    def offered_rps(self) -> float:
        return self.served * float(np.mean(self.rates_rps)) if self.rates_rps else UNBOUNDED_RPS

    def distinct(self, batch: float) -> float:
        """Return how many of the adapters a batch of random requests has: those that are loaded at most."""
        if self.without_adapter or self.served < 1:
            return 0.0
        rates = np.array(self.rates_rps or (1.0,))
        shares, each = rates / rates.sum() / (self.served / len(rates)), self.served / len(rates)
        return float(min(self.slots, each * np.sum(1 - (1 - np.minimum(shares, 1)) ** batch)))


@dataclass(frozen=True, slots=True)
class AdapterRuns:
    """All runs of one model; every array has an entry for each."""

    model: str
    settings: tuple[Setting, ...]
    input_tokens: Floats
    output_tokens: Floats
    tokens_per_second: Floats
    step_seconds: Floats
    tpot_seconds: Floats
    requests: Floats

    @property
    def batch(self) -> Floats:
        return self.tokens_per_second * self.step_seconds

    def setting(self, name: str) -> Floats:
        return np.array([getattr(setting, name) for setting in self.settings])

    def work(self, batch: Floats) -> Work:
        distinct = np.array([s.distinct(b) for s, b in zip(self.settings, batch, strict=True)])
        return Work(
            batch, self.input_tokens, self.output_tokens, distinct,
            self.setting("slots"), self.setting("rank"), self.setting("served"),
        )  # fmt: skip


def adapter_runs() -> Iterator[AdapterRuns]:
    """Those that ran and told a time per token, which runs of one output token do not."""
    with (DATA / "agullo_lora_adapters/derived_vllm_runs.csv").open() as file:
        rows = [r for r in csv.DictReader(file) if not r["failure_reason"] and float(r["tpot_mean_ms"]) > 0]
    for model in sorted({row["model"] for row in rows}):
        of = [row for row in rows if row["model"] == model]
        names = ("successful", "input_tokens", "generated_tokens", "output_tok_s", "itl_mean_ms", "tpot_mean_ms")
        column = {name: np.array([float(row[name]) for row in of]) for name in names}
        yield AdapterRuns(
            model,
            tuple(_setting(row) for row in of),
            column["input_tokens"] / column["successful"],
            column["generated_tokens"] / column["successful"],
            column["output_tok_s"],
            column["itl_mean_ms"] / 1000,
            column["tpot_mean_ms"] / 1000,
            column["successful"],
        )


def _setting(row: dict[str, str]) -> Setting:
    """Read a run's settings; some experiments have the adapters in use, or their rate, only in the folder's name."""
    tokens = [token for token in row["path"].split("/")[-2].split("_") if token]
    slots, rank = (float(row[name] or 0) for name in ("max_loras", "max_lora_rank"))
    rates = tuple(float(rate) for rate in literal_eval(row["adapter_rates"])) if row["adapter_rates"] else ()
    served, plain = float(row["n_adapters"] or slots), False
    if "compute_overhead" in row["path"] or "latency_overhead" in row["path"]:
        served = float(tokens[2] if "compute_overhead" in row["path"] else tokens[-1])
    elif "without_slots" in row["path"]:
        rates = (float(tokens[2]),)
    elif not rates:
        served, plain = slots, "loading" not in row["path"]
    return Setting(served, slots, rank, float(row["max_num_seqs"] or 256), rates, plain)


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


# -- Other engines and models, on H100s ------------------------------------------------------------------------------


def _grouped(rows: Iterable[tuple[str, float, float, float, float]]) -> Iterator[Runs]:
    """Group rows of name, batch, input tokens, output tokens and seconds; repeated measurements by their median."""
    found: dict[str, dict[tuple[float, float, float], list[float]]] = {}
    for name, batch, inputs, outputs, seconds in rows:
        if min(batch, inputs, outputs, seconds) > 0:
            found.setdefault(name, {}).setdefault((batch, inputs, outputs), []).append(seconds)
    for name, times in found.items():
        batch, inputs, outputs = np.array(sorted(times)).T
        yield Runs(name, Work.plain(batch, inputs, outputs), np.array([np.median(times[k]) for k in sorted(times)]))


def small_models() -> Iterator[tuple[str, float, float, float, float]]:
    """slm_replication_memory_gap (H100-64GB, vLLM): token times by mean batch."""
    with (DATA / "slm_replication_memory_gap/derived_vllm_runs.csv").open() as file:
        for row in csv.DictReader(file):
            family = row["path"].split("/")[2]
            if family not in ("advisor", "background") or not row["successful"]:
                continue
            count, step = float(row["successful"]), float(row["itl_mean_ms"]) / 1000
            inputs, outputs = float(row["input_tokens"]) / count, float(row["generated_tokens"]) / count
            batch = float(row["output_tok_s"]) * step
            yield f"{row['model']} {family}", batch, inputs, outputs, float(row["tpot_mean_ms"]) / 1000


def leaderboard(gpu: str) -> Iterator[tuple[str, float, float, float, float]]:
    """ml_energy_v3: median token times by mean batch, which was measured. Prompt lengths are not told."""
    keys = (
        "model_id",
        "gpu_model",
        "num_gpus",
        "tensor_parallel",
        "expert_parallel",
        "data_parallel",
        "weight_precision",
    )
    for task in ("gpqa", "lm-arena-chat", "sourcegraph-fim", "image-chat", "video-chat"):
        with gzip.open(DATA / f"ml_energy_v3/{task}.json.gz", "rt") as file:
            for run in json.load(file)["configurations"]:
                if run["gpu_model"] == gpu:
                    name = " ".join(str(run.get(key)) for key in keys)
                    yield f"{task} {name}", run["avg_batch_size"], 500.0, 500.0, run["median_itl_ms"] / 1000


def splitwise(column: str) -> Iterator[tuple[str, float, float, float, float]]:
    """splitwise_sim (Llama-2-70B, BLOOM-176B on H100s): time per token, or of the prompts."""
    with (DATA / "splitwise_sim/perf_model.csv").open() as file:
        for row in csv.DictReader(file):
            if row["hardware"] == "h100-80gb":
                batch, inputs, outputs = (float(row[k]) for k in ("batch_size", "prompt_size", "token_size"))
                kind = f"{row['model']} {row['tensor_parallel']}"
                yield kind, batch, inputs, outputs if column == "token_time" else 1.0, float(row[column]) / 1000


def aiconfigurator() -> Iterator[tuple[str, float, float, float, float]]:
    """aiconfigurator (many models and engines on H100s, not disaggregated): token times by concurrency."""
    keys = ("backend", "backend_version", "model_path", "precision", "gemm_quant_mode", "tp_size", "pp_size",
            "attention_dp_size", "moe_tp_size", "moe_ep_size")  # fmt: skip
    with gzip.open(DATA / "aiconfigurator/silicon_sample.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            if row["system"] == "h100_sxm" and row["mode"] == "agg" and row["batch_size"]:
                name = " ".join(row[key] for key in keys)
                sizes = (float(row["batch_size"]), float(row["isl"]), float(row["osl"]))
                yield name, *sizes, float(row["silicon_tpot_ms"] or 0) / 1000


# -- Integer programs ------------------------------------------------------------------------------------------------


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


def main() -> int:
    if not DATA.is_dir():
        print("bench_sizing: ../shared/data is absent; it has the measured runs", file=sys.stderr)
        return 2
    groups = tuple(adapter_runs())
    result: dict[str, Any] = {
        "runs": sum(len(runs.settings) for runs in groups),
        "step_time": {
            "agullo_lora_adapters": held_out(adapters_by_batch(groups)),
            "slm_replication_memory_gap": held_out(_grouped(small_models())),
            "ml_energy_v3_h100": held_out(_grouped(leaderboard("H100")), split=every_other),
            "splitwise_sim_h100": held_out(_grouped(splitwise("token_time"))),
            "aiconfigurator_h100": held_out(_grouped(aiconfigurator())),
        },
        "prefill_time": {
            "splitwise_sim_h100": held_out(_grouped(splitwise("prompt_time")), prefill_terms, every_other)
        },
        "from_load_and_settings": {"agullo_lora_adapters": adapters_by_load(groups)},
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
