"""Numbers of a clause to ``bound`` and ``scale`` directives, still without their service."""

from collections.abc import Iterator
from dataclasses import replace

from llm_engine.clauses import Clause, Statement, statements
from llm_engine.lexicon import Kind
from llm_engine.tags import Tag
from llm_engine.values import INFERRED, LATENCIES, UNITS, Directive, Origin, Reason, Refused, Span, Unclear, Value

_METRIC_OF_UNIT = {
    "ms": "e2e",
    "s": "e2e",
    "W": "watts",
    "kW": "watts",
    "usd": "cost_per_hour",
    "eur": "cost_per_hour",
    "gpus": "gpus",
}
_COUNTS = ("", "replicas")
_ADDING = frozenset({"add", "take"})
SCALING = frozenset({"scale", "autoscale"})


def stated(span: Span) -> Origin:
    return Origin("stated", span)


def partial(verb: str, origin: Origin, **fields: tuple[Value, Origin]) -> Directive:
    made = Directive({"verb": verb}, {"verb": origin})
    for name, (value, source) in fields.items():
        made = made.having(name, value, source)
    return made


def number(value: float) -> int | float:
    return int(value) if value == int(value) else round(value, 9)


def read_numbers(clause: Clause, verb: str | None) -> Iterator[Directive]:
    """``verb`` is the one of the clause, or of an earlier clause that goes on."""
    for statement in map(_goal, statements(clause)):
        if statement.number.kind is Kind.RANGE:
            yield _range(statement, verb)
        elif _is_scale(statement, verb):
            yield _scale(statement, verb)
        else:
            yield _bound(statement)
    if not clause.of(Kind.QUANTITY) and clause.of(Kind.FACTOR):
        if clause.of(Kind.UPPER, Kind.LOWER):
            raise Unclear("Change a limit by that much? Say the number that it should become.")
        yield from map(_factor, clause.of(Kind.FACTOR))


def _goal(statement: Statement) -> Statement:
    """``increase from 2 to 6`` and ``from 500 ms to 300 ms`` go to the second number; only a plain range is held."""
    number = statement.number
    turning = bool(statement.clause.of(Kind.UP, Kind.DOWN)) or statement.near(Kind.METRIC, Kind.LATENCY)
    if number.kind is not Kind.RANGE or number.value != Kind.FROM or not turning:
        return statement
    return replace(statement, number=number.parts[1], is_target=True)


def _metric(statement: Statement) -> Tag | None:
    """The metric that is named with the number, in words that fit its unit; a noun such as ``replicas`` counts too."""
    unit = statement.number.value
    fitting = [tag for tag in statement.around if tag.kind is Kind.METRIC and _fits(tag.value, unit)]
    nouns = (
        [t for t in statement.around if t.kind is Kind.UNIT and t.value in ("replicas", "gpus")] if unit == "" else []
    )
    if len({tag.value for tag in fitting}) > 1:
        raise Unclear(f"Which is meant: {' or '.join(sorted({tag.value for tag in fitting}))}?")
    found = [*fitting, *nouns]
    return found[-1] if found else None


def _fits(metric: str, unit: str) -> bool:
    return unit == "" or (unit if unit != "gpus" else "count") in UNITS[metric]


def _is_scale(statement: Statement, verb: str | None) -> bool:
    unit = statement.number.value
    if unit in ("replicas", "times"):
        return True
    if unit == "percent":
        named = statement.near(Kind.METRIC, Kind.LATENCY)
        relative = statement.number.relative or statement.clause.of(Kind.UP, Kind.DOWN)
        return named is None and (verb in SCALING or bool(relative))
    if unit != "":
        return False
    if statement.number.relative:
        return True
    metric = _metric(statement)
    if metric is not None:
        return metric.value == "replicas"
    if statement.near(Kind.LATENCY, Kind.PERCENTILE):
        return False
    explicit = statement.near(Kind.UPPER, Kind.LOWER)
    is_named = explicit is not None and explicit.value == "named"
    return verb in SCALING or is_named or bool(statement.clause.of(Kind.UP, Kind.DOWN))


def _scale(statement: Statement, verb: str | None) -> Directive:
    tag, clause = statement.number, statement.clause
    origin = _verb_origin(clause, "scale")
    field, value = _scaled(statement, verb)
    if field in ("replicas", "min", "max") and tag.is_signed and tag.relative < 0:
        raise Refused(Reason.INFEASIBLE, f"{clause.words(tag)} is no number of replicas", "1 or more")
    if field != "factor" and value != int(value):
        raise Unclear(f"'{clause.words(tag)}' replicas: a whole number is needed. How many?")
    return partial("scale", origin, **{field: (number(value), stated(tag.span))})


def _scaled(statement: Statement, verb: str | None) -> tuple[str, float]:
    tag, clause = statement.number, statement.clause
    side, limit = statement.side
    rising = _direction(statement) or (tag.relative if tag.value == "percent" else 0)
    if tag.value == "percent":
        return "factor", _percent_factor(statement, rising)
    if tag.value == "times" or statement.link == "factor":
        return "factor", 1 / tag.number if rising < 0 and tag.number else tag.number
    if side is not None and limit is not None:
        if statement.link == "by" or tag.relative:
            raise Unclear("Change a limit by that much? Say the number that it should become.")
        brought = any(t.value == "bring" for t in clause.of(Kind.HINT))
        if limit.value == "upto" and (verb == "scale" or brought):
            raise Unclear(f"Scale to exactly {number(tag.number)} replicas, or at most {number(tag.number)}?")
        return ("max" if side is Kind.UPPER else "min"), tag.number
    adding = _is_added(statement)
    if statement.link == "to" and tag.is_signed:
        return "replicas", tag.number
    if tag.relative or statement.link == "by" or (adding and statement.link == ""):
        return "delta", tag.number * _sign(tag, rising, clause)
    if rising and statement.link == "":
        raise Unclear(f"To {number(tag.number)} replicas, or by {number(tag.number)}?")
    return "replicas", tag.number


def _is_added(statement: Statement) -> bool:
    """``add 2``, ``take 2 away``, ``drop one replica``: the number is the change itself."""
    turns = [tag for tag in statement.around if tag.kind in (Kind.UP, Kind.DOWN)]
    directly = [tag for tag in statement.before if tag.kind is not Kind.FILLER][-1:]
    told = statement.number.value == "replicas" and directly == turns[-1:]
    return bool(turns) and (told or any(tag.value in _ADDING for tag in turns))


def _direction(statement: Statement) -> int:
    turn = statement.near(Kind.UP, Kind.DOWN)
    return 0 if turn is None else 1 if turn.kind is Kind.UP else -1


def _sign(tag: Tag, rising: int, clause: Clause) -> int:
    sign = tag.relative if tag.relative and rising >= 0 else rising
    if not sign:
        raise Unclear(f"Up or down by {clause.words(tag)}?")
    return sign


def _percent_factor(statement: Statement, rising: int) -> float:
    percent = statement.number.number
    if statement.link in ("to", "as") or (statement.link == "at" and not rising):
        return percent / 100
    if not rising:
        raise Unclear(f"Up by {number(percent)} %, down by it, or to it?")
    if rising < 0 and percent >= 100:
        raise Unclear(f"Less {number(percent)} % leaves nothing: to how many replicas?")
    return 1 + rising * percent / 100


def _factor(tag: Tag) -> Directive:
    return partial("scale", stated(tag.span), factor=(number(float(tag.value)), stated(tag.span)))


def _range(statement: Statement, verb: str | None) -> Directive:
    low, high = statement.number.parts
    unit = low.value or (noun.value if (noun := _metric(statement)) else "")
    scaling = unit == "replicas" or (unit == "" and (verb in SCALING or verb is None))
    if not scaling or statement.near(Kind.METRIC, Kind.LATENCY):
        raise Unclear("Only replicas can be held between two numbers: which one limit do you mean?")
    kept = any(tag.value in ("keep", "hold") for tag in statement.clause.of(Kind.HINT))
    if statement.number.value == Kind.FROM and verb != "autoscale" and not kept:
        raise Unclear(
            f"Scale to {number(high.number)}, or keep between {number(low.number)} and {number(high.number)}?"
        )
    if low.number != int(low.number) or high.number != int(high.number):
        raise Unclear("Replicas are whole numbers: between which two?")
    origin = _verb_origin(statement.clause, "scale")
    return partial(
        "scale", origin, min=(number(low.number), stated(low.span)), max=(number(high.number), stated(high.span))
    )


def _verb_origin(clause: Clause, verb: str) -> Origin:
    kinds = (Kind.VERB,) if verb == "bound" else (Kind.VERB, Kind.UP, Kind.DOWN)
    tag = next((t for t in clause.of(*kinds) if t.kind is not Kind.VERB or t.value in SCALING), None)
    return stated(tag.span) if tag else INFERRED


def _bound(statement: Statement) -> Directive:
    tag = statement.number
    metric, source = _bounded(statement)
    unit, unit_source = _unit(statement, metric)
    _check_side(statement, metric)
    made = partial(
        "bound",
        INFERRED,
        metric=(metric, source),
        value=(number(tag.number), stated(tag.span)),
        unit=(unit, unit_source),
    )
    percentile = statement.near(Kind.PERCENTILE)
    if percentile is None:
        return made
    if not 0 < percentile.number < 100:
        raise Refused(Reason.INFEASIBLE, f"there is no percentile {number(percentile.number)}", "percentile 99")
    if metric not in LATENCIES:
        raise Unclear(f"What is percentile {number(percentile.number)} of {metric}?")
    return made.having("percentile", number(percentile.number), stated(percentile.span))


def _bounded(statement: Statement) -> tuple[str, Origin]:
    """The metric: as named, else as the unit implies; a latency without more is end to end."""
    named, unit = _metric(statement), statement.number.value
    if named is not None and named.value != "replicas":
        return named.value, stated(named.span)
    if unit in _METRIC_OF_UNIT:
        if unit == "gpus" and statement.number.unit_span:
            return "gpus", stated(statement.number.unit_span)
        return _METRIC_OF_UNIT[unit], INFERRED
    if unit == "" and statement.near(Kind.LATENCY, Kind.PERCENTILE):
        return "e2e", INFERRED
    what = statement.clause.words(statement.number)
    unit_words = statement.clause.text[slice(*statement.number.unit_span)] if statement.number.unit_span else ""
    amount = " ".join((what, unit_words)).strip()
    raise Unclear(
        f"What is limited by '{amount}': latency (ms, s), cost (usd, eur per hour), power (W, kW), GPUs or replicas?"
    )


def _unit(statement: Statement, metric: str) -> tuple[str, Origin]:
    tag = statement.number
    if metric == "gpus":
        return "count", INFERRED
    if tag.value == "":
        choices = " or ".join(UNITS[metric])
        raise Unclear(f"{number(tag.number)} in which unit: {choices}?")
    if metric == "cost_per_hour" and tag.per != "hour" and not _hourly(statement):
        raise Unclear(f"Is {number(tag.number)} {tag.value} meant per hour?")
    return tag.value, stated(tag.unit_span) if tag.unit_span else INFERRED


def _hourly(statement: Statement) -> bool:
    words = statement.clause.text.lower()
    return statement.number.per == "" and any(
        tag.value == "hour" if tag.kind is Kind.PERIOD else "hour" in words[tag.start : tag.end]
        for tag in statement.around
        if tag.kind in (Kind.METRIC, Kind.PERIOD)
    )


def _check_side(statement: Statement, metric: str) -> None:
    """Attainment is limited from below, everything else from above; the vocabulary has no other way."""
    side, _ = statement.side
    if statement.link == "by" or statement.number.relative:
        raise Unclear(f"Change {metric} by that much? Say the limit that it should have.")
    if side is None and statement.clause.of(Kind.UP) and not statement.link:
        raise Unclear(f"Is that the most {metric} there may be?")
    wrong = Kind.UPPER if metric == "attainment" else Kind.LOWER
    if side is wrong:
        most = "least" if metric == "attainment" else "most"
        raise Unclear(
            f"{metric} can only have a limit that says the {most}: is {number(statement.number.number)} that?"
        )
