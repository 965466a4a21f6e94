"""The verbs that are no plain limit: pause, resume, explain, undo, prefer, schedule, deploy, delete, migrate ..."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from llm_engine.catalog import Catalog, nearest, nearest_partition
from llm_engine.clauses import Clause
from llm_engine.coordination import window_of
from llm_engine.implied import TARGETS, given_name, is_label, is_origin, objective_of
from llm_engine.lexicon import NUMERIC, Kind
from llm_engine.limits import number, partial, read_numbers, stated
from llm_engine.tags import Tag
from llm_engine.times import duration
from llm_engine.values import INFERRED, Directive, Origin, Reason, Refused, Span, Unclear, Value

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LAST = re.compile(r"\b(?:last|latest|previous|recent|newest)\b", re.IGNORECASE)
_NAME_LIKE = re.compile(r"[-\d]")
_HYPHENED = re.compile(r"(?<![\w-])[a-z][a-z0-9]*(?:-[a-z0-9]+)+(?![\w-])", re.IGNORECASE)
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")

DENIED = "Nothing is done where the sentence denies it: what should be done instead?"

Reader = Callable[[Clause, Tag, Catalog], Directive]


def is_schedule(clause: Clause) -> bool:
    return bool(clause.of(Kind.CRON, Kind.DAYS, Kind.CLOCK)) and not set(clause.verbs) & {"explain", "undo"}


def read_action(clause: Clause, catalog: Catalog) -> Directive | None:
    """The directive of the clause's verb, if that is one of these."""
    tag = next((tag for tag in clause.of(Kind.VERB) if tag.value in READERS), None)
    if tag is None:
        return None
    if clause.of(Kind.NEGATION) and tag.value != "explain":
        raise Unclear(DENIED)
    return READERS[tag.value](clause, tag, catalog)


def _verb(tag: Tag) -> Origin:
    return INFERRED if tag.start < 0 else stated(tag.span)


def _plain(clause: Clause, tag: Tag, catalog: Catalog) -> Directive:
    made = partial(tag.value, _verb(tag))
    amounts = clause.of(Kind.QUANTITY, Kind.RANGE)
    if not amounts or tag.value == "explain":
        return made
    length = duration(amounts[0])
    if length is None or len(amounts) > 1 or clause.of(Kind.EXPIRES):
        raise Unclear(f"What is the number for? '{tag.value}' takes none.")
    return made.having("expires", length.value, stated(length.span))


def _undo(clause: Clause, tag: Tag, catalog: Catalog) -> Directive:
    made = partial("undo", stated(tag.span))
    marker = clause.first(Kind.INTENT)
    if span := _intent_named(clause, tag, marker):
        made = made.having("intent", clause.text[slice(*span)], stated(span))
    elif clause.of(Kind.SERVICE, Kind.EVERYTHING, Kind.QUANTITY):
        raise Unclear("Undo the intent that was applied last, or which one (its name)?")
    elif marker is not None and not _LAST.search(clause.text):
        raise Unclear("Undo which intent (its name), or the last one?")
    return made


def _intent_named(clause: Clause, verb: Tag, marker: Tag | None) -> Span | None:
    """Where its name stands: what looks like one, or a word of any kind that is said to be one."""
    is_told = marker or (verb if clause.words(verb).endswith("intent") else None)
    about = clause.of(Kind.SERVICE, Kind.EVERYTHING)
    for word in (word for word in clause.of(Kind.WORD) if word.start > verb.start):
        if _NAME_LIKE.search(word.value) or (is_told and word.start > is_told.start and not about):
            return word.span
    if hyphened := _HYPHENED.search(clause.text, verb.end, clause.tags[-1].end):
        return hyphened.span()
    last = _behind(clause, marker) if marker else None
    return last.span if last else None


def _behind(clause: Clause, marker: Tag) -> Tag | None:
    """``undo intent make``: what ends the clause directly behind the word is a name, whatever else it may mean."""
    after = [tag for tag in clause.tags if tag.start >= marker.end]
    is_last = len(after) == 1 and after[0].kind not in (Kind.FILLER, Kind.SERVICE, *NUMERIC)
    return after[0] if is_last and _NAME.fullmatch(clause.words(after[0])) else None


def _prefer(clause: Clause, tag: Tag, catalog: Catalog) -> Directive:
    goals = [(t, objective_of(t)) for t in clause.of(Kind.OBJECTIVE, Kind.METRIC, Kind.LATENCY)]
    known = [(t, goal) for t, goal in goals if goal]
    if clause.of(Kind.INSTEAD):
        raise Unclear("Prefer which one: energy, cost, latency, throughput or fairness?")
    if not known:
        raise Unclear("Prefer what: energy, cost, latency, throughput or fairness?")
    goal, objective = known[0]
    if len({found for _, found in known}) > 1 and not clause.of(Kind.LOWER) and "than" not in clause.text.lower():
        raise Unclear(f"Which comes first: {' or '.join(dict.fromkeys(found for _, found in known))}?")
    made = partial("prefer", _verb(tag), objective=(objective, stated(goal.span)))
    amounts = clause.of(Kind.QUANTITY)
    if not amounts:
        return made
    weight = amounts[0].number / (100 if amounts[0].value == "percent" else 1)
    if len(amounts) > 1 or amounts[0].value not in ("", "percent") or not 0 <= weight <= 1:
        raise Unclear("Which weight, from 0 to 1?")
    return made.having("weight", number(weight), stated(amounts[0].span))


def _migrate(clause: Clause, tag: Tag, catalog: Catalog) -> Directive:
    targets = [t for t in clause.of(*TARGETS) if not is_label(t) and not is_origin(clause, t)]
    made = [_target(clause, t, catalog) for t in targets] + list(_labelled(clause, catalog))
    if len(made) != 1:
        raise Unclear("Migrate to which one partition, GPU product, node or zone?")
    name, value, origin = made[0]
    return partial("migrate", _verb(tag), **{name: (value, origin)})


def _target(clause: Clause, tag: Tag, catalog: Catalog) -> tuple[str, Value, Origin]:
    if tag.kind is Kind.CONFIDENTIAL:
        return "confidential", True, stated(tag.span)
    if tag.kind is Kind.PARTITION and catalog.partitions is not None and tag.value not in catalog.partitions:
        near = nearest_partition(tag.value, catalog.partitions)
        raise Refused(Reason.UNKNOWN_PARTITION, f"partition {tag.value} is not in the catalog", near)
    return tag.kind.value, tag.value, stated(tag.span)


def _labelled(clause: Clause, catalog: Catalog) -> Iterator[tuple[str, Value, Origin]]:
    """``node n7``: a name that the catalog lacks, taken only where the catalog does not list its kind."""
    for label, word in zip(clause.tags, clause.tags[1:], strict=False):
        if word.kind is Kind.WORD and label.kind in (Kind.NODE, Kind.ZONE) and is_label(label):
            known = catalog.nodes if label.kind is Kind.NODE else catalog.zones
            if known is not None:
                raise Unclear(
                    f"The catalog has no {label.kind.value} '{word.value}': which one of {', '.join(known[:8])}?"
                )
            yield label.kind.value, word.value, stated(word.span)


def _defragment(clause: Clause, tag: Tag, catalog: Catalog) -> Directive:
    made = partial("defragment", stated(tag.span))
    for place in (t for t in clause.of(Kind.NODE, Kind.GPU) if not is_label(t)):
        made = made.having(place.kind.value, place.value, stated(place.span))
    for name, value, origin in _labelled(clause, catalog):
        made = made.having(name, value, origin)
    return made


def _deploy(clause: Clause, tag: Tag, catalog: Catalog) -> Directive:
    model, name = clause.first(Kind.MODEL), given_name(clause)
    words = clause.of(Kind.WORD)
    if name is None and model is not None and len(words) == 1:
        name = words[0]
    if model is None:
        raise _unknown_model([word for word in clause.of(Kind.WORD) if word is not name], catalog)
    if name is None:
        raise Unclear(f"What should the service that runs {model.value} be called?")
    if name.kind is Kind.SERVICE:
        raise Unclear(f"{name.value} exists already: what should the new service be called?")
    if not _NAME.fullmatch(clause.words(name)):
        raise Unclear(f"'{clause.words(name)}' cannot be a name; which one (a-z, 0-9 and -)?")
    made = partial("deploy", _verb(tag), model=(model.value, stated(model.span)))
    made = made.having("service", clause.words(name), stated(name.span))
    place = next((t for t in clause.of(Kind.NAMESPACE) if t.value), None)
    if place is not None:
        made = made.having("namespace", place.value, stated(place.span))
    for extra in read_numbers(clause, "scale"):
        made = merged(made, extra)
    return made


def _unknown_model(words: Sequence[Tag], catalog: Catalog) -> Refused | Unclear:
    if not words:
        return Unclear("Deploy which model?")
    near = nearest(words[0].value, catalog.models or (), cutoff=0.4)
    return Refused(Reason.UNKNOWN_MODEL, f"model {words[0].value} is not in the catalog", near)


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
    tag = window_of(clause)
    if tag is None:
        return None
    first, last = tag.value.split("-") if tag.kind is Kind.CLOCK else (_clock(part.number) for part in tag.parts)
    return tag, first, last, (stated(tag.parts[0].span), stated(tag.parts[1].span))


def _clock(hour: float) -> str:
    return f"{int(hour) % 24:02d}:00"


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
