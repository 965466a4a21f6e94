"""The whole job, step by step. It asks nothing, and says after each step how long it has taken."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo import install, replay
from demo.evidence import Replayed, Seen, record_of
from demo.history import open_metrics
from demo.prometheus import Prometheus, manifests
from demo.record import Record
from demo.recorder import Recorder
from demo.replay import Replay
from demo.report import html, plots
from demo.scenario import SERVED, Scenario
from demo.sentence import Sentence
from demo.stage import EXAMPLES, REPOSITORY, Stage
from demo.static import static_peak
from demo.traffic import Flow, flows
from demo.venue import prepare
from testbed.progress import Progress

_LEAD_SECONDS = 30.0
"""From the last sample of the history to the first request: Prometheus and the Jobs start in between."""


@dataclass(frozen=True, slots=True)
class Outcome:
    record: Record
    is_met: bool
    is_verified: bool
    report: Path
    kubeconfig: Path


def run(scenario: Scenario, progress: Progress, out: Path) -> Outcome:
    """Bring everything up, replay the day, and write the report.

    :raises StepFailed: a step did not work; what was started stays for a look, until ``make demo-down``.
    """
    stage = prepare(scenario, progress, out)
    install.install_operator(stage)
    progress("Cynosure is installed by its chart")
    install.bind_people(stage)
    install.apply_services(stage)
    install.await_services(stage)
    progress("chat and vision serve")
    traffic = flows(scenario, stage.data)
    peaks = {f.service: _static(f, scenario) for f in traffic}
    replays = [Replay(flow, peaks[flow.service][1]) for flow in traffic]
    day_starts_at = _start_day(stage, traffic, replays)
    sentence = Sentence(stage)
    with Recorder(stage.admin.kubectl, scenario.namespace, time.time) as recorder:
        is_verified = _play(stage, sentence, day_starts_at)
    reports = replay.reports(stage, replays)
    day = (day_starts_at, day_starts_at + scenario.day_seconds)
    replayed = [
        Replayed(f.service, r.slo, reports[f.service], peaks[f.service][0])
        for f, r in zip(traffic, replays, strict=True)
    ]
    seen = Seen(recorder.samples, tuple(recorder.decisions), sentence.moments, sentence.document())
    prometheus = Prometheus(stage.admin.kubectl, scenario.system_namespace)
    facts = _facts(stage, traffic, recorder)
    record = record_of(replayed, seen, prometheus, day=day, compression=scenario.compression, facts=facts)
    is_met = all(bool(r["verdict"]["met"]) for r in reports.values())
    return Outcome(record, is_met, is_verified, write(record, reports, out), stage.admin.kubeconfig)


def write(record: Record, reports: Mapping[str, Any], out: Path) -> Path:
    """Write the page, its plots and the load generator's reports; return the page."""
    images = {name: plots.png(figure) for name, figure in plots.all_plots(record).items()}
    for name, image in images.items():
        (out / f"{name}.png").write_bytes(image)
    for service, report in reports.items():
        (out / f"replay-{service}.json").write_text(json.dumps(report))
    page = out / "report.html"
    page.write_text(html.page(record, images), encoding="utf-8")
    return page


def _static(flow: Flow, scenario: Scenario) -> tuple[float, str]:
    profile = EXAMPLES / "profiles" / f"{SERVED[flow.service].profile}.yaml"
    return static_peak(flow, scenario, EXAMPLES / f"{flow.service}.yaml", profile)


def _start_day(stage: Stage, traffic: Sequence[Flow], replays: Sequence[Replay]) -> float:
    """Start Prometheus with the days before, and the Jobs for the day; return when it begins."""
    scenario, now = stage.scenario, time.time()
    day_starts_at = now + _LEAD_SECONDS
    past = [flow.past(scenario.namespace, SERVED[flow.service].model, day_starts_at) for flow in traffic]
    began = day_starts_at - scenario.history_days * scenario.day_seconds
    history = open_metrics(past, began, now, scenario.step_seconds, scenario.seed)
    bodies = manifests(
        scenario.system_namespace,
        stage.images["prometheus"],
        stage.image,
        history,
        scrape_seconds=scenario.scrape_seconds,
    )
    stage.admin.kubectl.run(
        "delete", "deployment,configmap", "prometheus", "-n", scenario.system_namespace, "--ignore-not-found"
    )
    replay.start(stage, replays, day_starts_at)
    install.apply_and_await(stage, bodies, "deployment/prometheus")
    requests = sum(len(flow.schedule) for flow in traffic)
    stage.say(f"Prometheus knows {scenario.history_days} days; the next one begins, with {requests} requests")
    return day_starts_at


def _play(stage: Stage, sentence: Sentence, day_starts_at: float) -> bool:
    """Half-way the sentence, at the end its undoing; True if its effect was verified."""
    scenario = stage.scenario
    ends_at = day_starts_at + scenario.day_seconds
    _sleep_until(day_starts_at + scenario.ask_at * scenario.day_seconds, stage.say, day_starts_at, scenario)
    sentence.ask_and_approve()
    is_verified = sentence.await_verdict(max(30.0, ends_at - time.time() - 20))
    stage.say("the effect was verified on live metrics" if is_verified else "the effect was not what was asked for")
    _sleep_until(ends_at - 10, stage.say, day_starts_at, scenario)
    if is_verified:  # what missed was rolled back by the operator itself
        sentence.undo()
        stage.say("undone")
    _sleep_until(ends_at, stage.say, day_starts_at, scenario)
    return is_verified


def _sleep_until(at: float, say: Progress, day_starts_at: float, scenario: Scenario) -> None:
    while (left := at - time.time()) > 0:
        time.sleep(min(left, 60.0))
        hour = (time.time() - day_starts_at) * scenario.compression / 3600
        say(f"{max(hour, 0):.0f} o'clock of the replayed day")


def _facts(stage: Stage, traffic: Sequence[Flow], recorder: Recorder) -> dict[str, str]:
    return {
        "traces": "; ".join(f"{f.service}: {f.schedule.provenance['trace']}" for f in traffic).replace(
            str(REPOSITORY.parent), ".."
        ),
        "token lengths": str(traffic[0].schedule.provenance["tokens"]).replace(str(REPOSITORY.parent), ".."),
        "image": stage.image,
        "seed": str(stage.scenario.seed),
        "looks at the cluster": f"{len(recorder.samples)}, of which {recorder.failures} failed",
        "cores": str(os.cpu_count()),
    }
