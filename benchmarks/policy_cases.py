"""What autoscalers are compared on: public traces whose first days are history, and three scenarios.

All are scaled to one peak, so that a service needs about as many replicas in each; the shape is the trace's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from cynosure.size.targets import read_targets
from cynosure.twin.builtin import DEFAULT, profile_named
from cynosure.twin.calibration import Bench
from cynosure.twin.prepare import Cluster, prepare, profile_tokens
from cynosure.twin.simulation import Experiment
from cynosure.twin.traffic import Traffic

from loadgen.readers import read_trace
from loadgen.trace import RateSeries, RequestTrace
from loadgen.transforms import ScaleToPeak

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SLO = "ttft_p99_ms=3000,tpot_p99_ms=100"
PEAK_RPS = 60.0
GPUS = 8
"""The limit of all: about three times what the peak needs."""
LEADS_SECONDS = (30.0, 120.0, 480.0)
DAY_SECONDS, HOUR_SECONDS = 86400.0, 3600.0
REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class Family:
    """``from_day`` is where the history begins; what follows it is scored. ``tuned_on`` is where peers are tuned."""

    name: str
    path: str
    history_days: float
    from_day: float = 0.0
    only: Mapping[str, str] | None = None
    tuned_on: str = "servegen-m-small"

    @property
    def is_there(self) -> bool:
        return (DATA / self.path).is_file()


FAMILIES = {
    family.name: family
    for family in (
        Family("azure-code", "azure_llm_2024_digitised/code_week_digitised.csv", 5),
        Family("azure-conv", "azure_llm_2024_digitised/conv_week_digitised.csv", 5),
        Family("servegen-m-large", "servegen/derived_total_rates.csv", 12, 0, {"model": "m-large"}, "azure-conv"),
        Family("servegen-m-small", "servegen/derived_total_rates.csv", 12, 0, {"model": "m-small"}, "azure-conv"),
        Family("worldcup98", "web_traffic_1998_1995/fifa.csv.gz", 14, 50),
        Family("nasa95", "web_traffic_1998_1995/nasa.csv.gz", 14),
        Family("alibaba-genai", "alibaba_genai_2026/lora_request_trace.csv.gz", 14, 5),
    )
}


@dataclass(frozen=True, slots=True)
class Case:
    family: str
    lead_seconds: float
    hours: float
    scenario: str = REPLAY

    @property
    def name(self) -> str:
        return f"{self.family}, {self.scenario}, lead {self.lead_seconds:g} s"


def scenarios(hours: float) -> tuple[Case, ...]:
    """A trace without metrics for 5 minutes; a steady load that stops for a while, or grows five-fold."""
    return tuple(Case("azure-conv", 120.0, hours, name) for name in ("metrics vanish", "traffic stops", "step x5"))


def experiment_of(case: Case, seed: int = 1) -> tuple[Experiment, Bench]:
    trace, history_seconds = _replayed(case) if case.scenario in (REPLAY, "metrics vanish") else _steady(case)
    profile = profile_named(DEFAULT)
    traffic = Traffic(trace, profile_tokens(profile), seed)
    cluster = Cluster(profile.points[0].gpu, GPUS, lead_time_seconds=case.lead_seconds)
    experiment, bench = prepare(profile, read_targets(SLO), cluster, traffic, history_seconds / traffic.seconds)
    if case.scenario == "metrics vanish":
        middle = case.hours * HOUR_SECONDS / 2
        experiment = replace(experiment, absent=((middle, middle + 300.0),))
    return experiment, bench


def _replayed(case: Case) -> tuple[RateSeries | RequestTrace, float]:
    family = FAMILIES[case.family]
    trace = read_trace(DATA / family.path, family.only)
    begin = trace.from_seconds + family.from_day * DAY_SECONDS
    history = family.history_days * DAY_SECONDS
    until = min(begin + history + case.hours * HOUR_SECONDS, trace.until_seconds)
    scaled = ScaleToPeak(PEAK_RPS).apply(trace.cut(begin, until), np.random.default_rng(0))
    return scaled, history


def _steady(case: Case) -> tuple[RateSeries, float]:
    """A day of history, then three parts: the load as before, something else, and as before."""
    usual = PEAK_RPS / 5
    other = 0.0 if case.scenario == "traffic stops" else PEAK_RPS
    part = case.hours * HOUR_SECONDS / 3
    edges = np.cumsum([0.0, DAY_SECONDS, part, part, part])
    rates = np.array([usual, usual, other, usual])
    return RateSeries(edges[:-1], edges[1:], rates, 0.0, float(edges[-1]), case.scenario), DAY_SECONDS
