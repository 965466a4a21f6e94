"""The twin against real pods: the same requests, sent by a TrafficReplay on the testbed and simulated.

The service keeps its replicas (without Prometheus nothing is decided), so what is compared is queueing, batching and
routing, not the service times: the pods emulate the same profile. The figure is printed last.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cynosure.model.profile import Profile  # noqa: E402
from cynosure.model.service import Metric, Target  # noqa: E402
from cynosure.reconcile.replays.schedules import read_schedule  # noqa: E402
from cynosure.size.measured import read_profile  # noqa: E402
from cynosure.size.targets import read_targets  # noqa: E402
from cynosure.twin.policies.static import Static  # noqa: E402
from cynosure.twin.prepare import Cluster, prepare  # noqa: E402
from cynosure.twin.simulation import simulate  # noqa: E402
from cynosure.twin.tally import Tally, quantile_milliseconds, shares  # noqa: E402
from cynosure.twin.traffic import Traffic  # noqa: E402

from demo import install  # noqa: E402
from demo.scenario import Scenario  # noqa: E402
from demo.stage import Stage  # noqa: E402
from demo.venue import leave  # noqa: E402
from demo.venue import prepare as prepare_stage  # noqa: E402
from loadgen.schedule import Schedule  # noqa: E402
from loadgen.trace import RequestTrace  # noqa: E402
from testbed.progress import timed_progress  # noqa: E402

NAME, SERVICE = "validation", "chat"
TARGETS = read_targets("ttft_p95_ms=500,tpot_p95_ms=100")
PERCENTILES = (50.0, 95.0, 99.0)
KEYS = {Metric.TTFT: "ttft_ms", Metric.TPOT: "tpot_ms", Metric.E2E: "latency_ms"}
Body = dict[str, Any]


def replayed(stage: Stage, seconds: int, peak_rps: float) -> tuple[Body, Schedule, str]:
    """Return the report of the pods, what was sent to them, and the partition that they are on."""
    kubectl, namespace = stage.admin.kubectl, stage.scenario.namespace
    spec = {
        "targets": [{"service": SERVICE}],
        "trace": {"name": "azure-llm-2024-code-week"},
        "transforms": [{"compress": f"{7 * 86400 / seconds:g}"}, {"scaleToPeakRps": f"{peak_rps:g}"}],
        "arrivals": "poisson",
        "durationSeconds": seconds,
        "slo": {"targets": [_target(target) for target in TARGETS]},
    }
    head = {"apiVersion": "cynosure.dev/v1alpha1", "kind": "TrafficReplay"}
    kubectl.apply({**head, "metadata": {"name": NAME, "namespace": namespace}, "spec": spec})
    ends, status = time.monotonic() + seconds + 180, Body()
    while "finishedAt" not in status:
        if time.monotonic() > ends:
            raise SystemExit(f"the replay has not ended: {status}")
        time.sleep(3)
        status = kubectl.get("trafficreplays.cynosure.dev", NAME, namespace=namespace).get("status", {})
    report = json.loads(kubectl.get("configmap", status["report"], namespace=namespace)["data"]["report.json"])
    schedule = read_schedule(kubectl.get("configmap", f"{NAME}-schedule", namespace=namespace))
    service = kubectl.get("inferenceservices.cynosure.dev", SERVICE, namespace=namespace)
    return report, schedule, service["status"]["layout"][0]["partition"]


def _target(target: Target) -> Body:
    return {"metric": target.metric, "percentile": int(target.percentile), "milliseconds": int(target.milliseconds)}


def simulated(profile: Profile, schedule: Schedule, partition: str, replicas: int) -> Tally:
    trace = RequestTrace(
        schedule.send_at_seconds,
        schedule.input_tokens,
        schedule.output_tokens,
        0.0,
        schedule.duration_seconds,
        "the schedule of the replay",
    )
    cluster = Cluster(profile.points[0].gpu, partitions=(partition,))
    experiment, _ = prepare(profile, TARGETS, cluster, Traffic(trace, None, 1), 0.0)
    return simulate(replace(experiment, replicas=replicas), Static(replicas)).tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--peak-rps", type=float, default=6.0, help="of the one replica")
    arguments = parser.parse_args()
    scenario, say = Scenario(), timed_progress()
    with tempfile.TemporaryDirectory() as out:
        stage = prepare_stage(scenario, say, Path(out))
        try:
            install.install_operator(stage)
            install.bind_people(stage)
            install.apply_services(stage)
            install.await_services(stage)
            report, schedule, partition = replayed(stage, arguments.seconds, arguments.peak_rps)
        finally:
            leave(scenario, say)
    profile = read_profile(ROOT / "examples" / "profiles" / "opt-1.3b.yaml")
    return told(report, simulated(profile, schedule, partition, 1), len(schedule), partition)


def told(report: Body, tally: Tally, requests: int, partition: str) -> int:
    attained = shares(tally)[0]
    print(f"{requests} requests to one {partition}, send lag p99 {report['send_lag_ms_p99']:.1f} ms")
    print(f"{'':12} {'pods':>9} {'twin':>9}")
    print(f"{'attainment':12} {report['verdict']['attainment']:9.2%} {attained:9.2%}")
    worst = 0.0
    for metric, key in KEYS.items():
        for percentile in PERCENTILES:
            real, said = report[key][f"p{percentile:g}"], quantile_milliseconds(tally, metric, percentile)
            print(f"{metric.value + f' p{percentile:g}':12} {real:6.0f} ms {said:6.0f} ms {said / real - 1:+8.1%}")
            worst = max(worst, abs(said / real - 1)) if percentile == 95 else worst
    apart = 100 * abs(report["verdict"]["attainment"] - attained)
    print(f"attainment {apart:.2f} points apart, the worst p95 {worst:.1%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
