"""What somebody would hold who sizes for the peak of the day and leaves it so, with the same model of a replica."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import yaml
from cynosure.api import InferenceService, Invalid, parse
from cynosure.model.service import Metric, Target
from cynosure.observe.services import service_of
from cynosure.size import Needs, size_service
from cynosure.size.measured import read_profile

from demo.kubectl import StepFailed
from demo.scenario import Scenario
from demo.traffic import Flow
from loadgen.trace import PEAK_WINDOW_SECONDS

_PRODUCT = "A100-80GB"


def static_peak(flow: Flow, scenario: Scenario, manifest: Path, profile: Path) -> tuple[float, str]:
    """Return the GPUs that are held, averaged over the day, and the SLO as the load generator writes it.

    From the sentence on, static provisioning has to meet its stricter target as well; until then only the SLO.
    """
    wanted = parse(InferenceService, yaml.safe_load(manifest.read_text()))
    if isinstance(wanted, Invalid):
        raise StepFailed(f"{manifest.name}: {wanted.message}")
    service, measured = service_of(wanted), read_profile(profile)
    day = flow.week.cut(flow.day_from_seconds, flow.day_from_seconds + scenario.day_seconds)
    needs = Needs(day.peak_rps(PEAK_WINDOW_SECONDS), flow.input_tokens, flow.output_tokens)

    def held(targets: Iterable[Target]) -> float:
        aimed = tuple(replace(t, milliseconds=t.milliseconds * scenario.latency_headroom) for t in targets)
        sizing = size_service(service, measured, needs, aimed, (_PRODUCT,))
        if not sizing.options:
            raise StepFailed(f"{manifest.name}: {sizing.unreachable}")
        return sizing.options[0].gpu_share

    asked = Target(Metric.TTFT, 95, scenario.asked_ttft_milliseconds)
    later = (asked, *(t for t in service.targets if t.metric is not Metric.TTFT)) if flow.service == "chat" else ()
    share = held(service.targets) * scenario.ask_at + held(later or service.targets) * (1 - scenario.ask_at)
    return share, ",".join(f"{t.metric}_p{t.percentile:g}_ms={t.milliseconds:g}" for t in service.targets)
