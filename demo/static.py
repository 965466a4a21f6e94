"""What somebody would hold who sizes for the peak of the day and leaves it so, with the same model of a replica."""

from pathlib import Path

import yaml
from cynosure.api import InferenceService, Invalid, ModelProfile, parse
from cynosure.model.plan import Option
from cynosure.observe.services import profile_of, service_of
from cynosure.size import Needs, size_service

from demo.kubectl import StepFailed
from demo.traffic import Flow
from loadgen.trace import PEAK_WINDOW_SECONDS

_PRODUCT = "A100-80GB"
_HEADROOM = 0.95


def static_peak(flow: Flow, day_seconds: float, manifest: Path, profile: Path) -> tuple[Option, str]:
    """Return the cheapest static choice for the peak of the day, and the SLO as the load generator writes it."""
    wanted = parse(InferenceService, yaml.safe_load(manifest.read_text()))
    measured = parse(ModelProfile, yaml.safe_load(profile.read_text()))
    if isinstance(wanted, Invalid) or isinstance(measured, Invalid):
        raise StepFailed(f"{manifest.name} or {profile.name} is not valid")
    service = service_of(wanted)
    day = flow.week.cut(flow.day_from_seconds, flow.day_from_seconds + day_seconds)
    needs = Needs(day.peak_rps(PEAK_WINDOW_SECONDS), flow.input_tokens, flow.output_tokens)
    targets = tuple(type(t)(t.metric, t.percentile, t.milliseconds * _HEADROOM) for t in service.targets)
    sizing = size_service(service, profile_of(measured), needs, targets, (_PRODUCT,))
    if not sizing.options:
        raise StepFailed(f"{manifest.name}: {sizing.unreachable}")
    slo = ",".join(f"{t.metric}_p{t.percentile:g}_ms={t.milliseconds:g}" for t in service.targets)
    return sizing.options[0], slo
