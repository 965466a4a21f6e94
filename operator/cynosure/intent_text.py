"""Intents and their plans as text, in colour where the terminal has it."""

import os
import sys
from collections.abc import Iterator

from cynosure.api import ScalingIntent
from cynosure.api.intent_status import Change, IntentPlan, Phase, ServiceEstimate
from cynosure.kube.port import Body

_RED, _GREEN, _PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[0m"


def has_colour() -> bool:
    """On a terminal, unless NO_COLOR is set (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def rendered(intent: ScalingIntent, *, colour: bool = False) -> str:
    status, name, namespace = intent.status, intent.metadata.name, intent.metadata.namespace
    lines = [f"scalingintent/{name} in {namespace}: {status.phase}"]
    if status.refusal:
        near = f"; try: {status.refusal.nearest}" if status.refusal.nearest else ""
        lines.append(f"  refused ({status.refusal.reason}): {status.refusal.message}{near}")
    if status.question:
        lines.append(f"  question: {status.question}  (answer in spec.answers)")
    lines += [f"  {directive_text(directive.body(), intent.spec.text)}" for directive in status.directives]
    lines += [f"  conflicts with {conflict.name}: {conflict.message}" for conflict in status.conflicts]
    if status.plan:
        lines += plan_lines(status.plan, colour=colour)
    if status.phase is Phase.PLANNED and status.plan:
        lines.append(f"  to approve: kubectl cynosure approve {name} -n {namespace} --digest {status.plan.digest}")
    elif status.phase is Phase.PENDING:
        lines.append(f"  no plan yet; see: kubectl describe scalingintent {name} -n {namespace}")
    return "\n".join(lines)


def directive_text(body: Body, text: str | None) -> str:
    told = {entry["field"]: entry for entry in body.pop("provenance", [])}
    parts = []
    for field, value in body.items():
        source = told.get(field, {})
        span = source.get("span")
        words = f' "{text[span["start"] : span["end"]]}"' if text and span else ""
        parts.append(f"{field}={value}" + (f" ({source['source']}{words})" if source else ""))
    return ", ".join(parts)


def plan_lines(plan: IntentPlan, *, colour: bool) -> Iterator[str]:
    """The digest, a line for each value that goes and comes, what is used before and after, and the sentences."""
    yield f"  plan {plan.digest}"
    for change in plan.diff:
        yield from (f"    {line}" for line in _diff(change, colour))
    yield from (f"    {line}" for line in _use(plan))
    yield from (f"    {line}" for line in plan.message.splitlines())


def _diff(change: Change, colour: bool) -> Iterator[str]:
    where = f"{change.namespace}/{change.name} {change.path}"
    for sign, value, shade in (("-", change.before, _RED), ("+", change.after, _GREEN)):
        if value is not None:
            line = f"{sign} {where}: {value}"
            yield f"{shade}{line}{_PLAIN}" if colour else line


def _use(plan: IntentPlan) -> Iterator[str]:
    before = {(e.namespace, e.service): e for e in plan.before}
    after = {(e.namespace, e.service): e for e in plan.after}
    for place in dict.fromkeys([*before, *after]):
        yield f"{'/'.join(place)}: {_estimate(before.get(place))} -> {_estimate(after.get(place))}"


def _estimate(estimate: ServiceEstimate | None) -> str:
    if estimate is None:
        return "nothing"
    parts = [f"{estimate.replicas} x {estimate.partition or 'a GPU'}"]
    parts += [f"{estimate.gpu_share:.2f} GPUs"] if estimate.gpu_share is not None else []
    parts += [f"{estimate.watts:.0f} W"] if estimate.watts is not None else []
    parts += [f"{estimate.cost_per_hour:.2f} an hour"] if estimate.cost_per_hour is not None else []
    parts += [f"attainment {estimate.attainment:.3f}"] if estimate.attainment is not None else []
    return ", ".join(parts)
