"""How long the twin takes for 20 million requests: eight hours at 700 requests/s, with a fleet that HPA scales.

Prints seconds and microseconds a request, and last the seconds; the goal is 60 on two cores (it uses one).
"""

import argparse
import resource
from time import perf_counter, process_time

import numpy as np
from cynosure.size.targets import read_targets
from cynosure.twin.backtest import policy_of
from cynosure.twin.builtin import DEFAULT, profile_named
from cynosure.twin.prepare import Cluster, prepare
from cynosure.twin.simulation import simulate
from cynosure.twin.tally import OFFERED, shares
from cynosure.twin.traffic import Traffic

from loadgen.published import code_tokens
from loadgen.trace import RateSeries

PEAK_RPS, MEAN_RPS, STEP_SECONDS = 900.0, 700.0, 60.0


def wave(requests: int) -> RateSeries:
    """A rate that rises and falls every two hours."""
    seconds = requests / MEAN_RPS
    starts = np.arange(0.0, seconds, STEP_SECONDS)
    rps = MEAN_RPS + (PEAK_RPS - MEAN_RPS) * np.sin(2 * np.pi * starts / 7200)
    ends = np.minimum(starts + STEP_SECONDS, seconds)
    return RateSeries(starts, ends, rps, 0.0, seconds, "a wave")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000_000)
    parser.add_argument("--policy", default="hpa")
    arguments = parser.parse_args()
    profile, targets = profile_named(DEFAULT), read_targets("ttft_p95_ms=400,tpot_p95_ms=60")
    traffic = Traffic(wave(arguments.requests), code_tokens(), seed=0)
    began = perf_counter()
    experiment, _ = prepare(profile, targets, Cluster("A100-80GB"), traffic, 0.0)
    print(f"compiled or read from the cache, and calibrated: {perf_counter() - began:.1f} s")
    began, worked = perf_counter(), process_time()
    outcome = simulate(experiment, policy_of(arguments.policy, experiment))
    seconds, cpu_seconds = perf_counter() - began, process_time() - worked
    requests = int(outcome.tally.counts[OFFERED])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{requests:,} requests over {outcome.seconds / 3600:.1f} h, attainment {shares(outcome.tally)[0]:.2%}")
    print(f"{1e6 * cpu_seconds / requests:.2f} CPU microseconds a request, {memory:.0f} MiB at most")
    print(f"{seconds:.1f} s")


if __name__ == "__main__":
    main()
