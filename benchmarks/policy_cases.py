"""What autoscalers are compared on: public traces whose first days are history, and what goes wrong.

All are scaled to one peak of what is scored, so that each needs about as many replicas; the shape is the trace's own.
What is scored of a week begins in the morning, so that a short run too sees the load change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from cynosure.size.targets import read_targets
from cynosure.twin.builtin import DEFAULT, profile_named
from cynosure.twin.calibration import Bench
from cynosure.twin.prepare import Cluster, prepare, profile_tokens
from cynosure.twin.scenarios import SCENARIOS
from cynosure.twin.simulation import Experiment
from cynosure.twin.traffic import Traffic

from loadgen.readers import read_trace
from loadgen.trace import PEAK_WINDOW_SECONDS, RateSeries, RequestTrace

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SLO = "ttft_p99_ms=3000,tpot_p99_ms=100"
PEAK_RPS = 60.0
GPUS = 8
"""The limit of all: about three times what the peak needs."""
LEADS_SECONDS = (30.0, 120.0, 480.0)
DAY_SECONDS, HOUR_SECONDS = 86400.0, 3600.0
BIN_SECONDS = 300.0
PLAIN = "plain"


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
        Family("azure-code", "azure_llm_2024_digitised/code_week_digitised.csv", 4.25),
        Family("azure-conv", "azure_llm_2024_digitised/conv_week_digitised.csv", 4.25),
        Family("servegen-m-large", "servegen/derived_total_rates.csv", 11.25, 0, {"model": "m-large"}, "azure-conv"),
        Family("servegen-m-small", "servegen/derived_total_rates.csv", 11.25, 0, {"model": "m-small"}, "azure-conv"),
        Family("worldcup98", "web_traffic_1998_1995/fifa.csv.gz", 14, 50),
        Family("nasa95", "web_traffic_1998_1995/nasa.csv.gz", 14),
        Family("alibaba-genai", "alibaba_genai_2026/lora_request_trace.csv.gz", 14, 5),
    )
}


@dataclass(frozen=True, slots=True)
class Case:
    """``scenario`` is one of the twin's; a load that will step up begins lower, so that it stays within the limit."""

    family: str
    lead_seconds: float
    hours: float
    scenario: str = PLAIN

    @property
    def peak_rps(self) -> float:
        return PEAK_RPS / 4 if self.scenario == "step-x5" else PEAK_RPS


def what_goes_wrong(hours: float) -> tuple[Case, ...]:
    return tuple(Case("azure-conv", 120.0, hours, name) for name in SCENARIOS if name != PLAIN)


def experiment_of(case: Case, seed: int = 1) -> tuple[Experiment, Bench]:
    profile, family = profile_named(DEFAULT), FAMILIES[case.family]
    history_seconds = family.history_days * DAY_SECONDS
    traffic = Traffic(_trace(family, history_seconds, case), profile_tokens(profile), seed)
    cluster = Cluster(profile.points[0].gpu, GPUS, lead_time_seconds=case.lead_seconds)
    experiment, bench = prepare(profile, read_targets(SLO), cluster, traffic, history_seconds / traffic.seconds)
    return SCENARIOS[case.scenario](experiment), bench


def _trace(family: Family, history_seconds: float, case: Case) -> RateSeries:
    """Scaled so that the scored part has the peak; single requests become rates, as of a service that much larger."""
    trace = read_trace(DATA / family.path, family.only)
    begin = trace.from_seconds + family.from_day * DAY_SECONDS
    until = min(begin + history_seconds + case.hours * HOUR_SECONDS, trace.until_seconds)
    cut = trace.cut(begin, until)
    rates = _binned(cut) if isinstance(cut, RequestTrace) else cut
    peak = rates.cut(begin + history_seconds, until).peak_rps(PEAK_WINDOW_SECONDS)
    return replace(rates, rps=rates.rps * case.peak_rps / peak)


def _binned(trace: RequestTrace) -> RateSeries:
    edges = np.arange(trace.from_seconds, trace.until_seconds, BIN_SECONDS)
    counts = np.histogram(trace.at_seconds, edges)[0]
    return RateSeries(
        edges[:-1], edges[1:], counts / BIN_SECONDS, trace.from_seconds, trace.until_seconds, trace.source
    )
