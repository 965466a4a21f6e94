"""The verbs that are no plain limit: pause, resume, explain, undo, prefer, schedule, deploy, delete, migrate ..."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from llm_engine.catalog import Catalog, nearest
from llm_engine.clauses import Clause
from llm_engine.lexicon import Kind
from llm_engine.limits import number, partial, read_numbers, stated
from llm_engine.tags import Tag
from llm_engine.values import INFERRED, Directive, Origin, Reason, Refused, Unclear, Value

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_OBJECTIVES = {"cost_per_hour": "cost", "watts": "energy", "ttft": "latency", "tpot": "latency", "e2e": "latency"}

Reader = Callable[[Clause, Tag, Catalog], Directive]


def is_schedule(clause: Clause) -> bool:
    return bool(clause.of(Kind.CRON, Kind.DAYS, Kind.CLOCK)) and not set(clause.verbs) & {"explain", "undo"}


def read_action(clause: Clause, catalog: Catalog) -> Directive | None:
    """The directive of the clause's verb, if that is one of these."""
    tag = next((tag for tag in clause.of(Kind.VERB) if tag.value in READERS), None)
    if tag is None:
        return None
    denied = clause.first(Kind.NEGATION)
    if denied is not None and denied.start < tag.start and tag.value != "explain":
        raise Unclear(
            f"Nothing is done when the sentence denies it: what should happen instead of '{clause.words(tag)}'?"
        )
    return READERS[tag.value](clause, tag, catalog)


def _plain(clause: Clause, tag: Tag, catalog: Catalog) -> Directive:
    if clause.of(Kind.QUANTITY, Kind.RANGE) and tag.value != "explain":
        raise Unclear(f"What is the number for? '{tag.value}' takes none.")
    return partial(tag.value, stated(tag.span))


def _undo(clause: Clause, tag: Tag, catalog: Catalog) -> Directive:
    made = partial("undo", stated(tag.span))
    marker = clause.first(Kind.INTENT)
    named = [t for t in clause.of(Kind.WORD) if t.start > tag.start]
    if named:
        made = made.having("intent", clause.text[named[0].start : named[0].end], stated(named[0].span))
    elif clause.of(Kind.SERVICE, Kind.EVERYTHING, Kind.QUANTITY):
        raise Unclear("Undo the intent that was applied last, or which one (its name)?")
    elif marker is not None and "last" not in clause.text.lower() and "latest" not in clause.text.lower():
        raise Unclear("Undo which intent (its name), or the last one?")
    return made


def _prefer(clause: Clause, tag: Tag, catalog: Catalog) -> Directive:
    goals = [(t, _objective(t)) for t in clause.of(Kind.OBJECTIVE, Kind.METRIC, Kind.LATENCY)]
    known = [(t, goal) for t, goal in goals if goal]
    if clause.words(tag) == "save" and not known:
        raise Unclear("Save what: energy or cost?")
    if not known:
        raise Unclear("Prefer what: energy, cost, latency, throughput or fairness?")
    goal, objective = known[0]
    made = partial("prefer", stated(tag.span), objective=(objective, stated(goal.span)))
    amounts = clause.of(Kind.QUANTITY)
    if not amounts:
        return made
    weight = amounts[0].number / (100 if amounts[0].value == "percent" else 1)
    if len(amounts) > 1 or amounts[0].value not in ("", "percent") or not 0 <= weight <= 1:
        raise Unclear("Which weight, from 0 to 1?")
    return made.having("weight", number(weight), stated(amounts[0].span))


def _objective(tag: Tag) -> str | None:
    return tag.value if tag.kind is Kind.OBJECTIVE else _OBJECTIVES.get(tag.value)


def _migrate(clause: Clause, tag: Tag, catalog: Catalog) -> Directive:
    kinds = (Kind.PARTITION, Kind.GPU, Kind.NODE, Kind.ZONE, Kind.CONFIDENTIAL)
    targets = [t for t in clause.of(*kinds) if not _is_label(t) and not _is_origin(clause, t)]
    made = [_target(clause, t, catalog) for t in targets] + list(_labelled(clause, catalog))
    if len(made) != 1:
        raise Unclear("Migrate to which one partition, GPU product, node or zone?")
    name, value, origin = made[0]
    return partial("migrate", stated(tag.span), **{name: (value, origin)})


def _is_label(tag: Tag) -> bool:
    """The word ``node`` itself, not the name of one."""
    return tag.value == "" and tag.kind is not Kind.CONFIDENTIAL


def _is_origin(clause: Clause, tag: Tag) -> bool:
    before = clause.before(tag)
    return before is not None and before.kind is Kind.FROM


def _target(clause: Clause, tag: Tag, catalog: Catalog) -> tuple[str, Value, Origin]:
    if tag.kind is Kind.CONFIDENTIAL:
        return "confidential", True, stated(tag.span)
    if tag.kind is Kind.PARTITION and catalog.partitions is not None and tag.value not in catalog.partitions:
        near = nearest(tag.value, catalog.partitions, cutoff=0.3)
        raise Refused(Reason.UNKNOWN_PARTITION, f"partition {tag.value} is not in the catalog", near)
    return tag.kind.value, tag.value, stated(tag.span)


def _labelled(clause: Clause, catalog: Catalog) -> Iterator[tuple[str, Value, Origin]]:
    """``node n7``: a name that the catalog lacks, taken only where the catalog does not list its kind."""
    for label, word in zip(clause.tags, clause.tags[1:], strict=False):
        if word.kind is Kind.WORD and label.kind in (Kind.NODE, Kind.ZONE) and _is_label(label):
            known = catalog.nodes if label.kind is Kind.NODE else catalog.zones
            if known is not None:
                raise Unclear(
                    f"The catalog has no {label.kind.value} '{word.value}': which one of {', '.join(known[:8])}?"
                )
            yield label.kind.value, word.value, stated(word.span)


def _defragment(clause: Clause, tag: Tag, catalog: Catalog) -> Directive:
    made = partial("defragment", stated(tag.span))
    for place in (t for t in clause.of(Kind.NODE, Kind.GPU) if not _is_label(t)):
        made = made.having(place.kind.value, place.value, stated(place.span))
    for name, value, origin in _labelled(clause, catalog):
        made = made.having(name, value, origin)
    return made


def _deploy(clause: Clause, tag: Tag, catalog: Catalog) -> Directive:
    model = clause.first(Kind.MODEL)
    words = clause.of(Kind.WORD)
    if model is None:
        if not words:
            raise Unclear("Deploy which model?")
        near = nearest(words[0].value, catalog.models or (), cutoff=0.4)
        raise Refused(Reason.UNKNOWN_MODEL, f"model {words[0].value} is not in the catalog", near)
    made = partial("deploy", stated(tag.span), model=(model.value, stated(model.span)))
    service = next((t for t in clause.of(Kind.SERVICE, Kind.WORD) if t.start > model.start), None)
    if service is None:
        raise Unclear(f"What should the service that runs {model.value} be called?")
    name = service.value if service.kind is Kind.SERVICE else clause.words(service)
    made = made.having("service", name, stated(service.span))
    for extra in read_numbers(clause, "scale"):
        made = merged(made, extra)
    return made


def merged(deploy: Directive, extra: Directive) -> Directive:
    """The fields of a limit in the directive that deploys."""
    for name in extra.fields:
        if name in deploy.fields and name not in ("verb", "service"):
            raise Unclear("One limit can be given with a deployment: state the others afterwards. Which one?")
        if name not in ("verb", "service", "namespace"):
            deploy = deploy.having(name, extra.fields[name], extra.origins[name])
    return deploy


def read_schedule(clause: Clause, verb: str | None) -> Directive:
    """Windows on days; without days the window is there every day."""
    days, cron, window = clause.first(Kind.DAYS), clause.first(Kind.CRON), _window(clause)
    numbers = replace(clause, tags=tuple(t for t in clause.tags if t is not (window or (None,))[0]))
    amounts = list(read_numbers(numbers, "autoscale"))
    if not amounts or any(a.verb != "scale" or {"factor", "delta"} & set(a.fields) for a in amounts):
        raise Unclear("How many replicas should run then: exactly, at least or at most?")
    tag = next((t for t in clause.of(Kind.VERB) if t.value == "schedule"), None)
    made = partial("schedule", stated(tag.span) if tag else INFERRED)
    if cron is not None:
        made = made.having("cron", " ".join(cron.value.split()), stated(cron.span))
    elif window is None:
        raise Unclear("From when to when on those days (HH:MM to HH:MM)?")
    else:
        _, first, last, spans = window
        made = made.having(
            "days", tuple(days.value.split(",")) if days else _WEEK, stated(days.span) if days else INFERRED
        )
        made = made.having("from", first, spans[0]).having("to", last, spans[1])
    zone = clause.first(Kind.TIME_ZONE)
    if zone is not None:
        made = made.having("timeZone", zone.value, stated(zone.span))
    return _with_amounts(made, amounts)


def _with_amounts(made: Directive, amounts: list[Directive]) -> Directive:
    for amount in amounts:
        for name in ("min", "max", "replicas"):
            if name in amount.fields:
                made = made.having(name, amount.fields[name], amount.origins[name])
    return made


def _window(clause: Clause) -> tuple[Tag, str, str, tuple[Origin, Origin]] | None:
    clock = next((t for t in clause.of(Kind.CLOCK) if t.parts), None)
    if clock is not None:
        first, last = clock.value.split("-")
        return clock, first, last, (stated(clock.parts[0].span), stated(clock.parts[1].span))
    for tag in clause.of(Kind.RANGE):
        low, high = tag.parts
        if (
            low.value == ""
            and tag.value in (Kind.FROM, Kind.BETWEEN)
            and low.number in range(24)
            and high.number in range(24)
            and clause.of(Kind.DAYS)
        ):
            spans = stated(low.span), stated(high.span)
            return tag, f"{int(low.number):02d}:00", f"{int(high.number):02d}:00", spans
    return None


READERS: dict[str, Reader] = {
    "pause": _plain,
    "resume": _plain,
    "explain": _plain,
    "delete": _plain,
    "undo": _undo,
    "prefer": _prefer,
    "migrate": _migrate,
    "defragment": _defragment,
    "deploy": _deploy,
}
