"""How closely load follows its trace: the published experiment on real pods, prediction, and the engine that sends.

``days`` and ``day``: the CPU of the Google tasks, min-max normalised, as stress-ng pods on the testbed; what they used
is read from the kubelets through Prometheus (published for other data: RMSE 0.22 over ten pods). ``prediction``: the
CPU of serving pods from the request pattern alone, by costs fitted to another pattern. ``fidelity``: real traces sent
to a trivial local server. ``capacity``: how much is sent on time, beside vegeta where it is on PATH. ``workers``: one
schedule by 1, 2 and 4 processes. Writes benchmarks/results/traffic.json, where parts that did not run keep their last
answer; the figures come last.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import traffic_engine as engine  # noqa: E402
import traffic_experiment as experiment  # noqa: E402
import traffic_prediction as prediction  # noqa: E402
from bench_loadgen import trivial_server  # noqa: E402
from traffic_pods import Testbed, bring_up  # noqa: E402
from traffic_report import figures  # noqa: E402

from demo.stage import data_folder  # noqa: E402
from testbed.progress import timed_progress  # noqa: E402

RESULT = ROOT / "benchmarks" / "results" / "traffic.json"
Given = argparse.Namespace
Answer = dict[str, Any]
ON_TESTBED: Mapping[str, Callable[[Testbed, Path, Given], Answer]] = {
    "days": lambda bed, data, given: followed(bed, experiment.days(data, given.seconds_per_step or 30.0), given),
    "day": lambda bed, data, given: followed(bed, experiment.day(data, given.seconds_per_step or 5.0), given),
    "prediction": lambda bed, data, given: prediction.run(
        bed, data, given.prediction_pods, given.prediction_steps, given.seconds_per_step or 5.0
    ),
}
LOCAL: Mapping[str, Callable[[str, Given], Answer]] = {
    "fidelity": lambda url, given: {"traces": engine.fidelity(url, given.fidelity_seconds)},
    "capacity": lambda url, given: {
        "lag_limit_ms": given.lag_limit_ms,
        "rows": engine.capacity(url, given.rps, given.capacity_seconds, given.lag_limit_ms),
    },
    "workers": lambda url, given: {"rows": engine.workers(url, given.workers_rps, given.capacity_seconds)},
}


def followed(bed: Testbed, what: experiment.Experiment, given: Given) -> Answer:
    return experiment.run(bed, what, given.idle_millicores / 1000, given.peak_millicores / 1000)


def main() -> int:
    given = _parser().parse_args()
    data = data_folder()
    if data is None:
        print("the public traces are not in ../shared/data; nothing can be replayed")
        return 2
    answer: Answer = json.loads(given.result.read_text()) if given.result.is_file() else {}
    with ExitStack() as stack:
        if LOCAL.keys() & set(given.parts):
            url = stack.enter_context(trivial_server())
            time.sleep(0.5)
        if ON_TESTBED.keys() & set(given.parts):
            bed = stack.enter_context(bring_up(timed_progress(), given.namespace, given.scrape_seconds))
        for part in given.parts:
            found = LOCAL[part](url, given) if part in LOCAL else ON_TESTBED[part](bed, data, given)
            answer[part] = _machine() | found
            given.result.write_text(json.dumps(answer, indent=1) + "\n", encoding="utf-8")
    print("\n".join(figures(answer)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = [*LOCAL, *ON_TESTBED]
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    parser.add_argument("--seconds-per-step", type=float, help="instead of 30 s a day, and 5 s for 5 minutes")
    parser.add_argument("--peak-millicores", type=float, default=100.0, help="of each pod in its busiest step")
    parser.add_argument("--idle-millicores", type=float, default=5.0)
    parser.add_argument("--prediction-pods", type=int, default=3)
    parser.add_argument("--prediction-steps", type=int, default=60)
    parser.add_argument("--scrape-seconds", type=float, default=1.0)
    parser.add_argument("--fidelity-seconds", type=float, default=60.0, help="of each trace, around its busiest minute")
    parser.add_argument("--rps", type=float, nargs="+", default=[1000, 2000, 3000, 4000, 5000, 6000, 8000, 10000])
    parser.add_argument("--capacity-seconds", type=float, default=5.0)
    parser.add_argument("--workers-rps", type=float, default=300.0)
    parser.add_argument("--lag-limit-ms", type=float, default=5.0)
    parser.add_argument("--namespace", default="traffic", help="made for this run, and deleted after it")
    parser.add_argument("--result", type=Path, default=RESULT)
    return parser


def _machine() -> Answer:
    now = datetime.now(UTC).isoformat(timespec="minutes")
    return {"measured_at": now, "load_average_before": round(os.getloadavg()[0], 1), "cpus": os.cpu_count()}


if __name__ == "__main__":
    sys.exit(main())
