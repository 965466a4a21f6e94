"""An SLO as people type it: ``ttft_p95_ms=400,tpot_p95_ms=40``, or a file with the ``slo`` of an InferenceService."""

import re
from pathlib import Path
from typing import Final

import yaml
from pydantic import ValidationError

from cynosure.api.parse import describe
from cynosure.api.slo import Slo
from cynosure.errors import BadInput
from cynosure.model.service import Metric, Target

_TARGET: Final = re.compile(r"(?P<metric>[a-z0-9]+)_p(?P<percentile>\d{1,2}(\.\d+)?)_ms=(?P<limit>\d+(\.\d+)?)")


def read_targets(text: str) -> tuple[Target, ...]:
    """Return at least one target. :raises BadInput: naming the part that is none."""
    file = Path(text)
    if "=" not in text or file.is_file():
        return _of_file(file)
    return tuple(_target(part.strip()) for part in text.split(",") if part.strip())


def _of_file(file: Path) -> tuple[Target, ...]:
    try:
        body = yaml.safe_load(file.read_text(encoding="utf-8"))
        slo = Slo.model_validate(body.get("slo", body) if isinstance(body, dict) else body)
    except ValidationError as error:
        raise BadInput(f"{file}: {describe(error)}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{file}: not YAML or JSON ({' '.join(str(error).split())})") from error
    if not slo.targets:
        raise BadInput(f"{file}: no latency target; a job with a deadline is sized by `cynosure size images`")
    return tuple(Target(t.metric, float(t.percentile), float(t.milliseconds)) for t in slo.targets)


def _target(text: str) -> Target:
    found = _TARGET.fullmatch(text.replace(" ", ""))
    if not found or found["metric"] not in set(Metric) or not float(found["percentile"]) or not float(found["limit"]):
        raise BadInput(f"--slo: {text!r} is no target; write {{{','.join(Metric)}}}_pNN_ms=LIMIT, as ttft_p95_ms=400")
    return Target(Metric(found["metric"]), float(found["percentile"]), float(found["limit"]))
