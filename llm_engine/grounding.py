"""The model's draft against the text: what the text does not state is not believed."""

import math
from collections.abc import Iterator, Sequence

from llm_engine.catalog import Catalog
from llm_engine.checks import joined, refuse_contradictions, refuse_deleting_all, refuse_infeasible, refuse_outside
from llm_engine.clauses import statements
from llm_engine.coverage import unused
from llm_engine.grammar import Reading
from llm_engine.lexicon import NUMERIC, Kind
from llm_engine.limits import number, stated
from llm_engine.model import Drafted, DraftedDirective
from llm_engine.resolve import SUMS
from llm_engine.tags import Tag
from llm_engine.values import FIELDS, INFERRED, LATENCIES, UNITS, Directive, Origin, Unclear, Value

_NUMBERS = ("value", "percentile", "replicas", "min", "max", "factor", "delta")
_UNIT_OF = {"count": "gpus"}
_NEEDS: dict[str, tuple[str, ...]] = {
    "bound": ("metric", "value", "unit"),
    "prefer": ("objective",),
    "deploy": ("model",),
    "migrate": ("partition",),
}
_GRAVE = frozenset({"deploy", "delete", "migrate", "undo", "defragment"})
"""Never believed of the model alone: the grammar must have read the verb."""


def ground(drafted: Drafted, text: str, catalog: Catalog, reading: Reading) -> tuple[Directive, ...]:
    """The directives of the model, each field found in the text.

    Raises Unclear for a disagreement with the text or with what the grammar read, Refused for limits.
    """
    tags = [tag for clause in reading.clauses for tag in clause.tags]
    _check_mentioned(drafted, tags)
    found = joined(_Ground(tags, catalog, reading).directive(one) for one in drafted.directives)
    refuse_deleting_all(found)
    refuse_contradictions(found)
    refuse_infeasible(found, catalog)
    refuse_outside(found, catalog)
    left = unused(reading.clauses, found) if found else None
    if left is not None:
        raise Unclear(f"What is '{text[left.start : left.end]}' for, beside: {_listed(found)}?")
    if reading.directives and list(reading.directives) != found:
        raise Unclear(f"Which is meant: {_listed(reading.directives)}; or {_listed(found)}?")
    return tuple(found)


def _listed(directives: Sequence[Directive]) -> str:
    return "; ".join(str(directive) for directive in directives) or "nothing"


def _check_mentioned(drafted: Drafted, tags: Sequence[Tag]) -> None:
    """Every number that the text states must be in the draft: a part that was passed over is not applied by half."""
    told = [
        float(amount) for one in drafted.directives for name in _NUMBERS if (amount := getattr(one, name)) is not None
    ]
    for tag in _numbers(tags):
        if not any(_same(tag, amount) for amount in told):
            raise Unclear(f"What does {number(tag.number)} stand for?")


def _numbers(tags: Sequence[Tag]) -> Iterator[Tag]:
    for tag in tags:
        if tag.kind in NUMERIC or tag.kind is Kind.PERCENTILE:
            yield from tag.parts or (tag,)


def _same(tag: Tag, amount: float) -> bool:
    share = (1 + tag.number / 100, 1 - tag.number / 100, tag.number / 100) if tag.value == "percent" else ()
    inverse = (1 / tag.number,) if tag.value in ("times", "") and tag.number else ()
    return any(math.isclose(abs(amount), known) for known in (tag.number, *share, *inverse))


class _Ground:
    def __init__(self, tags: Sequence[Tag], catalog: Catalog, reading: Reading) -> None:
        self._tags = tags
        self._catalog = catalog
        self._reading = reading
        self._denied = any(tag.kind is Kind.NEGATION for tag in tags)

    def directive(self, one: DraftedDirective) -> Directive:
        said = {name: value for name, value in one.model_dump(exclude_none=True).items() if name != "verb"}
        self._check_verb(one.verb)
        made = Directive({"verb": one.verb}, {"verb": self._verb_origin(one.verb)})
        for name, value in said.items():
            if name not in FIELDS[one.verb]:
                raise Unclear(f"What does '{name} {value}' mean with {one.verb}?")
            made = made.having(name, *self._field(name, value, one))
        return self._complete(made)

    def _check_verb(self, verb: str) -> None:
        read = self._reading.verbs
        known = {"autoscale": "scale"}
        stated_verbs = {known.get(v, v) for v in read}
        compatible = (
            verb in stated_verbs
            or (not stated_verbs and verb not in _GRAVE)
            or (verb == "bound" and stated_verbs <= {"scale"})
        )
        if not compatible or (self._denied and verb not in ("bound", "scale", "explain")):
            raise Unclear(f"Is '{verb}' meant? The sentence does not say so in words that are known.")

    def _verb_origin(self, verb: str) -> Origin:
        tag = next((t for t in self._tags if t.kind is Kind.VERB and t.value == verb), None)
        return stated(tag.span) if tag else INFERRED

    def _field(self, name: str, value: object, one: DraftedDirective) -> tuple[Value, Origin]:
        if name == "service":
            return self._service(str(value), one.metric)
        if name in _NUMBERS:
            tag = self._number(name, float(str(value)))
            self._check_side(name, tag, one)
            return number(float(str(value))), stated(tag.span)
        if name == "metric":
            return str(value), self._metric(str(value))
        if name == "unit":
            return self._unit(str(value), one)
        return str(value), self._named(name, str(value))

    def _service(self, name: str, metric: str | None) -> tuple[Value, Origin]:
        if name == "*":
            tag = next((t for t in self._tags if t.kind is Kind.EVERYTHING), None)
        else:
            named = [part for t in self._tags if t.kind is Kind.SERVICE for part in (t.parts or (t,))]
            tag = next((t for t in named if t.value.lower() == name.lower()), None)
        if tag is None:
            raise Unclear(f"Which service? The sentence does not name '{name}'.")
        if len(self._catalog.service_names.get(name.lower(), ())) > 1:
            raise Unclear(f"Which {name}: in which namespace?")
        if tag.value == "each" and metric in SUMS:
            raise Unclear(f"Is that {metric} for all services together, or for which ones by name?")
        return name if name == "*" else tag.value, stated(tag.span)

    def _number(self, name: str, amount: float) -> Tag:
        for tag in _numbers(self._tags):
            if (tag.kind is Kind.PERCENTILE) == (name == "percentile") and self._says(tag, name, amount):
                return tag
        word = next(
            (t for t in self._tags if t.kind is Kind.FACTOR and name == "factor" and float(t.value) == amount), None
        )
        if word is None:
            raise Unclear(f"The sentence does not say {name} {number(amount)}: which number is meant?")
        return word

    def _says(self, tag: Tag, name: str, amount: float) -> bool:
        if name == "factor":
            return self._multiplies(tag) and _same(tag, amount)
        return math.isclose(tag.number, abs(amount) if name == "delta" else amount)

    def _multiplies(self, tag: Tag) -> bool:
        """``3 times``, ``50 %``, ``by a factor of 3``: only such a number can be a factor."""
        links = (statement.link for clause in self._reading.clauses for statement in statements(clause))
        return tag.value in ("percent", "times") or "factor" in links

    def _check_side(self, name: str, number_tag: Tag, one: DraftedDirective) -> None:
        """The comparator: at least is not at most, in the languages whose words for it are known."""
        if name not in ("value", "min", "max", "replicas"):
            return
        lower = name == "min" or (name == "value" and one.metric == "attainment")
        expected = None if name == "replicas" else Kind.LOWER if lower else Kind.UPPER
        found = self._side(number_tag)
        if found is not expected and not (name == "value" and found is None):
            raise Unclear(f"Is {number(number_tag.number)} the most, the least, or exactly what is wanted?")

    def _side(self, number_tag: Tag) -> Kind | None:
        for clause in self._reading.clauses:
            for statement in statements(clause):
                if number_tag in statement.number.parts:
                    return Kind.LOWER if number_tag == statement.number.parts[0] else Kind.UPPER
                if number_tag == statement.number:
                    return statement.side[0]
        return None

    def _metric(self, metric: str) -> Origin:
        named = [t for t in self._tags if t.kind is Kind.METRIC]
        tag = next((t for t in named if t.value == metric), None)
        if tag is not None:
            return stated(tag.span)
        if named and metric in LATENCIES and any(t.value in LATENCIES for t in named):
            raise Unclear(f"Which latency is meant: {named[0].value} or {metric}?")
        return INFERRED

    def _unit(self, unit: str, one: DraftedDirective) -> tuple[Value, Origin]:
        if one.metric is None or unit not in UNITS[one.metric]:
            raise Unclear(f"In which unit is {one.metric or 'the number'} given?")
        tag = next(
            (
                t
                for t in _numbers(self._tags)
                if t.value == _UNIT_OF.get(unit, unit) and math.isclose(t.number, one.value or math.nan)
            ),
            None,
        )
        if tag is None or tag.unit_span is None:
            raise Unclear(
                f"The sentence does not say {number(one.value or 0)} {unit}: which number and unit are meant?"
            )
        if one.metric == "cost_per_hour" and tag.per not in ("hour", ""):
            raise Unclear(f"Is {number(tag.number)} {unit} meant per hour?")
        return unit, INFERRED if unit == "count" else stated(tag.unit_span)

    def _named(self, name: str, value: str) -> Origin:
        kinds = {"model": Kind.MODEL, "partition": Kind.PARTITION, "objective": Kind.OBJECTIVE}
        wanted = {"cost": ("cost", "cost_per_hour"), "latency": ("latency", "e2e", "ttft", "tpot")}.get(value, (value,))
        tag = next(
            (t for t in self._tags if t.kind in (kinds[name], Kind.METRIC, Kind.LATENCY) and t.value in wanted), None
        )
        if tag is None:
            raise Unclear(f"The sentence does not say {name} {value}: which {name} is meant?")
        return stated(tag.span)

    def _complete(self, made: Directive) -> Directive:
        missing = [name for name in _NEEDS.get(made.verb, ()) if name not in made.fields]
        if made.verb == "scale" and not set(made.fields) & {"replicas", "min", "max", "factor", "delta"}:
            missing = ["number of replicas"]
        if missing:
            raise Unclear(f"Which {missing[0].replace('_', ' ')} is meant for '{made}'?")
        if "service" in made.fields or made.verb in ("undo", "defragment"):
            return made
        named = [part for t in self._tags if t.kind is Kind.SERVICE for part in (t.parts or (t,))]
        if len({t.value for t in named}) != 1:
            raise Unclear("Which service is meant?")
        return Directive(
            {"verb": made.verb, "service": named[0].value} | dict(made.fields),
            {"service": INFERRED} | dict(made.origins),
        )
