"""Calibrate, predict, run, compare: the CPU of serving pods from their request pattern alone.

The application is the emulated engine, whose own work (HTTP, batching, streaming) is real CPU. Its functionalities are
short and long answers. Each pod gets rates that vary at random; what a request of each costs is fitted to what their
kubelets counted. Then every pod gets a pattern of the Google day, with a stress-ng pod beside it that gets what was
predicted.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from traffic_experiment import day
from traffic_pods import RESTRICTED, Body, Testbed

from loadgen.arrivals import arrival_seconds
from loadgen.burn import Utilisation
from loadgen.closeness import Closeness, closeness, overall
from loadgen.costs import Costs, fit_costs
from loadgen.manifests import ReplayJob, burning_pod, replay_job, schedule_config_map
from loadgen.readers import rate_series
from loadgen.schedule import Kind, Schedule
from loadgen.trace import Floats

OUTPUT_TOKENS = {"short": 4, "long": 16}
PEAK_RPS = {"short": 12.0, "long": 6.0}
INPUT_TOKENS = 16
BEGIN_SECONDS = 30.0
_PROFILE = Path(__file__).resolve().parents[1] / "examples" / "profiles" / "opt-1.3b.yaml"


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one pod is asked: a schedule, and how much of each functionality is in each of its steps."""

    schedule: Schedule
    requests_per_second: Mapping[str, Floats]
    step_seconds: float

    @property
    def edges(self) -> Floats:
        return self.step_seconds * np.arange(len(self.requests_per_second["short"]) + 1, dtype=np.float64)


def pattern(rates: Mapping[str, Floats], step_seconds: float, seed: int) -> Pattern:
    """Poisson arrivals of each functionality at its own rates (requests/s in each step)."""
    random = np.random.default_rng(seed)
    edges = step_seconds * np.arange(len(rates["short"]) + 1, dtype=np.float64)
    at = {name: arrival_seconds(rate_series(edges[:-1], rates[name], name), "poisson", 1.0, random) for name in rates}
    counts = {name: np.histogram(at[name], edges)[0] / step_seconds for name in rates}
    times = np.concatenate([at[name] for name in rates])
    tokens = np.concatenate([np.full(len(at[name]), OUTPUT_TOKENS[name]) for name in rates])
    order = np.argsort(times, kind="stable")
    inputs, kinds = np.full(len(times), INPUT_TOKENS), np.full(len(times), int(Kind.COMPLETION))
    return Pattern(Schedule.of(times[order], inputs, tokens[order], kinds, float(edges[-1])), counts, step_seconds)


def run(bed: Testbed, data: Path, pods: int, steps: int, step_seconds: float) -> Body:
    names = [f"engine-{number}" for number in range(pods)]
    bed.begin([body for name in names for body in _engine(bed, name)])
    for name in names:
        bed.kubectl.run("wait", f"pod/{name}", "-n", bed.namespace, "--for=condition=Ready", "--timeout=60s")
    costs = _calibrated(bed, names, max(12, steps // 2), step_seconds)
    bed.say(
        f"costs: {costs.base_cores * 1000:.1f} millicores and "
        + ", ".join(f"{seconds * 1000:.2f} ms a {name} request" for name, seconds in costs.seconds.items())
    )
    asked = _of_the_day(data, names, steps, step_seconds)
    predicted = {name: costs.cores(each.requests_per_second) for name, each in asked.items()}
    used, stand_in = _measured(bed, asked, predicted)
    bed.clear()
    return _answer(costs, predicted, used, stand_in, step_seconds)


def _calibrated(bed: Testbed, names: Sequence[str], steps: int, step_seconds: float) -> Costs:
    """Fit to all pods at once, each with rates of its own; low ones are drawn more often, as they are in a trace."""
    chance = np.random.default_rng(5)
    asked = {
        name: pattern(
            {kind: peak * chance.uniform(0, 1, steps) ** 2 for kind, peak in PEAK_RPS.items()}, step_seconds, n
        )
        for n, name in enumerate(names)
    }
    used, _ = _measured(bed, asked, {})
    rates = {kind: np.concatenate([asked[name].requests_per_second[kind] for name in names]) for kind in PEAK_RPS}
    return fit_costs(rates, np.concatenate([used[name] for name in names]))


def _of_the_day(data: Path, names: Sequence[str], steps: int, step_seconds: float) -> dict[str, Pattern]:
    """Each pod gets the shapes of two tasks, one for each functionality, of so many steps around their busiest."""
    shapes = list(day(data, step_seconds).shapes.values())
    found = {}
    for number, name in enumerate(names):
        rates = {
            kind: PEAK_RPS[kind] * _around_peak(shapes[2 * number + which], steps)
            for which, kind in enumerate(PEAK_RPS)
        }
        found[name] = pattern(rates, step_seconds, seed=10 + number)
    return found


def _around_peak(shape: Floats, steps: int) -> Floats:
    start = int(np.clip(np.nanargmax(shape) - steps // 2, 0, len(shape) - steps))
    return np.nan_to_num(shape[start : start + steps])


def _measured(
    bed: Testbed, asked: Mapping[str, Pattern], stand_ins: Mapping[str, Floats]
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Send each pod its pattern at the same time; return the cores of the pods, and of their stand-ins."""
    start_at = time.time() + BEGIN_SECONDS
    some = next(iter(asked.values()))
    addresses = {
        pod["metadata"]["name"]: pod["status"]["podIP"]
        for pod in bed.kubectl.get("pods", namespace=bed.namespace)["items"]
        if pod["status"].get("podIP")
    }
    bodies = [body for name, each in asked.items() for body in _sender(bed, name, addresses[name], each, start_at)]
    for name, cores in stand_ins.items():
        lasting = Utilisation(some.step_seconds, (*np.maximum(cores, 0).tolist(), 0.0))
        bodies += burning_pod(f"stand-in-{name}", bed.namespace, bed.images["stress-ng"], lasting, start_at)
    bed.say(f"{len(asked)} pods are asked {sum(len(each.schedule) for each in asked.values())} requests")
    bed.begin(bodies)
    time.sleep(max(0.0, start_at + float(some.edges[-1]) + 4 - time.time()))
    used = bed.used(start_at, some.edges)
    for name in asked:
        # A Job fails if a request was not sent.
        bed.kubectl.run("wait", f"job/send-{name}", "-n", bed.namespace, "--for=condition=complete", "--timeout=60s")
        bed.kubectl.run("delete", f"job/send-{name}", f"configmap/send-{name}", "-n", bed.namespace, "--wait=true")
    return {name: used[name] for name in asked}, {name: used[f"stand-in-{name}"] for name in stand_ins}


def _sender(bed: Testbed, name: str, address: str, asked: Pattern, start_at: float) -> list[Body]:
    job = ReplayJob(
        name=f"send-{name}",
        namespace=bed.namespace,
        image=bed.images["cynosure"],
        targets=[f"http://{address}:8000/v1/completions"],
        start_at_unix_seconds=start_at,
        model="app",
        prompt="count",
        keep_alive=True,
    )
    return [schedule_config_map(job, asked.schedule), replay_job(job, asked.schedule)]


def _engine(bed: Testbed, name: str) -> list[Body]:
    metadata = {"name": name, "namespace": bed.namespace}
    container = {
        "name": "engine",
        "image": bed.images["cynosure"],
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-m", "serving.emulated", "--model", "app", "--profile", "/profile/profile.yaml"],
        "args": ["--gpu", "A100-80GB", "--partition", "7g.80gb"],
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8000}, "periodSeconds": 5},
        "resources": {"requests": {"cpu": "50m"}, "limits": {"cpu": "500m", "memory": "256Mi"}},
        "securityContext": RESTRICTED,
        "volumeMounts": [{"name": "profile", "mountPath": "/profile"}],
    }
    volumes = [{"name": "profile", "configMap": {"name": name}}]
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"profile.yaml": _PROFILE.read_text()}},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata,
            "spec": {"containers": [container], "volumes": volumes},
        },
    ]


def _millicores(cores: Floats) -> list[float | None]:
    return [None if np.isnan(each) else round(1000 * each, 2) for each in cores.tolist()]


def _answer(
    costs: Costs,
    predicted: Mapping[str, Floats],
    used: Mapping[str, Floats],
    stand_in: Mapping[str, Floats],
    step_seconds: float,
) -> Body:
    pods = {name: closeness(predicted[name], used[name]) for name in predicted}
    stands = {name: closeness(used[name], stand_in[name]) for name in predicted}

    def told(found: Mapping[str, Closeness]) -> Body:
        return {"overall": asdict(overall(list(found.values()))), "by_pod": {n: asdict(c) for n, c in found.items()}}

    return {
        "pods": len(pods),
        "steps": len(next(iter(predicted.values()))),
        "step_seconds": step_seconds,
        "base_cores": costs.base_cores,
        "seconds_per_request": dict(costs.seconds),
        "mean_cores": float(np.mean([np.nanmean(each) for each in used.values()])),
        "millicores": {
            name: {"predicted": _millicores(predicted[name]), "used": _millicores(used[name])} for name in predicted
        },
        "predicted": told(pods),
        "stand_in": told(stands),
    }
