"""Published measurements of engines, as the sizing room's work and seconds; read by bench_sizing.py."""

import csv
import gzip
import json
from ast import literal_eval
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cynosure.model.signals import Floats
from cynosure.size.service_time import Work

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
UNBOUNDED_RPS = 1000.0
"""Stands for requests that were all sent at once."""

Row = tuple[str, float, float, float, float]
"""Name of the group, batch, input tokens, output tokens, seconds."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Measured runs of one model on one GPU in one setting."""

    name: str
    work: Work
    seconds: Floats


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


def grouped(rows: Iterable[Row]) -> Iterator[Runs]:
    """Group rows of name, batch, input tokens, output tokens and seconds; repeated measurements by their median."""
    found: dict[str, dict[tuple[float, float, float], list[float]]] = {}
    for name, batch, inputs, outputs, seconds in rows:
        if min(batch, inputs, outputs, seconds) > 0:
            found.setdefault(name, {}).setdefault((batch, inputs, outputs), []).append(seconds)
    for name, times in found.items():
        batch, inputs, outputs = np.array(sorted(times)).T
        yield Runs(name, Work.plain(batch, inputs, outputs), np.array([np.median(times[k]) for k in sorted(times)]))


def small_models() -> Iterator[Row]:
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


def leaderboard(gpu: str) -> Iterator[Row]:
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


def splitwise(column: str) -> Iterator[Row]:
    """splitwise_sim (Llama-2-70B, BLOOM-176B on H100s): time per token, or of the prompts."""
    with (DATA / "splitwise_sim/perf_model.csv").open() as file:
        for row in csv.DictReader(file):
            if row["hardware"] == "h100-80gb":
                batch, inputs, outputs = (float(row[k]) for k in ("batch_size", "prompt_size", "token_size"))
                kind = f"{row['model']} {row['tensor_parallel']}"
                yield kind, batch, inputs, outputs if column == "token_time" else 1.0, float(row[column]) / 1000


def aiconfigurator() -> Iterator[Row]:
    """aiconfigurator (many models and engines on H100s, not disaggregated): token times by concurrency."""
    keys = ("backend", "backend_version", "model_path", "precision", "gemm_quant_mode", "tp_size", "pp_size",
            "attention_dp_size", "moe_tp_size", "moe_ep_size")  # fmt: skip
    with gzip.open(DATA / "aiconfigurator/silicon_sample.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            if row["system"] == "h100_sxm" and row["mode"] == "agg" and row["batch_size"]:
                name = " ".join(row[key] for key in keys)
                sizes = (float(row["batch_size"]), float(row["isl"]), float(row["osl"]))
                yield name, *sizes, float(row["silicon_tpot_ms"] or 0) / 1000
