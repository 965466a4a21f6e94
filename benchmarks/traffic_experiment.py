"""The published experiment: CPU of the Google tasks as stress-ng pods, each with and without the control loop."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from traffic_pods import Body, Testbed, run_to_end

from loadgen.burn import Utilisation
from loadgen.closeness import closeness, overall
from loadgen.manifests import burning_pod
from loadgen.readers import read_trace
from loadgen.stress import Step
from loadgen.trace import Floats, RateSeries
from loadgen.transforms import Slice
from loadgen.what_if import Average, Normalise

DAY_SECONDS, SAMPLE_SECONDS = 86_400.0, 300.0
BEGIN_SECONDS = 60.0
"""For twice as many pods as series to be pulled up before the first step."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """shapes: for each pod the load of each step from 0 (its least) to 1 (its most), NaN where the trace has none."""

    name: str
    shapes: Mapping[str, Floats]
    step_seconds: float

    @property
    def steps(self) -> int:
        return len(next(iter(self.shapes.values())))

    @property
    def edges(self) -> Floats:
        return self.step_seconds * np.arange(self.steps + 1, dtype=np.float64)


def days(folder: Path, step_seconds: float) -> Experiment:
    """The nine tasks that span about a month, by daily averages."""
    files = sorted((folder / "google_cluster_2019_tasks").glob("job113_*.csv.gz"))
    return _experiment("days", {_name(file): _shape(file, (Average(DAY_SECONDS),)) for file in files}, step_seconds)


def day(folder: Path, step_seconds: float) -> Experiment:
    """One day of ten tasks, the second of their three, by their steps of five minutes."""
    files = sorted((folder / "google_cluster_2019_tasks").glob("job382_*.csv.gz"))
    second = (Slice(DAY_SECONDS, 2 * DAY_SECONDS), Average(SAMPLE_SECONDS))
    return _experiment("day", {_name(file): _shape(file, second) for file in files}, step_seconds)


def _experiment(name: str, shapes: Mapping[str, Floats], step_seconds: float) -> Experiment:
    """All pods end together, a step without load after the longest trace, so that the last counters can be read."""
    most = max(len(shape) for shape in shapes.values()) + 1
    filled = {pod: np.append(shape, np.full(most - len(shape), np.nan)) for pod, shape in shapes.items()}
    return Experiment(name, filled, step_seconds)


def _name(file: Path) -> str:
    return file.name.partition("-")[0].replace("_", "-")


def _shape(file: Path, steps: Sequence[Any]) -> Floats:
    trace, random = read_trace(file), np.random.default_rng(1)
    for step in (*steps, Normalise()):
        trace = step.apply(trace, random)
    assert isinstance(trace, RateSeries)
    width = float(np.median(trace.ends - trace.starts))
    count = round((trace.until_seconds - trace.from_seconds) / width)
    return trace.at(trace.from_seconds + width * (np.arange(count) + 0.5))


def cores_of(shape: Floats, idle_cores: float, peak_cores: float) -> Floats:
    """Return the cores that are intended in each step, NaN where nothing is."""
    return idle_cores + (peak_cores - idle_cores) * shape


def run(bed: Testbed, experiment: Experiment, idle_cores: float, peak_cores: float) -> Body:
    """Return what was compared, for the pods that are controlled and for those that are not, of the same moment."""
    intended = {name: cores_of(shape, idle_cores, peak_cores) for name, shape in experiment.shapes.items()}
    start_at = time.time() + BEGIN_SECONDS
    # Where the trace has nothing the pods idle, and nothing is compared.
    bodies = [
        body
        for name, cores in intended.items()
        for body in _both(bed, name, np.nan_to_num(cores, nan=idle_cores), experiment.step_seconds, start_at)
    ]
    bed.say(f"{experiment.name}: {2 * len(intended)} pods for {experiment.edges[-1]:.0f} s")
    logs = run_to_end(bed, bodies, start_at, float(experiment.edges[-1]))
    time.sleep(3)
    used = bed.used(start_at, experiment.edges)
    bed.clear()
    followed = {name: closeness(cores, used[f"follow-{name}"]) for name, cores in intended.items()}
    opened = {name: closeness(cores, used[f"open-{name}"]) for name, cores in intended.items()}
    forgiven = [json.loads(logs[f"follow-{name}"])["forgiven_cpu_seconds"] for name in intended]
    return {
        "pods": len(intended),
        "steps": experiment.steps,
        "step_seconds": experiment.step_seconds,
        "idle_cores": idle_cores,
        "peak_cores": peak_cores,
        "forgiven_cpu_seconds": max(forgiven, key=abs),
        "followed": asdict(overall(list(followed.values()))),
        "open": asdict(overall(list(opened.values()))),
        "by_pod": {name: {"followed": asdict(followed[name]), "open": asdict(opened[name])} for name in intended},
    }


def _both(bed: Testbed, name: str, cores: Floats, step_seconds: float, start_at: float) -> Iterator[Body]:
    image, utilisation = bed.images["stress-ng"], Utilisation(step_seconds, tuple(cores.tolist()))
    yield from burning_pod(f"follow-{name}", bed.namespace, image, utilisation, start_at)
    _, pod = burning_pod(f"open-{name}", bed.namespace, image, utilisation, start_at)
    container = pod["spec"]["containers"][0]
    container["command"] = ["sh", "-c", open_script(cores, int(step_seconds), start_at)]
    container["volumeMounts"] = container["volumeMounts"][:1]
    pod["spec"]["volumes"] = pod["spec"]["volumes"][:1]
    yield pod


def open_script(cores: Floats, step_seconds: int, start_at: float) -> str:
    """stress-ng with its own --cpu-load in each step, begun at the step's own time so that no lag adds up."""
    lines = [
        "await_ms() { ms=$(($1 - $(date +%s%3N)))",
        "[ $ms -le 0 ] || sleep $((ms / 1000)).$(printf %03d $((ms % 1000))); }",
    ]
    for number, load in enumerate(np.rint(100 * cores).astype(int).tolist()):
        lines.append(f"await_ms {1000 * (start_at + number * step_seconds):.0f}")
        if load:
            command = Step(number * step_seconds, step_seconds, load).command()
            lines.append(" ".join([*command, "--temp-path /tmp &"]))
    return "\n".join([*lines, "wait"])
