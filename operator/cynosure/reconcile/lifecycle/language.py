"""Between the language engine and the API: a catalogue goes in, what comes out is data and is validated as such."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from cynosure.api import ScalingIntent
from cynosure.api.conditions import Reason, Type
from cynosure.api.intent_status import GroundedDirective, Provenance, Refusal, Source, Span
from cynosure.api.parse import describe
from cynosure.api.partitions import PARTITIONS
from cynosure.clock import Clock
from cynosure.intents.deploying import models_of
from cynosure.intents.facts import Facts, replicas_now
from cynosure.intents.refusals import refusal
from cynosure.model.condition import Condition, Status
from cynosure.reconcile.lifecycle.drafting import Drafted, Drafter
from cynosure.reconcile.lifecycle.progress import moment
from llm_engine import Catalog, Draft, ModelSettings, draft
from llm_engine import Directive as Spoken

MOST = 16
"""Directives of one intent, as its status can hold."""
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_DURATION = re.compile(r"^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$")


def catalog_of(facts: Facts, namespace: str) -> Catalog:
    """Only services of ``namespace``: a requester need not see others, and cannot ask for them."""
    limits = facts.policy
    return Catalog.model_validate(
        {
            "services": [
                {
                    "name": s.metadata.name,
                    "namespace": namespace,
                    "model": s.spec.model.name,
                    "replicas": replicas_now(s),
                    "min": s.spec.scale.min,
                    "max": s.spec.scale.max,
                    "partition": s.status.decision.option.partition if s.status.decision else None,
                }
                for s in facts.within(namespace)
            ],
            "models": sorted(name for profile in facts.profiles for name in models_of(profile)) or None,
            "partitions": list(PARTITIONS),
            "limits": {
                "max_replicas": limits.max_replicas,
                "max_cost_per_hour": float(limits.max_cost_per_hour) if limits.max_cost_per_hour else None,
                "protected_namespaces": list(limits.protected_namespaces),
            },
        }
    )


def by_language(clock: Clock, model: ModelSettings | None = None) -> Drafter:
    """Reads the text of intents by the grammar, and by ``model`` where the grammar does not understand it all."""

    async def read(intent: ScalingIntent, facts: Facts) -> Drafted:
        text = "\n".join([intent.spec.text or "", *intent.spec.answers])
        answer = await draft(text, catalog_of(facts, intent.metadata.namespace), "auto", model)
        return drafted(answer, clock(), with_model=model is not None)

    return read


def drafted(answer: Draft, now_seconds: float, *, with_model: bool) -> Drafted:
    heard = _model_condition(answer) if with_model else None
    if answer.refusal is not None:
        refused = _refusal(answer.refusal.reason, answer.refusal.message, answer.refusal.nearest)
        return Drafted(refusal=refused, engine=answer.engine, model_available=heard)
    if answer.question is not None:
        return Drafted(question=answer.question[:2048], engine=answer.engine, model_available=heard)
    if len(answer.directives) > MOST:
        refused = refusal(
            Reason.NOT_AN_INTENT, f"got {len(answer.directives)} directives; limit: {MOST}", "several intents"
        )
        return Drafted(refusal=refused, engine=answer.engine, model_available=heard)
    origins = list(answer.provenance)
    told = [[_provenance(p.field, p.source, p.span) for p in origins if p.directive == n] for n in range(MOST)]
    try:
        directives = tuple(_directive(*pair, now_seconds) for pair in zip(answer.directives, told, strict=False))
    except ValidationError as error:
        refused = refusal(Reason.NOT_AN_INTENT, describe(error))
        return Drafted(refusal=refused, engine=answer.engine, model_available=heard)
    return Drafted(directives, engine=answer.engine, model_available=heard)


def _refusal(reason: str, message: str, nearest: str | None) -> Refusal:
    """A reason that is not documented does not pass for one."""
    known = next((r for r in Reason if r.value == reason), Reason.NOT_AN_INTENT)
    return refusal(known, message, nearest)


def _directive(spoken: Spoken, provenance: Sequence[Provenance], now_seconds: float) -> GroundedDirective:
    fields = dict(spoken.as_json())
    expires = fields.get("expires")
    if isinstance(expires, str):
        fields["expires"] = expiry(expires, now_seconds)
    return GroundedDirective.model_validate({**fields, "provenance": list(provenance)})


def expiry(text: str, now_seconds: float) -> str | datetime:
    """An ISO 8601 duration counts from now; a day holds until it is over, and a time without a zone is one of UTC."""
    found = _DURATION.match(text)
    if not found or not any(found.groups()):
        return _time(text) or text
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return moment(now_seconds) + length


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    at = found if found.tzinfo else found.replace(tzinfo=UTC)
    return at + timedelta(days=1) if _DAY.match(text) else at


def _provenance(field: str, source: str, span: tuple[int, int] | None) -> Provenance:
    where = Span(start=span[0], end=span[1]) if span and span[1] <= 2048 else None
    return Provenance(field=field[:63], source=Source(source), span=where)


def _model_condition(answer: Draft) -> Condition | None:
    """None when the grammar understood all by itself and no model was asked."""
    if answer.model_available is None:
        return None
    if answer.model_available:
        return Condition(Type.MODEL_AVAILABLE, Status.TRUE, Reason.MODEL_ANSWERED, answer.engine)
    message = f"the grammar read the text: {answer.model_reason}"
    return Condition(Type.MODEL_AVAILABLE, Status.FALSE, Reason.MODEL_UNREACHABLE, message)
